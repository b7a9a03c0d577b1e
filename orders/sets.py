"""Orders as sets: how they are placed, found, hurried and changed together."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Least

from catalog.models import Service
from orders.rules.links import spellings
from orders.rules.poll_schedule import ALONE_FROM, RINGS_TOGETHER, beat
from orders.rules.refusal import Refusal, allowed
from orders.rules.service_types import terms_of
from orders.rules.statuses import LIFE, LIVE, Status
from orders.tasks import Task
from panel.format.locale import for_the_record
from panel.format.money import money
from panel.ops.failpoints import fp

if TYPE_CHECKING:
    from orders.models import Order


# An order for the same service and link within this time is shown before another is placed.
SIMILAR_FOR = timedelta(days=1)
SIMILAR_AT_MOST = 3
UNDER_WAY = LIVE | {Status.QUEUED, Status.REVIEW}
OVER = frozenset(LIFE) - UNDER_WAY  # a word of upstream's that we do not know is not over
MISSING = models.Q(missing_since__isnull=False)  # upstream says that it knows no such order
NOTHING_BOUGHT = frozenset(status for status, stage in LIFE.items() if not (stage.upstream or stage.then))


INDEXED_OF_A_LINK = 200  # characters


def beginning(field: str) -> models.Func:
    """Written out rather than bound, or SQLite would not know the index's expression again."""
    template = f"SUBSTR(%(expressions)s, 1, {INDEXED_OF_A_LINK})"
    return models.Func(F(field), template=template, output_field=models.CharField())


class Hurry(models.IntegerChoices):
    """Why an order is asked after before its time. The greater goes first."""

    RUNG = 1, "a webhook named it"
    WANTED = 2, "a person wants to know"


