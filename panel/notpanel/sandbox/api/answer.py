"""What goes back to a caller, before any fault has changed it."""

import json
from dataclasses import dataclass, field

JSON = "application/json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: status, body, headers besides its type, and for the log the error text, "" when all is well."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    error: str = ""
    content_type: str = JSON


def refusal(text: str, status: int, headers: dict[str, str] | None = None) -> Answer:
    """`{"error": text}` with its status."""
    return Answer(status, json.dumps({"error": text}), headers or {}, text)
