"""What every line gets before it is written: its group, where it came from, no secrets, and its seal."""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from accounts.trail.kinds import group_of
from accounts.trail.seal import seal_of
from panel.ops.logs import on_one_line, without_tokens
from panel.web.visitor import address_of, device_of, visitor

LABEL_CHARACTERS = 80
SHORTEST_SECRET = 8  # characters; a shorter one could be a word
HIDDEN = "…"
# Names of facts whose values are never kept, whatever they are.
SECRET_NAMES = re.compile(r"pass(word|phrase)|secret|token|api_?key|session_?key|cookie|otp|recovery_codes?$|^codes?$")


def complete(line: Any) -> None:
    """Fills in what the writer of a line need not know, removes secrets, and seals the line."""
    line.group = line.group or group_of(line.kind)
    request = visitor()
    if request is not None and not line.address and not line.device:
        line.address, line.device = address_of(request), device_of(request)
    line.label = cleaned(on_one_line(line.label))[:LABEL_CHARACTERS]
    line.facts, line.before, line.after = cleaned(line.facts), cleaned(line.before), cleaned(line.after)
    line.seal = seal_of(line)


def cleaned(value: Any) -> Any:
    """The value without secrets: three dots for what is named like one, for tokens of links, and for the desk's own."""
    if isinstance(value, dict):
        return {name: HIDDEN if is_secret_name(name) else cleaned(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(each) for each in value]
    if not isinstance(value, str):
        return value
    text = without_tokens(value)
    for secret in own_secrets():
        text = text.replace(secret, HIDDEN)
    return text


def is_secret_name(name: object) -> bool:
    """Whether a fact of this name may not be kept."""
    return bool(SECRET_NAMES.search(str(name).lower()))


def own_secrets() -> Iterator[str]:
    """The secrets of this process, for they may stand in what somebody typed. The supplier's key is not among them:
    pages do not have it, and what the supplier answers comes without it.
    """
    chosen = (
        settings.SECRET_KEY,
        *settings.SECRET_KEY_FALLBACKS,
        *settings.NOTPANEL_WEBHOOK_SECRETS,
        settings.ALARM_WEBHOOK_URL,
    )
    return (secret for secret in chosen if secret and len(secret) >= SHORTEST_SECRET)
