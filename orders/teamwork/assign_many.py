"""Assigning many orders in one press: each that is still whose it was on the page, one event an order, and a count."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from orders.models import Event, Order
from orders.teamwork.assignment import assignment_event, require_assignable, tell
from panel.format.numbers import number
from panel.ops.database import batches

BATCH_ORDERS = 500  # locked and changed together
NOBODY = 0  # stands for no assignee


class Assigned(NamedTuple):
    """What came of a press."""

    to: User | None
    assigned: int
    had: int  # orders that the person had already
    moved: dict[str, int]  # what became of the others meanwhile, such as `taken by Tomás`, and of how many

    @property
    def sentence(self) -> str:
        """What was done, and which orders were left alone, for the person who pressed."""
        words = [f"{orders_words(self.assigned)} assigned to {self.to or 'nobody'}"]
        for name, count in self.moved.items():
            words.append(f"{number(count)} {'was' if count == 1 else 'were'} {name} meanwhile and left alone")
        if self.had:
            whose = f"{self.to} has" if self.to else "nobody has"
            words.append(f"{number(self.had)} {whose} already")
        return "; ".join(words) + "."


def orders_words(count: int) -> str:
    """The number with its noun: `1 order`, `38 orders`."""
    return f"{number(count)} order{'s' * (count != 1)}"


def assign_many(saw: Mapping[int, int], to: User | None, *, by: Any) -> Assigned:
    """Assigns these orders to `to`, or to nobody. `saw` has for each the assignee whom the page showed, or NOBODY.

    Of an order that somebody assigned to another person after the page was made, nothing is done. Pressing again
    changes nothing, and says so. Raises a Refusal when `by` may not assign, or `to` may not have orders.
    """
    require_assignable(to, by=by)
    wanted, assigned, had, moved = to.pk if to else NOBODY, 0, 0, dict[int, int]()
    with transaction.atomic():
        for pks in batches(sorted(saw), BATCH_ORDERS):
            # Locked by id, as by everybody who locks several: of two presses at once the later sees what the first did.
            locked = Order.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True)
            has = {pk: whose or NOBODY for pk, whose in locked.values_list("pk", "assigned_to")}
            free = [pk for pk, whose in has.items() if whose == saw[pk] and whose != wanted]
            assign_batch(free, has, to, by=by)
            assigned += len(free)
            had += sum(whose == wanted for whose in has.values())
            for pk, whose in has.items():
                if whose not in (saw[pk], wanted):
                    moved[whose] = moved.get(whose, 0) + 1
    names = User.objects.in_bulk(moved)
    return Assigned(to, assigned, had, {taken_words(names.get(pk)): count for pk, count in moved.items()})


def assign_batch(pks: list[int], has: Mapping[int, int], to: User | None, *, by: Any) -> None:
    """Assigns these orders, which the caller has locked: one statement, one event each, and word for the person."""
    if not pks:
        return
    Order.objects.filter(pk__in=pks).change(assigned_to=to)
    people, now = User.objects.in_bulk({has[pk] for pk in pks} - {NOBODY}), timezone.now()
    events = []
    for pk in pks:
        kind, facts = assignment_event(to, people.get(has[pk]), by)
        events.append(Event(order_id=pk, kind=kind, by=by, at=now, facts=facts))
    Event.objects.bulk_create(events)
    tell(pks, to, by=by)


def taken_words(person: User | None) -> str:
    """What became of an order meanwhile, as it goes on after `were`."""
    return f"taken by {person}" if person else "given up"
