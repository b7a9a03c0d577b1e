"""The family of troubles that a call to NotPanel can end in; each knows how long to wait before another try."""

import re
from collections.abc import Mapping

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 120.0  # a Reset in the past or in 2099 does not change our pace
THROTTLED_PAUSE_SECONDS = 60.0  # when no Reset can be read
LAYERS = {"ip", "key", "tier"}
UNDECIDED_STATUSES = {408, 409, 425}  # timeout, still busy with it, too early: a 4xx that is not a refusal

# Assumed words: the contract leaves the text for a bad key open. "Duplicate idempotency key" is about an order.
_ABOUT_KEY = re.compile(
    r"\bapi[\s_-]*key\b|\b(invalid|wrong|incorrect|missing|unknown|revoked|inactive) key\b|parameter: key\b",
    re.IGNORECASE,
)
# Only our own account: "Target account is suspended" refuses one order.
_ABOUT_ACCOUNT = re.compile(r"(your )?account (is |has been )?suspended\.?", re.IGNORECASE)
_ABOUT_FUNDS = re.compile(r"\b(insufficient|not enough) (balance|funds)\b", re.IGNORECASE)
_UNIX_SECONDS = re.compile(r"-?[0-9]+(\.[0-9]*)?")


class NotPanelError(Exception):
    """A call that did not go well; `str()` is a sentence for a person.

    `pause` is seconds until trying again makes sense (None: never). `said` is upstream's own words or the beginning of
    what it sent (at most 500 characters, never the key). `failed` says that these words are an error in the documented
    form with a 5xx: upstream itself failed, and nothing in between. The client fills in `action`, the call's name, and
    `http_status`, None when no status came.
    """

    pause: float | None = None
    action = ""
    http_status: int | None = None

    def __init__(self, sentence: str, said: str = "", *, failed: bool = False) -> None:
        super().__init__(sentence)
        self.said, self.failed = said, failed


class NeverSent(NotPanelError):
    """No connection came about (name, refusal, time, TLS): upstream has seen nothing of the call."""

    pause = 15.0


class Unclear(NotPanelError):
    """The call may have taken effect: no answer, half an answer, or one that cannot be read as a yes or a no."""

    pause = 15.0


class Throttled(NotPanelError):
    """429: not processed. `denied_by` is the layer that denied it ("ip", "key", "tier"), or "" when none was named."""

    def __init__(
        self, sentence: str, said: str = "", *, pause: float = THROTTLED_PAUSE_SECONDS, denied_by: str = ""
    ) -> None:
        super().__init__(sentence, said)
        self.pause, self.denied_by = pause, denied_by


class Suspended(NotPanelError):
    """403: the account is at fault, not the order; nothing goes through until a person has cured it."""

    pause = 60.0  # one gentle call a minute finds out that it is over; more would not make it so


class WrongKey(Suspended):
    """401, or an error that speaks of the API key."""


class Refused(NotPanelError):
    """A definite no to this request; the sentence is upstream's own."""


class ShortOfFunds(Refused):
    """A refusal that money cures: the account's balance does not cover the order."""

    pause = 300.0


def kind_of_refusal(status: int, error: str) -> type[NotPanelError]:
    """The class for an `{"error": …}` with this text and HTTP status; a 200 that holds one counts as a 400."""
    if status == 401 or _ABOUT_KEY.search(error):
        return WrongKey
    if status == 403 or _ABOUT_ACCOUNT.fullmatch(error):
        return Suspended
    if status in UNDECIDED_STATUSES:
        return Unclear
    return ShortOfFunds if _ABOUT_FUNDS.search(error) else Refused


def throttled(headers: Mapping[str, str], now: float, said: str = "") -> Throttled:
    """A 429 with the pause its headers ask for, kept within reason; `now` in Unix seconds."""
    reset = headers.get("X-RateLimit-Reset", "").strip()
    layer = headers.get("X-RateLimit-DeniedBy", "").strip().lower()
    pause = float(reset) - now if _UNIX_SECONDS.fullmatch(reset) else THROTTLED_PAUSE_SECONDS
    return Throttled(
        "NotPanel asks us to slow down.",
        said,
        pause=min(max(pause, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS),
        denied_by=layer if layer in LAYERS else "",
    )
