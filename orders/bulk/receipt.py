"""The receipt of a job: what became of each order it asked of, counted and line by line."""

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, Max, Q, QuerySet, Sum, Value, When

from orders.answers.texts import ENGLISH
from orders.answers.worklist import Answers, read_orders
from orders.models import Bulk, Order, Task, TaskQuerySet
from panel.format.spreadsheet import safe
from panel.web.paging import one_more
from panel.web.polling import version_of

LINES_A_PAGE = 200
LEFT_OUT_LINES = 200  # on the page; the CSV has them all
CSV_BATCH_ROWS = 500  # read together
Outcome, Settled = Task.Outcome, Task.Settled


class Result(NamedTuple):
    """What became of an order of a job."""

    words: str
    mark: str  # the status whose badge it has; by its form a badge tells who spoke, upstream or the desk
    answered: bool  # whether upstream has answered, or the order was withdrawn
    where: Q  # the condition on its task


# The first whose condition holds. Presumed or marked ends are not here: a receipt says what upstream answered.
RESULTS = {
    "withdrawn": Result("Withdrawn, never sent", "withdrawn", True, Q(outcome=Outcome.WITHDRAWN)),
    "refused":   Result("Refused", "rejected", True, Q(outcome=Outcome.REFUSED)),
    "agreed":    Result("The supplier agreed", "cancelled", True, Q(over_how=Settled.AGREED)),
    "delivered": Result("Delivered anyway", "partial", True, Q(over_how=Settled.DELIVERED)),
    "otherwise": Result("Ended otherwise", "partial", True, Q(over_how=Settled.OTHERWISE)),
    "passed":    Result("Unclear, and over since", "closed", False, Q(outcome=Outcome.UNCLEAR, over_at__isnull=False)),
    "unclear":   Result("No clear answer", "confirming", False, Q(outcome=Outcome.UNCLEAR)),
    "accepted":  Result("Accepted", "completed", True, Q(outcome=Outcome.DONE, kind=Task.Kind.REFILL)),
    "taken":     Result("Request taken", "in_progress", True, Q(outcome=Outcome.DONE, kind=Task.Kind.CANCEL)),
    "sent":      Result("Sent, not answered yet", "confirming", False, Q(unclear_since__isnull=False)),
    "waiting":   Result("Waits to be sent", "queued", False, Q()),
}  # fmt: skip
PAGE_ORDER = ("waiting", "sent", "accepted", "taken", "agreed", "delivered", "otherwise", "withdrawn", "passed",
              "refused", "unclear")  # fmt: skip
COLUMNS: dict[str, Callable[[Any], object]] = {  # head → the cell of a task
    "order": lambda task: task.order.pk,
    "upstream id": lambda task: safe(task.order.upstream_id or ""),
    "service": lambda task: safe(task.order.service.name),
    "link": lambda task: safe(task.order.link),
    "asked by": lambda task: safe(str(task.asked_by)),
    "asked at": lambda task: time_text(task.asked_at),
    "result": lambda task: RESULTS[task.result].words,
    "what came back": lambda task: safe(task.answer),
    "at": lambda task: time_text(task.settled_at),
}
ANSWER = "answer"  # the head of the text for the customer


def with_results(tasks: TaskQuerySet) -> QuerySet[Any]:
    """The tasks, each with its `result`, a key of RESULTS."""
    *first, (last, _) = RESULTS.items()  # the last has no condition, so it is the default
    whens = [When(result.where, then=Value(name)) for name, result in first]
    return tasks.annotate(result=Case(*whens, default=Value(last), output_field=CharField()))


class ReceiptCounts:
    """A job's orders counted by result, in one query. All counts are 0 for a job that does not exist."""

    def __init__(self, bulk_id: int) -> None:
        by_result = with_results(Task.objects.filter(bulk=bulk_id)).order_by().values_list("result")
        facts = {"settled": Max("settled_at"), "over": Max("over_at"), "tried": Sum("attempts"),
                 "moved": Sum("order__version")}  # fmt: skip
        self.rows = list(by_result.annotate(orders=Count("pk"), **facts).order_by("result"))

    @cached_property
    def by_result(self) -> dict[str, int]:
        """Result → how many orders, in the order in which the page shows them; results without orders are missing."""
        counts = {result: orders for result, orders, *_ in self.rows}
        return {result: counts[result] for result in PAGE_ORDER if result in counts}

    @property
    def answered(self) -> int:
        """How many orders have an answer, or were withdrawn."""
        return sum(count for result, count in self.by_result.items() if RESULTS[result].answered)

    @property
    def open(self) -> int:
        """How many orders are still on their way."""
        return self.by_result.get("waiting", 0) + self.by_result.get("sent", 0)

    @property
    def ended(self) -> int:
        """How many orders nothing more happens to, unless a person asks again."""
        return sum(self.by_result.values()) - self.open

    @property
    def version(self) -> str:
        """A text that changes when any line of the receipt does."""
        return version_of(self.rows)


