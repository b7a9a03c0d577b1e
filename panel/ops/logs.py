"""Log lines as text or JSON; each names the request or the task that it belongs to."""

import contextvars
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus

# What every record has, or Django adds to it. Its request object holds cookies and is never logged.
STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "about", "taskName", "request", "server_time"}

# The token of a link that opens an account, in an address (accounts/invitations/). Whoever reads logs must not use it.
TOKEN = re.compile(r"(/accounts/invitation/\?t=)[^\s\"'&]+")

# What the running thread works on: {"request": "8c41…"} in the web, {"task": 17, "order": 5} in the worker.
_about: contextvars.ContextVar[dict[str, object] | None] = contextvars.ContextVar("about", default=None)


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """Inside, every line that this thread logs names these facts too."""
    token = _about.set({**(_about.get() or {}), **facts})
    try:
        yield
    finally:
        _about.reset(token)


def from_here_on(**facts: object) -> None:
    """Every line that this thread logs names these facts and no others, until the next call."""
    _about.set(facts)


def also(**facts: object) -> None:
    """Every line that this thread logs from now on names these facts too."""
    _about.set({**(_about.get() or {}), **facts})


class Context(logging.Filter):
    """Adds what the thread works on to each record, as `about`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keeps every record. A forbidden request is no mistake of ours, so it needs no trace."""
        record.about = _about.get() or {}
        if getattr(record, "status_code", None) == HTTPStatus.FORBIDDEN:
            record.exc_info = record.exc_text = None
        return True


# What could end a line, move the cursor of a terminal, or turn the direction of a text: none of it stands in a line.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udfff]")


def on_one_line(text: str) -> str:
    """The text with its control characters written out, so that what somebody sends looks like no line of ours."""
    return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def facts(record: logging.LogRecord) -> dict[str, object]:
    """What the thread works on, and what was passed as `extra=`."""
    extra = {name: value for name, value in vars(record).items() if name not in STANDARD}
    return {**getattr(record, "about", {}), **extra}


class Json(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: `at`, `level`, `logger`, `message`, the facts, and `trace` for an exception."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return without_tokens(json.dumps(line, default=str, ensure_ascii=False))


class Text(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: `14:02:11 info    orders: placed order=17`, and the trace of an exception below it."""
        at = datetime.fromtimestamp(record.created, UTC)
        tail = "".join(f" {name}={value}" for name, value in facts(record).items())
        line = on_one_line(f"{at:%H:%M:%S} {record.levelname.lower():7} {record.name}: {record.getMessage()}{tail}")
        if not record.exc_info:
            return without_tokens(line)
        # Set in, so that no line of an exception's own text looks like a line of the log.
        trace = "\n".join(f"  {on_one_line(part)}" for part in self.formatException(record.exc_info).split("\n"))
        return without_tokens(f"{line}\n{trace}")


def without_tokens(line: str) -> str:
    """The line, with three dots for the token of each link that opens an account."""
    return TOKEN.sub(r"\1…", line)
