"""What each fault of a call does to its answer, or to the connection that the answer goes back on."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from panel.notpanel.sandbox.api.answer import HTML, Answer, refusal
from panel.notpanel.sandbox.faults.rules import Rule
from panel.notpanel.sandbox.http.reply import Reply

CHUNK_BYTES = 64 * 1024
CUT_BYTES = 64  # how much more a cut answer promised
WEB_PAGE = "<!doctype html><title>NotPanel</title><h1>We will be right back</h1>"
GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

Details = dict[str, Any]
Row = dict[str, object]

# Faults that put another answer in the place of the right one.
OTHER_ANSWERS: dict[str, Callable[[Answer, Details], Answer]] = {
    "error_before": lambda answer, details: refusal(details["text"], details["status"]),
    "error_after": lambda answer, details: refusal(details["text"], details["status"]),
    "error_200": lambda answer, details: refusal(details["text"], 200),
    "wrong_key": lambda answer, details: refusal(details["text"], details["status"]),
    "put_off": lambda answer, details: refusal(details["text"], details["status"]),
    "suspend": lambda answer, details: refusal("Account suspended", 403),
    "throttle": lambda answer, details: _throttled(details),
    "html": lambda answer, details: _page(details["status"]),
    "html_502": lambda answer, details: _page(details["status"]),
    "empty": lambda answer, details: Answer(details["status"], ""),
    "not_json": lambda answer, details: Answer(200, details["body"]),
    "redirect": lambda answer, details: Answer(details["status"], "", {"Location": details["to"]}, content_type=HTML),
    "say": lambda answer, details: Answer(details["status"], details["body"], content_type=details["type"]),
    "nested": lambda answer, details: _nested(answer, details["field"], details["text"]),
    "bom": lambda answer, details: replace(answer, body="\ufeff" + answer.body),
    "omit": lambda answer, details: _without_rows(answer, details),
    "shuffle": lambda answer, details: _with_rows(answer, lambda rows: rows[::-1]),
    "double": lambda answer, details: _with_rows(answer, lambda rows: rows[: details["count"]] + rows),
    "invent": lambda answer, details: _with_rows(answer, lambda rows: _invented(rows, details["count"]) + rows),
}
# Faults of the way on which the right answer goes.
OTHER_WAYS: dict[str, Callable[[Reply, Answer, Details], None]] = {
    "lose_answer": lambda reply, answer, details: reply.hang_up(reset=details["reset"]),
    "lose_request": lambda reply, answer, details: reply.hang_up(reset=details["reset"]),
    "hang_up": lambda reply, answer, details: _send_and_hang_up(reply, answer),
    "slow": lambda reply, answer, details: _send_late(reply, answer, details["seconds"]),
    "drip": lambda reply, answer, details: _send_bytewise(reply, answer, details["seconds"]),
    "interim": lambda reply, answer, details: _send_after_interim(reply, answer, details["status"], details["count"]),
    "twice": lambda reply, answer, details: _send_twice(reply, answer, details["seconds"]),
    "cut": lambda reply, answer, details: _send_half(reply, answer),
    "huge": lambda reply, answer, details: _send_huge(reply, details["bytes"], packed=details["gzip"]),
}


def send_answer(reply: Reply, answer: Answer, rule: Rule | None) -> None:
    """Sends the answer, as the rule wants it."""
    if rule is None:
        reply.send(answer)
    elif rule.fault in OTHER_ANSWERS:
        reply.send(OTHER_ANSWERS[rule.fault](answer, rule.details))
    else:
        OTHER_WAYS[rule.fault](reply, answer, rule.details)


def _throttled(details: Details) -> Answer:
    reset = details["reset"] or str(int(time.time() + details["seconds"]) + 1)
    headers = {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": reset,
        "X-RateLimit-Tier-Remaining": "0",
        "X-RateLimit-DeniedBy": details["by"],
    }
    return refusal("Rate limit exceeded", 429, headers if details["headers"] else {})


def _page(status: int) -> Answer:
    return Answer(status, WEB_PAGE if status < 400 else GATEWAY_PAGE, content_type=HTML)


def _without_rows(answer: Answer, details: Details) -> Answer:
    """The answer without the orders that the rule names, else without its first rows, or fields."""
    content, count = json.loads(answer.body), details["count"]
    named = set(filter(None, details["ids"].split(",")))
    if isinstance(content, dict) and "error" not in content:
        left_out = named or set(list(content)[:count])
        content = {id: row for id, row in content.items() if id not in left_out}
    elif isinstance(content, list):
        content = [row for row in content if row.get("order") not in named] if named else content[count:]
    return replace(answer, body=json.dumps(content))


def _with_rows(answer: Answer, change: Callable[[list[Row]], list[Row]]) -> Answer:
    """The rows of a refill or cancel for many, changed; any other answer as it is."""
    content = json.loads(answer.body)
    return replace(answer, body=json.dumps(change(content))) if isinstance(content, list) else answer


def _invented(rows: list[Row], count: int) -> list[Row]:
    return [{**row, "order": f"ord_stranger{number}"} for row in rows[:1] for number in range(count)]


def _nested(answer: Answer, field: str, text: str) -> Answer:
    """The answer with each error as `{field: {"error": …}}`; with a text, each order is refused with it."""
    content = json.loads(answer.body)

    def nest(row: Row) -> Row:
        error = text or row.get("error")
        return {name: row[name] for name in ("order",) if name in row} | {field: {"error": error}} if error else row

    nested = [nest(row) for row in content] if isinstance(content, list) else nest(content)
    return replace(answer, status=200, body=json.dumps(nested))


def _send_after_interim(reply: Reply, answer: Answer, status: int, count: int) -> None:
    reply.start(answer.status)
    for _ in range(count):
        reply.write(f"HTTP/1.1 {status} Not Yet\r\nLink: </a.css>; rel=preload\r\n\r\n".encode())
    reply.send(answer)


def _send_twice(reply: Reply, answer: Answer, seconds: float) -> None:
    reply.send(answer)
    if reply.wait(seconds):
        reply.send(answer)


def _send_and_hang_up(reply: Reply, answer: Answer) -> None:
    reply.send(answer)
    reply.hang_up()


def _send_late(reply: Reply, answer: Answer, seconds: float) -> None:
    if reply.wait(seconds):
        reply.send(answer)


def _send_bytewise(reply: Reply, answer: Answer, seconds: float) -> None:
    body = answer.body.encode()
    reply.head(answer.status, len(body), answer.headers)
    for at in range(len(body)):
        if not reply.wait(seconds):
            return
        reply.write(body[at : at + 1])


def _send_half(reply: Reply, answer: Answer) -> None:
    body = answer.body.encode()
    reply.head(answer.status, len(body) + CUT_BYTES, answer.headers, body=body[: len(body) // 2])
    reply.hang_up()


def _send_huge(reply: Reply, size: int, *, packed: bool) -> None:
    if packed:
        # Many gzip members are one gzip file; equal pieces are packed once.
        compress = cache(gzip.compress)
        body = b"".join(map(compress, _pieces(size)))
        reply.head(200, len(body), {"Content-Encoding": "gzip"}, body=body)
        return
    reply.head(200, size, {})
    for piece in _pieces(size):
        reply.write(piece)


def _pieces(size: int) -> Iterator[bytes]:
    """JSON text of exactly `size` bytes (from 15 up) that never exists in one piece."""
    start, end = b'{"order": "', b'"}'
    yield start
    left = size - len(start) - len(end)
    while left > 0:
        yield b"x" * min(CHUNK_BYTES, left)
        left -= CHUNK_BYTES
    yield end
