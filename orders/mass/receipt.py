"""The receipt of a list: what became of each of its orders, counted and line by line, on the page and as a file."""

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, IntegerField, Max, Min, Q, QuerySet, Sum, Value, When

from orders.models import MassJob, MassLine, Task
from orders.rules.retry import HELD_UNTIL
from orders.rules.statuses import Status
from panel.format.money import is_dollars, sees_money, without_amounts
from panel.format.spreadsheet import safe
from panel.web.polling import version_of

LINES_A_PAGE = 100
LEFT_LINES = 200  # on the page; the CSV has them all
CSV_BATCH_LINES = 500
Outcome = Task.Outcome


class Result(NamedTuple):
    """What became of an order of a list."""

    words: str
    mark: str  # the status whose badge it has
    tone: str  # of its row: bad, warn or ""
    note: str  # under the word
    open: bool  # whether it is still on its way
    where: Q  # the condition on its placing task


# The first whose condition holds, trouble first: also the order of the page.
RESULTS = {
    "refused":   Result("Refused", "rejected", "bad", "nothing was bought", False, Q(outcome=Outcome.REFUSED)),
    "review":    Result("Needs a look", "review", "bad", "a person decides", False,
                        Q(outcome=Outcome.REVIEW, order__status=Status.REVIEW)),
    "confirming": Result("Confirming", "confirming", "warn", "it is asked again", True,
                         Q(settled_at=None, unclear_since__isnull=False)),
    "short":     Result("Waits for money", "unfunded", "warn", "not bought yet", True,
                        Q(settled_at=None, needs__isnull=False)),
    "held":      Result("Held back", "queued", "", "not sent yet", False, Q(settled_at=None, due_at=HELD_UNTIL)),
    "waiting":   Result("Waiting", "queued", "", "not sent yet", True, Q(settled_at=None)),
    "placed":    Result("Placed", "pending", "", "", False, Q(outcome=Outcome.DONE)),
    "withdrawn": Result("Taken back", "withdrawn", "", "never sent", False, Q(outcome=Outcome.WITHDRAWN)),
    "ended":     Result("Not placed", "closed", "", "", False, Q()),
}  # fmt: skip
RANK = {name: rank for rank, name in enumerate(RESULTS)}


def with_results(tasks: Any) -> QuerySet[Any]:
    """The tasks, each with its `result`, a key of RESULTS, and the `rank` of that."""
    *first, (last, _) = RESULTS.items()
    names = [When(result.where, then=Value(name)) for name, result in first]
    ranks = [When(result.where, then=Value(RANK[name])) for name, result in first]
    return tasks.annotate(  # type: ignore[no-any-return]
        result=Case(*names, default=Value(last), output_field=CharField()),
        rank=Case(*ranks, default=Value(RANK[last]), output_field=IntegerField()),
    )


def tasks_of(job_id: int) -> QuerySet[Any]:
    """The placing tasks of the list's orders, each with its result. Served by the line's constraint and `order_id`."""
    return with_results(Task.objects.filter(kind=Task.Kind.PLACE, order__mass_line__job=job_id))


class Counts:
    """A list's orders counted by result, in one query."""

    def __init__(self, job_id: int) -> None:
        facts = {"orders": Count("pk"), "settled": Max("settled_at"), "tried": Sum("attempts"), "next": Min("due_at"),
                 "charged": Sum("order__charge"), "moved": Sum("order__version")}  # fmt: skip
        self.rows = list(tasks_of(job_id).order_by().values("result").annotate(**facts).order_by("result"))

    @cached_property
    def by_result(self) -> dict[str, int]:
        """Result → how many orders, trouble first; results without orders are missing."""
        counts = {row["result"]: row["orders"] for row in self.rows}
        return {name: counts[name] for name in RESULTS if name in counts}

    @property
    def all(self) -> int:
        """How many orders the list has."""
        return sum(self.by_result.values())

    @property
    def open(self) -> int:
        """How many orders are still on their way."""
        return sum(count for name, count in self.by_result.items() if RESULTS[name].open)

    @property
    def sent(self) -> int:
        """How many orders the supplier has answered about, or may have."""
        unsent = ("held", "waiting", "withdrawn", "short")
        return sum(count for name, count in self.by_result.items() if name not in unsent)

    @property
    def untouched(self) -> bool:
        """Whether all orders still wait to be sent for the first time."""
        return self.by_result == {"waiting": self.all} and not any(row["tried"] for row in self.rows)

    @property
    def charged(self) -> Decimal:
        """What the supplier has charged so far, USD."""
        return sum((row["charged"] or Decimal(0) for row in self.rows), Decimal(0))

    def next_at(self, result: str) -> datetime | None:
        """When the first order with this result is due."""
        return next((row["next"] for row in self.rows if row["result"] == result), None)

    @property
    def version(self) -> str:
        """A text that changes when any line of the receipt does."""
        return version_of([tuple(row.values()) for row in self.rows])


