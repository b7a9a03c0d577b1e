"""Over random nights, what the page counts as open is what somebody finds who looks at every order and every event."""

import re
from datetime import datetime, timedelta
from random import Random

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.handover.events import DEALS
from orders.handover.sections import read_night, sections_of
from orders.models import Order, Task
from tests.makers import make_order, make_service
from tests.orders.handover.test_page import page_of, words_of

pytestmark = pytest.mark.django_db
BAD = ("cancelled", "partial", "refunded")


class Writer:
    """Writes random nights: things that come up, some before the night, and what people do about them."""

    def __init__(self, seed: int, people: list[User], service: Service, left_at: datetime) -> None:
        self.chance, self.people, self.service, self.left_at = Random(seed), people, service, left_at

    def write(self) -> None:
        """Thirty things, from four hours before the person left on."""
        at = self.left_at - timedelta(hours=4)
        orders = [make_order("in_progress", by=self.people[0], service=self.service) for _ in range(8)]
        for _ in range(30):
            at += timedelta(minutes=self.chance.randrange(1, 60))
            if at < timezone.now():
                self.chance.choice((self.end, self.refuse, self.doubt, self.late, self.unclear, self.deal, self.deal))(
                    self.chance.choice(orders), at
                )

    def end(self, order: Order, at: datetime) -> None:
        status = self.chance.choice((*BAD, "completed"))
        if status == "cancelled" and self.chance.random() < 0.5:
            Task.objects.get_or_create(
                order=order, kind="cancel", defaults={"asked_by": self.people[0], "asked_at": at - timedelta(minutes=1),
                                                      "settled_at": at, "over_at": at, "over_how": "agreed"},
            )  # fmt: skip
        Order.objects.filter(pk=order.pk).update(status=status, ended_at=at, late_from=None)

    def refuse(self, order: Order, at: datetime) -> None:
        Order.objects.filter(pk=order.pk).update(status="rejected", ended_at=None, late_from=None)
        order.tasks.filter(kind="place").update(outcome="refused")
        order.record("refused", at=at)

    def doubt(self, order: Order, at: datetime) -> None:
        if self.chance.random() < 0.5:
            Order.objects.filter(pk=order.pk).update(missing_since=at)
            order.record("missing", at=at)
        else:
            Order.objects.filter(pk=order.pk).update(doubts="charge")
            order.record("doubted", at=at, why="It cost more.")

    def late(self, order: Order, at: datetime) -> None:
        Order.objects.filter(pk=order.pk, status="in_progress").update(late_from=at)

    def unclear(self, order: Order, at: datetime) -> None:
        asked = {"asked_by": self.people[0], "slot": 1, "due_at": at}
        task, _ = Task.objects.get_or_create(order=order, kind="refill", defaults=asked)
        Task.objects.filter(pk=task.pk).update(outcome="unclear", settled_at=at, asked_at=at, due_at=None)
        order.record("refill_unclear", at=at, trouble="The answer was lost.")

    def deal(self, order: Order, at: datetime) -> None:
        by = self.chance.choice(self.people)
        kind = self.chance.choice(("noted", "taken_on", "seen", "refill_again", "dealt_with", "let_go"))
        if kind == "seen":
            Order.objects.filter(pk=order.pk).update(doubts=None)
        if kind == "refill_again":
            order.tasks.filter(kind="refill").update(outcome="", settled_at=None, due_at=at)
        order.record(kind, by=by, at=at)


def recount(since: datetime) -> dict[str, set[int]]:
    """The open orders of each section, found by looking at everything."""
    found: dict[str, set[int]] = {"badly": set(), "look": set(), "late": set(), "answers": set()}
    for order in Order.objects.for_table():
        events = list(order.events.order_by("pk"))
        tasks = list(order.tasks.all())

        def told(*kinds: str, events: list = events) -> object:  # type: ignore[type-arg]
            return next((e for e in reversed(events) if e.kind in kinds and e.at >= since), None)

        def untouched(at: datetime, after: object = None, events: list = events) -> bool:  # type: ignore[type-arg]
            deals = (e for e in events if e.by_id and e.kind in DEALS)
            return not any(e.at >= at or (after is not None and e.pk > after.pk) for e in deals)  # type: ignore[attr-defined]

        cancelled = any(t.kind == "cancel" and order.ended_at and t.asked_at <= order.ended_at for t in tasks)
        ended_at = order.ended_at
        if ended_at and ended_at >= since and order.status in BAD:
            if not cancelled and untouched(ended_at):
                found["badly"].add(order.pk)
        elif (no := told("refused")) and order.status == "rejected":
            asked_cancel = any(t.kind == "cancel" and t.asked_at <= no.at for t in tasks)  # type: ignore[attr-defined]
            if not asked_cancel and untouched(no.at, no):  # type: ignore[attr-defined]
                found["badly"].add(order.pk)
        doubt, stands = told("review", "missing", "doubted"), bool(order.missing_since or order.doubts)
        if doubt and stands and untouched(doubt.at, doubt):  # type: ignore[attr-defined]
            found["look"].add(order.pk)
        if order.late_from and order.late_from >= since and untouched(order.late_from):
            found["late"].add(order.pk)
        lost = any(t.kind == "refill" and t.outcome == "unclear" and t.over_at is None for t in tasks)
        if (answer := told("refill_unclear")) and lost and untouched(answer.at, answer):  # type: ignore[attr-defined]
            found["answers"].add(order.pk)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_what_is_open_is_what_somebody_finds_who_looks_at_everything(seed: int, ben: User, tomas: User) -> None:
    left_at = ben.left_at
    assert left_at
    Writer(seed, [tomas, ben], make_service(), left_at).write()
    sections = sections_of(read_night(left_at))
    assert {section.key: {thing.order.pk for thing in section.open} for section in sections} == recount(left_at)
    told = words_of(page_of(ben))
    in_all = sum(len(section.open) for section in sections)
    said = re.search(r"(\d+) things? still needs? a person|Nothing needs a person", told)
    assert said
    assert int(said[1] or 0) == in_all
    for section in sections:
        if section.open:
            assert f"{section.title} {len(section.open)} open" in told
        if section.dealt:
            assert section.dealt_by(ben) in told
    dealt = sum(len(section.dealt) for section in sections)
    assert (f"{dealt} other" in told) == bool(dealt)
