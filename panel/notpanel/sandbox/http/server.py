"""The HTTP floor of the sandbox: routing, forms, keep-alive, and the door of the control page."""

import ipaddress
import json
import logging
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from panel.notpanel.sandbox.api import contract
from panel.notpanel.sandbox.faults.rules import TURNED_AWAY, Rule
from panel.notpanel.sandbox.http import control
from panel.notpanel.sandbox.http.books import books
from panel.notpanel.sandbox.http.page import page
from panel.notpanel.sandbox.http.reply import HTML, JSON, NONE, Line, deliver
from panel.notpanel.sandbox.webhooks.courier import Courier
from panel.notpanel.sandbox.world.supplier import Supplier, timed

API_PATH = "/api/v2"
LARGEST_BODY = 4 * 1024 * 1024  # a control call may bring a catalog of 10,000 rows
MOST_FIELDS = 100
POLL_SECONDS = 0.02  # how long a stop may wait
IDLE_SECONDS = 75  # a kept connection that says nothing for so long is closed
FORM = "application/x-www-form-urlencoded"
AFTER_SALE = ("refill", "cancel")  # what orders they name is in the books
OTHER = "?"  # actions that do not exist are counted together: a caller must not fill the books

log = logging.getLogger("notpanel.sandbox")


class Sandbox:
    """A running supplier. `url` is where the API answers; `control` where a person looks."""

    def __init__(self, supplier: Supplier, host: str = "127.0.0.1", port: int = 0) -> None:
        """Binds at once (port 0: a free one); raises OSError when the port is taken."""
        self.supplier = supplier
        self._server = _Server((host, port), supplier)
        self.port = int(self._server.server_address[1])
        self.url = f"http://{host}:{self.port}{API_PATH}"
        self.control = f"http://{host}:{self.port}/control"
        self._courier = Courier(supplier)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, name="sandbox", daemon=True
        )

    def start(self) -> "Sandbox":
        self._thread.start()
        self._courier.start()
        return self

    def close(self) -> None:
        """Stop listening and delivering, hang up on everyone; the store belongs to the supplier and stays open."""
        self._server.stopping.set()
        self._courier.close()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.hang_up_all()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # a campaign opens its connections all at once
    block_on_close = False  # `hang_up_all` ends the threads, which are daemons besides

    def __init__(self, address: tuple[str, int], supplier: Supplier) -> None:
        self.supplier = supplier
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)
        self.address = f"http://{address[0]}:{self.server_address[1]}{API_PATH}"

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would ask DNS for a name that nobody needs
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up_all(self) -> None:
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the caller was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is nobody's fault; anything else is ours."""
        if isinstance(sys.exception(), OSError) or self.stopping.is_set():
            log.debug("A caller went away", exc_info=True)
        else:
            log.exception("The sandbox itself failed")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    @property
    def _server(self) -> _Server:
        return cast(_Server, self.server)

    @property
    def _supplier(self) -> Supplier:
        return self._server.supplier

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        if body is None:
            return
        if path == API_PATH:
            self._api(body, query)
        elif path.startswith("/control/"):
            self._control_call(path.removeprefix("/control/"), body)
        else:
            self._elsewhere()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == API_PATH:
            self._json(405, {"error": "Method not allowed"}, {"Allow": "POST"})
        elif path in ("/control", "/control/"):
            self._control_page()
        elif path == "/control/books":
            if self._may_control():
                self._json(200, books(self._supplier))
        else:
            self._elsewhere()

    # -- the API

    def _api(self, body: bytes, query: str) -> None:
        form = self._form(body) if self._kind() == FORM and not query else None
        action = (form or {}).get("action", "")
        action = action if action in contract.ACTIONS else OTHER
        rule = self._supplier.faults.meet(action) if form is not None else None
        answer = contract.Answer(200, "{}", {})
        began = time.perf_counter()
        self._supplier.calls.arrived(action)
        line = Line(
            self,
            self._server.stopping,
            lambda status: self._note(timed(action, status, answer.error, rule.fault if rule else "", began)),
        )
        try:
            if form is None:
                answer = contract.refusal(
                    "Parameters travel in the body only" if query else f"The body must be {FORM}", 400
                )
            elif rule is None or rule.effect:
                answer = contract.answer(self._supplier, form, str(self.client_address[0]))
            if form and action in AFTER_SALE and _comes_through(form, answer, rule):
                self._supplier.calls.names(action, contract.named(form))
            deliver(line, answer, rule)
        except OSError:
            self.close_connection = True  # the caller did not wait for the answer
        except Exception:
            if self._server.stopping.is_set():
                self.close_connection = True  # the store was closed under a call: no answer is the honest one
            else:
                log.exception("The sandbox itself failed")
                answer = contract.refusal("Internal server error", 500)
                deliver(line, answer, None)
        finally:
            line.tell(0)  # heard only when nothing went out at all

    def _note(self, call: Any) -> None:
        """One line for each call; no word of a form is in it, so no key can be."""
        self._supplier.calls.note(call)
        log.info(
            "%s %s %.1f ms%s%s",
            call.action,
            call.status or "no answer",
            call.milliseconds,
            f" fault={call.fault}" if call.fault else "",
            f" {call.said}" if call.said else "",
        )

    # -- the control page

    def _control_page(self, note: str = "", status: int = 200) -> None:
        if self._may_control():
            text = page(self._supplier, self._server.address, note)
            self._line().send(status, text.encode(), HTML, _PAGE_HEADERS)

    def _control_call(self, thing: str, body: bytes) -> None:
        if not self._may_control():
            return
        by_browser = "text/html" in self.headers.get("Accept", "")
        try:
            answer = control.do(self._supplier, thing, self._fields(body))
        except (ValueError, LookupError, TypeError) as no:
            why = str(no.args[0]) if no.args else "That cannot be done"
            if by_browser:
                self._control_page(why, 400)
            else:
                self._json(400, {"error": why})
            return
        if by_browser:
            self._line().send(303, b"", HTML, {"Location": "/control"})
        else:
            self._json(200, answer)

    def _may_control(self) -> bool:
        """Loopback callers only, by address and by name (a rebound DNS name is a stranger), from our own page."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        own = origin in (None, f"http://{host}") and site in ("same-origin", "none")
        if not _is_loopback(str(self.client_address[0])) or not _is_loopback(_name(host)):
            self._json(403, {"error": "The control page answers on loopback only"})
        elif self.command == "POST" and not own:
            self._json(403, {"error": "A control call must come from the control page itself"})
        else:
            return True
        return False

    def _fields(self, body: bytes) -> dict[str, Any]:
        if self._kind() == JSON:
            fields = json.loads(body or b"{}")
            if not isinstance(fields, dict):
                raise ValueError("A control call is a JSON object")
            return fields
        form = self._form(body) if self._kind() in (FORM, "") else None
        if form is None:
            raise ValueError("A control call is a form or a JSON object")
        return dict(form)

    # -- HTTP

    def _body(self) -> bytes | None:
        """The request's body; None when it was refused already."""
        length = self.headers.get("Content-Length", "0")
        good = length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= LARGEST_BODY
        if not good or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # what follows on this connection cannot be told apart from the body
            self._json(411 if good else 413, {"error": "Send a Content-Length of no more than 4 MB"})
            return None
        return self.rfile.read(int(length))

    def _form(self, body: bytes) -> contract.Form | None:
        """The form's fields, the last of two with the same name; None when it cannot be read."""
        try:
            return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            return None

    def _kind(self) -> str:
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    def _json(self, status: int, said: object, headers: Mapping[str, str] = NONE) -> None:
        self._line().send(status, json.dumps(said, ensure_ascii=False).encode(), JSON, headers)

    def _elsewhere(self) -> None:
        with self._supplier.calls.lock:
            self._supplier.calls.elsewhere += 1
        self._json(404, {"error": "Nothing lives here"})

    def _line(self) -> Line:
        return Line(self, self._server.stopping, lambda status: None)

    def log_message(self, format: str, *args: object) -> None:
        """http.server's own lines (the API has better ones) are for whoever debugs the sandbox."""
        log.debug(format, *args)


_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}


def _comes_through(form: contract.Form, answer: contract.Answer, rule: Rule | None) -> bool:
    """Whether a call comes to its orders: not when the caller is turned away, nor when many are refused as one."""
    if answer.status in (401, 403, 429) or (rule and rule.fault in TURNED_AWAY and not rule.effect):
        return False
    refused = bool(answer.error) or (rule is not None and rule.fault == "error_200" and not rule.effect)
    return not (refused and "orders" in form)


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
