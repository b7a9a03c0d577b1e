"""One page of a list that may be narrowed in many ways at once, without ever walking through all orders.

Each way has an index that gives its orders' ids in the list's order. With one of them the page is read straight from
there. With several, the narrowest leads: its ids come in portions, each portion is sifted by the rest, and after so
many the page says how far it has looked back instead of going on for ever. What is sorted is sorted here; the database
only ever walks along an index.
"""

from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import IntegerField, Q, QuerySet, Value

from orders.models import Order, OrderQuerySet
from orders.table.filters import IndexRows
from orders.table.rows import fetch_rows, is_one_of
from panel.web.params import read_number

BATCHES = (100, 1_000, 2_000, 2_000)  # ids sifted one after the other for a page; then it says how far it got
PROBED_ROWS = 1_000  # ids of a facet that are counted to learn which is the narrowest

Key = tuple[Any, int]  # what is sorted by (None: by id alone), and the id


class Sort(NamedTuple):
    """An order of the list that an index serves in both directions."""

    words: str
    field: str = ""  # besides the id
    down: bool = True


SORTS = {
    "": Sort("newest first"),
    "oldest": Sort("oldest first", down=False),
    "dearest": Sort("highest charge first", "cost"),
    "cheapest": Sort("lowest charge first", "cost", down=False),
}


class PageRange(NamedTuple):
    """A part of the list: in which direction, and behind which key (None: from the end)."""

    sort: Sort
    down: bool
    after_key: Key | None


class Page(NamedTuple):
    """Orders along the stretch, whether there are more, and how far a search without an end has looked."""

    rows: list[Order]
    more: bool
    scanned_to: Key | None = None


def key_text(key: Key) -> str:
    """A key as it stands in an address: `48213`, or `12.5~48213`."""
    return str(key[1]) if key[0] is None else f"{key[0].normalize():f}~{key[1]}"


def read_key(text: str | None, sort: Sort) -> Key | None:
    """None for what is no key of this sort."""
    value, cut, pk = (text or "").rpartition("~")
    if not read_number(pk) or bool(cut) != bool(sort.field):
        return None
    if not sort.field:
        return None, read_number(pk)
    return (Decimal(value), read_number(pk)) if len(value) < 24 and value.replace(".", "", 1).isdecimal() else None


class ListQuery(NamedTuple):
    """What a list is narrowed to."""

    index_ways: list[list[IndexRows]]  # each leads to the orders of one facet, by indexes
    where: Q  # all of it, as a condition on an order
    unindexed: bool = False  # something of it has no index that leads there
    span: tuple[int, int] | None = None  # between which ids they are


def page(orders: OrderQuerySet, wanted: ListQuery, stretch: PageRange, size: int) -> Page:
    """`size` of the orders behind a key."""
    if direct_rows(wanted, stretch) is ALL_ROWS:
        # At once. With a condition PostgreSQL may think that many orders fit, and go through all of them by their ids.
        rows = fetch_rows((orders & index_rows(ALL_ROWS[0], stretch, wanted.span))[: size + 1])
        return Page(rows[:size], len(rows) > size)
    pks, more, looked_to = page_ids(wanted, stretch, size)
    found = {order.pk: order for order in fetch_rows(orders.filter(is_one_of(pks)).order_by())} if pks else {}
    return Page([found[pk] for pk in pks if pk in found], more, looked_to)


def direct_rows(wanted: ListQuery, stretch: PageRange) -> list[IndexRows] | None:
    """The indexes that lead to the list by themselves; None where none does."""
    if wanted.unindexed or len(wanted.index_ways) > (0 if stretch.sort.field else 1):
        return None
    return wanted.index_ways[0] if wanted.index_ways else ALL_ROWS


def key_of(order: Order, sort: Sort) -> Key:
    return (getattr(order, sort.field) if sort.field else None), order.pk


def page_ids(wanted: ListQuery, stretch: PageRange, size: int) -> tuple[list[int], bool, Key | None]:
    """The ids of a page, whether there are more, and how far a search without an end has looked."""
    if way := direct_rows(wanted, stretch):
        keys = batch(way, stretch, wanted.span, size + 1)
        return [pk for _, pk in keys[:size]], len(keys) > size, None
    lead, few = lead_of(wanted, stretch)
    return scan(lead, wanted, stretch, size) if few is None else rank(few, wanted, stretch, size)


def all_ids(wanted: ListQuery, sort: Sort, size: int) -> Iterator[list[int]]:
    """The ids of the whole list from its top, at most `size` at a time; some of them do not fit, so sift them."""
    stretch = PageRange(sort, sort.down, after_key=None)
    lead, few = lead_of(wanted, stretch)
    if few is not None:
        yield rank(few, wanted, stretch, PROBED_ROWS)[0]
        return
    while keys := batch(lead, stretch, wanted.span, size):
        yield [pk for _, pk in keys]
        stretch = stretch._replace(after_key=keys[-1])


