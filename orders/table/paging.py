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
from orders.table.filters import Keys
from orders.table.rows import in_rows, one_of
from panel.web.params import number

PORTIONS = (100, 1_000, 2_000, 2_000)  # ids sifted one after the other for a page; then it says how far it got
PROBED = 1_000  # ids of a facet that are counted to learn which is the narrowest

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


class Stretch(NamedTuple):
    """A part of the list: in which direction, and behind which key (None: from the end)."""

    sort: Sort
    down: bool
    behind: Key | None


class Page(NamedTuple):
    """Orders along the stretch, whether there are more, and how far a search without an end has looked."""

    rows: list[Order]
    more: bool
    looked_to: Key | None = None


def written(key: Key) -> str:
    """A key as it stands in an address: `48213`, or `12.5~48213`."""
    return str(key[1]) if key[0] is None else f"{key[0].normalize():f}~{key[1]}"


def read(text: str | None, sort: Sort) -> Key | None:
    """None for what is no key of this sort."""
    value, cut, pk = (text or "").rpartition("~")
    if not number(pk) or bool(cut) != bool(sort.field):
        return None
    if not sort.field:
        return None, number(pk)
    return (Decimal(value), number(pk)) if len(value) < 24 and value.replace(".", "", 1).isdecimal() else None


class Wanted(NamedTuple):
    """What a list is narrowed to."""

    ways: list[list[Keys]]  # each leads to the orders of one facet, by indexes
    where: Q  # all of it, as a condition on an order
    loose: bool = False  # something of it has no index that leads there
    span: tuple[int, int] | None = None  # between which ids they are


def page(orders: OrderQuerySet, wanted: Wanted, stretch: Stretch, size: int) -> Page:
    """`size` of the orders behind a key."""
    if straight(wanted, stretch) is ALL:
        # At once. With a condition PostgreSQL may think that many orders fit, and go through all of them by their ids.
        rows = in_rows((orders & along(ALL[0], stretch, wanted.span))[: size + 1])
        return Page(rows[:size], len(rows) > size)
    pks, more, looked_to = ids(wanted, stretch, size)
    found = {order.pk: order for order in in_rows(orders.filter(one_of(pks)).order_by())} if pks else {}
    return Page([found[pk] for pk in pks if pk in found], more, looked_to)


def straight(wanted: Wanted, stretch: Stretch) -> list[Keys] | None:
    """The indexes that lead to the list by themselves; None where none does."""
    if wanted.loose or len(wanted.ways) > (0 if stretch.sort.field else 1):
        return None
    return wanted.ways[0] if wanted.ways else ALL


def key_of(order: Order, sort: Sort) -> Key:
    return (getattr(order, sort.field) if sort.field else None), order.pk


def ids(wanted: Wanted, stretch: Stretch, size: int) -> tuple[list[int], bool, Key | None]:
    """The ids of a page, whether there are more, and how far a search without an end has looked."""
    if way := straight(wanted, stretch):
        keys = portion(way, stretch, wanted.span, size + 1)
        return [pk for _, pk in keys[:size]], len(keys) > size, None
    lead, few = leader(wanted, stretch)
    return sifted(lead, wanted, stretch, size) if few is None else among(few, wanted, stretch, size)


def all_of(wanted: Wanted, sort: Sort, size: int) -> Iterator[list[int]]:
    """The ids of the whole list from its top, at most `size` at a time; some of them do not fit, so sift them."""
    stretch = Stretch(sort, sort.down, behind=None)
    lead, few = leader(wanted, stretch)
    if few is not None:
        yield among(few, wanted, stretch, PROBED)[0]
        return
    while keys := portion(lead, stretch, wanted.span, size):
        yield [pk for _, pk in keys]
        stretch = stretch._replace(behind=keys[-1])


