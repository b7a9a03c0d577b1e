"""The sandbox's HTTP server: routing, forms, keep-alive, and who may use the control page."""

import json
import logging
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from panel.notpanel.sandbox.api import contract
from panel.notpanel.sandbox.api.answer import HTML, JSON, Answer, refusal
from panel.notpanel.sandbox.api.form import Form, named_orders
from panel.notpanel.sandbox.faults.call_faults import REJECTIONS
from panel.notpanel.sandbox.faults.rules import Rule
from panel.notpanel.sandbox.http import control
from panel.notpanel.sandbox.http.books import books
from panel.notpanel.sandbox.http.faulty_replies import send_answer
from panel.notpanel.sandbox.http.page import page
from panel.notpanel.sandbox.http.reply import Reply
from panel.notpanel.sandbox.webhooks.addresses import is_loopback
from panel.notpanel.sandbox.webhooks.courier import Courier
from panel.notpanel.sandbox.world.supplier import Call, Supplier

API_PATH = "/api/v2"
LARGEST_BODY_BYTES = 4 * 1024 * 1024  # a control call may bring a catalog of 10,000 rows
MOST_FIELDS = 100
POLL_SECONDS = 0.02  # how long a stop may wait
IDLE_SECONDS = 75  # a kept connection that says nothing for so long is closed
FORM = "application/x-www-form-urlencoded"
AFTER_SALE = ("refill", "cancel")  # what orders they name is in the books
OTHER_ACTION = "?"  # actions that do not exist are counted together: a caller must not fill the books
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}

log = logging.getLogger("notpanel.sandbox")


class Sandbox:
    """A running supplier. `url` is the address of the API, `control` the address of the control page."""

    def __init__(self, supplier: Supplier, host: str = "127.0.0.1", port: int = 0) -> None:
        """Binds at once (port 0: a free one); raises OSError when the port is taken."""
        self._server = _Server((host, port), supplier)
        self.port, self.url = self._server.server_port, self._server.url
        self.control = f"http://{host}:{self.port}/control"
        self._courier = Courier(supplier)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, name="sandbox", daemon=True
        )

    def start(self) -> "Sandbox":
        """Answers and delivers from now on, in threads of its own; the sandbox itself."""
        self._thread.start()
        self._courier.start()
        return self

    def close(self) -> None:
        """Stops listening and delivering, and hangs up on every caller. The store is the supplier's and stays open."""
        self._server.stopping.set()
        self._courier.close()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.hang_up_all()


class _Server(ThreadingHTTPServer):
    """A thread for each connection, and a list of those that are open."""

    request_queue_size = 128  # a campaign opens its connections all at once
    block_on_close = False  # `hang_up_all` ends the threads, which are daemons besides

    def __init__(self, address: tuple[str, int], supplier: Supplier) -> None:
        self.supplier = supplier
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)
        self.url = f"http://{address[0]}:{self.server_port}{API_PATH}"

    def server_bind(self) -> None:
        """Binds like a plain TCP server: HTTPServer would ask DNS for a name that nobody needs."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembers the connection as open, then serves it."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets a connection that has ended."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up_all(self) -> None:
        """Ends every connection that is open, and with it the thread that serves it."""
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with suppress(OSError):  # the caller was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Logs an exception that ended a connection: quietly when the caller went away, else as our own mistake."""
        if isinstance(sys.exception(), OSError) or self.stopping.is_set():
            log.debug("A caller went away", exc_info=True)
        else:
            log.exception("The sandbox itself failed")


