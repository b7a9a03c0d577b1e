"""The courier: a thread that finds what has happened, and carries it signed to each endpoint until it is taken."""

import hashlib
import hmac
import logging
import re
import socket
import threading
import time
from urllib.parse import quote, urlsplit

from panel.notpanel.sandbox.faults import delivery_faults
from panel.notpanel.sandbox.faults.delivery_faults import Letter
from panel.notpanel.sandbox.faults.rules import Rule
from panel.notpanel.sandbox.webhooks.addresses import dial
from panel.notpanel.sandbox.world import events
from panel.notpanel.sandbox.world.outbox import Delivery
from panel.notpanel.sandbox.world.supplier import Supplier

POLL_SECONDS = 0.05  # how late an end may be heard of
PAUSES = (
    5.0,
    30.0,
    120.0,
    600.0,
    1800.0,
    3600.0,
    7200.0,
)  # seconds of the wall clock after the first try, the second …
MOST_TRIES = len(PAUSES) + 1
LARGEST_ANSWER = 64 * 1024  # what follows is nobody's business here
SAFE = "/%:@!$&'()*+,;=?~"  # of a path or query, as it stands in a URL already
GRACE_SECONDS = 0.5  # for the answer to what is under way when the sandbox ends, so that it need not come again
CLOSE_SECONDS = 5.0  # for threads to end; only a name that nobody resolves takes so long

log = logging.getLogger("notpanel.sandbox")


