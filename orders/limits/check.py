"""Whether an order fits the limits of the person who places it and of the team, and what is said when it does not."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.utils import timezone

from accounts.access import may
from accounts.desk_settings import current
from catalog.models import Service
from orders.limits.day import next_day
from orders.limits.spent import Today, today_of
from orders.models import Order
from orders.rules.refusal import Refusal
from panel.format.money import CENT, UNITS_PER_RATE, money, stored
from panel.format.times import clock

NEAR_SHARE = Decimal("0.8")  # of the team's limit: from there on everybody who orders sees it
NOT_COUNTED = "What was spent today cannot be counted, so nothing is ordered. Tell an owner: manage.py migrate helps."
OWN = ("order", "day")  # the limits that a person may have of their own
HELD, TEAM, ORDER, DAY, SUM = "held", "team", "order", "day", "sum"  # what an order may be above


class Limits(NamedTuple):
    """What a person may spend, in US dollars. None: no limit."""

    order: Decimal | None
    day: Decimal | None
    approve_from: Decimal | None
    team: Decimal | None
    held: Decimal | None

    @property
    def by_day(self) -> bool:
        """Whether what was spent today must be known."""
        return self.day is not None or self.team is not None


def limits_of(person: Any) -> Limits:
    """The limits that hold for this person now: their own, else their role's. Costs no statement in a request."""
    values, own = current(), own_limits(person.limits)
    usual = {name: getattr(values, f"{person.role}_{name}_limit", None) for name in OWN}
    return Limits(
        **{**usual, **own},
        approve_from=getattr(values, f"{person.role}_approve_from", None),
        team=values.team_day_limit,
        held=values.held_limit,
    )


def own_limits(kept: Mapping[str, str]) -> dict[str, Decimal | None]:
    """A person's own limits as they are kept on their account. What cannot be read counts as not set."""
    own: dict[str, Decimal | None] = {}
    for name in OWN:
        try:
            own |= {name: Decimal(kept[name]) if kept[name] else None}
        except (KeyError, InvalidOperation, TypeError):
            continue
    return own


# ── What an order is above ───────────────────────────────────────────────────────────────────────
class Words(NamedTuple):
    """What is said of an order that is above a limit: with sums, and to people who do not see money."""

    with_sums: str
    without: str
    then: str  # what the person can do


ASK = "Ask for approval: a second person decides first."
ALONE = "Order it by itself: there you can ask a second person for approval."
RAISE = "An owner can raise it. The day begins anew at {anew}."
WORDS = {
    HELD: Words("It costs {charge}, and an order of a service on hold may cost {limit} at most.",
                "It costs more than an order of a service on hold may.",
                "An owner can raise it, or somebody decides about the service."),
    TEAM: Words("It costs {charge}, and the team has {left} of {limit} left today.",
                "It costs more than the team has left today.", RAISE),
    ORDER: Words("It costs {charge}, above your limit of {limit} for one order.",
                 "It costs more than your limit for one order.", ASK),
    DAY: Words("It costs {charge}, and you have {left} of {limit} left today.",
               "It costs more than you have left today.", ASK),
    SUM: Words("It costs {charge}. From {limit} on, a second person approves an order first.",
               "An order of this sum is approved by a second person first.", ASK),
}  # fmt: skip


class Over(NamedTuple):
    """Which limit an order is above."""

    why: str  # a key of WORDS
    charge: Decimal
    limit: Decimal
    used: Decimal  # of a day's limit
    anew: datetime

    @property
    def may_ask(self) -> bool:
        """Whether a second person may let it pass."""
        return WORDS[self.why].then == ASK

    def sentence(self, reader: Any, *, in_list: bool = False) -> str:
        """Why the order does not fit, and what the reader can do."""
        words = WORDS[self.why]
        figures = {
            "charge": money(self.charge), "limit": money(self.limit),
            "left": money(max(self.limit - self.used, Decimal(0))), "anew": clock(self.anew),
        }  # fmt: skip
        said = words.with_sums if may(reader, "money") else words.without
        then = ALONE if in_list and self.may_ask else words.then
        return f"{said} {then}".format(**figures)


