"""The one place that talks to NotPanel: a method per action, and every trouble one of the family in `errors`."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

import requests

from panel.notpanel import errors, shapes
from panel.notpanel.budget import Meter
from panel.notpanel.errors import NeverSent, NotPanelError, Unclear
from panel.notpanel.shapes import Balance, Catalog, Report, Reports
from panel.notpanel.transport import CHUNK_BYTES, Call, make_session

BATCH_IDS = 100  # "Maximum 100 orders per request"
BODY_BYTES = 1_000_000  # 100 status rows need about 20 kB
CATALOG_BYTES = 16_000_000  # 10,000 services need about 4 MB
READ_ACTIONS = {"services", "status", "balance"}  # asking twice changes nothing
PROOF_FIELDS = {"add": "order", "refill": "refill", "cancel": "cancel"}  # the field that says: it has been done
BEFORE_JSON = "\ufeff \t\r\n"  # byte order marks, which a file of a PHP program leaves behind, and blanks
HIDDEN_KEY = "[key]"
SECRET_CHARACTERS = 8  # a shorter key is a toy; taking it out of whole bodies would tear them

log = logging.getLogger("notpanel")
T = TypeVar("T")
OnCall = Callable[[str, NotPanelError | None], None]


class Client:
    """NotPanel over HTTP: one kept-alive connection, one call at a time (another thread waits its turn).

    `on_call(action, trouble)` is called once after every call, with None when it went well. `meter` says before each
    call when it may be made, and gets after it what upstream's headers say about the limits; what both write down about
    a call stands in `meter.together()`. `total_seconds` is the deadline of a whole call, from the name lookup to the
    last byte. `clock` returns Unix seconds.
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
        spellings = (rf"(?:{re.escape(c)}|\\u(?i:{ord(c):04x})|%(?i:{ord(c):02x}))" for c in key)
        self._key_pattern = re.compile("".join(spellings).replace("(?:/|", r"(?:\\?/|"))
        self._turn = threading.Lock()
        self._current_call = Call(connect_seconds, total_seconds)
        self._session = make_session(self._current_call)
        self._carries = (0, 0)  # the process and the form that the kept connection is for; form 0: reads

    def services(self) -> Catalog:
        """Every service that can be ordered now, and the rows that make no sense."""
        return self._ask("services", {}, Catalog.parse)

    def place(self, body: Mapping[str, str], *, request_id: str) -> str:
        """Sends one order; upstream's id for it. Safe to repeat after Unclear with the same body and `request_id`."""
        return self._ask("add", {**body, "request_id": request_id}, lambda raw: _placed_id(raw, request_id))

    def report(self, upstream_id: str) -> Report:
        """How one order stands; Refused when upstream does not know it."""
        now = self._now()
        return self._ask("status", {"order": upstream_id}, lambda raw: Report.parse(upstream_id, raw, now))

    def reports(self, upstream_ids: Sequence[str]) -> Reports:
        """How up to 100 orders stand, in one call."""
        now, fields = self._now(), _batch(upstream_ids)
        return self._ask("status", fields, lambda raw: Reports.parse(raw, upstream_ids, now))

    def each(self, action: str, upstream_ids: Sequence[str]) -> dict[str, str | NotPanelError]:
        """Asks for a `refill` or `cancel` of up to 100 orders in one call; each order's own answer by its id.

        A yes is an id: the refill's, or the order's own for a cancel (an order in flight is cancelled only when a later
        report says so). A single order goes in the form for one, whose refusal is raised. Not safe to repeat after
        Unclear.
        """
        if len(upstream_ids) == 1:
            [upstream_id] = upstream_ids
            made = self._ask(
                action, {"order": upstream_id}, lambda raw: shapes.made_id(raw, action, asked_id=upstream_id)
            )
            return {upstream_id: made}
        return self._ask(action, _batch(upstream_ids), lambda raw: shapes.row_answers(raw, upstream_ids, action))

    def balance(self) -> Balance:
        """The account's money."""
        now = self._now()
        return self._ask("balance", {}, lambda raw: Balance.parse(raw, now))

    def add_webhook(self, url: str, events: Sequence[str] = ()) -> dict[str, object]:
        """Adds an endpoint (no events: all); upstream's undocumented answer, which may hold a secret shown once."""
        fields = {"url": url, **({"events": ",".join(events)} if events else {})}
        return self._ask("webhook.add", fields, _webhook_answer)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _ask(self, action: str, fields: Mapping[str, str], read: Callable[[object], T]) -> T:
        """Makes one call and reads its answer, with the meter and the log around it; NotPanelError on failure."""
        trouble, call = None, self._current_call
        with ExitStack() as recorded:
            with self._turn:
                if self.meter:
                    self.meter.before(action)
                began = time.monotonic()
                call.begin()
                # The form holds the key, so it is no local variable here: tracebacks show those. Text that cannot be
                # encoded raises its ValueError at once: the caller's mistake, not upstream's trouble.
                call.form = urlencode({**fields, "key": self._key, "action": action}).encode()
                self._keep_apart(action, fields)
                try:
                    result = read(self._answer(action))
                except NotPanelError as caught:
                    trouble = caught
                    trouble.action, trouble.http_status = action, call.http_status
                finally:
                    if self.meter:
                        recorded.enter_context(self.meter.together())
                        self.meter.after(call.headers, call.http_status)
                facts = {
                    "action": action,
                    "outcome": type(trouble).__name__ if trouble else "ok",
                    "http_status": call.http_status,
                    "milliseconds": round((time.monotonic() - began) * 1000),
                    "bytes": call.bytes_read,
                }
            log.info("%(action)s: %(outcome)s", facts, extra=facts)
            if trouble:
                trouble.said = self._without_key(trouble.said)
                trouble.args = tuple(map(self._without_key, trouble.args))
            if self._on_call:
                self._on_call(action, trouble)
        if trouble:  # raised out here and afresh: exceptions of requests, and frames below, hold the form and the body
            raise trouble.with_traceback(None)
        return result

    def _keep_apart(self, action: str, fields: Mapping[str, str]) -> None:
        """Hangs up first unless no other call's answer, however late it comes, could be taken for this call's.

        So a kept connection carries reads that name in their answer what they are about, or one form again and again;
        and none that was open when this process began as the copy of another.
        """
        names_itself = action in READ_ACTIONS and "order" not in fields
        carries = (os.getpid(), 0 if names_itself else hash(self._current_call.form))
        if carries != self._carries:
            self._session.close()
            self._carries = carries

    def _without_key(self, text: str) -> str:
        return self._key_pattern.sub(HIDDEN_KEY, text) if self._key else text

    def _answer(self, action: str) -> object:
        """The answer's JSON. A read goes out a second time when upstream had closed the kept connection."""
        call, most_bytes = self._current_call, CATALOG_BYTES if action == "services" else BODY_BYTES
        while True:
            try:
                body, trouble = self._exchange(most_bytes), None
            # Broken HTTP makes requests and urllib3 raise nearly anything, AttributeError included. Whatever it was,
            # an order may be out there.
            except Exception as caught:
                hung_up = isinstance(caught, requests.ConnectionError) and call.sent and not call.fresh
                if hung_up and action in READ_ACTIONS and call.seconds_left():
                    continue  # the next connection is fresh, so this ends
                body, trouble = b"", self._transport_trouble(caught)
            break
        if trouble and call.http_status != 429:  # a 429 is a 429, however its body ends
            raise trouble
        try:
            return self._read_answer(action, call.http_status or 0, body)
        except Unclear:
            self._session.close()  # the true answer may still come after this one
            raise

    def _exchange(self, most_bytes: int) -> bytes:
        """POSTs the form and reads the whole body; the connection is kept only when it carried that answer alone."""
        call = self._current_call
        # The deadline sets the socket's timeout before every step; this one is only what urllib3 starts from.
        response = self._session.post(
            self._url, data=call.form, stream=True, allow_redirects=False, timeout=call.total_seconds
        )
        try:
            call.http_status, call.headers = response.status_code, response.headers
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                raise _Unwanted("NotPanel sent a compressed answer that was not asked for.")
            body = bytearray()
            while chunk := response.raw.read(CHUNK_BYTES, decode_content=False):
                body += chunk
                call.bytes_read = len(body)
                if len(body) > most_bytes:
                    raise _Unwanted(f"NotPanel's answer is longer than {most_bytes:,} bytes.")
            return bytes(body)
        finally:
            response.close()
            if call.spoiled:
                self._session.close()

    def _transport_trouble(self, caught: Exception) -> NotPanelError:
        """What an exchange that failed means: NeverSent when not a byte went out, else Unclear."""
        call = self._current_call
        if not call.sent:
            why = "TLS failed" if isinstance(caught, requests.exceptions.SSLError) else "no connection"
            return NeverSent(f"NotPanel could not be reached ({why}); nothing was sent.")
        if isinstance(caught, _Unwanted):
            sentence = str(caught)
        elif not call.seconds_left():
            sentence = f"NotPanel did not answer in full within {call.total_seconds:g} seconds."
        else:
            sentence = "The connection broke before NotPanel had answered in full."
        return Unclear(sentence)

    def _read_answer(self, action: str, status: int, body: bytes) -> object:
        """The answer to a call that went well; any other raises what it means (see errors.py for the ranks)."""
        text, answer, readable = body.decode(errors="replace"), None, True
        if len(self._key) >= SECRET_CHARACTERS:
            text = self._without_key(text)
        try:
            body.decode()  # what is not UTF-8 is not JSON, whatever `replace` made of it
            answer = shapes.read_json(text.lstrip(BEFORE_JSON))
        except ValueError:
            readable = False
        proof = PROOF_FIELDS.get(action, "")
        error = shapes.refusal_text(answer, proof) if isinstance(answer, dict) else ""
        # A webhook's answer holds its secret, so of that one only an error is ever repeated.
        said = error or ("" if action == "webhook.add" else shapes.snippet(text))
        if status == 429:
            raise errors.throttled(self._current_call.headers, self._clock(), said)
        if not (200 <= status < 300 or 400 <= status < 500):
            raise Unclear(f"NotPanel answered with HTTP {status}.", said=said, failed=bool(error) and status >= 500)
        if error and isinstance(answer, dict):
            if shapes.has_proof(answer, proof):
                raise Unclear("NotPanel said yes and no at once.", said=said)
            headers, now = self._current_call.headers, self._clock()
            raise errors.refusal(error, status=status, action=action, headers=headers, now=now)
        if not readable or status >= 400:
            # Also a bare 401, 403 or 404: an edge in front of NotPanel says so too, after the order got through.
            raise Unclear(f"NotPanel's answer (HTTP {status}) cannot be read.", said=said)
        return answer


class _Unwanted(Exception):
    """Raised for an answer that is not worth reading to its end."""


def _batch(upstream_ids: Sequence[str]) -> dict[str, str]:
    """The form field that names many orders; ValueError for none or more than one call takes."""
    if not 1 <= len(upstream_ids) <= BATCH_IDS:
        raise ValueError(f"one call asks about 1 to {BATCH_IDS} orders, not {len(upstream_ids)}")
    return {"orders": ",".join(upstream_ids)}


def _placed_id(answer: object, request_id: str) -> str:
    """The id of the order in the answer to `add`; Unclear when the answer names another request."""
    upstream_id = shapes.made_id(answer, "order")
    if isinstance(answer, dict) and answer.get("request_id", request_id) not in (None, "", request_id):
        raise Unclear("NotPanel's answer is about another order.", said=shapes.snippet(answer))
    return upstream_id


def _webhook_answer(answer: object) -> dict[str, object]:
    if not isinstance(answer, dict) or not answer:
        raise Unclear("NotPanel's answer about the webhook holds nothing.")
    return answer
