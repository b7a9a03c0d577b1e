"""Places the parts of plans whose time has come. Runs in the worker.

A part is checked and placed as if its owner pressed now: prices as agreed, holds, limits, credit and rights. What
cannot go, or takes a yes that nobody has given, waits for a person. One transaction claims, places and settles a part.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction

from accounts.access import why_not
from orders.mass.check import Preview
from orders.mass.lines import OPEN, READY
from orders.mass.place import locked_preview, place_list, why_left
from orders.models import MassDraft, MassJob, MassLine, PlanPart
from orders.plans.plan import may_keep, record_plan, rest_draft
from orders.plans.schedule import there
from orders.rules.refusal import Refusal
from panel.format.locale import for_the_record
from panel.format.numbers import number
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)

EVERY_SECONDS = 15
PARTS_AT_ONCE = 20
LATEST = timedelta(hours=6)  # after its time; then a part waits for a person
REASONS = 3  # of lines, in the sentence of a part
OUR_MISTAKE = "The desk made a mistake of its own while it placed this part; its log says more. Nothing was sent."
Outcome = PlanPart.Outcome


def place_due(now: datetime) -> int:
    """Places what is due; returns how many parts that were."""
    due = PlanPart.objects.filter(next_at__lte=now).order_by("next_at", "id").values_list("pk", flat=True)
    return sum(place_part(pk, now) for pk in list(due[:PARTS_AT_ONCE]))


def place_part(pk: int, now: datetime) -> bool:
    """Places one part, unless somebody else did, or stopped it. Returns whether it was settled here."""
    try:
        return settled(pk, now, result_of)
    except DatabaseError:  # the database is away; the part is still due
        raise
    except Exception:
        log.exception("part %s of a plan", pk)
        return settled(pk, now, lambda part, _now: Result(None, part.lines, OUR_MISTAKE))


def settled(pk: int, now: datetime, come: Callable[[PlanPart, datetime], "Result"]) -> bool:
    """Settles a part that is due by what `come` makes of it, in one transaction. False when it is not due any more."""
    with transaction.atomic():
        if not (part := claim(pk, now)):
            return False
        settle(part, come(part, now), now)
        fp("part.commit")
    fp("part.committed")
    return True


def claim(pk: int, now: datetime) -> PlanPart | None:
    """The part, for this transaction alone; None when it is not due any more."""
    if not PlanPart.objects.filter(pk=pk, next_at__lte=now).update(next_at=None):
        return None
    return PlanPart.objects.select_related("plan__owner").get(pk=pk)


class Result(NamedTuple):
    """What came of a part: its list, the lines that were left, and why."""

    job: MassJob | None
    left: list[dict[str, Any]]
    why: str
    late: bool = False


def result_of(part: PlanPart, now: datetime) -> Result:
    """Places the part, or says why it waits."""
    owner = part.plan.owner
    if now - part.due_at > LATEST:
        why = f"It was due at {there(part.due_at, part.plan.zone)}, and could not go within {hours(LATEST)}."
        return Result(None, part.lines, why, late=True)
    if why := why_not(owner, "place"):
        return Result(None, part.lines, f"{owner} may not place orders now: {why}")
    draft = MassDraft.objects.create(
        pk=part.token, owner=owner, source=f"part {part.number} of plan {part.plan_id}", lines=part.lines,
        seen=part.plan.seen, changed_at=now,
    )  # fmt: skip
    with for_the_record():
        preview = agreed(part, locked_preview(draft, owner))
        why = reasons_of(preview)
        if not preview.ready:
            draft.delete()
            return Result(None, part.lines, why)
        fp("part.half")
        try:
            job = place_list(draft.pk, preview.mark, by=owner)
        except Refusal as refusal:
            MassDraft.objects.filter(pk=part.token).delete()
            return Result(None, part.lines, str(refusal))
    ready = {line.number for line in preview.ready}
    return Result(job, [row for row in part.lines if row["n"] not in ready], why)


def hours(span: timedelta) -> str:
    """`6 hours`."""
    return f"{number(int(span.total_seconds()) // 3600)} hours"


def agreed(part: PlanPart, preview: Preview) -> Preview:
    """The check of a part, in which a line that was agreed to repeat another line of the plan may follow its order.

    Otherwise a plan that orders the same every day would ask every day whether that was meant.
    """
    rows = {row["n"]: row for row in preview.draft.lines}
    repeats = [line for line in preview.lines if "twice" in rows[line.number].get("yes", {})]
    asked = {
        line.number: question.order.pk
        for line in repeats
        for question in line.questions
        if question.kind == "again" and question.order and not question.yes
    }
    if not asked:
        return preview
    of_plan = PlanPart.objects.filter(plan=part.plan_id).values_list("token", "rest")
    tokens = [token for both in of_plan for token in both]
    own = MassLine.objects.filter(order__in=set(asked.values()), job__token__in=tokens)
    own_orders = set(own.values_list("order_id", flat=True))
    for line, order in asked.items():
        if order in own_orders:
            rows[line]["yes"]["again"] = str(order)
    preview.draft.save(update_fields=["lines"])
    return Preview(preview.draft, preview.by)


def reasons_of(preview: Preview) -> str:
    """Why lines of a part wait, in the words of the first few of them."""
    waiting = [line for line in preview.lines if line.state != READY]
    told = [f"Line {line.number}: {why_left(line)}" if line.state != OPEN else f"Line {line.number}: {asks(line)}"
            for line in waiting[:REASONS]]  # fmt: skip
    more = len(waiting) - len(told)
    return " ".join([*told, f"And {number(more)} more." if more else ""]).strip()


def asks(line: Any) -> str:
    """What a line takes a yes of."""
    return " ".join(question.sentence for question in line.questions if not question.yes)


def settle(part: PlanPart, result: Result, now: datetime) -> None:
    """Writes down what came of a part, and keeps what was left as a draft of its owner's."""
    plan, job, left = part.plan, result.job, result.left
    outcome = (Outcome.PARTLY if left else Outcome.PLACED) if job else Outcome.LATE if result.late else Outcome.REFUSED
    part.outcome, part.settled_at, part.job = outcome, now, job
    part.lines, part.left, part.why = left, len(left), result.why if left else ""
    part.save(update_fields=["outcome", "settled_at", "job", "lines", "left", "why"])
    if job:
        record_plan("part_placed", plan, by=None, part=part.number, count=f"{job.ordered:,}", job=job.pk)
    if left:
        record_plan("part_waits", plan, by=None, part=part.number, count=f"{len(left):,}", why=result.why)
        if not why_not(plan.owner, "place") and may_keep(plan.owner):
            rest_draft(part, plan.owner)
