"""What stands around every page: upstream's health, the balance, what waits. One query, and only if shown."""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Func, IntegerField, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import BalanceReading
from orders.states import Status
from orders.tally import all_lines, counts_of
from orders.tasks import Sending, Task
from panel.models import ONLY, Beat, Upstream
from panel.times import machine

SILENT_AFTER = timedelta(seconds=90)  # a worker may be in a call that takes its whole deadline, a few times over
MOST_COUNTED = 100  # shown as 99+; counting further would cost without telling more


WHO = object()  # stands in the question for whoever asks
MISSING = "SELECT COUNT(*) FROM (SELECT 1 FROM orders_order WHERE missing_since IS NOT NULL LIMIT %s) AS capped"
UNSEEN = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM panel_alarm WHERE ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM"
    " panel_sighting WHERE alarm_id = panel_alarm.id AND user_id = %s) LIMIT %s) AS capped"
)
UNREAD = "SELECT COUNT(*) FROM (SELECT 1 FROM orders_mention WHERE user_id = %s AND read_at IS NULL LIMIT %s) AS capped"


def asked() -> QuerySet[Upstream]:
    """All that a bar shows, as one question; in place of the person's id stands WHO."""
    beats = Beat.objects.filter(stopped_at=None).order_by("-beat_at")
    readings = BalanceReading.objects.order_by("-id")
    stop = Sending.objects.filter(stopped_at__isnull=False)
    # Func, for Sum and Count in a subquery want a GROUP BY, and for that databases walk through all tasks.
    short = Task.objects.filter(needs__isnull=False, settled_at=None).order_by()
    needs = Func("needs", function="SUM", output_field=Task._meta.get_field("needs"))
    count = Func("pk", function="COUNT", output_field=IntegerField())
    return Upstream.objects.filter(pk=ONLY).annotate(
        beat_at=Subquery(beats.values("beat_at")[:1]),
        balance=Subquery(readings.values("amount")[:1]),
        currency=Subquery(readings.values("currency")[:1]),
        balance_at=Subquery(readings.values("asked_at")[:1]),
        stopped_at=Subquery(stop.values("stopped_at")[:1]),
        stopped_why=Subquery(stop.values("reason")[:1]),
        stopped_name=Subquery(stop.values("stopped_by__name")[:1]),
        stopped_username=Subquery(stop.values("stopped_by__username")[:1]),
        short=Subquery(short.annotate(sum=needs).values("sum")),
        short_orders=Subquery(short.annotate(count=count).values("count")),
        lines=all_lines(),
        missing_orders=RawSQL(MISSING, [MOST_COUNTED], output_field=IntegerField()),  # noqa: S611
        alarms=RawSQL(UNSEEN, [WHO, MOST_COUNTED], output_field=IntegerField()),  # noqa: S611
        unread=RawSQL(UNREAD, [WHO, MOST_COUNTED], output_field=IntegerField()),  # noqa: S611
    )


@cache
def made() -> tuple[str, tuple[Any, ...], list[str], dict[int, Any]]:
    """The question's SQL, its parameters, what its columns are called, and how they are read.

    Made once a process: it takes Django 2 ms, and every page and every poll asks it.
    """
    compiler = asked().query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    columns = [column for column, *_ in compiler.select]
    names = {at: name for name, at in compiler.annotation_col_map.items()}
    called = [names.get(at) or column.target.attname for at, column in enumerate(columns)]
    return sql, params, called, compiler.get_converters(columns)


def everything(person: int | None) -> SimpleNamespace | None:
    """The answer for one person; None while there is no row yet."""
    sql, params, names, converters = made()
    with connection.cursor() as cursor:
        cursor.execute(sql, [person if param is WHO else param for param in params])
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for at, (convert, column) in converters.items():
        for one in convert:
            values[at] = one(values[at], column, connection)
    return SimpleNamespace(**dict(zip(names, values, strict=True)))


class Bar:
    """Read once a request, when a page first asks for any of it. Of nobody's request it has no notes to count."""

    sandbox: bool = settings.SANDBOX

    def __init__(self, request: HttpRequest | None = None) -> None:
        self.request = request

    @cached_property
    def row(self) -> SimpleNamespace:
        person = getattr(getattr(self.request, "user", None), "pk", None)
        if row := everything(person):
            return row
        Upstream.objects.bulk_create([Upstream(pk=ONLY)], ignore_conflicts=True)  # the very first page of a new desk
        return everything(person) or SimpleNamespace()

    balance = property(lambda self: self.row.balance)
    currency = property(lambda self: self.row.currency or "USD")
    balance_at = property(lambda self: self.row.balance_at)
    spoke_at = property(lambda self: self.row.spoke_at)
    trouble = property(lambda self: self.row.trouble)
    trouble_since = property(lambda self: self.row.trouble_since)
    paused_until = property(lambda self: self.row.paused_until)
    worker_at = property(lambda self: self.row.beat_at)
    stopped_at = property(lambda self: self.row.stopped_at)
    stopped_why = property(lambda self: self.row.stopped_why)
    # Empty when the desk stopped by itself.
    stopped_by = property(lambda self: self.row.stopped_name or self.row.stopped_username or "")
    short = property(lambda self: self.row.short)  # USD that waiting orders need, or None
    short_orders = property(lambda self: self.row.short_orders)
    needs_a_look = property(lambda self: min(self.counts[Status.REVIEW] + self.row.missing_orders, MOST_COUNTED - 1))

    unread = property(lambda self: min(self.row.unread, MOST_COUNTED - 1))  # notes that call whoever asks

    alarms = property(lambda self: min(self.row.alarms, MOST_COUNTED - 1))  # open ones that whoever asks has not seen

    @cached_property
    def counts(self) -> Counter[str]:
        """How many orders stand at each status."""
        return counts_of(self.row.lines)

    @property
    def counts_version(self) -> str:
        """Changes when a count does."""
        return hashlib.sha256(repr(sorted(self.counts.items())).encode()).hexdigest()[:8]

    @cached_property
    def worker_silent(self) -> bool:
        """No worker has beaten for a while: orders wait, and nothing on the screen is fresh."""
        return self.worker_at is None or timezone.now() - self.worker_at > SILENT_AFTER

    @property
    def missing(self) -> Decimal | None:
        """USD to top up until all that waits for money is covered; None when the balance is not known in USD."""
        if self.short is None or self.balance is None or self.currency != "USD":
            return None
        missing: Decimal = self.short - self.balance
        return max(missing, Decimal(0))

    @property
    def times(self) -> dict[str, str]:
        """When upstream last answered and last told the balance: an open page learns it without a swap."""
        known = {"upstream": self.spoke_at, "balance": self.balance_at}
        return {name: machine(at) for name, at in known.items() if at}

    @cached_property
    def version(self) -> str:
        """Changes when what the bar shows changes; open pages send it along to learn that."""
        shown: tuple[Decimal | datetime | str | int | None, ...] = (
            self.balance, self.currency, self.trouble, self.worker_silent, self.needs_a_look,
            self.stopped_at, self.stopped_why, self.stopped_by, self.short, self.short_orders, self.unread,
            self.alarms,
        )  # fmt: skip
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Puts an unread bar on each request, so that what lies below the roof can ask it too."""

    def with_bar(request: HttpRequest) -> HttpResponse:
        request.bar = Bar(request)  # type: ignore[attr-defined]
        return get_response(request)

    return with_bar


def context(request: HttpRequest) -> dict[str, Any]:
    """For the templates: `bar`."""
    return {"bar": request.bar}  # type: ignore[attr-defined]
