"""What the list can be narrowed by: one row a facet. Nothing else knows how one is read, asked for or put in words."""

from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from catalog.models import Service
from orders.models import Order, Task, Words
from orders.models.order import IS_MISSING
from orders.rules.links import NETWORKS
from orders.rules.search_text import folded, host_of, without_scheme
from orders.rules.statuses import LIVE, Status
from panel.format.money import money
from panel.format.times import day_of, ends, starts
from panel.web.params import read_number

NETWORK_NAMES = {network.name.lower(): network.name for network in NETWORKS.values()}
MONEY_LIMIT = Decimal(10) ** 12  # USD; what a column of money keeps


class IndexRows(NamedTuple):
    """Orders' ids in an index, newest first: the rows of `some`, by that field."""

    rows: QuerySet[Any]
    field: str = "pk"


class Filter(NamedTuple):
    """One thing to narrow by."""

    label: str
    read: Callable[[str, Any], Any]  # from the address's text, and who asks; None for what makes no sense
    where: Callable[[Any], Q]  # the condition on an order
    words: Callable[[Any], str]
    # Where its orders' ids stand in an index; none where no index leads to them, and orders are looked through instead.
    index_rows: Callable[[Any], list[IndexRows]] | None = None


def _column(name: str) -> dict[str, Any]:
    """A facet that is one column with an index `(column, -id)`."""
    return {
        "where": lambda value: Q(**{name: value}),
        "index_rows": lambda value: [IndexRows(Order.objects.filter(**{name: value}))],
    }


def _one_of(words: Collection[str]) -> Callable[[str, Any], str | None]:
    return lambda text, _: text if text in words else None


# ── People, services, days, money ────────────────────────────────────────────────────────────────
def _person(text: str, user: Any) -> int | None:
    return user.pk if text == "me" else read_number(text) or None


def _service(upstream_id: int) -> Subquery:
    return Subquery(Service.objects.filter(upstream_id=upstream_id).values("pk")[:1])


def _host(text: str, _: Any) -> str | None:
    text = text.replace("\0", "").strip().casefold()
    return (host_of(text if "://" in text else f"https://{text}") or None) if text else None


def _amount(text: str, _: Any) -> Decimal | None:
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < MONEY_LIMIT else None


# ── What stands open ─────────────────────────────────────────────────────────────────────────────
def pending_tasks(*, unclear: bool = False, **more: Any) -> QuerySet[Task]:
    """Refills and cancels that are pending, in the very words of the indexes `task_wish_…`."""
    pending = "kind IN ('refill', 'cancel') AND over_at IS NULL" + " AND outcome = 'unclear'" * unclear
    return Task.objects.filter(**more).extra(where=[pending])  # noqa: S610


class OpenFilter(NamedTuple):
    """Orders at these statuses, or with pending tasks of these kinds."""

    words: str
    statuses: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    unclear: bool = False  # and of those only what got no clear answer
    having: tuple[str, ...] = ()  # or of which one of these says something
    late: bool = False  # or that take longer than their service's do


OPEN_FILTERS = {
    "look": OpenFilter("needs a look", (Status.REVIEW,), Task.AFTERSALE, unclear=True, having=("missing_since",)),
    "late": OpenFilter("is late", late=True),
    "live": OpenFilter("is under way", (Status.QUEUED, *sorted(LIVE))),
    "refill": OpenFilter("has a pending refill", kinds=(Task.Kind.REFILL,)),
    "cancel": OpenFilter("has a pending cancel", kinds=(Task.Kind.CANCEL,)),
    "doubt": OpenFilter("has facts that surprise", having=("doubts",)),
}


def _open_where(value: str) -> Q:
    some = OPEN_FILTERS[value]
    pending = pending_tasks(kind__in=some.kinds, order=OuterRef("pk"), unclear=some.unclear)
    where = Q(status__in=some.statuses)
    if some.kinds:
        where |= Q(Exists(pending))
    if some.late:
        where |= Q(late_from__lte=timezone.now())
    for name in some.having:
        where |= Q(**{f"{name}__isnull": False})
    return where


def _open_keys(value: str) -> list[IndexRows]:
    some = OPEN_FILTERS[value]
    found = [IndexRows(Order.objects.filter(status=status)) for status in some.statuses]
    found += [IndexRows(Order.objects.filter(**{f"{name}__isnull": False})) for name in some.having]
    if some.late:
        found.append(IndexRows(Order.objects.filter(late_from__lte=timezone.now())))
    return found + [IndexRows(pending_tasks(kind=kind, unclear=some.unclear), "order_id") for kind in some.kinds]


# ── The tabs ─────────────────────────────────────────────────────────────────────────────────────
def _status_where(value: str) -> Q:
    """What upstream says it does not know needs a look too, wherever it stands."""
    return Q(status=value) | IS_MISSING if value == Status.REVIEW else Q(status=value)


def _status_keys(value: str) -> list[IndexRows]:
    found = [IndexRows(Order.objects.filter(status=value))]
    return [*found, IndexRows(Order.objects.filter(IS_MISSING))] if value == Status.REVIEW else found


FILTERS: dict[str, Filter] = {
    "status": Filter("Status", _one_of(Status.values), _status_where, lambda value: Status(value).label, _status_keys),
    "open": Filter("Open", _one_of(OPEN_FILTERS), _open_where, lambda value: OPEN_FILTERS[value].words, _open_keys),
    "service": Filter("Service", lambda text, _: read_number(text) or None,
                     where=lambda value: Q(service=_service(value)), words=str,
                     index_rows=lambda value: [IndexRows(Order.objects.filter(service=_service(value)))]),
    "category": Filter("Category", lambda text, _: text.replace("\0", "")[:300] or None, words=str,
                      **_column("category")),
    "network": Filter("Network", _one_of(NETWORK_NAMES),
                     words=lambda value: NETWORK_NAMES[value], **_column("network")),
    "by": Filter("Placed by", _person, words=str, **_column("placed_by")),
    "assigned": Filter("Assigned to", _person, words=str, **_column("assigned_to")),
    "host": Filter("Link on", _host, words=str, **_column("host")),
    "from": Filter("From", day_of, lambda day: Q(created_at__gte=starts(day)), words=lambda day: f"{day:%-d %b %Y}"),
    "to": Filter("Until", day_of, lambda day: Q(created_at__lt=ends(day)), words=lambda day: f"{day:%-d %b %Y}"),
    "least": Filter("Charge from", _amount, lambda amount: Q(cost__gte=amount), words=money),
    "most": Filter("Charge up to", _amount, lambda amount: Q(cost__lte=amount), words=money),
}  # fmt: skip


INDEXED_CHARACTERS = 3  # characters of a word that the index can find
SEARCH_WORDS = 8


def search_words(text: str) -> list[str]:
    """The words to look for, as they are compared."""
    words = (folded(without_scheme(word)) for word in text.split()[:SEARCH_WORDS])
    return [word for word in words if word]


def containing(words: list[str]) -> Q:
    """The condition on an order, for orders that something else found."""
    return Q(*(Q(haystack__contains=word) for word in words))


def index_rows_of(words: list[str]) -> IndexRows | None:
    """Orders in which every word of three characters or more occurs, by the index; None when there is no such word."""
    long = [word for word in words if len(word) >= INDEXED_CHARACTERS]
    if not long:
        return None
    if connection.vendor != "sqlite":
        return IndexRows(Order.objects.filter(containing(long)))
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in long)
    return IndexRows(Words.objects.extra(where=["orders_words MATCH %s"], params=[quoted]), "order_id")
