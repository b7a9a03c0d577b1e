"""One page of a list that many filters may narrow at once, read without ever scanning all orders.

Each filter that an index serves is a source: index rows that give its orders' ids in the list's order. With one source
the page is read straight from it. With several, the list follows the narrowest: its ids are read in batches, each
batch is checked against the other filters, and after so many ids the page says how far back it has looked instead of
going on. Where sorting is needed it is done here; the database only ever reads ranges of an index.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import IntegerField, Q, QuerySet, Value

from orders.models import Order, OrderQuerySet
from orders.table.filters import IndexRows
from orders.table.rows import ROWS, Row, Values, fetch_rows, is_one_of, with_tasks
from panel.ops.database import Given

SCANNED_IDS = (100, 1_000, 2_000, 2_000)  # ids in each batch that is checked for a page; then it says how far it got
PROBED_ROWS = 1_000  # ids of a source that are read to learn which is the narrowest
NO_SORT_VALUE = Value(None, output_field=IntegerField())  # in a key's first place where the list is sorted by id alone
ALL_ROWS = [IndexRows(Order.objects.all())]

KEY_TEXT = re.compile(r"(?:([0-9]{1,15}(?:\.[0-9]{1,7})?)~)?([0-9]{1,18})")

Key = tuple[Any, int]  # an order's place in a list: the value of the sort's field (None without one), and its id
Source = list[IndexRows]  # the index rows that together hold the orders of one filter


class Sort(NamedTuple):
    """A way to sort the list, which an index serves in both directions."""

    words: str
    field: str = ""  # sorted by before the id; "" for the id alone
    down: bool = True

    @property
    def tells(self) -> str:
        """The field of FIELDS in accounts/access.py that the order of the rows would tell of, or ""."""
        return "charge" if self.field == "cost" else ""


SORTS = {
    "": Sort("newest first"),
    "oldest": Sort("oldest first", down=False),
    "dearest": Sort("highest charge first", "cost"),
    "cheapest": Sort("lowest charge first", "cost", down=False),
}


class ListQuery(NamedTuple):
    """Which orders a list has."""

    sources: list[Source]  # one for each filter that an index serves
    where: Q  # all filters, as a condition on an order
    unindexed: bool = False  # whether there is a filter that no index serves
    span: tuple[int, int] | None = None  # the ids between which the orders are


class PageRange(NamedTuple):
    """A part of a list: everything behind a key, in one direction."""

    sort: Sort
    down: bool
    after_key: Key | None  # None: from the list's end in that direction


class Page(NamedTuple):
    """Orders in the direction of their range."""

    rows: list[Row]
    more: bool
    scanned_to: Key | None = None  # how far the scan got, if it stopped before the page was full or the list ended

    @property
    def orders(self) -> list[Order]:
        """The same as orders."""
        return [row.order() for row in self.rows]


def key_of(row: Row, sort: Sort) -> Key:
    """The order's place in a list that is sorted so."""
    return (getattr(row, sort.field) if sort.field else None), row.pk


def key_text(key: Key) -> str:
    """A key as it stands in an address: `48213`, or `12.5~48213`."""
    return str(key[1]) if key[0] is None else f"{key[0].normalize():f}~{key[1]}"


def read_key(text: str | None, sort: Sort) -> Key | None:
    """The key in a text that key_text made, or None when it is no key of this sort."""
    match = KEY_TEXT.fullmatch(text or "")
    if not match or bool(match[1]) != bool(sort.field) or not int(match[2]):
        return None
    return (Decimal(match[1]) if sort.field else None), int(match[2])


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────
def page(orders: OrderQuerySet, query: ListQuery, page_range: PageRange, size: int) -> Page:
    """The first `size` orders of a range."""
    if direct_source(query, page_range.sort) is ALL_ROWS and not page_range.sort.field:
        if orders.query.is_empty():
            return Page([], more=False)
        bounds = id_bounds("pk", page_range, query.span)
        rows = with_tasks(first_orders(page_range.down, tuple(bounds), size + 1)(**bounds))
        return Page(rows[:size], len(rows) > size)
    pks, more, scanned_to = page_ids(query, page_range, size)
    by_id = {row.pk: row for row in fetch_rows(orders.filter(is_one_of(pks)).order_by())}
    return Page([by_id[pk] for pk in pks if pk in by_id], more, scanned_to)


@cache
def first_orders(down: bool, bounds: tuple[str, ...], most: int) -> Callable[..., list[Values]]:
    """Reads the first orders within bounds of their ids, such as `pk__gte`, as values of ROW_FIELDS."""
    order = "-pk" if down else "pk"
    # In one query, and the ids apart within it: where there are few services, a database may else begin with them, and
    # read and sort all of their orders.
    within = Order.objects.filter(**{name: Given(name) for name in bounds}).order_by(order).values("pk")[:most]
    return ROWS.prepared(Order.objects.filter(pk__in=within).order_by(order))


def page_ids(query: ListQuery, page_range: PageRange, size: int) -> tuple[list[int], bool, Key | None]:
    """The ids of a page, whether there are more, and how far a scan got that stopped early."""
    if source := direct_source(query, page_range.sort):
        keys = batch(source, page_range, query.span, size + 1)
        return [pk for _, pk in keys[:size]], len(keys) > size, None
    source, few = leading_source(query, page_range)
    return scan(source, query, page_range, size) if few is None else rank(few, query, page_range, size)


