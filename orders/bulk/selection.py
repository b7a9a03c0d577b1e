"""The orders that a job is about: exactly those of its dry run, signed so that the press asks of no others."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, Self

from django.core import signing
from django.db.models import Prefetch

from orders.models import Order, OrderQuerySet, Task
from orders.rules.refusal import Refusal
from panel.format.numbers import number

MOST_ORDERS = 5_000  # in one press: 50 calls upstream, and about three seconds in which nobody else can write
COUNTED_ORDERS = 50_000  # a refusal names no larger number
MOST_APART = 200  # orders that stand apart in one dry run
BATCH_ORDERS = 500  # read and judged together
SALT = "orders.bulk"
GOOD_FOR_SECONDS = 24 * 60 * 60  # of a dry run; after that a new one is needed
REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL
ANSWER = "answer"  # nothing is asked of these orders; their customers are answered
ASSIGN = "assign"  # they only get an assignee
KINDS = (*Task.AFTERSALE, ANSWER)


class Selection(NamedTuple):
    """Exactly these orders, as a dry run shows them and its button carries them."""

    kind: str
    orders: list[int]  # ids in ascending order, each once
    source: str  # how they were found, in words
    token: str  # different for each selection, so that pressing its button twice starts one job
    apart: Sequence[tuple[int, str]] = ()  # ids of further orders that a person may tick, and the words around each
    entries: Sequence[tuple[str, list[int]]] = ()  # every word of a message that names orders, or none that there is

    @classmethod
    def of(
        cls, kind: str, orders: Iterable[int], source: str, apart: Iterable[tuple[int, str]] = (),
        entries: Iterable[tuple[str, list[int]]] = (),
    ) -> Self:  # fmt: skip
        """A selection of these ids. A Refusal when there are none, or more than MOST_ORDERS."""
        if kind not in (*KINDS, ASSIGN):
            raise Refusal("Choose whether to ask for refills or for cancels, or only to answer.")
        pks, others = sorted(set(orders)), list(apart)[:MOST_APART]
        shown = {*pks, *(pk for pk, _ in others)}
        named = [(word, [pk for pk in ids if pk in shown]) for word, ids in entries if not ids or shown & {*ids}]
        if not pks and not others and not (kind == ANSWER and named):
            raise Refusal("No order is picked.")
        require_few(pks if len(pks) > len(named) else named)
        return cls(kind, pks, source, str(uuid.uuid4()), others, named)

    def ticked(self, pks: Collection[int]) -> Self:
        """The same selection of only those of its orders that are ticked. A Refusal when none is."""
        orders = sorted(self.shown & {*pks})
        if not orders:
            raise Refusal("No order is ticked.")
        require_few(orders)
        return self._replace(orders=orders)

    @property
    def shown(self) -> set[int]:
        """Every order that a person may tick."""
        return {*self.orders} | {pk for pk, _ in self.apart}

    def answered(self) -> list[tuple[str, int]]:
        """What is to be answered, in the order of the message: each word with an order, or with 0 for no order.

        What stands apart is not, unless it is ticked; an order that was named and is not ticked is.
        """
        if not self.entries:
            return [(str(pk), pk) for pk in self.orders]
        doubtful = {pk for pk, _ in self.apart} - {*self.orders}
        found = [(word, pk) for word, pks in self.entries for pk in (pks or [0]) if pk not in doubtful]
        once = {pk or word: (word, pk) for word, pk in reversed(found)}  # the first word that names an order
        return [once[pk or word] for word, pk in found if once[pk or word][0] == word]

    def signed(self) -> str:
        """The selection as a text that nobody else can make, for a form's hidden field."""
        return signing.dumps(list(self), salt=SALT, compress=True)

    @classmethod
    def read(cls, text: str) -> Self:
        """The selection in a text that `signed` made; a Refusal for any other text, and when it is too old."""
        try:
            return cls(*signing.loads(text, salt=SALT, max_age=GOOD_FOR_SECONDS))
        except signing.SignatureExpired:
            raise Refusal("This page is more than a day old. Nothing was asked; pick the orders again.") from None
        except signing.BadSignature:
            raise Refusal("This page came back incomplete. Nothing was asked; pick the orders again.") from None


def require_few(pks: Collection[object]) -> None:
    """Raises a Refusal when these are more orders than go in one job."""
    if len(pks) > MOST_ORDERS:
        count = number(len(pks)) if len(pks) <= COUNTED_ORDERS else "Far too many"
        raise Refusal(f"{count} orders were picked; at most {number(MOST_ORDERS)} go at once. Pick fewer.")


def orders_for_rule(pks: Collection[int]) -> OrderQuerySet:
    """These orders by id, with what the rule reads and a dry run shows, and no more: there may be thousands."""
    tasks = Prefetch("tasks", Task.objects.with_people())
    orders = Order.objects.select_related("service").prefetch_related(tasks).filter(pk__in=pks).order_by("pk")
    return orders.only("status", "upstream_id", "refills_elsewhere", "link", "quantity", "runs", "remains",
                       "service__upstream_id", "service__name", "service__refill", "service__cancel",
                       "service__changed_at")  # fmt: skip
