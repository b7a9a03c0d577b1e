"""Checks a draft: each line as it would be ordered now, with the sentences of the single form. Changes nothing.

Five thousand lines take a handful of queries: services, customers and orders that are alike are read together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils import timezone

from accounts.access import why_not
from accounts.desk_settings import current
from catalog.models import Service
from catalog.networks import target_of
from orders.limits.check import Limits, limits_of, over
from orders.mass.lines import KINDS, READY, STATES, Line, Question
from orders.models import Customer, MassDraft, Order
from orders.models.customer import NAME_CHARACTERS, REFERENCE_CHARACTERS
from orders.models.order import IS_UNDER_WAY
from orders.placing.form import term_in_words
from orders.placing.form_fields import TypedOrder, delivery_of
from orders.placing.place import SIMILAR_ORDER_AGE
from orders.rules.service_types import form_fields_of
from orders.rules.statuses import Status
from orders.selling.prices import PriceBook
from orders.statistics.customer_sums import sums_of
from panel.format.letters import folded
from panel.format.money import stored
from panel.ops.database import batches
from panel.web.params import read_number
from panel.web.polling import version_of

AT_ONCE = 500  # ids or texts in one query
NOT_OF_TYPE = ("comments", "usernames", "username", "min", "max", "posts", "old_posts", "delay", "expiry",
               "answer_number", "runs", "interval")  # fmt: skip
ABOVE_CREDIT = "With the lines of this list, {customer} owes more than their credit limit."
FIELD_WORDS = {"answer_number": "answer", "old_posts": "old posts"}


class Preview:
    """A draft as it would be ordered now."""

    def __init__(self, draft: MassDraft, by: Any) -> None:
        self.draft, self.by, self.now = draft, by, timezone.now()
        self.services = services_of(line["typed"].get("service", "") for line in draft.lines)
        self.lines = [self._line(line) for line in draft.lines]
        self._name_customers()
        self._price()
        self._find_repeats()
        self._find_similar()
        for line, row in zip(self.lines, draft.lines, strict=True):
            agreed = row.get("yes", {})
            line.questions = [one._replace(yes=agreed.get(one.kind) == one.mark) for one in line.questions]

    def _line(self, row: dict[str, Any]) -> Line:
        """One line, read by itself."""
        typed = row["typed"]
        service = self.services.get(read_number(typed.get("service")))
        line = Line(row["n"], typed, bool(row.get("out")), TypedOrder(service, typed), service)
        if service is None:
            line.errors["service"] = why_no_service(typed.get("service", ""))
            return line
        if why := service.why_no_order():
            line.errors["service"] = why
        line.errors |= line.read.errors
        line.errors |= strange_parts(service, typed)
        quantity, runs = line.quantity, line.read.values["runs"] or 1
        if not line.errors:
            # None is sent of a quantity that the type leaves to the supplier: it bills the minimum.
            line.charge = stored(service.expected_charge(service.least if quantity is None else quantity, runs))
            above = over(self.limits, line.charge, None, held=bool(service.held_over_id), now=self.now)
            if above:
                line.errors["quantity"] = above.sentence(self.by, in_list=True)
        line.questions += self.questions_of(service)
        if line.read.checkup.odd:
            odd = " ".join(line.read.checkup.odd)
            line.questions.append(Question("doubt", odd, line.read.checkup.doubt, yes=False))
        return line

    @cached_property
    def limits(self) -> Limits:
        """What one order of this person's may cost; the day is looked at for all of them together."""
        return limits_of(self.by)._replace(day=None, team=None)

    def questions_of(self, service: Service) -> list[Question]:
        """What takes a yes of every line of this service."""
        if service.pk not in self._of_service:
            asked = (
                ("held", service.why_held(), str(service.held_over_id)),
                ("unread", service.why_unread(), service.unread_mark),
                ("dearer", service.why_dearer(self.jump_percent), service.price_mark),
                ("moved", moved_sentence(service, self.draft.seen), service.as_seen),
            )
            self._of_service[service.pk] = [
                Question(kind, sentence, mark, yes=False) for kind, sentence, mark in asked if sentence
            ]
        return self._of_service[service.pk]

    @cached_property
    def jump_percent(self) -> Decimal:
        """From which rise on a price takes a yes."""
        return current().price_jump_percent

    @cached_property
    def _of_service(self) -> dict[int, list[Question]]:
        return {}

    def _name_customers(self) -> None:
        """Finds the customers that lines name, in any letters. Only those that somebody has registered can be named."""
        known: dict[str, Customer] = {}
        for some in batches(sorted({folded(line.typed.get("customer", "")) for line in self.lines} - {""}), AT_ONCE):
            found = Customer.objects.filter(key__in=some).select_related("price_list").order_by()
            known |= {customer.key or "": customer for customer in found}
        for line in self.lines:
            name = line.typed.get("customer", "")
            line.customer = known.get(folded(name))
            if (name or line.reference) and self.why_no_customers:
                line.errors["customer" if name else "reference"] = self.why_no_customers
            elif name and not line.customer:
                line.errors["customer"] = f"No customer is called {name[:NAME_CHARACTERS]}."
            if len(line.reference) > REFERENCE_CHARACTERS:
                line.errors["reference"] = f"A reference has at most {REFERENCE_CHARACTERS} characters."

    @cached_property
    def why_no_customers(self) -> str:
        """Why this person may name no customer; "" when they may."""
        return why_not(self.by, "customers")

    def _price(self) -> None:
        """What the customer of each line pays; and whether what all lines let one owe is above their credit limit."""
        book, prices = PriceBook.load(), defaultdict[Customer, Decimal](Decimal)
        for line in self.lines:
            if line.service and line.charge is not None and not line.errors:
                line.sale = book.sale(line.customer, line.service, line.charge)
                if line.sale and line.customer and not line.out:
                    prices[line.customer] += line.sale.price
        owed = sums_of([customer.pk for customer in prices])
        above = {
            customer.pk: Question("credit", ABOVE_CREDIT.format(customer=customer), str(customer.pk), yes=False)
            for customer, price in prices.items()
            if customer.credit_limit is not None and owed[customer.pk].owes + price > customer.credit_limit
        }
        for line in self.lines:
            if line.sale and line.customer and (question := above.get(line.customer.pk)):
                line.questions.append(question)

    def _find_repeats(self) -> None:
        """Marks each line whose service and target an earlier line has."""
        first: dict[tuple[int, str], int] = {}
        for line in self.lines:
            if (target := self.targets.get(line.number)) and not line.out and not line.errors and line.service:
                earlier = first.setdefault((line.service.pk, target), line.number)
                if earlier != line.number:
                    sentence = f"This line is the same as line {earlier}: same service, same link."
                    line.questions.append(Question("twice", sentence, str(earlier), yes=False))

    @cached_property
    def targets(self) -> dict[int, str]:
        """Number of a line → where it leads, in one spelling for all links that lead there."""
        return {
            line.number: target_of(line.read.target, delivery_of(line.service.category, line.service.name).network)
            for line in self.lines
            if line.service and line.read.target
        }

    def _find_similar(self) -> None:
        """Marks each line of which an order for the same service and target is under way or younger than a day."""
        newest = newest_similar({line.service.pk for line in self.lines if line.service}, self.targets.values(),
                                self.now)  # fmt: skip
        for line in self.lines:
            order = newest.get((line.service.pk, self.targets.get(line.number, ""))) if line.service else None
            if order:
                sentence = f"The same was ordered lately: order {order.pk}."
                line.questions.append(Question("again", sentence, str(order.pk), yes=False, order=order))

    # ── What pages and the press read ────────────────────────────────────────────────────────────
    @property
    def ready(self) -> list[Line]:
        """The lines that would be ordered."""
        return [line for line in self.lines if line.state == READY]

    @cached_property
    def counts(self) -> dict[str, int]:
        """State → how many lines, in the order of the tabs."""
        counted = Counter(line.state for line in self.lines)
        return {state: counted[state] for state in STATES}

    @cached_property
    def open_kinds(self) -> dict[str, int]:
        """Kind → how many lines wait for a yes of it, of those that could go."""
        counted = Counter(
            one.kind for line in self.lines if not (line.out or line.errors) for one in line.questions if not one.yes
        )
        return {kind: counted[kind] for kind in KINDS if counted[kind]}

    @cached_property
    def mark(self) -> str:
        """A text that changes when what would be ordered does, or at which terms."""
        ready = [
            (
                line.number,
                line.service and line.service.as_seen,
                line.read.target,
                line.quantity,
                line.reference,
                line.customer and line.customer.pk,
                line.sale and line.sale.price,
                tuple(sorted(line.read.fields.items())),
            )
            for line in self.ready
        ]
        return version_of(ready)


