"""Makes plans as people make them, and moves their times."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from orders.mass.check import Preview
from orders.models import MassDraft, Plan, PlanPart
from orders.plans.due import place_due
from orders.plans.plan import make_plan
from orders.plans.schedule import Schedule
from tests.orders.mass.lists import pasted

TOMORROW = timedelta(days=1)


def daily(part_lines: int = 1, **more: Any) -> Schedule:
    """A part a day, from tomorrow on."""
    first = (timezone.now() + TOMORROW).replace(tzinfo=None, second=0, microsecond=0)
    return Schedule(**{"first": first, "zone": "UTC", "part_lines": part_lines, "every": 1, "unit": "days", **more})


def planned_draft(draft: MassDraft, part_lines: int = 1, **more: Any) -> Plan:
    """A plan of a draft that was looked at."""
    return make_plan(draft.pk, Preview(draft, draft.owner).mark, daily(part_lines, **more), by=draft.owner)


def planned(text: str, by: Any = None, part_lines: int = 1, **more: Any) -> Plan:
    """A plan of a pasted list."""
    return planned_draft(pasted(text, by), part_lines, **more)


def part_of(plan: Plan, number: int = 1) -> PlanPart:
    """A part as it is now."""
    return PlanPart.objects.get(plan=plan, number=number)


def time_comes(plan: Plan, number: int = 1, late: timedelta = timedelta()) -> PlanPart:
    """Lets the worker come at the time of a part; returns the part as it is then."""
    place_due(due_at(plan, number) + late)
    return part_of(plan, number)


def due_at(plan: Plan, number: int) -> datetime:
    """When a part is due."""
    return part_of(plan, number).due_at
