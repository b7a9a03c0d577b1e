"""All orders of a list as a file, in the list's order, with the same memory however many they are.

The first line of a file holds the heads, so that spreadsheets and programs read it as it is. What the file is about,
its filter, count and time zone, stands in its name, and in a workbook on a second sheet.

The rows are spooled to a temporary file first, because only then is their exact count known. They are read
ORDERS_PER_QUERY at a time, each time in a query of its own, because a cursor over all of them would hold a transaction
open, and PostgreSQL cleans nothing up meanwhile. So a row fits the filter at the moment it is read, orders placed after
the beginning are left out, and an order whose charge moves in a list sorted by charge occurs at most once.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, Q, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.text import slugify

from accounts.access import may_see, why_not
from orders.models import Order, Task
from orders.rules.margin import earned, margin, real_cost
from orders.rules.statuses import label
from orders.table.filters import NETWORK_NAMES, tab_label
from orders.table.listing import Listing
from orders.table.paging import all_ids
from orders.table.rows import CHECKED_AT, is_one_of
from panel.format.spreadsheet import safe
from panel.format.times import machine, today, zone_name

ORDERS_PER_QUERY = 2_000
PERSONAL = ("customer", "reference")  # filters whose values tell who buys
NAME_CHARACTERS = 100  # of the filter in a file's name
PERSON = Coalesce(NullIf("placed_by__name", Value("")), "placed_by__username")


def money_text(amount: Decimal | None) -> str:
    """`0.0042`: with a point, without groups and currency; "" for None."""
    return "" if amount is None else f"{amount.normalize():f}"


def time_text(at: datetime | None) -> str:
    """ISO 8601 with the offset of the reader's zone; "" for None."""
    return machine(at) if at else ""


class Column(NamedTuple):
    """One column of the file."""

    field: str  # of an order
    cell: Callable[[Any], Any] = lambda value: value  # the field's value → the cell; texts go through `safe`
    number: bool = False


COLUMNS = {
    "order":                  Column("pk", number=True),
    "upstream id":            Column("upstream_id", lambda upstream_id: safe(upstream_id or "")),
    "request id":             Column("request_id", str),
    "status":                 Column("status", safe),
    "status in words":        Column("status", lambda status: safe(label(status))),
    "service id":             Column("service__upstream_id", number=True),
    "service":                Column("service__name", safe),
    "type":                   Column("service__type", safe),
    "category":               Column("category", safe),
    "network":                Column("network", lambda network: safe(NETWORK_NAMES.get(network, network))),
    "link":                   Column("link", safe),
    "quantity":               Column("quantity", number=True),
    "runs":                   Column("runs", number=True),
    "interval in minutes":    Column("interval", number=True),
    "start count":            Column("start_count", number=True),
    "remains":                Column("remains", number=True),
    "charge":                 Column("charge", money_text, number=True),
    "currency":               Column("currency", safe),
    "expected charge in USD": Column("expected_charge", money_text, number=True),
    "refills used":           Column("refills_elsewhere", number=True),  # export_rows adds those asked for here
    "customer":               Column("customer__name", lambda name: safe(name or "")),
    "customer's reference":   Column("customer_reference", safe),
    "sold for in USD":        Column("sold_for", money_text, number=True),
    "they pay in USD":        Column("earned", money_text, number=True),
    "margin in USD":          Column("margin", money_text, number=True),
    "placed by":              Column("person", safe),
    "placed at":              Column("created_at", time_text),
    "checked at":             Column("asked", time_text),
}  # fmt: skip
COMPUTED = ("earned", "margin")  # from other fields: orders/rules/margin.py
FIELDS = dict.fromkeys(column.field for column in COLUMNS.values() if column.field not in COMPUTED)


def visible_to(user: Any) -> dict[str, Column]:
    """The columns whose field this person may see."""
    return {head: column for head, column in COLUMNS.items() if may_see(user, column.field)}


def heads_for(user: Any) -> dict[str, bool]:
    """The heads of these columns, each with whether its cells are numbers."""
    return {head: column.number for head, column in visible_to(user).items()}


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────
def export_rows(listing: Listing) -> Iterator[list[Any]]:
    """The list's orders from its top, each once, with a cell for each column that the person may see."""
    columns = visible_to(listing.user)
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    query = listing.list_query._replace(where=listing.where & Q(pk__lte=newest))
    orders = listing.orders().filter(query.where).order_by().annotate(person=PERSON, asked=CHECKED_AT)
    written = bytearray(newest // 8 + 1)  # a bit for each order, so that a million take little memory
    for pks in all_ids(query, listing.sort, ORDERS_PER_QUERY):
        values_of = {values["pk"]: values for values in orders.filter(is_one_of(pks)).values(*FIELDS)}
        refills = refills_of(pks)
        for pk in pks:
            if pk in values_of and not written[pk // 8] & 1 << pk % 8:
                written[pk // 8] |= 1 << pk % 8
                values = values_of[pk]
                values["refills_elsewhere"] += refills.get(pk, 0)
                add_margin(values)
                yield [column.cell(values[column.field]) for column in columns.values()]


def add_margin(values: dict[str, Any]) -> None:
    """Adds what the customer pays in the end and what is earned to the values of an order that has a price."""
    status, remains, sold_for = values["status"], values["remains"], values["sold_for"]
    total = values["quantity"] * (values["runs"] or 1)
    cost = real_cost(status, values["charge"], values["currency"], values["expected_charge"])
    values["earned"] = None if sold_for is None else earned(status, total, remains, sold_for)
    values["margin"] = margin(status, total, remains, sold_for, cost)


def refills_of(pks: list[int]) -> dict[int, int]:
    """Order → how many of its refills the desk asked for and still counts."""
    counted = Task.objects.filter(is_one_of(pks, "order_id"), kind=Task.Kind.REFILL, slot__isnull=False).order_by()
    return dict(counted.values("order").annotate(used=Count("pk")).values_list("order", "used"))


# ── Words ────────────────────────────────────────────────────────────────────────────────────────
def filter_words(listing: Listing) -> str:
    """How the list is filtered and sorted: `Completed, Link on: instagram.com, newest first`."""
    tab = tab_label(listing.status) if listing.status else "All statuses"
    return ", ".join([tab, *(f"{name}: {words}" for name, words, _ in listing.chips()), listing.sort.words])


def recorded_words(listing: Listing) -> str:
    """The same for the record, where nothing may stay that names customers: neither they nor what was searched for."""
    words = filter_words(listing.without("q", *PERSONAL))
    named = ", for a customer" if listing.filters.keys() & {*PERSONAL} else ""
    return f"{words}{named}, and a search" if listing.text else f"{words}{named}"


def about(listing: Listing, count: int, now: datetime) -> list[tuple[str, str]]:
    """What the file is about, in lines of two cells."""
    return [
        ("Orders", filter_words(listing)),
        ("Number of orders", str(count)),
        ("Times in", zone_name()),
        ("Exported by", str(listing.user)),
        ("Exported at", machine(now)),
        *([("Left out", why)] if (why := why_not(listing.user, "money")) else []),
    ]


def file_name(name: str, count: int, extension: str) -> str:
    """`orders-completed-841-orders-europe-berlin-2026-11-21.csv`. `name` is that of a view, or the filter in words."""
    words = slugify(name)[:NAME_CHARACTERS].strip("-")
    zone = slugify(zone_name().replace("/", "-"))
    return f"orders-{words}-{count}-order{'s' * (count != 1)}-{zone}-{today()}.{extension}"
