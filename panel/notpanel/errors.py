"""The family of troubles that a call to NotPanel can end in; each knows how long to wait before another try."""

import re
from collections.abc import Mapping
from http import HTTPStatus

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 120.0  # a Reset in the past or in 2099 does not change our pace
THROTTLED_PAUSE_SECONDS = 60.0  # when no Reset can be read
LAYERS = {"ip", "key", "tier"}
UNDECIDED_STATUSES = {408, 409, 425}  # timeout, still busy with it, too early: a 4xx that is not a refusal


def _words(*patterns: str) -> re.Pattern[str]:
    """Finds any of these in a sentence of upstream's, whatever its capitals."""
    return re.compile("|".join(patterns), re.IGNORECASE)


# Documented are "Invalid API key", also for a missing one, and "Rate limit exceeded". All other words are assumed.
_ABOUT_KEY = _words(  # "Duplicate idempotency key" is about an order
    r"\bapi[\s_-]*key\b",
    r"\b(invalid|wrong|incorrect|missing|unknown|revoked|inactive) key\b",
    r"parameter: key\b",
)
# All of the sentence: "Target account is suspended" refuses one order.
_ABOUT_ACCOUNT = _words(r"(your )?account (is |has been )?(temporarily )?suspended\.?")
_ABOUT_FUNDS = _words(r"\b(insufficient|not enough) (balance|funds)\b")
_ABOUT_PACE = _words(  # "Refill limit reached" is about one order, and for good
    r"\brate[\s_-]*limit",
    r"\btoo many (api )?(requests|calls|attempts)\b",
    r"\b(api|requests?|calls?) (quota|limit) (is |was |has been )?(exceeded|reached)\b",
    r"\bslow(ing)? down\b",
    r"\bthrottl(ed|ing)\b",
)
_FILL = "( (again|back|it|this|that|the|your|request|order|a|at|bit|little|once|more))*"  # "try this again a bit later"
_FOR_NOW = _words(  # a bare "try again" is not: it follows what must be changed first
    r"\bmaintenance\b(?! (fee|cost|charge))",
    rf"\b(try|retry|come|check){_FILL},? (later|shortly|soon|tomorrow)\b",
    rf"\b(try|retry|come|check){_FILL},? (in|after) (a|an|one|few|some|\d+)\b",
    r"\bwait (for )?(a|an|one|few|some|\d+)\b.{0,12}\b(seconds?|minutes?|moment|while)\b",
    r"\btemporar(y|ily) (is |not )?(un|dis)?(available|abled|down|closed|paused|busy|overloaded|error|failure|outage)",
    r"\b(server|system|api|panel|site|website) (is |are )?(too |very |currently )?(busy|overloaded|down|unavailable)\b",
)
_NOT_BY_ITSELF = _words(  # speaks of later, and yet something must be changed, or end, first
    r"\b(check|correct|change|fix|choose|select|enter|provide|make|use|contact)\b.*\b(and|then|before|or)\b.*\btry\b",
    r"\b(not|don.?t|never|cannot|can.?t) (re-?)?try\b",
    r"\b(active|another|existing) order\b",
    r"\balready (ordered|have|has|exists?)\b",
)
_ABOUT_ONE = _words(r"\b(this|that|same|your) (link|order|service|username|profile)\b")  # not about all our calls
_IN_HAND = _words(r"\b(in (progress|process)|(being|still) process(ed|ing)|duplicate|queued)\b")  # not finished yet
_ABOUT_TASK = _words(r"\b(re-?fill|cancel)")  # that one is refused, and a person may ask again

ANSWER_LOST = "Answer lost"
# What the sentence of an Unclear comes to, in the few words that a row has room for. The first that fits.
_IN_SHORT = (
    (_words(r"answered with HTTP (\d+)"), "Supplier answered HTTP {0}"),
    (_words("did not answer", "no answer", "connection broke"), ANSWER_LOST),
    (_words("cannot be read", "compressed", "longer than"), "Answer unreadable"),
)
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

    @property
    def in_full(self) -> str:
        """Upstream's words, or our sentence where it said nothing."""
        return self.said or str(self)


class NeverSent(NotPanelError):
    """No connection came about (name, refusal, time, TLS): upstream has seen nothing of the call."""

    pause = 15.0


class Unclear(NotPanelError):
    """The call may have taken effect: no answer, half an answer, or one that cannot be read as a yes or a no."""

    pause = 15.0

    @property
    def in_full(self) -> str:
        """Our sentence, and behind it upstream's words: these alone do not tell a failure from an answer."""
        return str(self) if self.said in str(self) else f"{self} {self.said}"


class PutOff(NotPanelError):
    """A no that passes by itself, such as "under maintenance, try again later": not processed, to be sent again."""

    pause = 60.0

    def __init__(self, words: str, said: str = "") -> None:
        super().__init__(f"NotPanel puts it off: “{words.rstrip('.')}”.", said)


class Throttled(NotPanelError):
    """429, or the words of one: not processed. `denied_by` is the layer that denied it ("ip", "key", "tier") or "" when
    none was named."""

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


def kind_of_refusal(status: int, error: str, action: str = "add") -> type[NotPanelError]:
    """The class for an `{"error": …}` with this text and HTTP status; a 200 that holds one counts as a 400."""
    passing = _kind_of_passing(error, action)
    if _ABOUT_KEY.search(error) or (status == HTTPStatus.UNAUTHORIZED and not passing):
        return WrongKey
    if _ABOUT_ACCOUNT.fullmatch(error) or (status == HTTPStatus.FORBIDDEN and not passing):
        return Suspended
    if status in UNDECIDED_STATUSES:
        return Unclear
    return ShortOfFunds if _ABOUT_FUNDS.search(error) else passing or Refused


def _kind_of_passing(error: str, action: str) -> type[NotPanelError] | None:
    """The class for a no that passes by itself, or None for one that stays."""
    if _ABOUT_PACE.search(error) and not _ABOUT_ONE.search(error):
        return Throttled
    if not (_FOR_NOW.search(error) or _ABOUT_PACE.search(error)) or _NOT_BY_ITSELF.search(error):
        return None
    if action in ("refill", "cancel") and _ABOUT_TASK.search(error):
        return None
    return Unclear if _IN_HAND.search(error) else PutOff


def refusal(
    error: str, *, status: int = 200, action: str = "add", headers: Mapping[str, str] = {}, now: float = 0
) -> NotPanelError:
    """The trouble that an `{"error": …}` with this text means; `now` in Unix seconds, for the headers of a limit."""
    kind = kind_of_refusal(status, error, action)
    return throttled(headers, now, error) if issubclass(kind, Throttled) else kind(error, said=error)


def throttled(headers: Mapping[str, str], now: float, said: str = "") -> Throttled:
    """A limit with the pause its headers ask for, kept within reason; `now` in Unix seconds."""
    reset = headers.get("X-RateLimit-Reset", "").strip()
    layer = headers.get("X-RateLimit-DeniedBy", "").strip().lower()
    pause = float(reset) - now if _UNIX_SECONDS.fullmatch(reset) else THROTTLED_PAUSE_SECONDS
    return Throttled(
        "NotPanel asks us to slow down.",
        said,
        pause=min(max(pause, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS),
        denied_by=layer if layer in LAYERS else "",
    )


def in_short(sentence: str) -> str:
    """What came back, by the sentence of an Unclear: `Answer lost`, or what came instead."""
    found = ((pattern.search(sentence), words) for pattern, words in _IN_SHORT)
    return next((words.format(*match.groups()) for match, words in found if match), "No clear answer")
