"""What a fault does to an answer on its way through the wire."""

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import cast

from panel.notpanel.sandbox.api.contract import Answer, refusal
from panel.notpanel.sandbox.faults.rules import Rule

JSON = "application/json"
HTML = "text/html; charset=utf-8"
NONE: Mapping[str, str] = {}
CHUNK = 64 * 1024
CUT_BYTES = 64  # how much more a cut answer promised
WEB_PAGE = "<!doctype html><title>NotPanel</title><h1>We will be right back</h1>"
Row = dict[str, object]
GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Line:
    """One request's way back to its caller; `tell` hears the status just before its first byte goes out."""

    def __init__(self, handler: BaseHTTPRequestHandler, stopping: threading.Event, tell: Callable[[int], None]) -> None:
        self._handler, self._stopping, self._tell = handler, stopping, tell
        self._told = False

    def tell(self, status: int) -> None:
        """Once only: what came first is what the caller saw. 0 is no answer."""
        if not self._told:
            self._told = True
            self._tell(status)

    def send(self, status: int, body: bytes, kind: str = JSON, headers: Mapping[str, str] = NONE) -> None:
        """A whole answer in one write, so that no packet waits for another."""
        self.head(status, len(body), kind, headers, body)

    def head(self, status: int, length: int, kind: str, headers: Mapping[str, str] = NONE, body: bytes = b"") -> None:
        """The first bytes of an answer that promises `length` bytes of body."""
        try:
            words = HTTPStatus(status).phrase
        except ValueError:
            words = "Unheard Of"
        named = {"Content-Type": kind, "Content-Length": str(length)} | dict(headers)
        if self._handler.close_connection:
            named["Connection"] = "close"
        top = [f"HTTP/1.1 {status} {words}", f"Date: {self._handler.date_time_string()}"]
        # A header from outside must not become two.
        top += [f"{name}: {value}".replace("\r", " ").replace("\n", " ") for name, value in named.items()]
        self.tell(status)
        self.write(("\r\n".join(top) + "\r\n\r\n").encode("latin-1", "replace") + body)

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)

    def wait(self, seconds: float) -> bool:
        """Sleep; False when the sandbox is going down and nobody should wait any longer."""
        return not self._stopping.wait(seconds)

    def hang_up(self, *, reset: bool = False) -> None:
        """Close without another word: an end of stream, or a reset."""
        self.tell(0)
        self._handler.close_connection = True
        connection = cast(socket.socket, self._handler.connection)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        else:
            connection.shutdown(socket.SHUT_RDWR)


def deliver(line: Line, answer: Answer, rule: Rule | None) -> None:
    """Send the answer, as the rule wants it."""
    if rule is None:
        _plain(line, answer)
    else:
        _PLAYS[rule.fault](line, answer, rule)


def _plain(line: Line, answer: Answer) -> None:
    line.send(answer.status, answer.body.encode(), JSON, answer.headers)


def _lose(line: Line, answer: Answer, rule: Rule) -> None:
    line.hang_up(reset=rule.details["reset"])


def _hang_up(line: Line, answer: Answer, rule: Rule) -> None:
    _plain(line, answer)
    line.hang_up()


def _slow(line: Line, answer: Answer, rule: Rule) -> None:
    if line.wait(rule.details["seconds"]):
        _plain(line, answer)


def _drip(line: Line, answer: Answer, rule: Rule) -> None:
    body = answer.body.encode()
    line.head(answer.status, len(body), JSON, answer.headers)
    for at in range(len(body)):
        if not line.wait(rule.details["seconds"]):
            return
        line.write(body[at : at + 1])


