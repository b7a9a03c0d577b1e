"""What stands around every page: upstream's health, the balance, what waits. One query, and only if shown."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Func, IntegerField, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import BalanceReading
from orders.models import Sending, Spending, Task
from orders.rules.statuses import Status
from orders.statistics.runway import Runway, runway
from orders.statistics.status_counts import all_lines, counts_of
from panel.format.money import is_dollars
from panel.format.times import machine
from panel.ops.database import ONLY_ROW
from panel.upstream.models import ROLES, SILENT_AFTER, Beat, Upstream
from panel.web.params import COUNTED_ROWS
from panel.web.polling import bar_of, version_of

# After "No running worker".
ROLE_WORDS = {
    "place": "sends orders", "ask": "asks for refills and cancels", "look": "asks how orders stand",
    "upkeep": "keeps the catalog and the balance", "desk": "keeps the desk’s own books",
}  # fmt: skip
WHO = object()  # stands in the question for whoever asks
NOW = object()  # and this for when
MISSING_ORDERS = "SELECT COUNT(*) FROM (SELECT 1 FROM orders_order WHERE missing_since IS NOT NULL LIMIT %s) AS capped"
LATE_ORDERS = "SELECT COUNT(*) FROM (SELECT 1 FROM orders_order WHERE late_from <= %s LIMIT %s) AS capped"
UNSEEN_ALARMS = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM panel_alarm WHERE ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM"
    " panel_sighting WHERE alarm_id = panel_alarm.id AND user_id = %s) LIMIT %s) AS capped"
)
UNREAD_NOTES = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM orders_mention WHERE user_id = %s AND read_at IS NULL LIMIT %s) AS capped"
)


def status_query() -> QuerySet[Upstream]:
    """All that a bar shows, as one question; in place of the person's id stands WHO."""
    beats = Beat.objects.filter(stopped_at=None).order_by("-beat_at")
    readings = BalanceReading.objects.order_by("-id")
    pace = Spending.objects.filter(pk=ONLY_ROW)
    stop = Sending.objects.filter(stopped_at__isnull=False)
    # Func, for Sum and Count in a subquery want a GROUP BY, and for that databases walk through all tasks.
    short = Task.objects.filter(needs__isnull=False, settled_at=None).order_by()
    needs = Func("needs", function="SUM", output_field=Task._meta.get_field("needs"))
    count = Func("pk", function="COUNT", output_field=IntegerField())
    return Upstream.objects.filter(pk=ONLY_ROW).annotate(
        **{f"{role}_at": Subquery(beats.filter(roles__contains=role).values("beat_at")[:1]) for role in ROLES},
        balance=Subquery(readings.values("amount")[:1]),
        currency=Subquery(readings.values("currency")[:1]),
        balance_at=Subquery(readings.values("asked_at")[:1]),
        paced_at=Subquery(pace.values("at")),
        paced_since=Subquery(pace.values("since")),
        spent=Subquery(pace.values("spent")),
        queued=Subquery(pace.values("queued")),
        stopped_at=Subquery(stop.values("stopped_at")[:1]),
        stopped_why=Subquery(stop.values("reason")[:1]),
        stopped_name=Subquery(stop.values("stopped_by__name")[:1]),
        stopped_username=Subquery(stop.values("stopped_by__username")[:1]),
        short=Subquery(short.annotate(sum=needs).values("sum")),
        short_orders=Subquery(short.annotate(count=count).values("count")),
        lines=all_lines(),
        missing_orders=RawSQL(MISSING_ORDERS, [COUNTED_ROWS], output_field=IntegerField()),  # noqa: S611
        late=RawSQL(LATE_ORDERS, [NOW, COUNTED_ROWS], output_field=IntegerField()),  # noqa: S611
        alarms=RawSQL(UNSEEN_ALARMS, [WHO, COUNTED_ROWS], output_field=IntegerField()),  # noqa: S611
        unread=RawSQL(UNREAD_NOTES, [WHO, COUNTED_ROWS], output_field=IntegerField()),  # noqa: S611
    )


@cache
def compiled_query() -> tuple[str, tuple[Any, ...], list[str], dict[int, Any]]:
    """The question's SQL, its parameters, what its columns are called, and how they are read.

    Made once a process: it takes Django 2 ms, and every page and every poll asks it.
    """
    compiler = status_query().query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    columns = [column for column, *_ in compiler.select]
    names = {at: name for name, at in compiler.annotation_col_map.items()}
    called = [names.get(at) or column.target.attname for at, column in enumerate(columns)]
    return sql, params, called, compiler.get_converters(columns)


def read_all(person: int | None) -> SimpleNamespace | None:
    """The answer for one person; None while there is no row yet."""
    sql, params, names, converters = compiled_query()
    asked = {WHO: person, NOW: connection.ops.adapt_datetimefield_value(timezone.now())}
    with connection.cursor() as cursor:
        cursor.execute(sql, [asked.get(param, param) for param in params])
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for at, (convert, column) in converters.items():
        for one in convert:
            values[at] = one(values[at], column, connection)
    return SimpleNamespace(**dict(zip(names, values, strict=True)))