def over(limits: Limits, charge: Decimal, today: Today | None, *, held: bool, now: datetime) -> Over | None:
    """The limit that an order of this charge is above, the one that nobody can let pass first; None if it fits.

    `today` is what counts with the order; None where `limits.by_day` needs nothing of it.
    """
    used, team_used = (today.used, today.team) if today else (charge, charge)
    above = (
        (HELD, limits.held if held else None, charge),
        (TEAM, limits.team, team_used),
        (ORDER, limits.order, charge),
        (DAY, limits.day, used),
    )
    for why, limit, sum_then in above:
        if limit is not None and sum_then > limit:
            return Over(why, charge, limit, sum_then - charge, next_day(now))
    if limits.approve_from is not None and charge >= limits.approve_from:
        return Over(SUM, charge, limits.approve_from, Decimal(0), next_day(now))
    return None


def over_with(order: Order, limits: Limits, *, at: datetime) -> Over | None:
    """The same for an order that has just been written in this transaction, and so counts already.

    Its row of Spent is locked since the order was written: whoever orders at the same moment comes before or after.
    """
    if not any(limit is not None for limit in limits):
        return None
    today = today_of(order.placed_by_id, at) if limits.by_day else None
    if today and today.used + CENT < order.expected_charge:  # no trigger has counted it
        raise Refusal(NOT_COUNTED)
    return over(limits, order.expected_charge, today, held=bool(order.service.held_over_id), now=at)


# ── What the form shows before ───────────────────────────────────────────────────────────────────
class Room(NamedTuple):
    """What the receipt says of the limits of the person who orders, for an order of this charge."""

    limits: Limits
    today: Today | None
    charge: Decimal | None
    over: Over | None
    anew: datetime
    most: int | None  # units that the person may order themselves, where fewer than asked for would fit

    @property
    def left(self) -> Decimal | None:
        """What the person may still spend today; None without a limit."""
        return self._rest(self.limits.day, self.today.used if self.today else None)

    @property
    def team_left(self) -> Decimal | None:
        """What the team may still spend today, when it is near its limit; else None."""
        if self.limits.team is None or self.today is None:
            return None
        near = self.today.team + (self.charge or 0) >= self.limits.team * NEAR_SHARE
        return self._rest(self.limits.team, self.today.team) if near else None

    @property
    def left_after(self) -> Decimal | None:
        """What this order would leave of the person's day; None where it does not fit, or nothing limits the day."""
        if self.left is None or self.charge is None or self.charge > self.left:
            return None
        return self.left - self.charge

    @staticmethod
    def _rest(limit: Decimal | None, used: Decimal | None) -> Decimal | None:
        return None if limit is None or used is None else max(limit - used, Decimal(0))


def room_for(
    person: Any, service: Service | None, charge: Decimal | None, quantity: int | None, runs: int
) -> Room | None:
    """What the receipt says of limits; None for a person without any. Reads at most one statement."""
    limits, now = limits_of(person), timezone.now()
    if not any(limit is not None for limit in limits):
        return None
    today = today_of(person.pk, now) if limits.by_day else None
    held = bool(service and service.held_over_id)
    above = None
    if charge is not None:
        above = over(limits, charge, today.plus(stored(charge)) if today else None, held=held, now=now)
    room = Room(limits, today, charge, above, next_day(now), None)
    return room._replace(most=most_units(room, service, quantity, runs)) if above and above.may_ask else room


def most_units(room: Room, service: Service | None, quantity: int | None, runs: int) -> int | None:
    """How many units the person could order without asking; None where that is none, or no way to order."""
    if service is None or not quantity or service.bought_whole or not service.rate:
        return None
    bounds = [bound for bound in (room.limits.order, room.left) if bound is not None]
    if room.limits.approve_from is not None:
        bounds.append(room.limits.approve_from - Decimal("0.01"))
    units = int(min(bounds) * UNITS_PER_RATE / service.rate / runs) if bounds else 0
    return units if service.least <= units < quantity else None
