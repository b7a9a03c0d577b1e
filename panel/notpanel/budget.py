"""Who may call upstream when: one budget for every process, within the supplier's limits. Pure; the caller stores it.

A window is upstream's minute. Each permit is counted before its call; what the answer's headers say corrects the count.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import ceil, floor
from typing import Any, NamedTuple, Protocol

LAYERS = ("key", "tier", "ip")  # whichever is used up first denies
SPAN = timedelta(seconds=60)  # of a window
# A window counts as over this long after its end by our clock; longer once upstream's is found to be behind.
EDGE = timedelta(seconds=0.25)
LARGEST_LAG_SECONDS = 30.0
# Upstream may round a Reset, or count it from each call; a later one than known is a next minute only near the end.
JITTER = timedelta(seconds=2)
# A Reset further away than this is not the end of a window.
FURTHEST_RESET = timedelta(seconds=120)
KEY_LIMIT, IP_LIMIT = 100, 300  # calls in a window, documented; the tier's limit is not, and is learned
LARGEST_LIMIT = 10_000_000  # a larger one in a header is nonsense
LAST_RESET_SECONDS = 4_102_444_800  # the year 2100; a Reset after it is nonsense


class Purpose(StrEnum):
    """What a call is for, the most urgent first. While a call waits, purposes after its own get only their share."""

    PLACE = "place"
    ASK = "ask"  # refills, cancels, and polls that a person wants now
    POLL = "look"
    UPKEEP = "upkeep"  # catalog, balance, probes


# The part of a window's limit that each purpose keeps until it has spent it, whatever the others want: nobody starves.
# All shares shrink to nothing as the window passes, so that none is wasted.
SHARES = {Purpose.PLACE: 0.10, Purpose.ASK: 0.05, Purpose.POLL: 0.02, Purpose.UPKEEP: 0.02}
PEOPLE = (Purpose.PLACE, Purpose.ASK)
# The part of a window's limit that machines leave free for what people want next, however many orders there were. It
# also spreads their calls over the window: without it they would keep every worker and the database busy at its start,
# and leave nothing to its end.
RESERVE = 0.70
SMALLEST_SHARED_LIMIT = 20  # calls in a window: shares of fewer would leave nothing to anybody

PURPOSE_OF = {"add": Purpose.PLACE, "refill": Purpose.ASK, "cancel": Purpose.ASK, "status": Purpose.POLL}


class Permit(NamedTuple):
    """Permission for one call, counted in the window with this number."""

    window: int
    purpose: Purpose


class Meter(Protocol):
    """One client's access to the budget; `calls` counts the calls it let through."""

    calls: int

    def take(self, purpose: Purpose, now: datetime, *, contested: bool = False) -> bool:
        """Takes a permit for the next call; False when the purpose must wait."""

    def give_back(self) -> None:
        """Gives back a permit that was taken and not used."""

    def before(self, action: str) -> None:
        """Returns when the call may be made, with the permit that was taken or a new one."""

    def after(self, headers: Mapping[str, str], status: int | None) -> None:
        """Learns from the answer of a call that is over; the status is None when no answer came."""

    def together(self) -> AbstractContextManager[None]:
        """A context for all that is written down about a call after it, so that it can be written at once."""


class LimitHeaders(NamedTuple):
    """An answer's rate-limit headers, each None when it is missing or nonsense. Only a 429 has `denied_by`."""

    limit: int | None
    remaining: int | None
    tier_remaining: int | None
    reset: datetime | None
    denied: bool = False
    denied_by: str = ""
    sent_at: datetime | None = None  # by their clock