class OrderQuerySet(models.QuerySet["Order"]):
    def seen_by(self, user: Any) -> Self:
        """The orders this person may see: the whole team's, none for a stranger."""
        return self if user.is_authenticated and user.is_active else self.none()

    def for_table(self) -> Self:
        """Everything that one row shows, in two queries however long the page."""
        tasks = models.Prefetch("tasks", Task.objects.with_people())
        return self.select_related("service", "placed_by").prefetch_related(tasks)

    def for_page(self) -> Self:
        """What its own page tells beside that."""
        return self.for_table().select_related("assigned_to", "service__pace")

    def place(
        self, *, by: Any, service: Service, link: str, quantity: int | None, token: uuid.UUID,
        runs: int | None = None, interval: int | None = None, coupon: str = "", fields: Mapping[str, str] | None = None,
        send_when_funded: bool = True, despite_hold: bool = False,
    ) -> "Order":  # fmt: skip
        """Writes an order and its task down together; the worker sends it. The same token gives the same order.

        `quantity` is None where none goes to upstream and it bills the minimum; `runs` is None or at least 2, with
        `interval` in minutes; `fields` are the type's own, such as `comments`, as they are sent. `despite_hold`: the
        person was shown that the service is on hold, and said yes to that.
        """
        allowed(by, "place")
        body = self.body_of(
            service, link=link, quantity=quantity, runs=runs, interval=interval, coupon=coupon, fields=fields or {}
        )
        # Looked for first, so that F5 leads to the order also when the service has gone meanwhile.
        if earlier := self.filter(form_token=token).first():
            return earlier.unless_other(by, body, send_when_funded)
        held = service.why_held()
        if why := service.why_no_order() or ("" if despite_hold else held):
            raise Refusal(why)
        amount = service.minimum if quantity is None else quantity
        try:
            with transaction.atomic():
                order = self.create(
                    service=service, link=link, quantity=amount, runs=runs, interval=interval, coupon=coupon,
                    body=body, form_token=token, placed_by=by, send_when_funded=send_when_funded,
                    rate_seen=service.rate, expected_charge=service.expected_charge(amount, runs or 1),
                )  # fmt: skip
                fp("order.half")
                undo = timedelta(seconds=settings.SEND_DELAY_SECONDS)
                order.tasks.create(kind=Task.Kind.PLACE, asked_by=by, due_at=order.created_at + undo)
                with for_the_record():
                    facts = {
                        "quantity": f"{runs} × {amount:,}" if runs else f"{amount:,}",
                        "rate": money(service.rate), "expected": money(order.expected_charge),
                    }  # fmt: skip
                order.record("placed", by=by, at=order.created_at, **facts)
                if held:
                    order.record("despite_hold", by=by, at=order.created_at)
                if not send_when_funded:
                    order.record("waits_for_press", by=by, at=order.created_at)
                fp("order.commit")
            fp("order.committed")
            return order
        except IntegrityError:  # the same form, sent at the same moment
            if earlier := self.filter(form_token=token).first():
                return earlier.unless_other(by, body, send_when_funded)
            raise

    @staticmethod
    def body_of(
        service: Service, *, link: str, quantity: int | None, runs: int | None, interval: int | None, coupon: str,
        fields: Mapping[str, str],
    ) -> dict[str, str]:  # fmt: skip
        """Exactly what goes with `add`: what the service's type takes, and nothing empty."""
        takes = terms_of(service).asked
        asked = {"link": link, "quantity": quantity}
        said: dict[str, object] = {
            "service": service.upstream_id, **{name: value for name, value in asked.items() if name in takes},
            **fields, "runs": runs, "interval": interval, "coupon": coupon,
        }  # fmt: skip
        return {name: str(value) for name, value in said.items() if value not in (None, "")}

    def like(self, service: Service, link: str, now: datetime) -> list["Order"]:
        """Orders for the same service and link that are under way or younger than a day, newest first; a few.

        A rejected one is none: nothing was bought.
        """
        same = self.filter(service=service, link__in=spellings(link)).exclude(status__in=NOTHING_BOUGHT)
        same = same.select_related("placed_by", "service").prefetch_related("tasks")
        young, open_ = same.filter(created_at__gte=now - SIMILAR_FOR), same.exclude(status__in=OVER)
        found = {order.pk: order for half in (young, open_) for order in half[:SIMILAR_AT_MOST]}
        return sorted(found.values(), key=lambda order: -order.pk)[:SIMILAR_AT_MOST]

    def linked(self, links: Collection[str]) -> Self:
        """Orders for exactly these links; with all spellings of one, an index finds them, newest first."""
        starts = {link[:INDEXED_OF_A_LINK] for link in links}
        found = self.alias(start=beginning("link")).filter(start__in=starts)
        if all(len(link) < INDEXED_OF_A_LINK for link in links):
            return found  # no link but themselves begins so and ends there
        # Joined with nothing: from `link = …` SQLite would conclude what the beginning is, and no longer use its index.
        return found.alias(whole=models.Func(F("link"), template="%(expressions)s || ''")).filter(whole__in=links)

    def change(self, **facts: Any) -> int:
        """Updates what a page shows of these orders, so that open pages notice; says how many there were."""
        return self.update(version=F("version") + 1, **facts)

    def hurry(self, now: datetime) -> int:
        """Somebody wants to know now: these go first in upstream's next batch. No call of their own is made."""
        return self._first(Hurry.WANTED, now)

    def ring(self, now: datetime) -> int:
        """A webhook names them: they go first of what is due, with all that are rung for within a moment."""
        return self._first(Hurry.RUNG, beat(RINGS_TOGETHER, now))

    def _first(self, hurry: int, at: datetime) -> int:
        known = self.filter(upstream_id__isnull=False).exclude(hurry__gte=hurry, next_look_at__lte=at)
        return known.update(hurry=hurry, next_look_at=Least(Coalesce("next_look_at", at), at))

    def due(self, now: datetime) -> Self:
        """Orders to ask upstream about, longest due first."""
        return self.filter(next_look_at__lte=now).order_by("next_look_at")

    def in_a_hurry(self, now: datetime) -> Self:
        """Those due orders that go first; the index `order_hurry` knows them."""
        return self.filter(hurry__isnull=False, next_look_at__lte=now).order_by("-hurry", "next_look_at")

    def alone(self, now: datetime) -> Self:
        """Due orders that upstream keeps leaving out; those that somebody wants to know of first."""
        due = self.due(now).filter(left_out__gte=ALONE_FROM)
        return due.order_by(F("hurry").desc(nulls_last=True), "next_look_at")
