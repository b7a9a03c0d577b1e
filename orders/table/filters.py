"""The filters of the orders list: how each is read from an address, asked of the database, and put in words."""

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from catalog.models import Service
from catalog.networks import NETWORKS
from orders.models import Customer, Order, Task, Words
from orders.models.customer import REFERENCE_CHARACTERS
from orders.models.order import GAVE_BACK, HAS_REFERENCE, IS_MISSING, SHOWN_STATUSES
from orders.models.task import IS_ASKED_REFILL, IS_REFUSED
from orders.rules.lateness import late_if_from
from orders.rules.links import host_of, without_scheme
from orders.rules.margin import UNPAID
from orders.rules.statuses import FINAL, LIVE, Status, label
from panel.format.letters import folded
from panel.format.money import CENT, DOLLARS, money
from panel.format.numbers import amounts_of, marked
from panel.format.times import day_of, ends, starts
from panel.ops.database import literally
from panel.web.params import read_number

NETWORK_NAMES = {network.name.lower(): network.name for network in NETWORKS.values()}
DOLLAR_SIGN = re.compile(r"(?:US\s?)?\$|\bUSD\b", re.I)
MOST_ADDED_UP = 10**9  # USD, of one order in a report
REFILLED = (Task.Settled.PRESUMED, Task.Settled.MARKED, Task.Settled.FOLLOWED)
AMOUNT_LIMIT = Decimal(10) ** 12  # USD; amounts from here on fit no column of money
CATEGORY_CHARACTERS = 300
OTHER_NETWORK = "other"  # in an address: orders of no network that the desk knows
MERGED_SERVICES = 8  # of a category, whose orders are merged; one range of an index each
INDEXED_CHARACTERS = 3  # the shortest word that the search's index can find
SEARCH_WORDS = 8
AROUND_NAMES = "@.,;:!?()\"'“”"
LINK_PART = re.compile(r"[\w-]+(?:\.[\w-]+)+/|m\.[\w-]+\.\w")  # a host that goes on, or a host for phones
NAME = re.compile(rf"[{AROUND_NAMES}]*@[\w.-]*[\w-][{AROUND_NAMES}]*")


class IndexRows(NamedTuple):
    """Rows that an index gives newest first, and the field of theirs that holds an order's id."""

    rows: QuerySet[Any]
    field: str = "pk"


class Filter(NamedTuple):
    """One filter of the list."""

    label: str
    read: Callable[[str, Any], Any]  # (text of the address, person) → value, or None when the text has no one meaning
    where: Callable[[Any], Q]  # value → the condition on an order
    words: Callable[[Any], str] = str  # value → how a person reads it
    # Value → the index rows that together hold its orders; None where no index does, and orders must be scanned.
    index_rows: Callable[[Any], list[IndexRows] | None] | None = None
    text: Callable[[Any], str] = str  # value → how an address says it, the same for every reader
    field: str = ""  # the field of FIELDS in accounts/access.py that it would tell of
    meanings: Callable[[str], list[Any]] = lambda text: []  # text that `read` takes for nothing → values it may mean


class OpenFilter(NamedTuple):
    """Orders at one of these statuses, with a pending task of one of these kinds, or fitting one of `others`."""

    words: str
    statuses: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    unclear: bool = False  # counts only those pending tasks that got no clear answer
    others: Callable[[], list[Q]] = list  # called anew for each list, as one of the conditions holds the time

    def where(self) -> Q:
        """The condition on an order."""
        pending = pending_tasks(kind__in=self.kinds, order=OuterRef("pk"), unclear=self.unclear)
        conditions = [Q(status__in=self.statuses), *([Q(Exists(pending))] if self.kinds else []), *self.others()]
        return reduce(or_, conditions)

    def index_rows(self) -> list[IndexRows]:
        """The index rows that together hold the orders."""
        conditions = [*(Q(status=status) for status in self.statuses), *self.others()]
        tasks = [pending_tasks(kind=kind, unclear=self.unclear) for kind in self.kinds]
        return [*_order_rows(*conditions), *(IndexRows(rows, "order_id") for rows in tasks)]


# The tabs of the list, in groups: what is in trouble, what moves, what has ended.
TABS = (
    (Status.REVIEW, "unfunded", "confirming"),
    (Status.APPROVAL, Status.QUEUED, Status.PENDING, Status.PROCESSING, Status.IN_PROGRESS),
    (Status.COMPLETED, Status.PARTIAL, Status.CANCELLED, Status.REFUNDED, Status.REJECTED),
)
ALL_TABS = [str(tab) for group in TABS for tab in group]
# Tabs that are no status: the open placings of their orders, in the words of the indexes `task_…`.
PLACINGS: dict[str, dict[str, Any]] = {
    "unfunded": {"needs__isnull": False, "settled_at": None},
    "confirming": {"kind": Task.Kind.PLACE, "unclear_since__isnull": False, "settled_at": None},
}