class Page(NamedTuple):
    """One page of a receipt, trouble first."""

    rows: list[Any]  # tasks, each with its order and its line
    result: str  # the one result that is listed; "" for all
    number: int
    more: bool

    @classmethod
    def of(cls, job: MassJob, result: str, number: int) -> "Page":
        """A page by its number, the first being 1. A `result` that does not exist stands for all."""
        known = result if result in RESULTS else ""
        tasks = tasks_of(job.pk).select_related("order__service", "order__mass_line", "order__customer")
        tasks = tasks.defer("order__said", "order__haystack").order_by("rank", "order__mass_line__number")
        start = max(number - 1, 0) * LINES_A_PAGE
        rows = list((tasks.filter(result=known) if known else tasks)[start : start + LINES_A_PAGE + 1])
        return cls(rows[:LINES_A_PAGE], known, max(number, 1), len(rows) > LINES_A_PAGE)


def left_lines(job: MassJob) -> list[MassLine]:
    """The first lines that became no orders."""
    return list(job.lines.filter(order=None).order_by("number")[:LEFT_LINES])


# ── As a file ────────────────────────────────────────────────────────────────────────────────────
HEADS = ("line", "order", "supplier's id", "service id", "service", "link", "quantity", "runs", "interval", "customer",
         "reference", "result", "what came back", "at")  # fmt: skip


def as_csv(job: MassJob) -> Iterator[str]:
    """The receipt as lines of CSV: a title, the heads, and all lines of the list, in its order."""
    writer, money = csv.writer(Echo()), sees_money()
    title = (
        f"List {job.pk}: {job}, placed by {job.placed_by} at {time_text(job.placed_at)}, {job.source}, all times UTC"
    )
    yield writer.writerow([safe(title)])
    yield writer.writerow([*HEADS, *(("expected charge", "charge") if money else ())])
    last = 0
    while lines := list(job.lines.filter(number__gt=last).order_by("number")[:CSV_BATCH_LINES]):
        last = lines[-1].number
        tasks = tasks_of(job.pk).filter(order__mass_line__number__range=(lines[0].number, last))
        by_order = {
            task.order_id: task for task in tasks.select_related("order__service", "order__customer").order_by()
        }
        for line in lines:
            task = by_order.get(line.order_id)
            yield writer.writerow(
                [safe(str(cell)) for cell in (cells_of(line, task, money=money) if task else left_cells(line))]
            )


def cells_of(line: MassLine, task: Any, *, money: bool) -> list[object]:
    """The cells of a line that became an order."""
    order = task.order
    sums = [order.expected_charge, order.charge if is_dollars(order.currency) and order.charge is not None else ""]
    return [
        line.number, order.pk, order.upstream_id or "", order.service.upstream_id, order.service.name, order.link,
        order.quantity, order.runs or "", order.interval or "", order.customer or "", order.customer_reference,
        RESULTS[task.result].words, without_amounts(task.answer), time_text(task.settled_at),
        *(sums if money else ()),
    ]  # fmt: skip


def left_cells(line: MassLine) -> list[object]:
    """The cells of a line that became no order."""
    typed = line.typed
    return [
        line.number, "", "", typed.get("service", ""), "", typed.get("link", typed.get("username", "")),
        typed.get("quantity", ""), typed.get("runs", ""), typed.get("interval", ""), typed.get("customer", ""),
        typed.get("reference", ""), "Not ordered", without_amounts(line.why), "",
    ]  # fmt: skip


class Echo:
    """A file for csv that returns each line instead of keeping it."""

    def write(self, line: str) -> str:
        """Returns the line, which csv passes on to the caller of writerow."""
        return line


def time_text(at: datetime | None) -> str:
    """`2026-11-02 14:02:11` in UTC; "" for None."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""