class ReceiptPage(NamedTuple):
    """One page of a receipt, in the order of the tasks' ids."""

    rows: list[Any]  # tasks
    result: str  # the one result that is listed; "" for all
    after: int  # the page starts behind this task; 0 on the first page
    more: int  # the last task of the page when there are more; else 0

    @classmethod
    def of(cls, bulk: Bulk, result: str, after: int) -> "ReceiptPage":
        """The page behind a task. A `result` that does not exist stands for all."""
        known = result if result in RESULTS else ""
        tasks = receipt_tasks(bulk).filter(pk__gt=after)
        rows, more = one_more(tasks.filter(result=known) if known else tasks, LINES_A_PAGE)
        return cls(rows, known, after, rows[-1].pk if more else 0)


def receipt_tasks(bulk: Bulk) -> QuerySet[Any]:
    """The job's tasks in the order of their ids, each with its result and what its line shows."""
    tasks = with_results(Task.objects.filter(bulk=bulk)).order_by("pk").prefetch_related("order__tasks")
    return tasks.select_related("order__service", "order__poll", "asked_by").defer("order__body", "order__said")


class LeftOut(NamedTuple):
    """An order of which nothing was asked, and why."""

    pk: str
    order: Order | None
    why: str


def left_out(bulk: Bulk, most: int) -> list[LeftOut]:
    """The first orders that were left out."""
    first = list(bulk.left_out.items())[:most]
    orders = read_orders(int(pk) for pk, _ in first)
    return [LeftOut(pk, orders.get(int(pk)), why) for pk, why in first]


def not_found(bulk: Bulk) -> list[str]:
    """What the message named and no order was found for."""
    return [word for word, pk in bulk.worklist.entries if not pk] if bulk.worklist else []


# ── As a file ────────────────────────────────────────────────────────────────────────────────────
def as_csv(bulk: Bulk) -> Iterator[str]:
    """The receipt as lines of CSV: a title, the heads, and all that was named, in the order of the message."""
    writer = csv.DictWriter(Echo(), [*COLUMNS, ANSWER])
    title = f"{bulk}, job {bulk.pk}, asked by {bulk.asked_by} at {time_text(bulk.asked_at)}"
    named, lost = named_in(bulk), len(not_found(bulk))
    unfound = f", {lost:,} not found" if lost else ""
    counts = f"{bulk.asked:,} asked and {bulk.left:,} left out{unfound}, {len(named):,} lines"
    rest = f"{bulk.picked_from}, {counts}, all times UTC"
    yield writer.writer.writerow([safe(f"{title}: {rest}")])
    yield writer.writeheader()
    answers = Answers(bulk.worklist, asked=bulk.kind, language=ENGLISH)
    for start in range(0, len(named), CSV_BATCH_ROWS):
        batch = named[start : start + CSV_BATCH_ROWS]
        pks = [pk for _, pk in batch if pk]
        tasks = {task.order_id: task for task in receipt_tasks(bulk).filter(order__in=pks)}
        orders = read_orders({*pks} - tasks.keys()) | {pk: task.order for pk, task in tasks.items()}
        for word, pk in batch:
            order, task = orders.get(pk), tasks.get(pk)
            answer = answers.about(order) if order else answers.texts.unknown(word)
            cells = {head: cell(task) for head, cell in COLUMNS.items()} if task else unasked(bulk, word, order)
            yield writer.writerow({**cells, ANSWER: safe(answer.text)})


def named_in(bulk: Bulk) -> list[tuple[str, int]]:
    """All that a receipt has a line for: what the message named, in its order, each word with its order or 0."""
    named = [(word, pk) for word, pk in bulk.worklist.entries] if bulk.worklist else []
    known = {pk for _, pk in named}
    pks = [*bulk.tasks.order_by("pk").values_list("order_id", flat=True), *map(int, bulk.left_out)]
    return named + [(str(pk), pk) for pk in pks if pk not in known]


def unasked(bulk: Bulk, word: str, order: Order | None) -> dict[str, object]:
    """The cells of a line of which nothing was asked: left out by the rule or by a person, or no order at all."""
    if order is None:
        return {"order": safe(word), "result": "Not found"}
    why = bulk.left_out.get(str(order.pk))
    return {
        "order": order.pk, "upstream id": safe(order.upstream_id or ""), "service": safe(order.service.name),
        "link": safe(order.link), "result": "Not ticked" if why is None else "Left out",
        "what came back": safe(why or ""), "at": "" if why is None else time_text(bulk.asked_at),
    }  # fmt: skip


class Echo:
    """A file for csv that returns each line instead of keeping it."""

    def write(self, line: str) -> str:
        """Returns the line, which csv passes on to the caller of writerow."""
        return line


def time_text(at: datetime | None) -> str:
    """`2026-11-02 14:02:11` in UTC; "" for None."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""