def services_of(ids: Iterable[str]) -> dict[int, Service]:
    """Upstream's id → the service, with what takes a yes of it."""
    wanted = sorted({number for text in ids if (number := read_number(text))})
    services = Service.objects.with_undecided().select_related("held_over__decided_by").order_by()
    return {
        service.upstream_id: service
        for some in batches(wanted, AT_ONCE)
        for service in services.filter(upstream_id__in=some)
    }


def why_no_service(typed: str) -> str:
    """Why this text names no service."""
    if not typed:
        return "Choose a service."
    return "There is no such service. Choose one from the list."


def strange_parts(service: Service, typed: dict[str, str]) -> dict[str, str]:
    """Parts of a line that its service does not take: they would be lost without a word."""
    takes = form_fields_of(service)
    strange = [name for name in NOT_OF_TYPE if typed.get(name) and name not in takes]
    errors = {name: f"This service takes no {FIELD_WORDS.get(name, name)}. Leave it empty." for name in strange}
    if typed.get("rest"):
        errors["rest"] = "This line has more parts than service, link, quantity, customer and reference."
    return errors


def moved_sentence(service: Service, seen: dict[str, dict[str, str]]) -> str:
    """What moved of this service since its terms were seen; "" when nothing did."""
    then = seen.get(str(service.upstream_id), service.terms)
    moves = [
        f"{what} was {term_in_words(what, then.get(what, '?'))} and is {term_in_words(what, now)}"
        for what, now in service.terms.items()
        if then.get(what) != now
    ]
    return f"Service {service.upstream_id} moved since the list was pasted: {', '.join(moves)}." if moves else ""


def newest_similar(services: set[int], targets: Iterable[str], now: datetime) -> dict[tuple[int, str], Order]:
    """Service and target → the newest order of both that is under way or younger than a day, and not rejected.

    Served by the indexes `order_like` and `order_like_under_way`, as `similar_orders` of the single form.
    """
    newest: dict[tuple[int, str], int] = {}
    for some in batches(sorted({*targets}), AT_ONCE):
        alike = Order.objects.filter(target__in=some, service__in=services).order_by()
        young = alike.filter(created_at__gte=now - SIMILAR_ORDER_AGE).exclude(status=Status.REJECTED)
        for orders in (young, alike.filter(IS_UNDER_WAY)):
            for pk, service, target in orders.values_list("pk", "service_id", "target"):
                newest[service, target or ""] = max(pk, newest.get((service, target or ""), 0))
    by_pk: dict[int, Order] = {}
    for some_ids in batches(sorted(newest.values()), AT_ONCE):
        found = Order.objects.filter(pk__in=some_ids).select_related("placed_by").prefetch_related("tasks")
        by_pk |= {order.pk: order for order in found.order_by()}
    return {key: by_pk[pk] for key, pk in newest.items()}
