"""What people do about plans: make one of a draft, stop it, let it go on, drop it, and deal with what a part left."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.access import may
from accounts.trail.record import record_change
from orders.limits.day import desk_zone
from orders.mass.check import Preview
from orders.mass.draft import DRAFTS_KEPT, GONE, TOO_MANY
from orders.mass.lines import OUT, READY, Line
from orders.mass.place import MOVED, NONE_READY
from orders.models import MassDraft, MassJob, Plan, PlanPart
from orders.plans.schedule import Schedule
from orders.rules.refusal import Refusal, require_allowed
from panel.ops.failpoints import fp

PLANS_OPEN = 50  # of one person, with parts to come
TOO_MANY_PLANS = f"You have {PLANS_OPEN} plans with parts to come. Drop one, or wait until one has ended."
NONE_TO_COME = "No part of this plan is still to come."
NONE_STOPPED = "No part of this plan is stopped."
NOTHING_LEFT = "No line of this part waits for a person any more."
Outcome = PlanPart.Outcome


# ── Making one ───────────────────────────────────────────────────────────────────────────────────
def zone_for(lines: Iterable[Line], by: Any) -> tuple[str, str]:
    """The time zone that is offered for these lines, and whose it is: their one customer's, or the person's."""
    customers = {line.customer for line in lines}
    customer = customers.pop() if len(customers) == 1 else None
    if customer is None:
        return by.time_zone or "UTC", "yours"
    if customer.time_zone:
        return customer.time_zone, f"that of {customer}"
    zone = desk_zone()
    return getattr(zone, "key", "UTC"), f"the desk’s, for {customer} has none"


def make_plan(pk: Any, seen: str, schedule: Schedule, *, by: Any) -> Plan:
    """Makes a plan of the ready lines of a draft. The same draft returns the same plan. Orders and reserves nothing.

    `seen` is the mark of the preview that the person looked at. Lines that are not ready stay behind as a draft.
    """
    require_allowed(by, "place")
    plans = Plan.objects.filter(token=pk)
    try:
        with transaction.atomic():
            draft = MassDraft.objects.select_for_update().filter(pk=pk, owner=by).first()
            if earlier := plans.first():
                return same_plan(earlier, by)
            if draft is None or MassJob.objects.filter(token=pk).exists():
                raise Refusal(GONE)
            preview = Preview(draft, by)
            if not preview.ready:
                raise Refusal(NONE_READY)
            if preview.mark != seen:
                raise Refusal(MOVED)
            if open_plans_of(by) >= PLANS_OPEN:
                raise Refusal(TOO_MANY_PLANS)
            plan = write(preview, schedule, by, timezone.now())
            keep_others(preview)
            draft.delete()
            fp("plan.commit")
        fp("plan.committed")
    except IntegrityError:  # the same draft, planned at the same moment
        if earlier := plans.first():
            return same_plan(earlier, by)
        raise
    return plan


def same_plan(plan: Plan, by: Any) -> Plan:
    """This plan, for the person who made it."""
    if plan.owner_id != by.pk:
        raise Refusal(GONE)
    return plan


def open_plans_of(by: Any) -> int:
    """How many plans of this person have parts to come."""
    return Plan.objects.filter(owner=by, parts__next_at__isnull=False).order_by().distinct().count()


def write(preview: Preview, schedule: Schedule, by: Any, at: datetime) -> Plan:
    """Writes the plan, its parts and the trail, inside the caller's transaction."""
    rows = {row["n"]: row for row in preview.draft.lines}
    lines = [rows[line.number] for line in preview.ready]
    # What was agreed to is at the terms of now.
    seen = {str(line.service.upstream_id): line.service.terms for line in preview.ready if line.service}
    plan = Plan.objects.create(
        token=preview.draft.pk, owner=by, made_at=at, source=preview.draft.source, seen=seen, zone=schedule.zone,
        listed=len(lines), part_lines=schedule.part_lines, every=schedule.every, unit=schedule.unit,
    )  # fmt: skip
    size = schedule.part_lines
    parts = [lines[start : start + size] for start in range(0, len(lines), size)]
    PlanPart.objects.bulk_create(
        PlanPart(plan=plan, number=n, due_at=due_at, next_at=due_at, listed=len(part), lines=part)
        for n, (part, due_at) in enumerate(zip(parts, schedule.times(len(parts)), strict=True), start=1)
    )
    fp("plan.half")
    record_plan("plan_made", plan, by=by, count=f"{len(lines):,}", parts=f"{len(parts):,}")
    return plan


def keep_others(preview: Preview) -> None:
    """Keeps the lines that are not ready as a draft of their own, unless they were all left out."""
    state = {line.number: line.state for line in preview.lines}
    others = [row for row in preview.draft.lines if state[row["n"]] != READY]
    if any(state[row["n"]] != OUT for row in others):
        draft = preview.draft
        MassDraft.objects.create(owner=draft.owner, source=draft.source, lines=others, seen=draft.seen,
                                 changed_at=timezone.now())  # fmt: skip


