"""The family of troubles that a call to NotPanel can end in; each knows how long to wait before another try."""

import re
from collections.abc import Mapping

PAUSE_SECONDS = (1.0, 120.0)  # a Reset in the past or in 2099 neither makes us hurry nor stops us
LAYERS = {"ip", "key", "tier"}
UNDECIDED = {408, 409, 425}  # timeout, still busy with it, too early: a 4xx that is not a no

# Assumed words: the contract leaves the text for a bad key open. "Duplicate idempotency key" is about an order.
_ABOUT_KEY = re.compile(
    r"\bapi[\s_-]*key\b|\b(invalid|wrong|incorrect|missing|unknown|revoked|inactive) key\b|parameter: key\b",
    re.IGNORECASE,
)
# Ours and nobody else's: "Target account is suspended" is a no to one order.
_ABOUT_ACCOUNT = re.compile(r"(your )?account (is |has been )?suspended\.?", re.IGNORECASE)
_ABOUT_FUNDS = re.compile(r"\b(insufficient|not enough) (balance|funds)\b", re.IGNORECASE)
_SECONDS = re.compile(r"-?[0-9]+(\.[0-9]*)?")


class NotPanelError(Exception):
    """A call that did not go well; `str()` is a sentence for a person.

    `pause` is seconds until trying again makes sense (None: never), `action` the call's name, `said` upstream's own
    words or the beginning of what it sent (at most 500 characters, never the key), `http_status` None without one.
    """

    pause: float | None = None

    def __init__(self, sentence: str, *, action: str = "", said: str = "", http_status: int | None = None) -> None:
        super().__init__(sentence)
        self.action = action
        self.said = said
        self.http_status = http_status


class NeverSent(NotPanelError):
    """No connection came about (name, refusal, time, TLS): upstream has seen nothing of the call."""

    pause = 15.0


class Unclear(NotPanelError):
    """The call may have taken effect: no answer, half an answer, or one that cannot be read as a yes or a no."""

    pause = 15.0


class Throttled(NotPanelError):
    """429: not processed. `denied_by` is the layer that said no ("ip", "key", "tier"), or "" when none was named."""

    pause = 60.0

    def __init__(
        self,
        sentence: str,
        *,
        pause: float = 60.0,
        denied_by: str = "",
        action: str = "",
        said: str = "",
        http_status: int | None = 429,
    ) -> None:
        super().__init__(sentence, action=action, said=said, http_status=http_status)
        self.pause = pause
        self.denied_by = denied_by


class Suspended(NotPanelError):
    """403: the account is at fault, not the order; nothing goes through until a person has cured it."""

    pause = 60.0  # one gentle call a minute finds out that it is over; more would not make it so


class WrongKey(Suspended):
    """401, or an error that speaks of the API key."""


class Refused(NotPanelError):
    """A definite no to this request; the sentence is upstream's own."""

    pause: float | None = None


class ShortOfFunds(Refused):
    """A no that money cures: the account's balance does not cover the order."""

    pause = 300.0


def kind_of_no(status: int, said: str) -> type[NotPanelError]:
    """What an `{"error": said}` means; a 200 that holds one counts as a 400."""
    if status == 401 or _ABOUT_KEY.search(said):
        return WrongKey
    if status == 403 or _ABOUT_ACCOUNT.fullmatch(said):
        return Suspended
    if status in UNDECIDED:
        return Unclear
    return ShortOfFunds if _ABOUT_FUNDS.search(said) else Refused


def throttled(headers: Mapping[str, str], now: float, *, action: str, said: str) -> Throttled:
    """A 429 with the pause its headers ask for; `now` in Unix seconds."""
    reset = headers.get("X-RateLimit-Reset", "").strip()
    layer = headers.get("X-RateLimit-DeniedBy", "").strip().lower()
    wait = float(reset) - now if _SECONDS.fullmatch(reset) else 60.0
    return Throttled(
        "NotPanel asks us to slow down.",
        pause=min(max(wait, PAUSE_SECONDS[0]), PAUSE_SECONDS[1]),
        denied_by=layer if layer in LAYERS else "",
        action=action,
        said=said,
    )
