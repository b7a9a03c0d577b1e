"""What the register and the page of one customer show, in a few queries however much there is."""

import uuid
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts.access import may
from accounts.models import TrailLine
from accounts.trail.kinds import KINDS
from orders.answers.texts import ENGLISH, Texts, known_languages
from orders.customers.form import PaymentForm
from orders.models import Customer, Order, Payment
from orders.rules.margin import earned_of, percent_of
from orders.selling.prices import rule_words
from orders.statistics.customer_sums import Sums, sums_of
from orders.table.filters import FILTERS, containing, index_rows_of, search_words
from orders.table.paging import SORTS, ListQuery, PageRange, page
from panel.format.money import sees_money
from panel.web.paging import one_more

CUSTOMERS_A_PAGE = 50
ORDERS_SHOWN = 20
PAYMENTS_SHOWN = 10
LINES_SHOWN = 10
NEAR_SHARE = Decimal("0.9")  # of a credit limit: from there on the register marks what they owe
SEARCH_CHARACTERS = 200


class Listed(NamedTuple):
    """One customer with the sums that the register shows."""

    customer: Customer
    sums: Sums

    @property
    def percent(self) -> Decimal | None:
        """The margin in percent of what they pay."""
        return percent_of(self.sums.margin, self.sums.earned)

    @property
    def is_near(self) -> bool:
        """Whether hardly anything of their credit is left."""
        limit = self.customer.credit_limit
        return limit is not None and self.sums.owes > 0 and self.sums.owes >= limit * NEAR_SHARE

    @property
    def room(self) -> Decimal | None:
        """For how much they can still order on credit; None without a limit."""
        limit = self.customer.credit_limit
        return None if limit is None else max(limit - self.sums.owes, Decimal(0))


def listed(customer: Customer) -> Listed:
    """One customer with their sums."""
    return Listed(customer, sums_of([customer.pk])[customer.pk])


def register_context(typed: str, after: int) -> dict[str, Any]:
    """A page of the register: those who match what is typed, by the alphabet, behind the customer `after`."""
    typed = typed.replace("\0", " ").strip()[:SEARCH_CHARACTERS]
    customers = Customer.objects.matching(typed).select_related("price_list").order_by("key")
    last = Customer.objects.filter(pk=after).values_list("key", flat=True).first() if after else None
    # The unique index of `key` gives them in order; a search reads on from there until the page is full.
    rows, more = one_more(customers.filter(key__gt=last) if last else customers, CUSTOMERS_A_PAGE)
    sums = sums_of([customer.pk for customer in rows])
    return {
        "q": typed, "after": after, "more": rows[-1].pk if more else 0,
        "customers": [Listed(customer, sums[customer.pk]) for customer in rows],
        "languages": known_languages(), "is_empty": not rows and not typed and not after,
    }  # fmt: skip


def customer_context(customer: Customer, user: Any, typed: str = "") -> dict[str, Any]:
    """The page of one customer. `typed`: a reference, link or number of an order, to be found among theirs."""
    orders, more = found_orders(customer, typed)
    language = customer.language or ENGLISH
    lines = TrailLine.objects.filter(thing="customer", thing_id=customer.pk).select_related("by").newest_first()
    sees_prices = may(user, "prices")
    return {
        "customer": customer, "entry": listed(customer), "ref": typed.strip(),
        "orders": [(order, earned_of(order)) for order in orders], "more": more,
        "language": known_languages().get(language, language),
        "sample": Texts.load(language).answer(orders[0]).text if orders else "",
        "rules": [(rule, rule_words(rule)) for rule in rules_of(customer)] if sees_prices else [],
        "payments": Payment.objects.filter(customer=customer).select_related("by")[:PAYMENTS_SHOWN]
        if sees_money() else [],
        "payment_form": PaymentForm(initial={"token": uuid.uuid4()}),
        "lines": [line for line in lines[:LINES_SHOWN] if line.kind in KINDS],
    }  # fmt: skip


def rules_of(customer: Customer) -> "QuerySet[Any]":
    """The rules of selling prices that are for this customer alone."""
    return customer.rules.select_related("service")


def found_orders(customer: Customer, typed: str) -> tuple[list[Order], bool]:
    """The customer's newest orders, or those in whose reference, link or number the typed words occur; whether more.

    A search reads at most so many of the customer's orders: orders/table/paging.py.
    """
    theirs, words = FILTERS["customer"], search_words(typed[:SEARCH_CHARACTERS])
    where, rows = theirs.where(customer.pk), theirs.index_rows(customer.pk) if theirs.index_rows else None
    sources = [rows] if rows else []
    if words:
        where &= containing(words)
        indexed = index_rows_of(words)
        sources += [[indexed]] if indexed else []
    query = ListQuery(sources, where, unindexed=bool(words))
    found = page(Order.objects.all(), query, PageRange(SORTS[""], down=True, after_key=None), ORDERS_SHOWN)
    pks = [row.pk for row in found.rows]
    if typed.strip().isdecimal() and len(typed.strip()) < 19:
        pks = [int(typed), *(pk for pk in pks if pk != int(typed))]
    by_id = Order.objects.for_table().filter(customer=customer).in_bulk(pks)
    return [by_id[pk] for pk in pks if pk in by_id], found.more
