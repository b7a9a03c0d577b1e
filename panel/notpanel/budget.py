"""Who may call upstream when: one budget for every process, within the supplier's limits. Pure; storage is handed in.

A window is upstream's minute. Each permit is counted before its call; what the answer's headers say corrects the count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import ceil, floor
from typing import Any, NamedTuple, Protocol

LAYERS = ("key", "tier", "ip")  # whichever is used up first denies
SPAN = timedelta(seconds=60)
# A window is taken for over this long after its end by our clock; longer once upstream's is found to be behind.
EDGE = timedelta(seconds=0.25)
LARGEST_LAG = 30.0  # seconds
# Upstream may round a Reset, or count it from each call; a later one than known is a next minute only near the end.
JITTER = timedelta(seconds=2)
# A Reset further away than this is no end of a window.
FURTHEST_RESET = timedelta(seconds=120)
# Documented; the tier's is not, and is learned.
KEY_LIMIT, IP_LIMIT = 100, 300
MOST_LIMIT = 10_000_000  # a larger one in a header is nonsense


class Purpose(StrEnum):
    """What a call is for, in the order in which they go: while one waits, those after it get only their share."""

    PLACE = "place"
    ASK = "ask"  # refills, cancels, and looks that a person wants now
    POLL = "look"
    UPKEEP = "upkeep"  # catalog, balance, probes


# What of a window is held free, as parts of its limit. All of it shrinks to nothing as the window passes, so that none
# is wasted. Each purpose is left so much until it has spent it, whatever the others want: nobody starves.
SHARES = {Purpose.PLACE: 0.10, Purpose.ASK: 0.05, Purpose.POLL: 0.02, Purpose.UPKEEP: 0.02}
# Machines hold so much free for what people want next, however many orders there were. It also spreads their calls over
# the window: spent as fast as can be, they would keep every worker and the database busy, and leave nothing to its end.
PEOPLE = (Purpose.PLACE, Purpose.ASK)
RESERVE = 0.70
NOTHING_KEPT_BELOW = 20  # calls a window: shares of so few would leave nothing to anybody

PURPOSE_OF = {"add": Purpose.PLACE, "refill": Purpose.ASK, "cancel": Purpose.ASK, "status": Purpose.POLL}


class Permit(NamedTuple):
    """Leave for one call, granted in the window of this number."""

    window: int
    purpose: Purpose


class Meter(Protocol):
    """What a client asks before each call, and tells after it what upstream's headers said."""

    calls: int

    def take(self, purpose: Purpose, now: datetime, *, contested: bool = False) -> bool:
        """Leave for the next call."""

    def give_back(self) -> None:
        """What was taken and not used."""

    def before(self, action: str) -> None:
        """Returns when the call may be made."""

    def after(self, headers: Mapping[str, str], status: int | None) -> None:
        """The call is over."""


class Said(NamedTuple):
    """An answer's rate-limit headers, each None when it is missing or nonsense. `denied_by` only of a 429."""

    limit: int | None
    remaining: int | None
    tier_remaining: int | None
    reset: datetime | None
    denied: bool = False
    denied_by: str = ""
    sent_at: datetime | None = None  # by their clock


@dataclass(frozen=True, slots=True)
class Window:
    """How one window stands. A layer's `left` is None while nothing is known of it."""

    number: int
    ends_at: datetime
    key_limit: int = KEY_LIMIT
    key_left: int = KEY_LIMIT
    key_learned: bool = False  # upstream named the key's limit
    tier_limit: int | None = None
    tier_left: int | None = None
    tier_seen: int | None = None  # the most that this window's answers told of; what the next one begins with
    ip_limit: int = IP_LIMIT
    ip_left: int = IP_LIMIT
    flying: int = 0  # permits of this window whose calls have no answer yet
    carried: int = 0  # the same of the window before
    lag: float = 0.0  # seconds that upstream's clock was found to be behind ours
    place: int = 0
    ask: int = 0
    look: int = 0
    upkeep: int = 0
    denied: int = 0

    def spent(self, purpose: Purpose) -> int:
        return int(getattr(self, purpose))

    @property
    def left(self) -> int:
        """Calls that the tightest layer still allows."""
        known = [left for left in (self.key_left, self.tier_left, self.ip_left) if left is not None]
        return max(0, min(known))

    @property
    def limit(self) -> int:
        """Of the tightest layer."""
        return min(limit for limit in (self.key_limit, self.tier_limit, self.ip_limit) if limit is not None)


