"""The status bar and the banners of every page: upstream's health, the balance, what waits. One query, if shown."""

import json
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Func, IntegerField, QuerySet, Subquery, TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import ACTIONS, may
from accounts.desk_settings import current
from accounts.models import BalanceReading
from orders.models import Sending, Spending, Task
from orders.models.order import NOT_ENDED
from orders.models.team import STILL_THERE, Colleague
from orders.rules.lateness import late_if_from
from orders.rules.statuses import Status
from orders.statistics.runway import Runway, runway
from orders.statistics.spending import QUEUE_ROWS
from orders.statistics.status_counts import all_lines, counts_of
from orders.table.filters import OPEN_FILTERS
from panel.format.money import is_dollars, sees_money
from panel.format.times import machine
from panel.format.visible import visible
from panel.ops.database import ONLY_ROW, only_row
from panel.ops.outages import Outage
from panel.ops.write_probe import WATCH
from panel.upstream.models import ROLES, SILENT_AFTER, Beat, Chore, Upstream
from panel.web.params import COUNTED_ROWS
from panel.web.polling import bar_of, version_of

# What no worker does, after "No running worker".
ROLE_WORDS = {
    "place": "sends orders", "ask": "asks for refills and cancels", "look": "asks how orders stand",
    "upkeep": "keeps the catalog and the balance", "desk": "does the desk’s own work",
}  # fmt: skip
VERSION_CHARACTERS = 10  # of the bar: with the rights behind it too short to be taken for a secret key
# Stand in the query's parameters for the person, what is late now, and since when somebody counts as present.
WHO, LATE, PRESENT = object(), object(), object()
UNSEEN_ALARMS = (
    "panel_alarm WHERE ended_at IS NULL AND calm_since IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM panel_sighting WHERE alarm_id = panel_alarm.id AND user_id = %s)"
)
# In the words of the index `order_assigned_under_way`, and then what the list behind the number has: open=live.
STATUSES_UNDER_WAY = ", ".join(f"'{status}'" for status in OPEN_FILTERS["live"].statuses)
MINE = f"orders_order WHERE assigned_to_id = %s AND status {NOT_ENDED} AND status IN ({STATUSES_UNDER_WAY})"
CONFIRMING = "orders_task WHERE kind = 'place' AND unclear_since IS NOT NULL AND settled_at IS NULL"
# Who has which order open: as many rows as people, or a few more. Read with every page, shown in the list.
PRESENT_ROWS = 200
AS_JSON = {"sqlite": ("json_group_array", "json_array"), "postgresql": ("json_agg", "json_build_array")}
COMPANY = (
    "SELECT CAST({}({}(order_id, user_id, name, username, about)) AS TEXT) FROM (SELECT here.order_id, here.user_id,"
    " who.name, who.username, CASE WHEN here.about_at > %s THEN here.about ELSE '' END AS about"
    " FROM orders_presence here JOIN accounts_user who ON who.id = here.user_id"
    " WHERE here.seen_at > %s ORDER BY here.seen_at DESC LIMIT %s) AS present"
)
REFILLS = "orders_task WHERE kind IN ('refill', 'cancel') AND over_at IS NULL AND kind = 'refill'"

# What the orders cost that wait to be sent. Their status's index finds them; for `upstream_id IS NULL` alone SQLite
# would take the index of that column and read every order that was ever rejected.
WAITING_COST = (
    "SELECT SUM(expected_charge) FROM (SELECT expected_charge FROM orders_order"
    " WHERE status = 'queued' AND upstream_id || '' IS NULL LIMIT %s) AS waiting"
)