def leader(wanted: Wanted, stretch: Stretch) -> tuple[list[Keys], list[int] | None]:
    """The way along which the list is sifted; or the ids of the narrowest, where they are few."""
    sorted_by_id = not stretch.sort.field
    if sorted_by_id and len(wanted.ways) == 1:
        return wanted.ways[0], None
    if not wanted.ways:
        return ALL, None
    whole = stretch if sorted_by_id else Stretch(SORTS[""], down=True, behind=None)
    probes = [portion(way, whole, wanted.span, PROBED) for way in wanted.ways]
    narrowest = min(probes, key=len)
    if len(narrowest) < PROBED:
        return ALL, [pk for _, pk in narrowest]
    if not sorted_by_id:
        return ALL, None
    reach = (min if stretch.down else max)(probe[-1][1] for probe in probes)
    return next(way for way, probe in zip(wanted.ways, probes, strict=True) if probe[-1][1] == reach), None


def among(pks: list[int], wanted: Wanted, stretch: Stretch, size: int) -> tuple[list[int], bool, None]:
    """A page of few orders: all that fit are sorted here."""
    fit = Order.objects.filter(wanted.where, one_of(pks)).order_by()
    keys: list[Key] = list(fit.values_list(stretch.sort.field or NOTHING, "pk"))
    keys.sort(key=in_order, reverse=stretch.down)
    if stretch.behind:
        behind = in_order(stretch.behind)
        keys = [key for key in keys if (in_order(key) < behind if stretch.down else in_order(key) > behind)]
    return [pk for _, pk in keys[:size]], len(keys) > size, None


def sifted(lead: list[Keys], wanted: Wanted, stretch: Stretch, size: int) -> tuple[list[int], bool, Key | None]:
    """A page of what passes, portion after portion; it may end before the list does."""
    found: list[int] = []
    for most in PORTIONS:
        keys = portion(lead, stretch, wanted.span, most)
        found += fitting([pk for _, pk in keys], wanted)
        if len(found) > size or len(keys) < most:
            return found[:size], len(found) > size, None
        stretch = stretch._replace(behind=keys[-1])
    return found, True, stretch.behind


def fitting(pks: list[int], wanted: Wanted) -> list[int]:
    """Those of them that are wanted, as they come."""
    fit = set(Order.objects.filter(wanted.where, one_of(pks)).order_by().values_list("pk", flat=True))
    return [pk for pk in pks if pk in fit]


def portion(way: list[Keys], stretch: Stretch, span: tuple[int, int] | None, most: int) -> list[Key]:
    """The next keys of the indexes together, each once."""
    read = stretch.sort.field or NOTHING
    walks = [list(along(keys, stretch, span).values_list(read, keys.field)[:most]) for keys in way]
    if len(walks) == 1:
        return walks[0]
    together = merge(*walks, key=in_order, reverse=stretch.down)
    return list(islice(dict.fromkeys(together), most))


def in_order(key: Key) -> Any:
    return key if key[0] is not None else key[1]


def along(keys: Keys, stretch: Stretch, span: tuple[int, int] | None) -> QuerySet[Any]:
    """The rows of one index, in the stretch's direction."""
    some, field, sign, by = keys.some, keys.field, "-" if stretch.down else "", stretch.sort.field
    if by and stretch.behind:
        than = "<" if stretch.down else ">"
        # As a pair: written out with OR, databases no longer see that it is one stretch of the index.
        pair = f"(orders_order.{by}, orders_order.id) {than} (%s, %s)"
        some = some.extra(where=[pair], params=[str(stretch.behind[0]), stretch.behind[1]])  # noqa: S610
    elif stretch.behind:
        some = some.filter(**{f"{field}__{'lt' if stretch.down else 'gt'}": stretch.behind[1]})
    if span and not by:
        some = some.filter(**{f"{field}__gte": span[0], f"{field}__lte": span[1]})
    return some.order_by(sign + by, sign + field) if by else some.order_by(sign + field)


NOTHING = Value(None, output_field=IntegerField())  # stands for what is sorted by, where that is the id alone
ALL = [Keys(Order.objects.filter(pk__gt=0))]  # a bound, so that a plan shows an index being searched