# What a tab, or an open filter, says when it is the only one and holds nothing.
NOTHING = {
    "": "No orders yet",
    "review": "Nothing needs a look", "unfunded": "No order waits for money",
    "approval": "No order waits for approval",
    "confirming": "No order waits for the supplier’s answer", "queued": "No order waits to be sent",
    "pending": "No order is pending", "processing": "No order is processing", "in_progress": "No order is in progress",
    "completed": "No order is completed", "partial": "No order is partial", "cancelled": "No order is cancelled",
    "refunded": "No order is refunded", "rejected": "No order is rejected",
    "look": "Nothing needs a look", "late": "No order is late", "live": "No order is under way",
    "refill": "No refill is pending", "cancel": "No cancel is pending", "doubt": "No order has unusual values",
}  # fmt: skip


def tab_label(tab: str) -> str:
    """The word on a tab."""
    return SHOWN_STATUSES[tab] if tab in PLACINGS else label(tab)


OPEN_FILTERS = {
    "look": OpenFilter("needs a look", (Status.REVIEW,), Task.AFTERSALE, unclear=True, others=lambda: [IS_MISSING]),
    "late": OpenFilter("is late", others=lambda: [Q(late_from__lte=late_if_from())]),
    "live": OpenFilter("is under way", (Status.APPROVAL, Status.QUEUED, *sorted(LIVE))),
    "refill": OpenFilter("has a pending refill", kinds=(Task.Kind.REFILL,)),
    "cancel": OpenFilter("has a pending cancel", kinds=(Task.Kind.CANCEL,)),
    "doubt": OpenFilter("has unusual values", others=lambda: [Q(doubts__isnull=False)]),
}


def pending_tasks(*, unclear: bool, **conditions: Any) -> QuerySet[Task]:
    """Pending refills and cancels, in the literal words of the indexes `task_wish_…`, or no index would be used."""
    pending = "kind IN ('refill', 'cancel') AND over_at IS NULL" + " AND outcome = 'unclear'" * unclear
    return Task.objects.filter(**conditions).extra(where=[pending])  # noqa: S610


def _order_rows(*conditions: Q) -> list[IndexRows]:
    return [IndexRows(Order.objects.filter(condition)) for condition in conditions]


class Fact(NamedTuple):
    """What became of an order, as reports count it."""

    words: str
    where: Callable[[], Q]  # the condition on an order
    # The index rows that together hold its orders; None where no index does.
    index_rows: Callable[[], list[IndexRows]] | None = None


def _at(words: str, *conditions: Q) -> Fact:
    """The fact that an order fits one of these conditions, each of which an index serves."""
    return Fact(words, lambda: reduce(or_, conditions), lambda: _order_rows(*conditions))


def _by_task(words: str, condition: Q) -> Fact:
    """The fact that an order has a task with this condition, which an index serves."""
    of_order = Task.objects.filter(condition, order=OuterRef("pk"))
    # Of several refills of an order the last: each order comes once. DISTINCT would sort.
    newer = Task.objects.filter(condition, order=OuterRef("order"), pk__gt=OuterRef("pk"))
    rows = Task.objects.filter(condition).exclude(Exists(newer))
    return Fact(words, lambda: Q(Exists(of_order)), lambda: [IndexRows(rows, "order_id")])


