"""The courier: threads that find what has happened, and deliver it signed to each endpoint until it is taken."""

import hashlib
import hmac
import logging
import re
import socket
import threading
import time
from contextlib import suppress
from urllib.parse import quote, urlsplit

from panel.notpanel.sandbox.faults import delivery_faults
from panel.notpanel.sandbox.faults.delivery_faults import Content
from panel.notpanel.sandbox.faults.rules import Rule
from panel.notpanel.sandbox.webhooks.addresses import connect
from panel.notpanel.sandbox.world import events
from panel.notpanel.sandbox.world.outbox import Delivery
from panel.notpanel.sandbox.world.supplier import Supplier

POLL_SECONDS = 0.05  # how late an end may be noticed
# Of the wall clock, after the first try, the second …
PAUSE_SECONDS = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0)
MOST_TRIES = len(PAUSE_SECONDS) + 1
LARGEST_ANSWER_BYTES = 64 * 1024  # what comes after them is not read
SAFE_URL_CHARACTERS = "/%:@!$&'()*+,;=?~"  # of a path or query, as it stands in a URL already
GRACE_SECONDS = 0.5  # for the answer to what is under way when the sandbox ends, so that it need not come again
CLOSE_SECONDS = 5.0  # for threads to end; only a name that nobody resolves takes so long
FAILURE_SECONDS = 1.0  # before a thread goes on after a mistake of our own

log = logging.getLogger("notpanel.sandbox")


class Courier:
    """One thread looks for what is due, and one more for each endpoint that has some: a slow one delays no other.

    An endpoint gets one delivery at a time, oldest first.
    """

    def __init__(self, supplier: Supplier) -> None:
        self._supplier, self._store, self._outbox = supplier, supplier.store, supplier.outbox
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: dict[str, threading.Thread] = {}  # by endpoint
        self._thread = threading.Thread(target=self._run, name="sandbox-courier", daemon=True)

    def start(self) -> None:
        """Delivers from now on."""
        self._thread.start()

    def close(self) -> None:
        """Ends all threads; the store is left alone from then on. A try that was cut off comes again after the next
        start."""
        self._stopping.set()
        self._outbox.changed.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        until = time.monotonic() + GRACE_SECONDS
        for thread in self._threads.values():
            thread.join(max(0, until - time.monotonic()))
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # the endpoint was faster
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads.values():
            thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        changed, has_endpoints = self._outbox.changed, True
        while not self._stopping.is_set():
            changed.clear()
            more = False
            try:
                more, has_endpoints = self._start_deliveries()
            except Exception:
                self._log_failure()
            if not more:
                changed.wait(POLL_SECONDS if has_endpoints else None)

    def _start_deliveries(self) -> tuple[bool, bool]:
        """(whether more may have happened already, whether there is any endpoint)."""
        more = events.announce_ends(self._outbox, self._supplier.clock.now())
        endpoints, now = self._outbox.endpoints(), time.time()
        if endpoints and self._outbox.holds_any():
            with self._store.writing():
                if not any(rule.fault == "reorder" for rule in self._supplier.delivery_faults.in_force()):
                    self._outbox.release(now)
        for id, _, _ in endpoints:
            idle = id not in self._threads or not self._threads[id].is_alive()
            if idle and self._outbox.due(id, now):
                self._threads[id] = threading.Thread(target=self._deliver_due, args=(id,), name=f"to {id}", daemon=True)
                self._threads[id].start()
        return more, bool(endpoints)

    def _deliver_due(self, webhook: str) -> None:
        """Delivers everything that is due at one endpoint."""
        try:
            while not self._stopping.is_set():
                endpoint, delivery = self._outbox.endpoint(webhook), self._outbox.due(webhook, time.time())
                if endpoint is None or delivery is None:
                    return
                self._deliver(delivery, *endpoint)
        except Exception:
            self._log_failure()

    def _deliver(self, delivery: Delivery, url: str, secret: str) -> None:
        """Makes one try, with the fault that it meets."""
        with self._store.writing():  # meeting a fault and holding are one, so that none is held after a release
            passed_over = delivery_faults.FIRST_TRY_ONLY if delivery.plain or delivery.tries else ()
            rule = self._supplier.delivery_faults.meet(delivery.event, without=passed_over)
            if rule and rule.fault in ("drop", "reorder"):
                self._outbox.settle(delivery, "dropped" if rule.fault == "drop" else "held")
                return
            if rule and rule.fault == "duplicate":
                self._outbox.add([delivery._replace(number=None, plain=1)] * rule.details["count"])
        result = self._post(delivery, url, secret, rule)
        taken = result.startswith("2")
        if self._stopping.is_set() and not taken:
            return
        log.info("webhook %s %s %s%s", delivery.event, delivery.id, result, f" fault={rule.fault}" if rule else "")
        tries = delivery.tries + 1
        if taken or tries == MOST_TRIES:
            self._outbox.settle(delivery, "delivered" if taken else "given up", tries, result)
        else:
            pause = PAUSE_SECONDS[tries - 1] * self._supplier.patience.pauses
            self._outbox.settle(delivery, "waiting", tries, result, due_at=time.time() + pause)

    def _post(self, delivery: Delivery, url: str, secret: str, rule: Rule | None) -> str:
        """The status of the answer as text, or why there was none."""
        content = delivery_faults.altered(Content(int(time.time()), delivery.body.encode(), secret), rule)
        header = delivery_faults.misspelt(_signature(content), rule)
        try:
            return str(self._exchange(url, _request(url, delivery, content.body, header)))
        except (OSError, ValueError) as trouble:  # ValueError: an address that cannot be written into a request
            return f"no answer: {trouble}"

    def _exchange(self, url: str, request: bytes) -> int:
        """Sends a request; the status of its answer."""
        until = time.monotonic() + self._supplier.patience.answer
        connection = connect(url, self._supplier.patience.answer)
        with self._lock:
            self._connections.add(connection)
        try:
            if self._stopping.is_set():
                raise ConnectionAbortedError("the sandbox is going down")
            try:
                connection.settimeout(max(0.001, until - time.monotonic()))
                connection.sendall(request)
            except ConnectionError:
                log.debug("Answered before it was read to its end, if at all", exc_info=True)
            return _status(connection, until)
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _log_failure(self) -> None:
        """Logs an exception that is our own mistake; when the store was closed under a thread, it is none."""
        if not self._stopping.is_set():
            log.exception("The courier itself failed")
            self._stopping.wait(FAILURE_SECONDS)