class Courier:
    """One thread looks for what is due, and one more for each endpoint that has some: a slow one delays no other.

    An endpoint gets one delivery at a time, oldest first.
    """

    def __init__(self, supplier: Supplier) -> None:
        self._supplier, self._store, self._outbox = supplier, supplier.store, supplier.outbox
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._lines: set[socket.socket] = set()
        self._rounds: dict[str, threading.Thread] = {}
        self._thread = threading.Thread(target=self._look, name="sandbox-courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Leave the store alone from now on. What was hung up on is tried again after the next start."""
        self._stopping.set()
        self._outbox.bell.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        until = time.monotonic() + GRACE_SECONDS
        for thread in self._rounds.values():
            thread.join(max(0, until - time.monotonic()))
        with self._lock:
            for line in self._lines:
                _hang_up(line)
        for thread in self._rounds.values():
            thread.join(CLOSE_SECONDS)

    # -- finding

    def _look(self) -> None:
        bell, listening = self._outbox.bell, True
        while not self._stopping.is_set():
            bell.clear()
            more = False
            try:
                more, listening = self._once()
            except Exception:
                self._failed()
            if not more:
                bell.wait(POLL_SECONDS if listening else None)

    def _once(self) -> tuple[bool, bool]:
        """(whether more may have happened already, whether anybody listens at all)."""
        more = events.happen(self._outbox, self._supplier.clock.now())
        endpoints, now = self._outbox.endpoints(), time.time()
        if endpoints and self._outbox.holds_any():
            with self._store.writing():
                if not any(rule.fault == "reorder" for rule in self._supplier.mischief.rules()):
                    self._outbox.release(now)
        for id, _, _ in endpoints:
            idle = id not in self._rounds or not self._rounds[id].is_alive()
            if idle and self._outbox.due(id, now):
                self._rounds[id] = threading.Thread(target=self._round, args=(id,), name=f"to {id}", daemon=True)
                self._rounds[id].start()
        return more, bool(endpoints)

    # -- delivering

    def _round(self, webhook: str) -> None:
        """Everything that is due at one endpoint."""
        try:
            while not self._stopping.is_set():
                endpoint, delivery = self._outbox.endpoint(webhook), self._outbox.due(webhook, time.time())
                if endpoint is None or delivery is None:
                    return
                self._one(delivery, *endpoint)
        except Exception:
            self._failed()

    def _one(self, delivery: Delivery, url: str, secret: str) -> None:
        with self._store.writing():  # what it meets and what comes of it are one, so that none is held after a release
            passes = delivery_faults.ONCE if delivery.plain or delivery.tries else ()
            rule = self._supplier.mischief.meet(delivery.event, without=passes)
            if rule and rule.fault in ("drop", "reorder"):
                self._outbox.settle(delivery, "dropped" if rule.fault == "drop" else "held")
                return
            if rule and rule.fault == "duplicate":
                self._outbox.add([delivery._replace(number=None, plain=1)] * rule.details["count"])
        said = self._post(delivery, url, secret, rule)
        taken = said.startswith("2")
        if self._stopping.is_set() and not taken:
            return
        log.info("webhook %s %s %s%s", delivery.event, delivery.id, said, f" fault={rule.fault}" if rule else "")
        tries = delivery.tries + 1
        if taken or tries == MOST_TRIES:
            self._outbox.settle(delivery, "delivered" if taken else "given up", tries, said)
        else:
            pause = PAUSES[tries - 1] * self._supplier.patience.pauses
            self._outbox.settle(delivery, "waiting", tries, said, due_at=time.time() + pause)

    def _post(self, delivery: Delivery, url: str, secret: str, rule: Rule | None) -> str:
        """The status of the answer as text, or why there was none."""
        letter = delivery_faults.altered(Letter(int(time.time()), delivery.body.encode(), secret), rule)
        signed = delivery_faults.misspelt(signature(letter), rule)
        try:
            return str(self._answer(url, _request(url, delivery, letter.body, signed)))
        except (OSError, ValueError) as trouble:  # ValueError: an address that cannot be spelt on the wire
            return f"no answer: {trouble}"

    def _answer(self, url: str, request: bytes) -> int:
        until = time.monotonic() + self._supplier.patience.answer
        line = dial(url, self._supplier.patience.answer)
        with self._lock:
            self._lines.add(line)
        try:
            if self._stopping.is_set():
                raise ConnectionAbortedError("the sandbox is going down")
            try:
                line.settimeout(max(0.001, until - time.monotonic()))
                line.sendall(request)
            except ConnectionError:
                log.debug("Answered before it was read to its end, if at all", exc_info=True)
            return _status(line, until)
        finally:
            with self._lock:
                self._lines.discard(line)
            line.close()

    def _failed(self) -> None:
        """The store was closed under us, or the fault is ours."""
        if not self._stopping.is_set():
            log.exception("The courier itself failed")
            self._stopping.wait(1)


def signature(letter: Letter) -> str:
    """HMAC-SHA256 over the moment, a dot and the body as it goes out."""
    digest = hmac.new(letter.secret.encode(), b"%d." % letter.t + letter.body, hashlib.sha256).hexdigest()
    return f"t={letter.t},v1={digest}"


def _request(url: str, delivery: Delivery, body: bytes, signed: str) -> bytes:
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe=SAFE) + (f"?{quote(parts.query, safe=SAFE)}" if parts.query else "")
    head = [
        f"POST {path} HTTP/1.1",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        "User-Agent: NotPanel-Webhooks",
        "Accept: */*",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-NotPanel-Event: {delivery.event}",
        f"X-NotPanel-Delivery: {delivery.id}",
    ]
    head += [f"X-NotPanel-Signature: {signed}"] if signed else []
    return "\r\n".join([*head, "", ""]).encode("ascii") + body


def _status(line: socket.socket, until: float) -> int:
    """The status of the answer, once its head is here; its body is read to the end, as a polite caller does."""
    said, wanted = b"", 0
    found: re.Match[bytes] | None = None
    try:
        while (left := until - time.monotonic()) > 0 and len(said) < LARGEST_ANSWER:
            line.settimeout(left)
            piece = line.recv(4096)
            said += piece
            if found is None and b"\r\n\r\n" in said:
                found = re.match(rb"HTTP/1\.[01] ([0-9]{3})\b", said)
                length = re.search(rb"(?i)\r\ncontent-length: *([0-9]{1,9})\r\n", said)
                wanted = said.index(b"\r\n\r\n") + 4 + (int(length[1]) if length else LARGEST_ANSWER)
            if not piece or (found and len(said) >= wanted):
                break
    except OSError:
        if found is None:
            raise
    if found is None:
        raise TimeoutError("nothing that is HTTP came in time")
    return int(found[1])


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("It was faster", exc_info=True)