_IS_FINAL = literally("status", f"|| '' IN {tuple(sorted(map(str, FINAL)))}")  # leads to no index of statuses
PAST = {
    "ended": _at("it ended", *(Q(status=status) for status in sorted(FINAL))),
    "late": _at("it ended late", Q(_IS_FINAL, ended_late=True)),
    "refills": _by_task("a refill was asked for", IS_ASKED_REFILL),
    "refilled": Fact(
        "a refill was done",
        lambda: Q(Exists(Task.objects.filter(IS_ASKED_REFILL, over_how__in=REFILLED, order=OuterRef("pk")))),
    ),
    "refused": _by_task("the supplier refused it", IS_REFUSED),
}
# Charges from here on are mistakes, which no report adds up: orders/statistics/charge_totals.py.
_ADDED_UP = Q(charge__gt=-MOST_ADDED_UP, charge__lt=MOST_ADDED_UP, expected_charge__lt=MOST_ADDED_UP)
_IN_DOLLARS = Q(_ADDED_UP, currency__in=DOLLARS)
_ELSEWHERE = Q(~_IN_DOLLARS, charge__isnull=False)
MONEY = {
    "priced": Fact("it has a selling price", lambda: Q(sold_for__isnull=False)),
    "charged": Fact("the supplier charged for it", lambda: _IN_DOLLARS),
    "sold": Fact("the customer pays for it", lambda: Q(~Q(status__in=UNPAID), sold_for__isnull=False)),
    "margin": Fact("its margin is known", lambda: Q(~_ELSEWHERE, ~Q(status=Status.REJECTED), sold_for__isnull=False)),
    "back": _at("the supplier gave money back", Q(GAVE_BACK, _IN_DOLLARS)),
    "elsewhere": Fact("it was charged in another currency", lambda: _ELSEWHERE),
}


# ── How values are read ──────────────────────────────────────────────────────────────────────────
def _facts(label: str, facts: Mapping[str, Fact], field: str = "") -> Filter:
    def index_rows(name: str) -> list[IndexRows] | None:
        serve = facts[name].index_rows
        return serve() if serve else None

    return Filter(label, _one_of(facts), lambda name: facts[name].where(), lambda name: facts[name].words, index_rows,
                  field=field)  # fmt: skip


def _one_of(values: Collection[str]) -> Callable[[str, Any], str | None]:
    return lambda text, _: text if text in values else None


def _person(text: str, user: Any) -> int | None:
    return user.pk if text == "me" else read_number(text) or None


def _host(text: str, _: Any) -> str | None:
    text = text.replace("\0", "").strip().casefold()
    return (host_of(text if "://" in text else f"https://{text}") or None) if text else None


def _amounts(text: str) -> list[Decimal]:
    return [amount for amount in amounts_of(DOLLAR_SIGN.sub("", text, count=1)) if 0 <= amount < AMOUNT_LIMIT]


def _amount(text: str, _: Any) -> Decimal | None:
    amounts = _amounts(text)
    return amounts[0] if len(amounts) == 1 else None


def _amount_text(amount: Decimal) -> str:
    """The amount with a point, and with a zero behind three decimals: `1.234` might be read as a thousand."""
    return f"{amount:f}0" if amount.as_tuple().exponent == -3 else f"{amount:f}"


def _amount_words(amount: Decimal) -> str:
    return money(amount) if amount == amount.quantize(CENT) else f"${marked(f'{amount:,f}')}"


# ── How orders are asked for ─────────────────────────────────────────────────────────────────────
def _column(name: str, value_of: Callable[[Any], Any] = lambda value: value) -> dict[str, Any]:
    """The parts of a filter on one column that has an index `(column, -id)`."""

    def where(value: Any) -> Q:
        return Q(**{name: value_of(value)})

    return {"where": where, "index_rows": lambda value: _order_rows(where(value))}


def _service(upstream_id: int) -> Subquery:
    return Subquery(Service.objects.filter(upstream_id=upstream_id).values("pk")[:1])


def _category(text: str, _: Any) -> str | None:
    return text.replace("\0", "")[:CATEGORY_CHARACTERS] or None


def _rows_of_category(name: str) -> list[IndexRows] | None:
    """A source for each service where they are few. A category of more has so many orders that a scan meets them."""
    services = Service.objects.filter(category=name).order_by().values_list("pk", flat=True)[: MERGED_SERVICES + 1]
    return _order_rows(*(Q(service=pk) for pk in services)) if len(services) <= MERGED_SERVICES else None


def _network_words(name: str) -> str:
    return NETWORK_NAMES.get(name, "none that is known")


def _customer(text: str, _: Any) -> int | None:
    """The id of the customer with this id or name; 0 for orders that name none."""
    if read_number(text) or text == "0":
        return read_number(text)
    customer = Customer.objects.named(text)
    return customer.pk if customer else None


def _reference(text: str, _: Any) -> str | None:
    return " ".join(text.replace("\0", "").split())[:REFERENCE_CHARACTERS] or None


def _in_any_case(reference: str) -> list[str]:
    """The reference as typed, in small letters and in capitals: each is looked up in the index."""
    return list(dict.fromkeys((reference, reference.upper(), reference.lower())))


def _charge(label: str, comparison: str) -> Filter:
    where = _column(f"cost__{comparison}")["where"]
    return Filter(label, _amount, where, _amount_words, text=_amount_text, field="charge", meanings=_amounts)


