"""Two hundred ways to spoil the answer to an `add` that has taken effect, by kind, and a supplier that plays them."""

import itertools
import threading
from collections.abc import Iterator

from tests.notpanel.scripted_server import End, Script, ScriptedServer

PAUSE = 0.1  # seconds by which a piece comes after the last; the next order is on its way by then
SILENCE = 5.0  # seconds, longer than the client waits

# What is sent for one order. BODY is the right answer's, LENGTH its length, STRANGER an answer with the id of an order
# that nobody placed, WHOLE and WHOLE_STRANGER these as whole HTTP answers.
Way = tuple[bytes | float | End, ...]
OK = b"HTTP/1.1 200 OK\r\n"
SIZED = b"Content-Length: LENGTH\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"\r\nHEX\r\nBODY\r\n0\r\n\r\n"


def _with_head(*heads: bytes) -> Iterator[Way]:
    """Ways whose status line or headers are these, before the right length and body; the connection stays."""
    return ((head + SIZED + b"\r\nBODY",) for head in heads)


def _with_body(*bodies: bytes) -> Iterator[Way]:
    """Ways whose body is this, told with its own length."""
    return ((OK + b"Content-Length: REST\r\n\r\n", body) for body in bodies)


def _interim() -> Iterator[Way]:
    for status in (100, 102, 103, 110, 150, 199):
        head = f"HTTP/1.1 {status} Whatever\r\n".encode()
        plain = head + b"\r\n"
        yield (plain + b"WHOLE",)
        yield (plain + plain + b"WHOLE",)
        yield (head + b"Link: </a.css>; rel=preload\r\nX-Id: ord_9\r\n\r\nWHOLE",)
        yield (plain, PAUSE, b"WHOLE")
        yield (plain[:7], PAUSE, plain[7:] + b"WHOLE")
        yield (head + b"Content-Length: 0\r\n\r\nWHOLE",)
    for status in (101, 102, 103):
        head = f"HTTP/1.1 {status} Whatever\r\n".encode()
        yield (head + b"Content-Length: LENGTH\r\n\r\nSTRANGERWHOLE",)
        yield (head + b"\r\nSTRANGER", PAUSE, b"WHOLE")
        yield (head + b"\r\n", End.CLOSE)
    yield (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nWHOLE",)
    yield (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 150 + b"WHOLE",)


def _more() -> Iterator[Way]:
    after = (b"WHOLE", b"WHOLE_STRANGER", b"HTTP/1.1 200 OK\r\n", b"\r\n", b"0", b"STRANGER")
    refused = b'HTTP/1.1 400 Bad Request\r\nContent-Length: 15\r\n\r\n{"error": "no"}'
    for stray in (*after, refused, b"<html>", b"\x00" * 70_000):
        yield (b"WHOLE" + stray,)
        yield (b"WHOLE", PAUSE, stray)
    yield (b"WHOLE", PAUSE, b"WHOLE_STRANGER", PAUSE, b"WHOLE_STRANGER")
    yield (b"WHOLE", PAUSE, b"WHOLE_STRANGER", End.CLOSE)
    for first in (b"<html>", b'{"note": 1}', b"", b'{"order": null}', b"null"):  # and the right one a moment later
        yield (OK + b"Content-Length: %d\r\n\r\n" % len(first) + first, PAUSE, b"WHOLE")
    for status in (500, 502, 504, 408):
        yield (b"HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n" % status, PAUSE, b"WHOLE")


def _before() -> Iterator[Way]:
    for stray in (b"\r\n", b"0\r\n", b"\xef\xbb\xbf", b"STRANGER", b"STRANGER\r\n", b"<html>\r\n", b"\x00"):
        yield (stray + b"WHOLE",)
        yield (stray, PAUSE, b"WHOLE")


def _lengths() -> Iterator[Way]:
    for length in (b"1", b"17", b"0", b"-1", b"many", b"", b"2, 18", b"18.0", b"0x12", b"1_8", b"\xb2"):
        yield (OK + b"Content-Length: " + length + b"\r\n\r\nBODY",)
    yield (OK + b"Content-Length: LONGER\r\n\r\nBODY", End.CLOSE)
    yield (OK + b"Content-Length: LONGER\r\n\r\nBODY", End.RESET)
    yield (OK + b"Content-Length: LONGER\r\n\r\nBODY", SILENCE)
    yield (OK + b"Content-Length: LONGER\r\n\r\nBODY", b"WHOLE_STRANGER")
    for lengths in (SIZED + SIZED, SIZED + b"Content-Length: 1\r\n", b"Content-Length: 1\r\n" + SIZED):
        yield (OK + lengths + b"\r\nBODY",)
    for length in (b"+LENGTH", b" LENGTH ", b"00LENGTH"):
        yield (OK + b"Content-Length: " + length + b"\r\n\r\nBODY",)
    yield (OK + b"\r\nBODY", End.CLOSE)
    yield (OK + b"\r\nBODY", SILENCE)
    yield (OK + b"\r\nBODYWHOLE_STRANGER", End.CLOSE)


def _chunks() -> Iterator[Way]:
    yield (OK + CHUNKED + CHUNKS,)
    yield (OK + b"transfer-encoding: CHUNKED\r\n" + CHUNKS,)
    yield (OK + CHUNKED + SIZED + CHUNKS,)
    yield (OK + CHUNKED + b"Content-Length: 1\r\n" + CHUNKS,)
    yield (OK + CHUNKED + CHUNKS + b"WHOLE_STRANGER",)
    yield (OK + CHUNKED + CHUNKS, PAUSE, b"WHOLE_STRANGER")
    for coding in (b"gzip, chunked", b"identity", b"chunked, chunked", b"xchunked", b"", b"chunked\x00"):
        yield (OK + b"Transfer-Encoding: " + coding + b"\r\n" + SIZED + CHUNKS, End.CLOSE)
    for size in (b"+HEX", b"0xHEX", b"00HEX", b" HEX ", b"HEX;a=b", b"-5", b"zz", b"", b"1", b"ffffffffff"):
        yield (OK + CHUNKED + b"\r\n" + size + b"\r\nBODY\r\n0\r\n\r\n", End.CLOSE)
    yield (OK + CHUNKED + b"\r\nHEX\r\nBODY\r\n", End.CLOSE)
    yield (OK + CHUNKED + b"\r\nHEX\r\nBODY", SILENCE)
    yield (OK + CHUNKED + b"\r\nHEX\r\nBODY\r\n0\r\nX: y\r\n\r\n",)
    yield (OK + CHUNKED + b"\r\nHEX\nBODY\n0\n\n",)


def _status_lines() -> Iterator[Way]:
    yield from _with_head(
        *(b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", b"HTTP/0.9 200 OK\r\n"),
        *(
            b"HTTP/2 200\r\n",
            b"HTTP/1.9 200 OK\r\n",
            b"HTTP/1.1 200\r\n",
            b"http/1.1 200 OK\r\n",
            b"HTTP/1.1\t200\tOK\r\n",
        ),
        *(
            b"ICY 200 OK\r\n",
            b"HTTP/1.1 0200 OK\r\n",
            b"HTTP/1.1 2000 OK\r\n",
            b"HTTP/1.1 20 OK\r\n",
            b"HTTP/1.1 -200\r\n",
        ),
        *(b"HTTP/1.1 200OK\r\n", b" HTTP/1.1 200 OK\r\n", b"HTTP/1.1 OK\r\n", b"200 OK\r\n", b"HTTP/1.1 200 OK\n"),
        *(b"HTTP/1.1 2_0_0 OK\r\n", b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n"),
    )
    for status in (201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 302, 304, 307, 308):
        yield from _with_head(b"HTTP/1.1 %d Whatever\r\nLocation: /elsewhere\r\n" % status)
    for status in (400, 401, 403, 404, 409, 421, 429, 500, 502, 503, 504, 511, 520, 599, 600, 999):
        yield from _with_head(b"HTTP/1.1 %d Whatever\r\n" % status)


def _headers() -> Iterator[Way]:
    yield from _with_head(
        *(
            OK + line + b"\r\n"
            for line in (b"no header", b": empty", b"X\x00: y", b"X: \xff\xfe", b"X : y", b" folded")
        ),
        *(OK + b"Content-Encoding: " + coding + b"\r\n" for coding in (b"gzip", b"br", b"identity", b"x, y")),
        *(OK + b"Connection: " + token + b"\r\n" for token in (b"close", b"Upgrade", b"keep-alive", b"Close, x")),
        *(OK + b"X: " + b"x" * 70_000 + b"\r\n", OK + b"X: y\r\n" * 1000, OK + b"HTTP/1.1 200 OK\r\n"),
        *(OK + b"Content-Type: text/html\r\n", OK + b"Set-Cookie: a=b\r\n", OK + b"Upgrade: h2c\r\n"),
    )


def _bodies() -> Iterator[Way]:
    yield from _with_body(
        *(
            b"\xef\xbb\xbfBODY",
            b"\xef\xbb\xbf\xef\xbb\xbfBODY",
            b"\r\n\xef\xbb\xbfBODY",
            b" BODY \n",
            b"BODY\xef\xbb\xbf",
        ),
        *(
            b"BODYBODY",
            b"BODYSTRANGER",
            b"STRANGERBODY",
            b"BODY,",
            b"[BODY]",
            b"callback(BODY);",
            b"<p>BODY",
            b"BODY<p>",
        ),
        *(
            b"",
            b"null",
            b"{}",
            b"[]",
            b'"ord_1"',
            b'{"order": ""}',
            b'{"order": null}',
            b'{"order": 0}',
            b'{"order": {}}',
        ),
        *(b'{"order": "a b"}', b'{"order": "ord_stranger", "order": "ord_1"}', b'{"data": BODY}', b'{"order": BODY}'),
        *(b'{"order": "ord_stranger", "error": "no"}', b'{"order": "ord_stranger", "request_id": "another"}'),
        *(b'{"order": ["ord_stranger"]}', b"\x00BODY", b"BODY\x00", b'{"order": "ord_\xff"}', b"\x1f\x8b\x08"),
        '{"order": "ord_stranger"}'.encode("utf-16"),
    )
    for end in (1, 5, 9, 12, 14):
        yield (OK + b"Content-Length: %d\r\n\r\n" % end, b'{"order": "ord_stranger"}'[:end])


def _ends() -> Iterator[Way]:
    for end in (End.CLOSE, End.RESET):
        yield (end,)
        yield (PAUSE, end)
        yield (b"HTTP/1.", end)
        yield (OK, end)
        yield (OK + SIZED + b"\r\n", end)
        yield (OK + SIZED + b'\r\n{"order": "ord_', end)
        yield (b"WHOLE", PAUSE, end)
    yield (b"WHOLE", End.CLOSE)
    for piece in (b"", b"HTTP", OK, OK + SIZED + b"\r\n"):
        yield (piece, SILENCE)
    yield (OK, PAUSE, SIZED, PAUSE, b"\r\n", PAUSE, b"BODY")


WAYS: dict[str, list[Way]] = {
    "interim answers": list(_interim()),
    "more than one answer": list(_more()),
    "bytes before it": list(_before()),
    "its length": list(_lengths()),
    "its chunks": list(_chunks()),
    "its status": list(_status_lines()),
    "its headers": list(_headers()),
    "its body": list(_bodies()),
    "its end": list(_ends()),
}


class RawSupplier(ScriptedServer):
    """A supplier on a bare socket that keeps its promise about `request_id`, and spoils the answers it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, str] = {}  # request_id → the order's id
        self.links: dict[str, set[str]] = {}  # request_id → what was ordered with it
        self.ways: dict[str, Way] = {}  # request_id → how its next answer is spoiled
        self._numbers, self._lock = itertools.count(1), threading.Lock()

    def script_for(self, form: dict[str, str]) -> Script:
        """What goes back for an `add`, after it has taken effect."""
        request_id = form["request_id"]
        with self._lock:
            number = next(self._numbers)
            body = f'{{"order": "{self.orders.setdefault(request_id, f"ord_{number:06}")}"}}'.encode()
            self.links.setdefault(request_id, set()).add(form["link"])
            way = self.ways.pop(request_id, (b"WHOLE",))
        stranger = f'{{"order": "ord_stranger{number}"}}'.encode()
        rest = sum(len(_filled(step, body, stranger, 0)) for step in way[1:] if isinstance(step, bytes))
        return [_filled(step, body, stranger, rest) if isinstance(step, bytes) else step for step in way]


def _filled(step: bytes, body: bytes, stranger: bytes, rest: int) -> bytes:
    """A step with the words in capitals replaced."""
    whole = OK + b"Content-Length: %d\r\n\r\n"
    words = {
        b"WHOLE_STRANGER": whole % len(stranger) + stranger, b"WHOLE": whole % len(body) + body,
        b"STRANGER": stranger, b"BODY": body, b"LENGTH": b"%d" % len(body), b"LONGER": b"%d" % (len(body) + 40),
        b"HEX": b"%x" % len(body), b"REST": b"%d" % rest,
    }  # fmt: skip
    for word, meaning in words.items():
        step = step.replace(word, meaning)
    return step
