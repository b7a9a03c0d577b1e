"""The one place that talks to NotPanel: a method per action, and every trouble one of the family in `errors`."""

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

import requests

from panel.notpanel import errors, shapes
from panel.notpanel.budget import Meter
from panel.notpanel.errors import NeverSent, NotPanelError, Refused, Unclear
from panel.notpanel.shapes import Balance, Catalog, Report, Reports
from panel.notpanel.transport import CHUNK_BYTES, Line, session

BATCH_IDS = 100  # "Maximum 100 orders per request"
BODY_BYTES = 1_000_000  # 100 status rows need about 20 kB
CATALOG_BYTES = 16_000_000  # 10,000 services need about 4 MB
READS = {"services", "status", "balance"}  # asking twice changes nothing
PROOF = {"add": "order", "refill": "refill", "cancel": "cancel"}  # the field that says: it has been done
HIDDEN = "[key]"
SECRET_CHARS = 8  # a shorter key is a toy; taking it out of whole bodies would tear them

log = logging.getLogger("notpanel")
T = TypeVar("T")
OnCall = Callable[[str, NotPanelError | None], None]


class Client:
    """NotPanel over HTTP: one kept-alive connection, one call at a time (another thread waits its turn).

    `on_call(action, trouble)` is called once after every call, with None when it went well. `meter` says before each
    call when it may be made, and is told after it what upstream's headers said of the limits. `total_seconds` is the
    deadline of a whole call, from the name lookup to the last byte. `clock` tells Unix seconds.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        on_call: OnCall | None = None,
        meter: Meter | None = None,
        connect_seconds: float = 3.0,
        total_seconds: float = 20.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._key, self._on_call, self.meter, self._clock = url, key, on_call, meter, clock
        # However upstream might spell it back: plain, with JSON's escapes, or as in a form.
        spelled = (rf"(?:{re.escape(c)}|\\u(?i:{ord(c):04x})|%(?i:{ord(c):02x}))" for c in key)
        self._secret = re.compile("".join(spelled).replace("(?:/|", r"(?:\\?/|"))
        self._total_seconds = total_seconds
        self._turn = threading.Lock()
        self._line = Line(connect_seconds)
        self._session = session(self._line)

    def __repr__(self) -> str:
        return f"<Client of {self._url}>"

    def services(self) -> Catalog:
        """Every service that can be ordered now, and the rows that make no sense."""
        return self._ask("services", {}, Catalog.parse)

    def place(self, body: Mapping[str, str], *, request_id: str) -> str:
        """Send one order; upstream's id for it. Safe to repeat after Unclear with the same body and `request_id`."""
        return self._ask(
            "add", {**body, "request_id": request_id}, lambda answer: shapes.made_id(answer, "order", "add")
        )

    def report(self, upstream_id: str) -> Report:
        """How one order stands; Refused when upstream does not know it."""
        now = self._now()
        return self._ask("status", {"order": upstream_id}, lambda a: Report.parse(upstream_id, a, now))

    def reports(self, upstream_ids: Sequence[str]) -> Reports:
        """How up to 100 orders stand, in one call."""
        now, fields = self._now(), _joined(upstream_ids)
        return self._ask("status", fields, lambda a: Reports.parse(a, upstream_ids, now))

    def refill(self, upstream_id: str) -> str:
        """Ask for one refill; its id. Not safe to repeat after Unclear."""
        return self._ask("refill", {"order": upstream_id}, lambda a: shapes.made_id(a, "refill", "refill"))

    def refills(self, upstream_ids: Sequence[str]) -> dict[str, str | Refused | Unclear]:
        """Ask for up to 100 refills in one call; each order's own answer."""
        return self._ask("refill", _joined(upstream_ids), lambda a: shapes.row_answers(a, upstream_ids, "refill"))

    def cancel(self, upstream_id: str) -> str:
        """Ask for one cancel; upstream's id. An order in flight is cancelled only when a later report says so."""
        return self._ask("cancel", {"order": upstream_id}, lambda a: shapes.made_id(a, "cancel", "cancel"))

    def cancels(self, upstream_ids: Sequence[str]) -> dict[str, str | Refused | Unclear]:
        """Ask for up to 100 cancels in one call; each order's own answer."""
        return self._ask("cancel", _joined(upstream_ids), lambda a: shapes.row_answers(a, upstream_ids, "cancel"))

    def each(self, action: str, upstream_ids: Sequence[str]) -> dict[str, str | Refused | Unclear]:
        """`refill` or `cancel` for up to 100 orders in one call; one alone goes in the form for one."""
        one, many = {"refill": (self.refill, self.refills), "cancel": (self.cancel, self.cancels)}[action]
        return many(upstream_ids) if len(upstream_ids) > 1 else {upstream_ids[0]: one(upstream_ids[0])}

    def balance(self) -> Balance:
        """The account's money."""
        now = self._now()
        return self._ask("balance", {}, lambda answer: Balance.parse(answer, now))

    def add_webhook(self, url: str, events: Sequence[str] = ()) -> dict[str, object]:
        """Register an endpoint (no events: all); upstream's undocumented answer, which may hold a secret shown once."""
        fields = {"url": url, **({"events": ",".join(events)} if events else {})}
        return self._ask("webhook.add", fields, _table)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _ask(self, action: str, fields: Mapping[str, str], read: Callable[[object], T]) -> T:
        trouble = None
        with self._turn:
            if self.meter:
                self.meter.before(action)
            began = time.monotonic()
            self._line.dial(self._total_seconds)
            # The form holds the key, so it is no local variable here: tracebacks show those. Text that cannot be
            # encoded raises its ValueError at once: the caller's mistake, not upstream's trouble.
            self._line.form = urlencode({**fields, "key": self._key, "action": action}).encode()
            try:
                result = read(self._answer(action))
            except NotPanelError as caught:
                trouble = caught
                trouble.http_status = self._line.http_status
            finally:
                if self.meter:
                    self.meter.after(self._line.headers, self._line.http_status)
            facts = {
                "action": action,
                "outcome": type(trouble).__name__ if trouble else "ok",
                "http_status": self._line.http_status,
                "milliseconds": round((time.monotonic() - began) * 1000),
                "bytes": self._line.bytes_read,
            }
        log.info("%(action)s: %(outcome)s", facts, extra=facts)
        if trouble:
            trouble.said = self._hidden(trouble.said)
            trouble.args = tuple(map(self._hidden, trouble.args))
        if self._on_call:
            self._on_call(action, trouble)
        if trouble:  # raised out here and afresh: exceptions of requests, and frames below, hold the form and the body
            raise trouble.with_traceback(None)
        return result

    def _hidden(self, text: str) -> str:
        return self._secret.sub(HIDDEN, text) if self._key else text

    def _answer(self, action: str) -> object:
        line, trouble = self._line, None
        while True:
            try:
                body = self._exchange(CATALOG_BYTES if action == "services" else BODY_BYTES)
                break
            # Broken HTTP makes requests and urllib3 raise nearly anything, AttributeError included. Whatever it was,
            # an order may be out there.
            except Exception as caught:
                hung_up = isinstance(caught, requests.ConnectionError) and line.sent and not line.fresh
                if hung_up and action in READS and line.left():
                    continue  # upstream had closed the kept connection; the next one is fresh, so this ends
                trouble, body = self._wire_trouble(caught, action), b""
                break
        if trouble and line.http_status != 429:  # a 429 is a 429, however its body ends
            raise trouble
        return self._judged(action, line.http_status or 0, body)

    def _exchange(self, cap: int) -> bytes:
        """POST the form and read the whole body; the connection is kept only when nothing of it is left unread."""
        line = self._line
        # The line's deadline sets the socket's timeout before every step; this one is only what urllib3 starts from.
        response = self._session.post(
            self._url, data=line.form, stream=True, allow_redirects=False, timeout=self._total_seconds
        )
        try:
            line.http_status, line.headers = response.status_code, response.headers
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                raise _Unwanted("NotPanel sent a compressed answer that was not asked for.")
            body = bytearray()
            while chunk := response.raw.read(CHUNK_BYTES, decode_content=False):
                body += chunk
                line.bytes_read = len(body)
                if len(body) > cap:
                    raise _Unwanted(f"NotPanel's answer is longer than {cap:,} bytes.")
            return bytes(body)
        finally:
            response.close()

    def _wire_trouble(self, caught: Exception, action: str) -> NotPanelError:
        line = self._line
        if not line.sent:
            why = "TLS failed" if isinstance(caught, requests.exceptions.SSLError) else "no connection"
            return NeverSent(f"NotPanel could not be reached ({why}); nothing was sent.", action=action)
        if isinstance(caught, _Unwanted):
            sentence = str(caught)
        elif not line.left():
            sentence = f"NotPanel did not answer in full within {self._total_seconds:g} seconds."
        else:
            sentence = "The connection broke before NotPanel had answered in full."
        return Unclear(sentence, action=action, http_status=line.http_status)

    def _judged(self, action: str, status: int, body: bytes) -> object:
        """The answer to a call that went well; any other raises what it means (see errors.py for the ranks)."""
        text, answer, readable = body.decode(errors="replace"), None, True
        if len(self._key) >= SECRET_CHARS:
            text = self._hidden(text)
        try:
            body.decode()  # what is not UTF-8 is not JSON, whatever `replace` made of it
            answer = shapes.read_json(text)
        except ValueError:
            readable = False
        error = shapes.error_text(answer)
        # A webhook's answer holds its secret, so of that one only an error is ever repeated.
        said = error or ("" if action == "webhook.add" else shapes.snippet(text))

        def trouble(kind: type[NotPanelError], sentence: str) -> NotPanelError:
            return kind(sentence, action=action, said=said, http_status=status)

        if status == 429:
            raise errors.throttled(self._line.headers, self._clock(), action=action, said=said)
        if not (200 <= status < 300 or 400 <= status < 500):
            raise trouble(Unclear, f"NotPanel answered with HTTP {status}.")
        if error and isinstance(answer, dict):
            if answer.get(PROOF.get(action, "")):
                raise trouble(Unclear, "NotPanel said yes and no at once.")
            raise trouble(errors.kind_of_no(status, error), error)
        if not readable or status >= 400:
            # Also a bare 401, 403 or 404: an edge in front of NotPanel says so too, after the order got through.
            raise trouble(Unclear, f"NotPanel's answer (HTTP {status}) cannot be read.")
        return answer


def _joined(upstream_ids: Sequence[str]) -> dict[str, str]:
    if not 1 <= len(upstream_ids) <= BATCH_IDS:
        raise ValueError(f"one call asks about 1 to {BATCH_IDS} orders, not {len(upstream_ids)}")
    return {"orders": ",".join(upstream_ids)}


def _table(answer: object) -> dict[str, object]:
    if not isinstance(answer, dict) or not answer:
        raise Unclear("NotPanel's answer about the webhook holds nothing.", action="webhook.add")
    return answer


class _Unwanted(Exception):
    """An answer that is not worth reading to its end."""
