"""What the pages of plans show: rows of parts, to come and past, in a few queries however many there are."""

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple

from accounts.models import User
from orders.models import MassDraft, MassJob, Plan, PlanPart
from orders.plans.schedule import Schedule, there, why_odd
from panel.format.times import day_and_clock

PLANS_A_PAGE = 30
Outcome = PlanPart.Outcome
# State of a part → its words, and the tone of its mark.
STATES = {
    "waits": ("to come", "on"),
    "held": ("stopped", "warn"),
    "placed": ("placed", ""),
    "person": ("needs a person", "warn"),
    "dealt": ("dealt with", ""),
    "dropped": ("dropped", ""),
}


class FutureRow(NamedTuple):
    """A part that a schedule would make."""

    number: int
    first: int  # of its lines, counted from 1
    last: int
    at: datetime
    there: str  # its time on the clock of the plan
    odd: str

    @property
    def here(self) -> str:
        """Its time on the reader's clock."""
        return day_and_clock(self.at)


def future_rows(schedule: Schedule, lines: int) -> list[FutureRow]:
    """The parts that a schedule makes of so many lines."""
    parts, size = schedule.parts(lines), schedule.part_lines
    pairs = zip(schedule.times(parts), schedule.walls(parts), strict=True)
    return [
        FutureRow(n + 1, n * size + 1, min((n + 1) * size, lines), at, there(at, schedule.zone),
                  why_odd(wall, schedule.zone) if schedule.unit == "days" or not n else "")
        for n, (at, wall) in enumerate(pairs)
    ]  # fmt: skip


class Row(NamedTuple):
    """A part of a plan as its page shows it."""

    part: PlanPart
    there: str
    rest_job: MassJob | None  # the list that its rest became
    draft_owner: User | None  # who has its rest open
    is_own: bool  # whether that is the reader

    @property
    def here(self) -> str:
        """Its time on the reader's clock."""
        return day_and_clock(self.part.due_at)

    @property
    def needs_person(self) -> bool:
        """Whether lines of it wait for somebody's decision."""
        return bool(self.part.left) and self.rest_job is None

    @property
    def state(self) -> str:
        """A key of STATES."""
        part = self.part
        if self.needs_person:
            return "person"
        if not part.outcome:
            return "held" if part.is_held else "waits"
        if part.outcome == Outcome.DROPPED:
            return "dropped"
        return "placed" if part.outcome == Outcome.PLACED else "dealt"

    @property
    def words(self) -> str:
        """How it stands."""
        return STATES[self.state][0]

    @property
    def tone(self) -> str:
        """The tone of its mark."""
        return STATES[self.state][1]


def rows_of(plan: Plan, reader: Any) -> list[Row]:
    """The parts of a plan, in its order, in three queries."""
    parts = list(plan.parts.select_related("job").defer("lines").order_by("number"))
    rests = [part.rest for part in parts if part.left]
    jobs = {job.token: job for job in MassJob.objects.filter(token__in=rests)} if rests else {}
    drafts = MassDraft.objects.filter(pk__in=rests).select_related("owner").defer("lines", "seen").order_by()
    owners = {draft.pk: draft.owner for draft in drafts} if rests else {}
    return [
        Row(part, there(part.due_at, plan.zone), jobs.get(part.rest), owner, bool(owner and owner.pk == reader.pk))
        for part in parts
        for owner in (owners.get(part.rest),)
    ]


class Listed(NamedTuple):
    """A plan of the list: how far it is."""

    plan: Plan
    parts: int
    coming: int
    held: int
    left: int  # parts of which lines wait for a person
    next_at: datetime | None


def listed_plans(plans: list[Plan]) -> list[Listed]:
    """These plans with how far each is, in two queries."""
    parts = PlanPart.objects.filter(plan__in=plans).defer("lines", "why").order_by() if plans else []
    of_plan = defaultdict[int, list[PlanPart]](list)
    for part in parts:
        of_plan[part.plan_id].append(part)
    rests = [part.rest for some in of_plan.values() for part in some if part.left]
    placed = set(MassJob.objects.filter(token__in=rests).values_list("token", flat=True)) if rests else set()
    return [
        Listed(
            plan, len(some), sum(part.next_at is not None for part in some), sum(part.is_held for part in some),
            sum(bool(part.left) and part.rest not in placed for part in some),
            min((part.next_at for part in some if part.next_at), default=None),
        )
        for plan in plans for some in (of_plan[plan.pk],)
    ]  # fmt: skip