@dataclass(frozen=True, slots=True)
class Window:
    """How one window stands. The tier's limit is None until upstream has named it."""

    number: int
    ends_at: datetime
    key_limit: int = KEY_LIMIT
    key_left: int = KEY_LIMIT
    key_learned: bool = False  # upstream named the key's limit
    tier_limit: int | None = None
    tier_left: int | None = None
    tier_seen: int | None = None  # the most that this window's answers named; what the next one begins with
    ip_limit: int = IP_LIMIT
    ip_left: int = IP_LIMIT
    flying: int = 0  # permits of this window whose calls have no answer yet
    carried: int = 0  # permits of the window before whose calls have no answer yet
    lag: float = 0.0  # seconds that upstream's clock was found to be behind ours
    place: int = 0
    ask: int = 0
    look: int = 0
    upkeep: int = 0
    denied: int = 0

    def spent(self, purpose: Purpose) -> int:
        """Calls that this purpose has made in this window."""
        return int(getattr(self, purpose))

    @property
    def left(self) -> int:
        """Calls that the tightest layer still allows."""
        known = [left for left in (self.key_left, self.tier_left, self.ip_left) if left is not None]
        return max(0, min(known))

    @property
    def limit(self) -> int:
        """Calls in a window that the tightest layer allows."""
        return min(limit for limit in (self.key_limit, self.tier_limit, self.ip_limit) if limit is not None)


class Assumed(NamedTuple):
    """The limits of a key and of an address, assumed until upstream says otherwise."""

    key: int = KEY_LIMIT
    ip: int = IP_LIMIT


DOCUMENTED = Assumed()


def first(now: datetime, limits: Assumed = DOCUMENTED) -> Window:
    """The very first window, which ends with the clock's minute: assumed, until an answer corrects it."""
    ends_at = datetime.fromtimestamp((floor(now.timestamp() / SPAN.seconds) + 1) * SPAN.seconds, UTC)
    return Window(1, ends_at, limits.key, limits.key, ip_limit=limits.ip, ip_left=limits.ip)


def is_over(window: Window, now: datetime) -> bool:
    """Whether a window has ended. When the clock was set back, it has: it would not end for long otherwise."""
    return now >= window.ends_at + EDGE + timedelta(seconds=window.lag) or window.ends_at - now > FURTHEST_RESET


def after(window: Window, now: datetime, limits: Assumed = DOCUMENTED) -> Window:
    """The window of `now`, which follows one that is over.

    Calls that are under way may land in either, so they are counted in this one too until their answer tells.
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
    """Calls of this purpose's share that it has not made yet."""
    return max(0, _part_of_limit(window, SHARES[purpose], now) - window.spent(purpose))


def room(window: Window, purpose: Purpose, now: datetime, *, contested: bool = False) -> int:
    """How many calls may be made for this purpose now. `contested`: something that goes first is waiting, so only the
    purpose's own share is left to it."""
    held = {other: share(window, other, now) for other in Purpose if other != purpose}
    if purpose not in PEOPLE:
        held[Purpose.PLACE] = _part_of_limit(window, RESERVE, now)
    free = window.left - sum(held.values())
    calls = min(window.left, max(free, share(window, purpose, now)))
    if contested:
        calls = min(calls, ceil(SHARES[purpose] * window.limit) - window.spent(purpose))
    return calls


def _part_of_limit(window: Window, part: float, now: datetime) -> int:
    """A part of the limit, which shrinks with the time that is left."""
    if window.limit < SMALLEST_SHARED_LIMIT:
        return 0
    return ceil(part * window.limit * min(1.0, max(0.0, (window.ends_at - now) / SPAN)))


def take(window: Window, purpose: Purpose, now: datetime, *, contested: bool = False) -> Window | None:
    """The window with one more call under way; None when this purpose must wait."""
    if room(window, purpose, now, contested=contested) <= 0:
        return None
    return _counted(replace(window, flying=window.flying + 1), purpose, 1)


def give_back(window: Window, permit: Permit) -> Window:
    """The window without a permit that was not used; a permit of an earlier window changes nothing."""
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


def settle(
    window: Window, permit: Permit, headers: LimitHeaders, now: datetime, limits: Assumed = DOCUMENTED
) -> Window:
    """The window after the answer to a permit's call, with what its headers say about it."""
    window = replace(window, denied=window.denied + headers.denied)
    began_at = window.ends_at - SPAN
    if permit.window < window.number:
        window = replace(window, carried=max(0, window.carried - 1))
        return _uncarried(window) if headers.reset is not None and headers.reset <= began_at else window
    later = headers.reset is not None and headers.reset > max(window.ends_at, now)
    if later and (window.number == 1 or now >= window.ends_at - JITTER):
        # It landed in their next minute, so there is one; there it is counted like all that are under way.
        window = after(window, window.ends_at, limits)
        window = replace(window, carried=max(0, window.carried - 1), denied=int(headers.denied))
    else:
        window = replace(window, flying=max(0, window.flying - 1))
        headers = headers._replace(reset=window.ends_at) if later else headers
    if headers.reset is None:
        return _shut(window, headers)
    if headers.reset <= now:  # the end of a minute that is over by our clock
        return _wait_for_theirs(window, headers, now) if headers.denied else window
    return _shut(_learned(replace(window, ends_at=headers.reset), headers), headers)