def _tab_conditions(tab: str) -> list[Q]:
    """The tab of `review` also has the orders that upstream does not know, whatever their status."""
    if tab in PLACINGS:
        return [Q(Exists(Task.objects.filter(**PLACINGS[tab], order=OuterRef("pk"))))]
    return [Q(status=tab), *([IS_MISSING] if tab == Status.REVIEW else [])]


def _tab_rows(tab: str) -> list[IndexRows]:
    if tab in PLACINGS:
        return [IndexRows(Task.objects.filter(**PLACINGS[tab]), "order_id")]
    return _order_rows(*_tab_conditions(tab))


FILTERS: dict[str, Filter] = {
    "status": Filter("Status", _one_of(ALL_TABS), lambda tab: reduce(or_, _tab_conditions(tab)), tab_label, _tab_rows),
    "open": Filter("Open", _one_of(OPEN_FILTERS), lambda name: OPEN_FILTERS[name].where(),
                   lambda name: OPEN_FILTERS[name].words, lambda name: OPEN_FILTERS[name].index_rows()),
    "service": Filter("Service", lambda text, _: read_number(text) or None, **_column("service", _service)),
    "category": Filter("Category", _category, **_column("category")),
    # Reports put the services of a category together as it is today; orders keep the one they were placed in.
    "category_now": Filter("Service’s category today", _category,
                           lambda name: Q(service__in=Service.objects.filter(category=name).order_by().values("pk")),
                           index_rows=_rows_of_category),
    "network": Filter("Network", _one_of({*NETWORK_NAMES, OTHER_NETWORK}), words=_network_words,
                      **_column("network", lambda name: "" if name == OTHER_NETWORK else name)),
    "by": Filter("Placed by", _person, **_column("placed_by")),
    "assigned": Filter("Assigned to", _person, **_column("assigned_to")),
    "customer": Filter("Customer", _customer, _column("customer", lambda pk: pk or None)["where"],
                       index_rows=lambda pk: _order_rows(Q(customer=pk)) if pk else None, field="customer"),
    "reference": Filter("Customer’s reference", _reference,
                        lambda text: HAS_REFERENCE & Q(customer_reference__in=_in_any_case(text)),
                        index_rows=lambda text: _order_rows(
                            *(HAS_REFERENCE & Q(customer_reference=name) for name in _in_any_case(text))
                        ), field="customer_reference"),
    "past": _facts("What became of it", PAST),
    "money": _facts("Money", MONEY, "charge"),
    "host": Filter("Link on", _host, **_column("host")),
    "from": Filter("From", day_of, lambda day: Q(created_at__gte=starts(day)), lambda day: f"{day:%-d %b %Y}"),
    "to": Filter("Until", day_of, lambda day: Q(created_at__lt=ends(day)), lambda day: f"{day:%-d %b %Y}"),
    "least": _charge("Charge from", "gte"),
    "most": _charge("Charge up to", "lte"),
}  # fmt: skip


def typed_text(name: str, value: Any) -> str:
    """How the reader would type a filter's value: amounts with the reader's own mark before the decimals."""
    text = FILTERS[name].text(value)
    return marked(text) if isinstance(value, Decimal) else text


# ── The search ───────────────────────────────────────────────────────────────────────────────────
def search_words(text: str) -> list[str]:
    """The first SEARCH_WORDS words of a text, in the form in which they are compared."""
    words = (_search_word(word) for word in text.split()[:SEARCH_WORDS])
    return [word for word in words if word]


def _search_word(typed: str) -> str:
    """`lumen` for `@lumen`, as it stands in most links; and `instagram.com/p` for `http://m.instagram.com/p/`."""
    word = without_scheme(folded(typed))
    if NAME.fullmatch(word):
        return word.strip(AROUND_NAMES)
    return word.removeprefix("m.").removesuffix("/") if LINK_PART.match(word) else word


def containing(words: list[str]) -> Q:
    """The condition that every word occurs in an order's search text. No index serves it on SQLite."""
    return Q(*(Q(haystack__contains=word) for word in words))


def index_rows_of(words: list[str]) -> IndexRows | None:
    """Index rows of the orders in which every word of INDEXED_CHARACTERS or more occurs; None without such a word."""
    indexed = [word for word in words if len(word) >= INDEXED_CHARACTERS]
    if not indexed:
        return None
    if connection.vendor != "sqlite":
        return IndexRows(Order.objects.filter(containing(indexed)))
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in indexed)
    return IndexRows(Words.objects.extra(where=["orders_words MATCH %s"], params=[quoted]), "order_id")
