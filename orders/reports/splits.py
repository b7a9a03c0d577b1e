"""The rows of a split: what each is called, which orders it leads to, and what is printed of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from markupsafe import Markup, escape

from accounts.models import User
from catalog.models import Service
from orders.models import Customer
from orders.reports.figures import NOTHING, Totals, added, in_cents
from orders.reports.period import Period
from orders.reports.statement import Sums
from orders.rules.links import network_of

ROWS, ALL_ROWS = 12, 500  # the largest, on the page; the others stand together in a row of their own
KEY_OF = {"category": "service", "network": "service"}  # split → the key whose sums it groups; else the key itself
OTHER_NETWORK = "other"


class Name(NamedTuple):
    """What a row is called, and the parameters by which the list of orders shows its orders; none where it cannot."""

    text: str
    sub: str = ""
    query: Mapping[str, str] | None = None


class Row(NamedTuple):
    """One row of a split. Amounts are rounded so that those of all rows add up to their sum."""

    name: Name
    now: Totals
    before: Totals
    spent: Decimal
    spent_before: Decimal
    sold: Decimal
    margin: Decimal
    key: Any = None

    def bar(self, most: int, measure: str, totals: Totals) -> float:
        """How long its bar is, in percent."""
        return round(max(0, getattr(totals, measure)) * 100 / most, 1) if most else 0.0


class Split(NamedTuple):
    """The rows of a split, the largest first, with what is left over and the sum of all."""

    rows: list[Row]
    others: int  # how many are in the last row together, 0 for none
    total: Row
    number: int  # of all


def split_of(sums: Sums, period: Period, measure: str, most: int = ROWS) -> Split:
    """The rows of a report's split by the largest `measure`, a field of Totals."""
    now, before = (grouped(found, period.split) for found in (sums.split, sums.split_before))
    keys = sorted(now.keys() | before.keys(), key=lambda key: (
        -getattr(now.get(key, NOTHING), measure), -now.get(key, NOTHING).orders, str(key),
    ))  # fmt: skip
    shown = keys if len(keys) <= most + 1 else keys[:most]
    names = names_of(shown, period.split)
    parts = [(names[key], now.get(key, NOTHING), before.get(key, NOTHING), key) for key in shown]
    if others := keys[len(shown) :]:
        rest = [added(found.get(key, NOTHING) for key in others) for found in (now, before)]
        parts.append((Name(f"{len(others):,} others"), rest[0], rest[1], None))
    rows = printed(parts)
    total = printed([(Name("All"), added(now.values()), added(before.values()), None)])[0]
    return Split(rows, len(others), total, len(keys))


def printed(parts: list[tuple[Name, Totals, Totals, Any]]) -> list[Row]:
    """Rows with amounts in cents that add up."""
    columns = zip(
        in_cents([now.charged for _, now, _, _ in parts]), in_cents([before.charged for _, _, before, _ in parts]),
        in_cents([now.sold for _, now, _, _ in parts]), in_cents([now.margin for _, now, _, _ in parts]), strict=True,
    )  # fmt: skip
    return [
        Row(name, now, before, *amounts, key)
        for (name, now, before, key), amounts in zip(parts, columns, strict=True)
    ]  # fmt: skip


def grouped(found: Mapping[int, Totals], split: str) -> dict[Any, Totals]:
    """The sums by what the split is by. Services stand under the category that they are in today."""
    if split not in KEY_OF:
        return dict(found)
    group_of = {pk: (category, name) for pk, category, name in services(found)}
    parts: defaultdict[Any, list[Totals]] = defaultdict(list)
    for pk, totals in found.items():
        category, name = group_of.get(pk, ("", ""))
        parts[category if split == "category" else network_name(category, name)].append(totals)
    return {key: added(each) for key, each in parts.items()}


def services(ids: Iterable[int]) -> Iterable[tuple[int, str, str]]:
    """Id, category and name of these services."""
    return Service.objects.filter(pk__in=list(ids)).order_by().values_list("pk", "category", "name")


@lru_cache(maxsize=20_000)  # more services than a catalog has
def network_name(category: str, name: str) -> str:
    """The network that a service of this category and name is for, as orders name it."""
    network = network_of(category, name)
    return network.name if network else OTHER_NETWORK


def names_of(keys: Iterable[Any], split: str) -> dict[Any, Name]:
    """The names of these rows, in one query at most."""
    wanted: list[Any] = list(keys)
    if split == "service":
        found = Service.objects.filter(pk__in=wanted).order_by().values_list("pk", "upstream_id", "name", "category")
        return _named(wanted, {
            pk: Name(name, f"{number} · {category}", {"service": str(number)}) for pk, number, name, category in found
        })  # fmt: skip
    if split == "person":
        return _named(wanted, {
            person.pk: Name(str(person), "", {"by": str(person.pk)}) for person in User.objects.filter(pk__in=wanted)
        })  # fmt: skip
    if split == "customer":
        nobody: dict[Any, Name] = {0: Name("No customer named", "", {"customer": "0"})}
        return _named(wanted, nobody | {
            customer.pk: Name(str(customer), "", {"customer": str(customer.pk)})
            for customer in Customer.objects.filter(pk__in=wanted)
        })  # fmt: skip
    if split == "network":
        return {
            key: Name("Other" if key == OTHER_NETWORK else str(key), "", {"network": str(key).lower()})
            for key in wanted
        }
    return {key: Name(str(key) or "No category", "", {"category_now": str(key)} if key else None) for key in wanted}


def _named(wanted: list[Any], found: Mapping[Any, Name]) -> dict[Any, Name]:
    return {key: found.get(key, Name(f"No. {key}")) for key in wanted}


def orders_query(
    period: Period, name: Name | None = None, facts: Mapping[str, str] | None = None, *, earlier: bool = False
) -> str:
    """The query of the list of the period's orders, of a row alone where it is one; "" where no list shows them.

    `earlier`: of the orders that it is compared with. `facts`: further filters of the list.
    """
    if name is not None and name.query is None:
        return ""
    first, last = period.before if earlier else (period.first, period.last)
    return days_query(first, last, {**(name.query or {} if name else {}), **(facts or {})})


@cache
def orders_path() -> str:
    """The path of the list of orders, resolved once."""
    return reverse("orders:index")


def to_orders(count: int, query: str, fact: str, words: str) -> str:
    """Words that lead to the list of the orders of this query with this fact; bare words where there are none.

    Not a macro: a report has a thousand of them.
    """
    if not count or not query:
        return words
    fact = f"&amp;{fact}" if fact else ""
    return Markup(f'<a href="{orders_path()}{escape(query)}{fact}">{escape(words)}</a>')  # noqa: S704  facts are ours


def days_query(first: date, last: date, filters: Mapping[str, str] | None = None) -> str:
    """The query of the list of the orders of these days, with further filters."""
    return "?" + urlencode({**(filters or {}), "from": str(first), "to": str(last)})