class Assumed(NamedTuple):
    """What a key and an address are taken to have until upstream says otherwise."""

    key: int = KEY_LIMIT
    ip: int = IP_LIMIT


DOCUMENTED = Assumed()


def first(now: datetime, limits: Assumed = DOCUMENTED) -> Window:
    """Assumed: upstream's windows are the clock's minutes. The first answer that says otherwise is believed."""
    ends_at = datetime.fromtimestamp((floor(now.timestamp() / SPAN.seconds) + 1) * SPAN.seconds, UTC)
    return Window(1, ends_at, limits.key, limits.key, ip_limit=limits.ip, ip_left=limits.ip)


def is_over(window: Window, now: datetime) -> bool:
    """Also when the clock was set back, so that it would not end for long."""
    return now >= window.ends_at + EDGE + timedelta(seconds=window.lag) or window.ends_at - now > FURTHEST_RESET


def after(window: Window, now: datetime, limits: Assumed = DOCUMENTED) -> Window:
    """The window of `now`, when that one is over.

    Calls that are under way may land in either, so they are counted in this one too until an answer tells.
    """
    ends_at = window.ends_at + (floor((now - window.ends_at) / SPAN) + 1) * SPAN
    flying, tier = window.flying, window.tier_seen or window.tier_limit
    key, ip, lag = window.key_limit if window.key_learned else limits.key, limits.ip, 0.0
    if ends_at.date() == window.ends_at.date():  # what was learned from a denial holds for a day
        ip, lag = min(limits.ip, window.ip_limit), window.lag
    return Window(
        window.number + 1, ends_at, key, key - flying,
        tier_limit=tier, tier_left=None if tier is None else tier - flying,
        ip_limit=ip, ip_left=ip - flying, key_learned=window.key_learned, carried=flying, lag=lag,
    )  # fmt: skip


def share(window: Window, purpose: Purpose, now: datetime) -> int:
    """Calls that are left to this purpose, and that it has not spent yet."""
    return max(0, _part(window, SHARES[purpose], now) - window.spent(purpose))


def room(window: Window, purpose: Purpose, now: datetime, *, contested: bool = False) -> int:
    """How many calls may be made for this purpose now; contested: while something that goes first is waiting."""
    held = {other: share(window, other, now) for other in Purpose if other != purpose}
    if purpose not in PEOPLE:
        held[Purpose.PLACE] = _part(window, RESERVE, now)
    free = window.left - sum(held.values())
    calls = min(window.left, max(free, share(window, purpose, now)))
    if contested:
        calls = min(calls, ceil(SHARES[purpose] * window.limit) - window.spent(purpose))
    return calls


def _part(window: Window, part: float, now: datetime) -> int:
    """Of the limit, and of the time that is left."""
    if window.limit < NOTHING_KEPT_BELOW:
        return 0
    return ceil(part * window.limit * min(1.0, max(0.0, (window.ends_at - now) / SPAN)))


def take(window: Window, purpose: Purpose, now: datetime, *, contested: bool = False) -> Window | None:
    """The window with one call more; None when this purpose must wait."""
    if room(window, purpose, now, contested=contested) <= 0:
        return None
    return _counted(replace(window, flying=window.flying + 1), purpose, 1)


def give_back(window: Window, permit: Permit) -> Window:
    """No call was made with it."""
    if permit.window != window.number:
        return window
    return _counted(replace(window, flying=max(0, window.flying - 1)), permit.purpose, -1)


def _counted(window: Window, purpose: Purpose, by: int) -> Window:
    tier = window.tier_left
    changed: dict[str, Any] = {
        "key_left": window.key_left - by, "tier_left": None if tier is None else tier - by,
        "ip_left": window.ip_left - by, purpose.value: window.spent(purpose) + by,
    }  # fmt: skip
    return replace(window, **changed)


