"""Log lines as text or JSON; each carries the request and the task it belongs to."""

import contextvars
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

# What the running thread works on: {"request": "8c41…"} in the web, {"task": 17, "order": 5} in the worker.
_about: contextvars.ContextVar[dict[str, object] | None] = contextvars.ContextVar("about", default=None)

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "about", "taskName"}


@contextmanager
def about(**facts: object) -> Iterator[None]:
    """Every line logged inside names these facts too."""
    token = _about.set({**(_about.get() or {}), **facts})
    try:
        yield
    finally:
        _about.reset(token)


def from_here_on(**facts: object) -> None:
    """Every line that this thread logs names these facts, until it is told others."""
    _about.set(facts)


class Context(logging.Filter):
    """Puts what we work on onto each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.about = _about.get() or {}
        return True


def facts(record: logging.LogRecord) -> dict[str, object]:
    """What we work on, and what was passed as `extra=`; never Django's request object, which holds cookies."""
    extra = {k: v for k, v in vars(record).items() if k not in STANDARD and k not in ("request", "server_time")}
    return {**getattr(record, "about", {}), **extra}


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class Text(logging.Formatter):
    """The same for people: time, level, message, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        tail = "".join(f" {k}={v}" for k, v in facts(record).items())
        line = f"{at} {record.levelname.lower():7} {record.name}: {record.getMessage()}{tail}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