class _Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def do_POST(self) -> None:
        """Answers a call of the API or of the control page."""
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
        """Answers with the control page or the books."""
        path = self.path.partition("?")[0]
        if path == API_PATH:
            self._json(405, {"error": "Method not allowed"}, {"Allow": "POST"})
        elif path in ("/control", "/control/"):
            self._control_page()
        elif path == "/control/books":
            if self._may_control():
                self._json(200, books(self.server.supplier))
        else:
            self._elsewhere()

    def _api(self, body: bytes, query: str) -> None:
        form = self._form(body) if self._content_type() == FORM and not query else None
        action = (form or {}).get("action", "")
        action = action if action in contract.ACTIONS else OTHER_ACTION
        rule = self.server.supplier.faults.meet(action) if form is not None else None
        answer = Answer(200, "{}")
        began = time.perf_counter()
        self.server.supplier.calls.count(action)

        def note(status: int) -> None:
            milliseconds = (time.perf_counter() - began) * 1000
            self._note(Call(time.time(), action, status, answer.error, rule.fault if rule else "", milliseconds))

        reply = Reply(self, self.server.stopping, note)
        try:
            if form is None:
                answer = refusal("Parameters travel in the body only" if query else f"The body must be {FORM}", 400)
            elif rule is None or rule.effect:
                answer = contract.answer(self.server.supplier, form, str(self.client_address[0]))
            if form and action in AFTER_SALE and _comes_through(form, answer, rule):
                self.server.supplier.calls.count_orders(action, named_orders(form))
            send_answer(reply, answer, rule)
        except OSError:
            self.close_connection = True  # the caller did not wait for the answer
        except Exception:
            if self.server.stopping.is_set():
                self.close_connection = True  # the store was closed under a call: no answer is the honest one
            else:
                log.exception("The sandbox itself failed")
                answer = refusal("Internal server error", 500)
                reply.send(answer)
        finally:
            reply.start(0)  # counts only when nothing went out at all

    def _note(self, call: Call) -> None:
        """Writes a call into the books and the log. No word of a form is in it, so no key can be."""
        self.server.supplier.calls.note(call)
        fault, said = f" fault={call.fault}" if call.fault else "", f" {call.said}" if call.said else ""
        log.info("%s %s %.1f ms%s%s", call.action, call.status or "no answer", call.milliseconds, fault, said)

    def _control_page(self, note: str = "", status: int = 200) -> None:
        if self._may_control():
            text = page(self.server.supplier, self.server.url, note)
            self._send(Answer(status, text, PAGE_HEADERS, content_type=HTML))

    def _control_call(self, command: str, body: bytes) -> None:
        if not self._may_control():
            return
        by_browser = "text/html" in self.headers.get("Accept", "")
        try:
            result = control.run(self.server.supplier, command, self._fields(body))
        except (ValueError, LookupError, TypeError) as error:
            why = str(error.args[0]) if error.args else "That cannot be done"
            if by_browser:
                self._control_page(why, 400)
            else:
                self._json(400, {"error": why})
            return
        if by_browser:
            self._send(Answer(303, "", {"Location": "/control"}, content_type=HTML))
        else:
            self._json(200, result)

    def _may_control(self) -> bool:
        """Whether the caller is on loopback, by address and by name (a rebound DNS name is a stranger), and comes from
        our own page; answers with 403 otherwise."""
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        own = origin in (None, f"http://{host}") and site in ("same-origin", "none")
        if not is_loopback(str(self.client_address[0])) or not is_loopback(_host_name(host)):
            self._json(403, {"error": "The control page answers on loopback only"})
        elif self.command == "POST" and not own:
            self._json(403, {"error": "A control call must come from the control page itself"})
        else:
            return True
        return False

    def _fields(self, body: bytes) -> Mapping[str, Any]:
        if self._content_type() == JSON:
            fields = json.loads(body or b"{}")
            if not isinstance(fields, dict):
                raise ValueError("A control call is a JSON object")
            return fields
        form = self._form(body) if self._content_type() in (FORM, "") else None
        if form is None:
            raise ValueError("A control call is a form or a JSON object")
        return form

    def _body(self) -> bytes | None:
        """The request's body; None when it was refused already."""
        length = self.headers.get("Content-Length", "0")
        good = length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= LARGEST_BODY_BYTES
        if not good or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # what follows on this connection cannot be told apart from the body
            self._json(411 if good else 413, {"error": "Send a Content-Length of no more than 4 MB"})
            return None
        return self.rfile.read(int(length))

    def _form(self, body: bytes) -> Form | None:
        """The form's fields, the last of two with the same name; None when it cannot be read."""
        try:
            return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            return None

    def _content_type(self) -> str:
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    def _elsewhere(self) -> None:
        self.server.supplier.calls.count_elsewhere()
        self._json(404, {"error": "Nothing lives here"})

    def _json(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        self._send(Answer(status, json.dumps(content, ensure_ascii=False), headers or {}))

    def _send(self, answer: Answer) -> None:
        """Sends an answer that is no answer of the API, so it is not in the books."""
        Reply(self, self.server.stopping, lambda status: None).send(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Logs http.server's own lines for people who debug the sandbox; the API has better ones."""
        log.debug(format, *args)


def _comes_through(form: Form, answer: Answer, rule: Rule | None) -> bool:
    """Whether a call comes to its orders: not when the caller is rejected, nor when many are refused as one."""
    if answer.status in (401, 403, 429) or (rule and rule.fault in REJECTIONS and not rule.effect):
        return False
    refused = bool(answer.error) or (rule is not None and rule.fault == "error_200" and not rule.effect)
    return not (refused and "orders" in form)


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
