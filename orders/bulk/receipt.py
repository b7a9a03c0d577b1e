"""The receipt of a job: what became of each order it asked of, counted and line by line."""

import csv
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, Max, Q, QuerySet, Sum, Value, When

from orders.models import Bulk, Task, TaskQuerySet
from panel.format.spreadsheet import safe
from panel.web.paging import one_more
from panel.web.polling import version_of

LINES_A_PAGE = 200
LEFT_OUT_SHOWN = 200  # the CSV has them all
READ_AT_ONCE = 500  # rows of a CSV
Outcome, Settled = Task.Outcome, Task.Settled


class Result(NamedTuple):
    """How one order of a job stands: in words, the mark of its badge, and whether upstream has answered."""

    words: str
    mark: str  # a status of the stylesheet, whose mark says who spoke
    answered: bool
    where: Q


# The first that fits. What is presumed or marked later is told by the order; a receipt says what was answered.
RESULTS = {
    "withdrawn": Result("Withdrawn, never sent", "withdrawn", True, Q(outcome=Outcome.WITHDRAWN)),
    "refused":   Result("Refused", "rejected", True, Q(outcome=Outcome.REFUSED)),
    "agreed":    Result("Upstream agreed", "cancelled", True, Q(over_how=Settled.AGREED)),
    "delivered": Result("Delivered anyway", "partial", True, Q(over_how=Settled.DELIVERED)),
    "otherwise": Result("Ended otherwise", "partial", True, Q(over_how=Settled.OTHERWISE)),
    "passed":    Result("Unclear, and over since", "closed", False, Q(outcome=Outcome.UNCLEAR, over_at__isnull=False)),
    "unclear":   Result("No clear answer", "confirming", False, Q(outcome=Outcome.UNCLEAR)),
    "accepted":  Result("Accepted", "completed", True, Q(outcome=Outcome.DONE, kind=Task.Kind.REFILL)),
    "taken":     Result("Request taken", "in_progress", True, Q(outcome=Outcome.DONE, kind=Task.Kind.CANCEL)),
    "sent":      Result("Sent, not answered yet", "confirming", False, Q(unclear_since__isnull=False)),
    "waiting":   Result("Waits to be sent", "queued", False, Q()),
}  # fmt: skip
SHOWN_FIRST = ("waiting", "sent", "accepted", "taken", "agreed", "delivered", "otherwise", "withdrawn", "passed",
               "refused", "unclear")  # fmt: skip


def with_results(tasks: TaskQuerySet) -> QuerySet[Any]:
    """Each task with its `result`, a key of RESULTS."""
    # Q() is no condition to a database, so the last one is what remains.
    *first, (last, _) = RESULTS.items()
    whens = [When(result.where, then=Value(name)) for name, result in first]
    return tasks.annotate(result=Case(*whens, default=Value(last), output_field=CharField()))


class ReceiptCounts:
    """A job's orders by result, in one query. Of a job that does not exist it is empty."""

    def __init__(self, bulk_id: int) -> None:
        counted = with_results(Task.objects.filter(bulk=bulk_id)).order_by().values("result")
        self.rows = list(
            counted.annotate(n=Count("pk"), settled=Max("settled_at"), over=Max("over_at"), tried=Sum("attempts"))
            .order_by("result")
            .values_list("result", "n", "settled", "over", "tried")
        )

    @cached_property
    def by_result(self) -> dict[str, int]:
        """Result → how many orders, as the page shows them."""
        found = {row[0]: row[1] for row in self.rows}
        return {name: found[name] for name in SHOWN_FIRST if name in found}

    @property
    def answered(self) -> int:
        return sum(count for name, count in self.by_result.items() if RESULTS[name].answered)

    @property
    def open(self) -> int:
        """How many are still on their way."""
        return self.by_result.get("waiting", 0) + self.by_result.get("sent", 0)

    @property
    def ended(self) -> int:
        """How many have come as far as they come by themselves."""
        return sum(self.by_result.values()) - self.open

    @property
    def version(self) -> str:
        """Changes when any line does."""
        return version_of(self.rows)


class ReceiptPage(NamedTuple):
    """One page of a receipt, in the order of the orders' ids."""

    rows: list[Any]
    result: str  # only these; "" for all
    after: int  # the task before the first; 0 on the first page
    more: int  # the last task here when there are more; else 0

    @classmethod
    def of(cls, bulk: Bulk, result: str, after: int) -> "ReceiptPage":
        known = result if result in RESULTS else ""
        tasks = receipt_tasks(bulk).filter(pk__gt=after)
        rows, more = one_more(tasks.filter(result=known) if known else tasks, LINES_A_PAGE)
        return cls(rows, known, after, rows[-1].pk if more else 0)


def receipt_tasks(bulk: Bulk) -> QuerySet[Any]:
    lines = with_results(Task.objects.filter(bulk=bulk)).order_by("pk")
    return lines.select_related("order__service", "asked_by").defer("order__body", "order__said")


# ── As a table for elsewhere ─────────────────────────────────────────────────────────────────────
HEAD = ("order", "upstream id", "service", "link", "asked by", "asked at", "result", "what came back", "at")


class Echo:
    """What csv writes to, handed on line by line."""

    def write(self, line: str) -> str:
        return line


def as_csv(bulk: Bulk) -> Iterator[str]:
    """Line by line: what this is, the heads, each order asked, each left out."""
    writer = csv.writer(Echo())
    title = f"{bulk}, job {bulk.pk}, asked by {bulk.asked_by} at {time_text(bulk.asked_at)}"
    rest = f"{bulk.picked_from}, {bulk.asked:,} asked and {bulk.left:,} left out, {bulk.picked:,} lines, all times UTC"
    yield writer.writerow([safe(f"{title}: {rest}")])
    yield writer.writerow(HEAD)
    for task in receipt_tasks(bulk).iterator(chunk_size=READ_AT_ONCE):
        order = task.order
        yield writer.writerow([
            order.pk, *map(safe, (order.upstream_id or "", order.service.name, order.link, str(task.asked_by))),
            time_text(task.asked_at), RESULTS[task.result].words, safe(task.answer), time_text(task.settled_at),
        ])  # fmt: skip
    for pk, why in bulk.left_out.items():
        yield writer.writerow([pk, "", "", "", "", "", "Left out", safe(why), time_text(bulk.asked_at)])


def time_text(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""