def _signature(content: Content) -> str:
    """HMAC-SHA256 over the time, a dot and the body as it goes out."""
    digest = hmac.new(content.secret.encode(), b"%d." % content.t + content.body, hashlib.sha256).hexdigest()
    return f"t={content.t},v1={digest}"


def _request(url: str, delivery: Delivery, body: bytes, signature_header: str) -> bytes:
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe=SAFE_URL_CHARACTERS)
    query = f"?{quote(parts.query, safe=SAFE_URL_CHARACTERS)}" if parts.query else ""
    lines = [
        f"POST {path}{query} HTTP/1.1",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        "User-Agent: NotPanel-Webhooks",
        "Accept: */*",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-NotPanel-Event: {delivery.event}",
        f"X-NotPanel-Delivery: {delivery.id}",
    ]
    lines += [f"X-NotPanel-Signature: {signature_header}"] if signature_header else []
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _status(connection: socket.socket, until: float) -> int:
    """The status of the answer, once its head is here; its body is read to the end, as a polite caller does."""
    answer, whole_bytes = b"", 0
    status: re.Match[bytes] | None = None
    try:
        while (left := until - time.monotonic()) > 0 and len(answer) < LARGEST_ANSWER_BYTES:
            connection.settimeout(left)
            piece = connection.recv(4096)
            answer += piece
            if status is None and b"\r\n\r\n" in answer:
                status = re.match(rb"HTTP/1\.[01] ([0-9]{3})\b", answer)
                length = re.search(rb"(?i)\r\ncontent-length: *([0-9]{1,9})\r\n", answer)
                whole_bytes = answer.index(b"\r\n\r\n") + 4 + (int(length[1]) if length else LARGEST_ANSWER_BYTES)
            if not piece or (status and len(answer) >= whole_bytes):
                break
    except OSError:
        if status is None:
            raise
    if status is None:
        raise TimeoutError("nothing that is HTTP came in time")
    return int(status[1])