def status_query() -> QuerySet[Upstream]:
    """All that a status bar shows, as one query with WHO and LATE among its parameters."""
    workers = Beat.objects.filter(stopped_at=None).order_by("-beat_at")
    readings = BalanceReading.objects.order_by("-id")
    pace = Spending.objects.filter(pk=ONLY_ROW)
    stop = Sending.objects.filter(stopped_at__isnull=False)
    # Func, because Sum and Count in a subquery add a GROUP BY, for which databases walk through all tasks.
    short = Task.objects.filter(needs__isnull=False, settled_at=None).order_by()
    needs_field = Task._meta.get_field("needs")
    needs = Func("needs", function="SUM", output_field=needs_field)
    count = Func("pk", function="COUNT", output_field=IntegerField())
    return Upstream.objects.filter(
        pk=ONLY_ROW
    ).annotate(
        **{f"{role}_at": Subquery(workers.filter(roles__contains=role).values("beat_at")[:1]) for role in ROLES},
        balance=Subquery(readings.values("amount")[:1]),
        currency=Subquery(readings.values("currency")[:1]),
        balance_at=Subquery(readings.values("asked_at")[:1]),
        paced_at=Subquery(pace.values("at")),
        paced_since=Subquery(pace.values("since")),
        spent=Subquery(pace.values("spent")),
        queued=Subquery(pace.values("queued")),
        waiting_cost=RawSQL(WAITING_COST, [QUEUE_ROWS], output_field=needs_field),  # noqa: S611  our own words alone
        stopped_at=Subquery(stop.values("stopped_at")[:1]),
        stopped_why=Subquery(stop.values("reason")[:1]),
        old_since=Subquery(stop.values("old_since")[:1]),
        old_why=Subquery(stop.values("old_why")[:1]),
        stopped_name=Subquery(stop.values("stopped_by__name")[:1]),
        stopped_username=Subquery(stop.values("stopped_by__username")[:1]),
        short=Subquery(short.annotate(sum=needs).values("sum")),
        short_orders=Subquery(short.annotate(count=count).values("count")),
        lines=all_lines(),
        confirming=capped_count(CONFIRMING),
        assigned=capped_count(MINE, WHO),
        refills=capped_count(REFILLS),
        changes=capped_count("catalog_change WHERE decided_at IS NULL"),
        missing_orders=capped_count("orders_order WHERE missing_since IS NOT NULL"),
        late=capped_count("orders_order WHERE late_from <= %s", LATE),
        alarms=capped_count(UNSEEN_ALARMS, WHO),
        unread=capped_count("orders_mention WHERE user_id = %s AND read_at IS NULL", WHO),
        handed=capped_count("orders_handed WHERE user_id = %s AND read_at IS NULL", WHO),
        shift_notes=capped_count("orders_shiftreader WHERE user_id = %s AND read_at IS NULL", WHO),
        company=RawSQL(  # noqa: S611  our own words alone
            COMPANY.format(*AS_JSON[connection.vendor]), [PRESENT, PRESENT, PRESENT_ROWS], output_field=TextField()
        ),
    )


def capped_count(rows: str, *params: object) -> RawSQL:
    """A part of the query that counts these rows, but no further than COUNTED_ROWS. `rows` is what follows FROM."""
    sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {rows} LIMIT %s) AS capped"  # noqa: S608  our own words alone
    return RawSQL(sql, [*params, COUNTED_ROWS], output_field=IntegerField())  # noqa: S611


@cache
def compiled_query() -> tuple[str, tuple[Any, ...], list[str], dict[int, Any]]:
    """The query's SQL, its parameters, the names of its columns, and Django's converters by a column's position.

    Compiled once in a process, because that takes Django 2 ms and every page and every poll runs the query.
    """
    compiler = status_query().query.get_compiler(connection=connection)
    sql, params = compiler.as_sql()
    columns = [column for column, *_ in compiler.select]
    annotations = {position: name for name, position in compiler.annotation_col_map.items()}
    names = [annotations.get(position) or column.target.attname for position, column in enumerate(columns)]
    return sql, params, names, compiler.get_converters(columns)


def run_query(person: int | None) -> SimpleNamespace | None:
    """The query's columns for the person with this id; None while there is no row of Upstream yet."""
    sql, params, names, converters = compiled_query()
    adapt = connection.ops.adapt_datetimefield_value
    asked = {WHO: person, LATE: adapt(late_if_from()), PRESENT: adapt(timezone.now() - STILL_THERE)}
    with connection.cursor() as cursor:
        cursor.execute(sql, [asked.get(param, param) for param in params])
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for position, (converts, column) in converters.items():
        for convert in converts:
            values[position] = convert(values[position], column, connection)
    return SimpleNamespace(**dict(zip(names, values, strict=True)))