def _cut(line: Line, answer: Answer, rule: Rule) -> None:
    body = answer.body.encode()
    line.head(answer.status, len(body) + CUT_BYTES, JSON, answer.headers, body[: len(body) // 2])
    line.hang_up()


def _error(line: Line, answer: Answer, rule: Rule) -> None:
    _plain(line, refusal(rule.details["text"], rule.details.get("status", 200)))


def _throttle(line: Line, answer: Answer, rule: Rule) -> None:
    reset = rule.details["reset"] or str(int(time.time() + rule.details["seconds"]) + 1)
    headers = {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": reset,
        "X-RateLimit-Tier-Remaining": "0",
        "X-RateLimit-DeniedBy": rule.details["by"],
    }
    line.send(429, refusal("Rate limit exceeded", 429).body.encode(), JSON, headers if rule.details["headers"] else {})


def _suspend(line: Line, answer: Answer, rule: Rule) -> None:
    _plain(line, refusal("Account suspended", 403))


def _html(line: Line, answer: Answer, rule: Rule) -> None:
    status = rule.details["status"]
    line.send(status, (WEB_PAGE if status < 400 else GATEWAY_PAGE).encode(), HTML)


def _empty(line: Line, answer: Answer, rule: Rule) -> None:
    line.send(rule.details["status"], b"")


def _not_json(line: Line, answer: Answer, rule: Rule) -> None:
    line.send(200, rule.details["body"].encode())


def _redirect(line: Line, answer: Answer, rule: Rule) -> None:
    line.send(rule.details["status"], b"", HTML, {"Location": rule.details["to"]})


def _huge(line: Line, answer: Answer, rule: Rule) -> None:
    size = rule.details["bytes"]
    if rule.details["gzip"]:
        line.send(200, _bomb(size), JSON, {"Content-Encoding": "gzip"})
        return
    line.head(200, size, JSON)
    for piece in _pieces(size):
        line.write(piece)


def _omit(line: Line, answer: Answer, rule: Rule) -> None:
    rows = json.loads(answer.body)
    named = set(filter(None, rule.details["ids"].split(",")))
    many = rule.details["count"]
    if isinstance(rows, dict) and "error" not in rows:
        gone = named or set(list(rows)[:many])
        rows = {id: row for id, row in rows.items() if id not in gone}
    elif isinstance(rows, list):
        rows = [row for row in rows if row.get("order") not in named] if named else rows[many:]
    line.send(answer.status, json.dumps(rows).encode(), JSON, answer.headers)


def _shuffle(line: Line, answer: Answer, rule: Rule) -> None:
    _batch(line, answer, lambda rows: rows[::-1])


def _double(line: Line, answer: Answer, rule: Rule) -> None:
    _batch(line, answer, lambda rows: rows[: rule.details["count"]] + rows)


def _invent(line: Line, answer: Answer, rule: Rule) -> None:
    names = [f"ord_stranger{number}" for number in range(rule.details["count"])]
    _batch(line, answer, lambda rows: [{**row, "order": name} for row in rows[:1] for name in names] + rows)


def _batch(line: Line, answer: Answer, change: Callable[[list[Row]], list[Row]]) -> None:
    """The rows of a refill or cancel for many, changed; any other answer as it is."""
    said = json.loads(answer.body)
    body = json.dumps(change(said)) if isinstance(said, list) else answer.body
    line.send(answer.status, body.encode(), JSON, answer.headers)


def _say(line: Line, answer: Answer, rule: Rule) -> None:
    line.send(rule.details["status"], rule.details["body"].encode(), rule.details["type"])


_PLAYS = {
    "lose_answer": _lose,
    "lose_request": _lose,
    "hang_up": _hang_up,
    "slow": _slow,
    "drip": _drip,
    "cut": _cut,
    "error_before": _error,
    "error_after": _error,
    "error_200": _error,
    "throttle": _throttle,
    "suspend": _suspend,
    "wrong_key": _error,
    "html": _html,
    "html_502": _html,
    "empty": _empty,
    "not_json": _not_json,
    "redirect": _redirect,
    "huge": _huge,
    "omit": _omit,
    "shuffle": _shuffle,
    "double": _double,
    "invent": _invent,
    "say": _say,
}


def _pieces(size: int) -> Iterator[bytes]:
    """JSON text of exactly `size` bytes (from 15 up) that never exists in one piece."""
    start, end = b'{"order": "', b'"}'
    yield start
    left = size - len(start) - len(end)
    while left > 0:
        yield b"x" * min(CHUNK, left)
        left -= CHUNK
    yield end


def _bomb(size: int) -> bytes:
    return b"".join(_squeeze(_pieces(size)))


def _squeeze(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Many gzip members are one gzip file; equal pieces are packed once."""
    packed: dict[bytes, bytes] = {}
    for piece in pieces:
        if piece not in packed:
            packed[piece] = gzip.compress(piece)
        yield packed[piece]