def settle(window: Window, permit: Permit, said: Said, now: datetime, limits: Assumed = DOCUMENTED) -> Window:
    """The answer is there: what its headers say of this window is learned."""
    window = replace(window, denied=window.denied + said.denied)
    began_at = window.ends_at - SPAN
    if permit.window < window.number:
        window = replace(window, carried=max(0, window.carried - 1))
        return _uncarried(window) if said.reset is not None and said.reset <= began_at else window
    later = said.reset is not None and said.reset > max(window.ends_at, now)
    if later and (window.number == 1 or now >= window.ends_at - JITTER):
        # It landed in their next minute, so there is one; there it is counted like all that are under way.
        window = after(window, window.ends_at, limits)
        window = replace(window, carried=max(0, window.carried - 1), denied=int(said.denied))
    else:
        window = replace(window, flying=max(0, window.flying - 1))
        said = said._replace(reset=window.ends_at) if later else said
    if said.reset is None:
        return _shut(window, said)
    if said.reset <= now:  # of a minute that is over by our clock
        return _wait_for_theirs(window, said, now) if said.denied else window
    return _shut(_learned(replace(window, ends_at=said.reset), said), said)


def _wait_for_theirs(window: Window, said: Said, now: datetime) -> Window:
    """Their clock is behind ours: the minute that we take for over still denies.

    By how much, the answer's date tells to a second; without one it is found out bit by bit.
    """
    behind = now - (said.sent_at or said.reset or now) + timedelta(seconds=1)
    return replace(window, ends_at=now, key_left=0, lag=min(LARGEST_LAG, max(window.lag, behind.total_seconds())))


def _uncarried(window: Window) -> Window:
    """A call of the window before landed there, and not in this one after all."""
    tier = window.tier_left
    return replace(
        window, key_left=min(window.key_left + 1, window.key_limit),
        tier_left=None if tier is None else min(tier + 1, window.tier_limit or tier + 1),
        ip_left=min(window.ip_left + 1, window.ip_limit),
    )  # fmt: skip


def _learned(window: Window, said: Said) -> Window:
    if said.denied_by in ("tier", "ip"):  # then Limit and Remaining speak of that layer: assumed
        learned_limit: dict[str, Any] = {f"{said.denied_by}_limit": said.limit}
        return replace(window, **learned_limit) if said.limit else window
    learned = window
    if said.limit is not None and said.limit != window.key_limit:
        used = window.key_limit - window.key_left
        learned = replace(learned, key_limit=said.limit, key_left=said.limit - used)
    learned = replace(learned, key_learned=learned.key_learned or said.limit is not None)
    # Never more than we count ourselves: what is on its way is not in their count, nor in an answer that took long.
    if said.remaining is not None:
        learned = replace(learned, key_left=min(learned.key_left, said.remaining))
    if (tier := said.tier_remaining) is not None:
        known = learned.tier_left
        limit = max(learned.tier_limit or 0, tier + 1)
        if known is None:  # the first word of it: it lacks what is still on its way
            known = tier - learned.flying
        else:  # a tier that is found to be larger has so much more left
            known += limit - (learned.tier_limit or limit)
        seen = max(learned.tier_seen or 0, tier + 1)
        learned = replace(learned, tier_limit=limit, tier_left=min(known, tier), tier_seen=seen)
    return learned


def _shut(window: Window, said: Said) -> Window:
    """A layer that denied gives nothing more until the window ends."""
    if not said.denied:
        return window
    nothing: dict[str, Any] = {f"{said.denied_by if said.denied_by in LAYERS else 'key'}_left": 0}
    return replace(window, **nothing)


def read(headers: Mapping[str, str], status: int | None, now: datetime) -> Said:
    """What an answer's headers say; absurd values count as missing."""
    denied = status == 429
    reset = _whole(headers.get("X-RateLimit-Reset"), most=4_102_444_800)  # the year 2100
    at = None if reset is None else datetime.fromtimestamp(reset, UTC)
    if at is not None and at - now > FURTHEST_RESET:
        at = None
    return Said(
        _whole(headers.get("X-RateLimit-Limit"), least=1),
        _whole(headers.get("X-RateLimit-Remaining")),
        _whole(headers.get("X-RateLimit-Tier-Remaining")),
        at,
        denied,
        headers.get("X-RateLimit-DeniedBy", "").strip().lower() if denied else "",
        _date(headers.get("Date", "")),
    )


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _whole(text: str | None, *, least: int = 0, most: int = MOST_LIMIT) -> int | None:
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return number if least <= (number := int(text)) <= most else None
