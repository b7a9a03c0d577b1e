"""The desk's own no, with its reason, and the checks that verbs begin with: may this person, and do they say why."""

from typing import Any

from accounts.access import why_not

REASON_CHARACTERS = 500  # of a reason that is kept


class Refusal(Exception):
    """Our own no, with its reason, written for the person who asked."""


class NotAllowed(Refusal):
    """Our no to a person whose role may not do this. Says which roles may."""


def require_allowed(by: Any, what: str) -> None:
    """Raises NotAllowed unless this person may do `what`, a key of accounts.access.ACTIONS."""
    if why := why_not(by, what):
        raise NotAllowed(why)


def require_reason(text: str, question: str) -> str:
    """The reason that a person wrote, trimmed and cut to what is kept. Without a reason, raises the question."""
    if not (reason := text.strip()[:REASON_CHARACTERS]):
        raise Refusal(question)
    return reason