def lead_of(wanted: ListQuery, stretch: PageRange) -> tuple[list[IndexRows], list[int] | None]:
    """The way along which the list is sifted; or the ids of the narrowest, where they are few."""
    sorted_by_id = not stretch.sort.field
    if sorted_by_id and len(wanted.index_ways) == 1:
        return wanted.index_ways[0], None
    if not wanted.index_ways:
        return ALL_ROWS, None
    whole = stretch if sorted_by_id else PageRange(SORTS[""], down=True, after_key=None)
    probes = [batch(way, whole, wanted.span, PROBED_ROWS) for way in wanted.index_ways]
    narrowest = min(probes, key=len)
    if len(narrowest) < PROBED_ROWS:
        return ALL_ROWS, [pk for _, pk in narrowest]
    if not sorted_by_id:
        return ALL_ROWS, None
    reach = (min if stretch.down else max)(probe[-1][1] for probe in probes)
    return next(way for way, probe in zip(wanted.index_ways, probes, strict=True) if probe[-1][1] == reach), None


def rank(pks: list[int], wanted: ListQuery, stretch: PageRange, size: int) -> tuple[list[int], bool, None]:
    """A page of few orders: all that fit are sorted here."""
    fit = Order.objects.filter(wanted.where, is_one_of(pks)).order_by()
    keys: list[Key] = list(fit.values_list(stretch.sort.field or NO_SORT_VALUE, "pk"))
    keys.sort(key=sort_key, reverse=stretch.down)
    if stretch.after_key:
        behind = sort_key(stretch.after_key)
        keys = [key for key in keys if (sort_key(key) < behind if stretch.down else sort_key(key) > behind)]
    return [pk for _, pk in keys[:size]], len(keys) > size, None


def scan(lead: list[IndexRows], wanted: ListQuery, stretch: PageRange, size: int) -> tuple[list[int], bool, Key | None]:
    """A page of what passes, portion after portion; it may end before the list does."""
    found: list[int] = []
    for most in BATCHES:
        keys = batch(lead, stretch, wanted.span, most)
        found += matching([pk for _, pk in keys], wanted)
        if len(found) > size or len(keys) < most:
            return found[:size], len(found) > size, None
        stretch = stretch._replace(after_key=keys[-1])
    return found, True, stretch.after_key


def matching(pks: list[int], wanted: ListQuery) -> list[int]:
    """Those of them that are wanted, as they come."""
    fit = set(Order.objects.filter(wanted.where, is_one_of(pks)).order_by().values_list("pk", flat=True))
    return [pk for pk in pks if pk in fit]


def batch(way: list[IndexRows], stretch: PageRange, span: tuple[int, int] | None, most: int) -> list[Key]:
    """The next keys of the indexes together, each once."""
    read = stretch.sort.field or NO_SORT_VALUE
    walks = [list(index_rows(keys, stretch, span).values_list(read, keys.field)[:most]) for keys in way]
    if len(walks) == 1:
        return walks[0]
    together = merge(*walks, key=sort_key, reverse=stretch.down)
    return list(islice(dict.fromkeys(together), most))


def sort_key(key: Key) -> Any:
    return key if key[0] is not None else key[1]


def index_rows(keys: IndexRows, stretch: PageRange, span: tuple[int, int] | None) -> QuerySet[Any]:
    """The rows of one index, in the stretch's direction."""
    some, field, sign, by = keys.rows, keys.field, "-" if stretch.down else "", stretch.sort.field
    if by and stretch.after_key:
        than = "<" if stretch.down else ">"
        # As a pair: written out with OR, databases no longer see that it is one stretch of the index.
        pair = f"(orders_order.{by}, orders_order.id) {than} (%s, %s)"
        some = some.extra(where=[pair], params=[str(stretch.after_key[0]), stretch.after_key[1]])  # noqa: S610
    elif stretch.after_key:
        some = some.filter(**{f"{field}__{'lt' if stretch.down else 'gt'}": stretch.after_key[1]})
    if span and not by:
        some = some.filter(**{f"{field}__gte": span[0], f"{field}__lte": span[1]})
    return some.order_by(sign + by, sign + field) if by else some.order_by(sign + field)


NO_SORT_VALUE = Value(None, output_field=IntegerField())  # stands for what is sorted by, where that is the id alone
ALL_ROWS = [IndexRows(Order.objects.filter(pk__gt=0))]  # a bound, so that a plan shows an index being searched