class StatusBar:
    """Read once a request, when a page first asks for any of it. Of nobody's request it has no notes to count."""

    sandbox: bool = settings.SANDBOX

    def __init__(self, request: HttpRequest | None = None) -> None:
        self.request = request

    @cached_property
    def row(self) -> SimpleNamespace:
        person = getattr(getattr(self.request, "user", None), "pk", None)
        if row := read_all(person):
            return row
        Upstream.objects.bulk_create(
            [Upstream(pk=ONLY_ROW)], ignore_conflicts=True
        )  # the very first page of a new desk
        return read_all(person) or SimpleNamespace()

    balance = property(lambda self: self.row.balance)
    currency = property(lambda self: self.row.currency or "USD")
    balance_at = property(lambda self: self.row.balance_at)
    spoke_at = property(lambda self: self.row.spoke_at)
    trouble = property(lambda self: self.row.trouble)
    trouble_since = property(lambda self: self.row.trouble_since)
    paused_until = property(lambda self: self.row.paused_until)
    stopped_at = property(lambda self: self.row.stopped_at)
    stopped_why = property(lambda self: self.row.stopped_why)
    # Empty when the desk stopped by itself.
    stopped_by = property(lambda self: self.row.stopped_name or self.row.stopped_username or "")
    short = property(lambda self: self.row.short)  # USD that waiting orders need, or None
    short_orders = property(lambda self: self.row.short_orders)
    needs_a_look = property(lambda self: min(self.at(Status.REVIEW), COUNTED_ROWS - 1))
    late = property(lambda self: self.row.late)  # orders, up to MOST_COUNTED
    unread = property(lambda self: min(self.row.unread, COUNTED_ROWS - 1))  # notes that call whoever asks

    alarms = property(lambda self: min(self.row.alarms, COUNTED_ROWS - 1))  # open ones that whoever asks has not seen

    @cached_property
    def counts(self) -> Counter[str]:
        """How many orders stand at each status."""
        return counts_of(self.row.lines)

    def at(self, status: str) -> int:
        """How many orders the tab of a status has: what upstream does not know needs a look too, wherever it stands."""
        missing: int = self.row.missing_orders if status == Status.REVIEW else 0
        return self.counts[status] + missing

    @property
    def counts_version(self) -> str:
        """Changes when a count does."""
        return version_of(sorted(self.counts.items()), self.row.missing_orders, self.late)

    @cached_property
    def beats(self) -> dict[str, datetime | None]:
        """For each role, when a worker that has it beat last."""
        return {role: getattr(self.row, f"{role}_at") for role in ROLES}

    @property
    def worker_at(self) -> datetime | None:
        return max((at for at in self.beats.values() if at), default=None)

    @cached_property
    def silent_roles(self) -> list[str]:
        """What no worker does: none with that role has beaten for a while."""
        heard_since = timezone.now() - SILENT_AFTER
        return [role for role, at in self.beats.items() if at is None or at < heard_since]

    @property
    def worker_silent(self) -> bool:
        """No worker has beaten for a while: orders wait, and nothing on the screen is fresh."""
        return len(self.silent_roles) == len(ROLES)

    @property
    def undone(self) -> str:
        """What nobody does while some worker runs, in words; empty when all is done."""
        return "" if self.worker_silent else " or ".join(ROLE_WORDS[role] for role in self.silent_roles)

    @property
    def missing(self) -> Decimal | None:
        """USD to top up until all that waits for money is covered; None when the balance is not known in USD."""
        if self.short is None or self.balance is None or not is_dollars(self.currency):
            return None
        missing: Decimal = self.short - self.balance
        return max(missing, Decimal(0))

    @cached_property
    def pace(self) -> Spending | None:
        """What orders cost of late, as the worker measured it."""
        row = self.row
        if not row.paced_at:
            return None
        return Spending(at=row.paced_at, since=row.paced_since, spent=row.spent, queued=row.queued)

    @cached_property
    def runway(self) -> Runway:
        """How long the balance lasts."""
        return runway(self.balance, self.currency, self.pace)

    @property
    def low(self) -> bool:
        """The balance is below the threshold."""
        return self.balance is not None and is_dollars(self.currency) and self.balance < settings.LOW_BALANCE

    @property
    def times(self) -> dict[str, str]:
        """When upstream last answered and last told the balance: an open page learns it without a swap."""
        known = {"upstream": self.spoke_at, "balance": self.balance_at}
        return {name: machine(at) for name, at in known.items() if at}

    @cached_property
    def version(self) -> str:
        """Changes when what the bar shows changes; open pages send it along to learn that."""
        return version_of(
            self.balance, self.currency, self.trouble, self.worker_silent, self.undone, self.needs_a_look,
            self.stopped_at, self.stopped_why, self.stopped_by, self.short, self.short_orders, self.unread,
            self.low, self.runway.brief, self.alarms,
        )  # fmt: skip


def context(request: HttpRequest) -> dict[str, Any]:
    """For the templates: `bar`."""
    return {"bar": bar_of(request)}