def _wait_for_theirs(window: Window, headers: LimitHeaders, now: datetime) -> Window:
    """A window that is over by our clock but still denies, because upstream's clock is behind.

    The answer's date gives the difference to a second; without a date it is found out bit by bit.
    """
    behind = now - (headers.sent_at or headers.reset or now) + timedelta(seconds=1)
    lag = min(LARGEST_LAG_SECONDS, max(window.lag, behind.total_seconds()))
    return replace(window, ends_at=now, key_left=0, lag=lag)


def _uncarried(window: Window) -> Window:
    """The window with one more call left: a call of the window before has landed there, and not in this one."""
    tier = window.tier_left
    return replace(
        window, key_left=min(window.key_left + 1, window.key_limit),
        tier_left=None if tier is None else min(tier + 1, window.tier_limit or tier + 1),
        ip_left=min(window.ip_left + 1, window.ip_limit),
    )  # fmt: skip


def _learned(window: Window, headers: LimitHeaders) -> Window:
    """The window with the limits, and what is left of them, as the headers have it."""
    if headers.denied_by in ("tier", "ip"):  # then Limit and Remaining speak of that layer: assumed
        return _with_layer(window, headers.denied_by, "limit", headers.limit) if headers.limit else window
    if headers.limit is not None:
        used = window.key_limit - window.key_left
        window = replace(window, key_limit=headers.limit, key_left=headers.limit - used, key_learned=True)
    # Never more than we count ourselves: what is on its way is not in their count, nor in an answer that took long.
    if headers.remaining is not None:
        window = replace(window, key_left=min(window.key_left, headers.remaining))
    if (tier := headers.tier_remaining) is not None:
        limit = max(window.tier_limit or 0, tier + 1)
        if window.tier_left is None:  # the first answer that names it lacks what is still on its way
            left = tier - window.flying
        else:  # a tier that is found to be larger has so much more left
            left = window.tier_left + limit - (window.tier_limit or limit)
        seen = max(window.tier_seen or 0, tier + 1)
        window = replace(window, tier_limit=limit, tier_left=min(left, tier), tier_seen=seen)
    return window


def _shut(window: Window, headers: LimitHeaders) -> Window:
    """The window with nothing left of the layer that denied, until it ends."""
    if not headers.denied:
        return window
    return _with_layer(window, headers.denied_by if headers.denied_by in LAYERS else "key", "left", 0)


def _with_layer(window: Window, layer: str, what: str, calls: int) -> Window:
    changed: dict[str, Any] = {f"{layer}_{what}": calls}
    return replace(window, **changed)


def read(headers: Mapping[str, str], status: int | None, now: datetime) -> LimitHeaders:
    """An answer's rate-limit headers; absurd values count as missing."""
    denied = status == 429
    seconds = _whole(headers.get("X-RateLimit-Reset"), most=LAST_RESET_SECONDS)
    reset = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return LimitHeaders(
        limit=_whole(headers.get("X-RateLimit-Limit"), least=1),
        remaining=_whole(headers.get("X-RateLimit-Remaining")),
        tier_remaining=_whole(headers.get("X-RateLimit-Tier-Remaining")),
        reset=None if reset is None or reset - now > FURTHEST_RESET else reset,
        denied=denied,
        denied_by=headers.get("X-RateLimit-DeniedBy", "").strip().lower() if denied else "",
        sent_at=_date(headers.get("Date", "")),
    )


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _whole(text: str | None, *, least: int = 0, most: int = LARGEST_LIMIT) -> int | None:
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return number if least <= (number := int(text)) <= most else None
