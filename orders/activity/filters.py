"""The filters of activity: read from the address, written back to it, and put in words."""

import re
from collections.abc import Callable
from datetime import date
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict

from accounts.access import may
from accounts.models import User
from accounts.trail.kinds import DOOR_GROUPS, GROUPS
from catalog.models import Service
from orders.models import Order
from panel.format.times import day_of, ends, starts
from panel.web.params import read_number

PEOPLE, MACHINE, ALL = "", "machine", "all"
WHO = {PEOPLE: "People", MACHINE: "Machine", ALL: "Everything"}
ABOUT_CHARACTERS = 80
DAY_WORDS = "%A, %-d %B %Y"
ORDER = re.compile(r"(?:order\s*|#\s*)?(\d+)", re.I)
SERVICE = re.compile(r"service\s*#?\s*(\d+)", re.I)


class Condition(NamedTuple):
    """What one filter asks: of the database, and of a line in hand."""

    where: Q
    fits: Callable[[Any], bool]


def equal(**columns: Any) -> Condition:
    """The condition that these columns of a line have these values."""
    return Condition(Q(**columns), lambda line: all(getattr(line, name) == value for name, value in columns.items()))


def any_of(conditions: list[Condition]) -> Condition:
    """The condition that a line fits one of these."""
    where = reduce(or_, (each.where for each in conditions))
    return Condition(where, lambda line: any(each.fits(line) for each in conditions))


NOTHING = equal(id=0)
BY_PEOPLE = Condition(Q(by__isnull=False), lambda line: line.by_id is not None)
BY_NOBODY = Condition(Q(by=None), lambda line: line.by_id is None)
NOT_AT_THE_DOOR = Condition(~Q(group__in=sorted(DOOR_GROUPS)), lambda line: line.group not in DOOR_GROUPS)


class Looked(NamedTuple):
    """Of a line what conditions look at."""

    id: int
    at: Any  # a datetime, or in whatever words the database says one
    by_id: int | None
    group: str
    order_id: int | None
    person_id: int | None
    thing: str
    thing_id: int | None


class About(NamedTuple):
    """What the lines are about: the condition that finds them, and its words."""

    condition: Condition
    words: str


class Chip(NamedTuple):
    """One filter in use: its name, its value in words, and the address without it."""

    name: str
    words: str
    without: str


class Filters(NamedTuple):
    """The filters as the address says them. What cannot be read is left out, but for `about`: that finds nothing."""

    user: Any
    who: str = PEOPLE
    person: User | None = None
    groups: tuple[str, ...] = ()  # of kinds; without any, all
    typed: str = ""  # what the lines are about, as it was typed
    since: date | None = None
    until: date | None = None

    @classmethod
    def read(cls, query: QueryDict, user: Any, people: list[User]) -> "Filters":
        """The filters of this address, for this viewer."""
        who, kinds = query.get("who", ""), query.getlist("kind")
        person = next((each for each in people if each.pk == read_number(query.get("person"))), None)
        return cls(
            user,
            who if who in WHO else PEOPLE,
            person,
            tuple(group for group in groups_for(user) if group in kinds),
            query.get("about", "").replace("\0", " ").strip()[:ABOUT_CHARACTERS],
            day_of(query.get("from", "")),
            day_of(query.get("until", "")),
        )

    # ── The address ──
    def params(self) -> dict[str, list[str]]:
        """What of the address differs from the page without filters."""
        values = {"who": [self.who], "person": [str(self.person.pk if self.person else "")], "kind": [*self.groups],
                  "about": [self.typed], "from": [str(self.since or "")],
                  "until": [str(self.until or "")]}  # fmt: skip
        return {name: value for name, value in values.items() if any(value)}

    def address(self, **more: str) -> str:
        """The query of an address with these filters."""
        return f"?{urlencode({**self.params(), **more}, doseq=True)}"

    def chips(self) -> list[Chip]:
        """The filters in use, each with a way out."""
        chips = []
        if self.who != PEOPLE:
            chips.append(Chip("done by", WHO[self.who].lower(), self._replace(who=PEOPLE).address()))
        if self.person:
            chips.append(Chip("who", str(self.person), self._replace(person=None).address()))
        for group in self.groups:
            others = tuple(each for each in self.groups if each != group)
            chips.append(Chip("kind", groups_for(self.user)[group], self._replace(groups=others).address()))
        if self.typed:
            chips.append(Chip("about", self.about().words, self._replace(typed="").address()))
        if self.since:
            chips.append(Chip("from", self.since.strftime(DAY_WORDS), self._replace(since=None).address()))
        if self.until:
            chips.append(Chip("until", self.until.strftime(DAY_WORDS), self._replace(until=None).address()))
        return chips

    def words(self) -> str:
        """All filters in one line, for the record of an export. What was typed may name a customer: it is left out."""
        chips = self._replace(typed="").chips()
        words = ", ".join(f"{chip.name} {chip.words}" for chip in chips) or "people’s acts"
        return f"{words}, about one thing" if self.typed else words

    # ── The conditions ──
    def about(self) -> About:
        """What the typed text names: an order by its number, a service, or a person of the team."""
        text = self.typed
        if match := SERVICE.fullmatch(text):
            service = Service.objects.filter(upstream_id=read_number(match[1])).values_list("pk", flat=True).first()
            return About(equal(thing="service", thing_id=service) if service else NOTHING, f"service {match[1]}")
        if match := ORDER.fullmatch(text):
            return About(equal(order_id=read_number(match[1])), f"order {match[1]}")
        if text.startswith("ord_"):
            order = Order.objects.filter(upstream_id=text).values_list("pk", flat=True).first()
            return About(equal(order_id=order) if order else NOTHING, f"order {text}")
        named = User.objects.filter(Q(username__iexact=text) | Q(name__iexact=text)).first()
        return About(equal(person_id=named.pk) if named else NOTHING, str(named or text))

    def conditions(self) -> tuple[list[Condition], list[Condition]]:
        """The conditions that an index answers best, of which a line fits one, and the others, of which it fits all.

        Several groups are several places in one index. No index tells the machine's lines apart.
        """
        found, others = list[list[Condition]](), list[Condition]()
        if self.typed:
            found.append([self.about().condition])
        if self.person:
            found.append([equal(by_id=self.person.pk)])
        if self.groups:
            found.append([equal(group=group) for group in self.groups])
        if self.who == PEOPLE and not self.person:
            found.append([BY_PEOPLE])
        if self.who == MACHINE:
            others.append(BY_NOBODY)
        if not self.groups and not sees_the_door(self.user):
            others.append(NOT_AT_THE_DOOR)
        others += [any_of(conditions) for conditions in found[1:]]
        return (found[0] if found else []), others

    def days(self) -> Q:
        """The condition of the days, which every index answers."""
        days = Q()
        if self.since:
            days &= Q(at__gte=starts(self.since))
        if self.until:
            days &= Q(at__lt=ends(self.until))
        return days


def sees_the_door(user: Any) -> bool:
    """Whether this person sees what happens at the door, and from where things are done: owners do."""
    return may(user, "people")


def groups_for(user: Any) -> dict[str, str]:
    """The groups of kinds that this person may filter by."""
    return GROUPS | DOOR_GROUPS if sees_the_door(user) else GROUPS