class StatusBar:
    """What the status bar and the banners show. Read once a request, when a page first asks for any of it.

    Without a request, or for a stranger, it counts nobody's notes, and every open alarm as unseen.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        self.request = request

    @cached_property
    def columns(self) -> SimpleNamespace:
        """The columns of the status query. Makes the row of Upstream on the very first page of a new desk."""
        person = getattr(getattr(self.request, "user", None), "pk", None)
        if columns := run_query(person):
            return columns
        only_row(Upstream)
        return run_query(person) or SimpleNamespace()

    # Not where a worker orders at the real supplier, whatever the environment of the pages says.
    sandbox = property(lambda self: settings.SANDBOX and not self.columns.key_mark)
    balance = property(lambda self: self.columns.balance)
    currency = property(lambda self: self.columns.currency or "USD")
    balance_at = property(lambda self: self.columns.balance_at)
    spoke_at = property(lambda self: self.columns.spoke_at)
    trouble = property(lambda self: self.columns.trouble)
    trouble_since = property(lambda self: self.columns.trouble_since)
    paused_until = property(lambda self: self.columns.paused_until)
    stopped_at = property(lambda self: self.columns.stopped_at)
    stopped_why = property(lambda self: self.columns.stopped_why)
    old_since = property(lambda self: self.columns.old_since)  # set while books that may be old wait for a release
    old_why = property(lambda self: self.columns.old_why)
    # "" when the desk stopped by itself.
    stopped_by = property(lambda self: self.columns.stopped_name or self.columns.stopped_username or "")
    short = property(lambda self: self.columns.short)  # USD that waiting orders need, or None
    short_orders = property(lambda self: self.columns.short_orders)
    needs_a_look = property(lambda self: min(self.at(Status.REVIEW), COUNTED_ROWS - 1))
    late = property(lambda self: self.columns.late)  # orders, up to COUNTED_ROWS
    mentions = property(lambda self: self.columns.unread)  # notes that mention this person, up to COUNTED_ROWS
    handed = property(lambda self: self.columns.handed)  # orders that others assigned to this person, unseen
    shift_notes = property(lambda self: self.columns.shift_notes)  # notes to the next shift that they have not read
    unread = property(lambda self: self.mentions + self.handed + self.shift_notes)  # what waits under Activity
    assigned = property(lambda self: self.columns.assigned)  # orders under way of this person, up to COUNTED_ROWS
    refills = property(lambda self: self.columns.refills)  # pending ones, up to COUNTED_ROWS
    changes = property(lambda self: self.columns.changes)  # of services, undecided, up to COUNTED_ROWS
    alarms = property(lambda self: min(self.columns.alarms, COUNTED_ROWS - 1))  # that stand, not seen by this person

    @cached_property
    def sync(self) -> Chore | None:
        """When the catalog was last fetched, and a fetch that a person asked for. Read only by the page of services."""
        return Chore.objects.filter(name="catalog").select_related("asked_by").first()

    @cached_property
    def counts(self) -> Counter[str]:
        """How many orders stand at each status."""
        return counts_of(self.columns.lines)

    def at(self, status: str) -> int:
        """How many orders a tab has. Orders that upstream does not know count as in review as well."""
        if status == "unfunded":
            return int(self.short_orders or 0)
        if status == "confirming":
            return int(self.columns.confirming)
        missing: int = self.columns.missing_orders if status == Status.REVIEW else 0
        return self.counts[status] + missing

    @property
    def counts_version(self) -> str:
        """Changes when a count does."""
        return version_of(
            sorted(self.counts.items()), self.columns.missing_orders, self.late, self.short_orders,
            self.columns.confirming,
        )  # fmt: skip

    @cached_property
    def company(self) -> dict[int, list[Colleague]]:
        """Who else has which order open now: the order's id → other people, by name."""
        person, found = (
            getattr(getattr(self.request, "user", None), "pk", None),
            defaultdict[int, list[Colleague]](list),
        )
        for order, pk, name, username, about in json.loads(self.columns.company or "[]"):
            if pk != person:
                found[order].append(Colleague(pk, visible(name) or username, about))
        return {order: sorted(company, key=lambda one: one.name) for order, company in found.items()}

    @cached_property
    def heartbeats(self) -> dict[str, datetime | None]:
        """For each role the last heartbeat of any worker that has it."""
        return {role: getattr(self.columns, f"{role}_at") for role in ROLES}

    @property
    def worker_at(self) -> datetime | None:
        """The last heartbeat of any worker, or None if there never was one."""
        return max((at for at in self.heartbeats.values() if at), default=None)

    @cached_property
    def silent_roles(self) -> list[str]:
        """The roles of which no worker has had a heartbeat for SILENT_AFTER."""
        silent_from = timezone.now() - SILENT_AFTER
        return [role for role, at in self.heartbeats.items() if at is None or at < silent_from]

    @property
    def worker_silent(self) -> bool:
        """Whether every role is silent: orders wait, and nothing on the screen is fresh."""
        return len(self.silent_roles) == len(ROLES)

    @property
    def undone(self) -> str:
        """What no worker does while others run, in words; "" when every role has a worker, or none has."""
        *first, last = [ROLE_WORDS[role] for role in self.silent_roles] or [""]
        return "" if self.worker_silent else " or ".join(filter(None, [", ".join(first), last]))

    @cached_property
    def outage(self) -> Outage | None:
        """Why nothing can be written, if that is so. Workers that fell silent without a goodbye raise the doubt."""
        person = getattr(getattr(self.request, "user", None), "pk", None)
        return WATCH.standing(doubt=bool(person and self.worker_at and self.worker_silent))

    @property
    def missing(self) -> Decimal | None:
        """USD to top up until all that waits for money is covered; None when the balance is not known in USD."""
        if self.short is None or self.balance is None or not is_dollars(self.currency):
            return None
        return max(Decimal(self.short - self.balance), Decimal(0))

    @cached_property
    def pace(self) -> Spending | None:
        """What orders have cost lately, as the worker measured it; None before the first measurement."""
        row = self.columns
        if not row.paced_at:
            return None
        return Spending(at=row.paced_at, since=row.paced_since, spent=row.spent, queued=self.queued)

    @property
    def queued(self) -> Decimal:
        """What is queued, in USD: as measured, or where the balance is newer as it stands now; see spending_beside."""
        row = self.columns
        newer = row.balance_at is not None and row.balance_at > row.paced_at
        if not newer or self.counts[Status.QUEUED] >= QUEUE_ROWS:
            return Decimal(row.queued)
        return Decimal(row.waiting_cost or 0)

    @cached_property
    def runway(self) -> Runway:
        """How long the balance lasts at that pace."""
        return runway(self.balance, self.currency, self.pace)

    @property
    def low(self) -> bool:
        """Whether the balance in USD is below the threshold that is set."""
        return self.balance is not None and is_dollars(self.currency) and self.balance < current().low_balance

    @property
    def times(self) -> dict[str, str]:
        """When upstream last answered, and last told the balance, as ISO times. Open pages get them without a swap."""
        times = {"upstream": self.spoke_at, "balance": self.balance_at}
        return {name: machine(at) for name, at in times.items() if at}

    @cached_property
    def version(self) -> str:
        """Changes when what the bar shows does. Open pages send it back to learn that."""
        money = (self.balance, self.currency, self.short, self.low, self.runway.brief) if sees_money() else ()
        return version_of(
            money, self.trouble, self.worker_silent, self.undone, self.needs_a_look, self.at(Status.APPROVAL),
            self.stopped_at, self.stopped_why, self.stopped_by, self.old_since, self.short_orders, self.unread,
            self.alarms, self.outage, self.assigned, self.refills,
            self.changes,
        )[:VERSION_CHARACTERS]  # fmt: skip

    @property
    def rights(self) -> str:
        """What this person may do, as a short text that open pages send back behind the version of the bar."""
        user = getattr(self.request, "user", None)
        return f"{sum(1 << bit for bit, action in enumerate(ACTIONS) if user and may(user, action)):x}"


def context(request: HttpRequest) -> dict[str, Any]:
    """The templates' context processor: `bar` is the status bar of the request."""
    return {"bar": bar_of(request)}