def record_plan(kind: str, plan: Plan, *, by: Any, **facts: Any) -> None:
    """Writes one line of the trail about a plan."""
    record_change(kind, by=by, thing="plan", thing_id=plan.pk, label=str(plan.pk), **facts)


# ── What is done about the parts to come ─────────────────────────────────────────────────────────
def stop(plan: Plan, *, by: Any) -> int:
    """Keeps all parts to come from being placed. Returns how many."""
    return change_parts(plan, "plan_stopped", Q(next_at__isnull=False), NONE_TO_COME, by=by, next_at=None)


def go_on(plan: Plan, *, by: Any) -> int:
    """Lets stopped parts be placed at their times. A time that has been for long is too late: due.py."""
    require_allowed(by, "place")
    with transaction.atomic():
        held = list(plan.parts.select_for_update().filter(outcome="", next_at=None).order_by("number").defer("lines"))
        for part in held:
            part.next_at = part.due_at
        if not held:
            raise Refusal(NONE_STOPPED)
        PlanPart.objects.bulk_update(held, ["next_at"])
        record_plan("plan_resumed", plan, by=by, parts=f"{len(held):,}")
        fp("resume.commit")
    fp("resume.committed")
    return len(held)


def drop(plan: Plan, *, by: Any) -> int:
    """Drops all parts that are to come or stopped, for good. Returns how many."""
    settled = {"outcome": Outcome.DROPPED, "settled_at": timezone.now(), "next_at": None}
    return change_parts(plan, "plan_dropped", Q(outcome=""), NONE_TO_COME, by=by, **settled)


def change_parts(plan: Plan, kind: str, which: Q, why: str, *, by: Any, **columns: Any) -> int:
    """Changes the parts that match, which is one statement, and records it; raises the refusal where there are none.

    The worker claims a part by one statement too: of a stop and a claim at the same moment one finds nothing.
    """
    require_allowed(by, "place")
    with transaction.atomic():
        count = plan.parts.filter(which).update(**columns)
        if not count:
            raise Refusal(why)
        record_plan(kind, plan, by=by, parts=f"{count:,}")
        fp("parts.commit")
    fp("parts.committed")
    return count


# ── What a part left for a person ────────────────────────────────────────────────────────────────
def rest_draft(part: PlanPart, owner: Any) -> MassDraft:
    """A draft of the lines that a part left, written in the caller's transaction. Its id is the part's own, so that
    they become one list at most."""
    return MassDraft.objects.create(
        pk=part.rest, owner=owner, source=f"part {part.number} of plan {part.plan_id}", lines=part.lines,
        seen=part.plan.seen, changed_at=timezone.now(),
    )  # fmt: skip


def may_keep(owner: Any) -> bool:
    """Whether this person has room for another draft."""
    return MassDraft.objects.filter(owner=owner).count() < DRAFTS_KEPT


def open_rest(part: PlanPart, *, by: Any) -> MassDraft | MassJob:
    """The draft of the lines that a part left, or the list that it became. Made for this person if there is none."""
    require_allowed(by, "place")
    with transaction.atomic():
        part = PlanPart.objects.select_for_update(of=("self",)).select_related("plan").get(pk=part.pk)
        if job := MassJob.objects.filter(token=part.rest).first():
            return job
        if not part.left:
            raise Refusal(NOTHING_LEFT)
        if draft := their_draft(part, by):
            return draft
        if not may_keep(by):
            raise Refusal(TOO_MANY)
        draft = rest_draft(part, by)
        record_plan("part_opened", part.plan, by=by, part=part.number)
        fp("rest.commit")
    fp("rest.committed")
    return draft


def their_draft(part: PlanPart, by: Any) -> MassDraft | None:
    """This person's draft of what the part left. Raises a Refusal while a colleague who may place it has it; that of
    somebody who may not any more is thrown away."""
    draft = MassDraft.objects.select_related("owner").filter(pk=part.rest).first()
    if draft and draft.owner_id != by.pk:
        if may(draft.owner, "place"):
            raise Refusal(f"{draft.owner} has these lines open as a list that is not placed yet.")
        draft.delete()
        return None
    return draft


def leave_rest(part: PlanPart, *, by: Any) -> None:
    """Leaves the lines that wait of a part unordered for good, and throws their draft away."""
    require_allowed(by, "place")
    with transaction.atomic():
        part = PlanPart.objects.select_for_update(of=("self",)).select_related("plan").get(pk=part.pk)
        if draft := their_draft(part, by):
            draft.delete()
        # Only now: of somebody who places them at this moment, either the draft was there or the list is.
        if not part.left or MassJob.objects.filter(token=part.rest).exists():
            raise Refusal(NOTHING_LEFT)
        left, part.left = part.left, 0
        part.save(update_fields=["left"])
        record_plan("part_left", part.plan, by=by, part=part.number, count=f"{left:,}")
        fp("leave.commit")
    fp("leave.committed")
