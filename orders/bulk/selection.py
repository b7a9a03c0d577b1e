"""Which orders a job is about: exactly these, signed, as its dry run showed them."""

import uuid
from collections.abc import Collection, Iterable
from typing import NamedTuple, Self

from django.core import signing
from django.db.models import Prefetch

from orders.models import Order, OrderQuerySet, Task
from orders.rules.refusal import Refusal
from panel.format.numbers import number

MOST_ORDERS = 5_000  # of one press: 50 calls upstream, and about three seconds in which nobody else writes
ORDERS_AT_ONCE = 500  # orders that are read and judged together
SALT = "orders.bulk"
GOOD_FOR_SECONDS = 24 * 60 * 60  # of a dry run; after that it is looked at once more
REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL


class Selection(NamedTuple):
    """Exactly these orders, as a dry run shows them and its button carries them."""

    kind: str
    orders: list[int]  # in the order of their ids, each once
    source: str  # how they were found, in words
    token: str

    @classmethod
    def of(cls, kind: str, orders: Iterable[int], source: str) -> Self:
        """A Refusal when there is none, or more than go in one job."""
        if kind not in Task.AFTERSALE:
            raise Refusal("Choose whether to ask for refills or for cancels.")
        pks = sorted(set(orders))
        if not pks:
            raise Refusal("No order is picked.")
        if len(pks) > MOST_ORDERS:
            raise Refusal(too_many_sentence(len(pks)))
        return cls(kind, pks, source, str(uuid.uuid4()))

    def signed(self) -> str:
        return signing.dumps(list(self), salt=SALT, compress=True)

    @classmethod
    def read(cls, text: str) -> Self:
        """What `signed` wrote; a Refusal for anything else, and when it is old."""
        try:
            return cls(*signing.loads(text, salt=SALT, max_age=GOOD_FOR_SECONDS))
        except signing.SignatureExpired:
            raise Refusal("This dry run is more than a day old. Nothing was asked; look at a new one.") from None
        except signing.BadSignature:
            raise Refusal("This dry run is incomplete. Nothing was asked; pick the orders again.") from None


def too_many_sentence(count: int) -> str:
    said = f"{number(count)} orders were picked" if count <= MOST_ORDERS * 10 else "Far too many orders were picked"
    return f"{said}; at most {number(MOST_ORDERS)} go in one job. Pick fewer."


def orders_for_rule(pks: Collection[int]) -> OrderQuerySet:
    """What the rule and the lists of a dry run ask of orders, and no more: there may be thousands."""
    tasks = Prefetch("tasks", Task.objects.with_people())
    orders = Order.objects.select_related("service").prefetch_related(tasks).filter(pk__in=pks).order_by("pk")
    return orders.only("status", "upstream_id", "refills_elsewhere", "service__name", "service__refill",
                       "service__cancel")  # fmt: skip