def all_ids(query: ListQuery, sort: Sort, size: int) -> Iterator[list[int]]:
    """The ids of the whole list from its top, at most `size` at a time. Not all of them match the query."""
    page_range = PageRange(sort, sort.down, after_key=None)
    source, few = leading_source(query, page_range)
    if few is not None:
        yield rank(few, query, page_range, PROBED_ROWS)[0]
        return
    while keys := batch(source, page_range, query.span, size):
        yield [pk for _, pk in keys]
        page_range = page_range._replace(after_key=keys[-1])


def first_ids(query: ListQuery, most: int) -> tuple[list[int], bool]:
    """At most so many ids among which the newest orders of the list are, and whether there are more behind them."""
    page_range = PageRange(SORTS[""], down=True, after_key=None)
    source, few = leading_source(query, page_range)
    pks = [pk for _, pk in batch(source, page_range, query.span, most + 1)] if few is None else few
    return pks[:most], len(pks) > most


def direct_source(query: ListQuery, sort: Sort) -> Source | None:
    """The source that is the list, in its order; None where ids must be checked or sorted here."""
    if query.unindexed or len(query.sources) > (0 if sort.field else 1):
        return None
    return query.sources[0] if query.sources else ALL_ROWS


def leading_source(query: ListQuery, page_range: PageRange) -> tuple[Source, list[int] | None]:
    """The source that the list follows, and all ids of the narrowest source where they are few enough to sort here."""
    sorted_by_id = not page_range.sort.field
    if not query.sources or (sorted_by_id and len(query.sources) == 1):
        return (query.sources or [ALL_ROWS])[0], None
    probed = page_range if sorted_by_id else PageRange(SORTS[""], down=True, after_key=None)
    probes = [batch(source, probed, query.span, PROBED_ROWS) for source in query.sources]
    narrowest = min(probes, key=len)
    if len(narrowest) < PROBED_ROWS:
        return ALL_ROWS, [pk for _, pk in narrowest]
    if not sorted_by_id:
        return ALL_ROWS, None
    # All are long: the narrowest is the one whose ids reach furthest.
    furthest = (min if page_range.down else max)(range(len(probes)), key=lambda at: probes[at][-1][1])
    return query.sources[furthest], None


def rank(pks: list[int], query: ListQuery, page_range: PageRange, size: int) -> tuple[list[int], bool, None]:
    """The page of a list that is among these few ids: those that match are sorted here."""
    orders = Order.objects.filter(query.where, is_one_of(pks)).order_by()
    keys: list[Key] = list(orders.values_list(page_range.sort.field or NO_SORT_VALUE, "pk"))
    keys.sort(key=sort_key, reverse=page_range.down)
    if page_range.after_key:
        limit = sort_key(page_range.after_key)
        keys = [key for key in keys if (sort_key(key) < limit if page_range.down else sort_key(key) > limit)]
    return [pk for _, pk in keys[:size]], len(keys) > size, None


def scan(source: Source, query: ListQuery, page_range: PageRange, size: int) -> tuple[list[int], bool, Key | None]:
    """A page of the ids of a source that match, checked in batches of SCANNED_IDS; it may stop before the list ends."""
    pks: list[int] = []
    for most in SCANNED_IDS:
        keys = batch(source, page_range, query.span, most)
        pks += matching([pk for _, pk in keys], query)
        if len(pks) > size or len(keys) < most:
            return pks[:size], len(pks) > size, None
        page_range = page_range._replace(after_key=keys[-1])
    return pks, True, page_range.after_key


def matching(pks: list[int], query: ListQuery) -> list[int]:
    """Those of the ids whose orders match the query, in the same order."""
    matching_ids = set(Order.objects.filter(query.where, is_one_of(pks)).order_by().values_list("pk", flat=True))
    return [pk for pk in pks if pk in matching_ids]


# ── Index ranges ─────────────────────────────────────────────────────────────────────────────────
def batch(source: Source, page_range: PageRange, span: tuple[int, int] | None, most: int) -> list[Key]:
    """The first `most` keys of a range of a source, each once, merged from its index rows."""
    value = page_range.sort.field or NO_SORT_VALUE
    ranges = [list(index_rows(index, page_range, span).values_list(value, index.field)[:most]) for index in source]
    if len(ranges) == 1:
        return ranges[0]
    return list(islice(dict.fromkeys(merge(*ranges, key=sort_key, reverse=page_range.down)), most))


def sort_key(key: Key) -> Any:
    """What keys are compared by: the id alone where they have no value."""
    return key if key[0] is not None else key[1]


def index_rows(index: IndexRows, page_range: PageRange, span: tuple[int, int] | None) -> QuerySet[Any]:
    """The rows of one index that are in a range, in its direction."""
    rows, field, sort_field, after = index.rows, index.field, page_range.sort.field, page_range.after_key
    if sort_field and after:
        # As a pair: written out with OR, databases do not see that it is one range of the index.
        pair = f"(orders_order.{sort_field}, orders_order.id) {'<' if page_range.down else '>'} (%s, %s)"
        rows = rows.extra(where=[pair], params=[str(after[0]), after[1]])  # noqa: S610
    elif not sort_field:
        rows = rows.filter(**id_bounds(field, page_range, span))
    sign = "-" if page_range.down else ""
    return rows.order_by(*(f"{sign}{name}" for name in (sort_field, field) if name))


def id_bounds(field: str, page_range: PageRange, span: tuple[int, int] | None) -> dict[str, int]:
    """The ids of a range as conditions, one for each end: of two, SQLite begins at the first."""
    after = page_range.after_key
    lows, highs = ([span[0]], [span[1]]) if span else ([], [])
    if after and page_range.down:
        highs.append(after[1] - 1)
    elif after:
        lows.append(after[1] + 1)
    # Without any, plans still show that an index is searched.
    return {f"{field}__gte": max(lows, default=1), **({f"{field}__lte": min(highs)} if highs else {})}
