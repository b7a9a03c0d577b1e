"""The pages of plans: the schedule of a draft, the list of plans, and one plan with its parts."""

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from orders.mass.check import Preview
from orders.mass.totals import totals_of
from orders.models import MassDraft, Plan, PlanPart
from orders.plans import plan as verbs
from orders.plans.due import LATEST, hours
from orders.plans.page import PLANS_A_PAGE, future_rows, listed_plans, rows_of
from orders.plans.schedule import ScheduleForm, is_readers, schedule_of
from orders.rules.refusal import NotAllowed, Refusal
from orders.table.replies import redirect_back, refusal_of
from panel.web.paging import one_more
from panel.web.params import read_number

LINES_SHOWN = 200  # of one part
# What is done about the parts to come → the verb, and what is said of how many.
VERBS: dict[str, tuple[Callable[..., int], str]] = {
    "stop": (verbs.stop, "The plan is stopped. Nothing more of it is placed until somebody lets it go on."),
    "go": (verbs.go_on, "The plan goes on."),
    "drop": (verbs.drop, "What was still to come of the plan is dropped. Nothing of it was ordered."),
}


@needs("place")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The schedule of a draft's ready lines, and the parts that it makes; posted with `make`, the plan."""
    draft = MassDraft.objects.filter(pk=pk, owner=request.user.pk).first()
    if draft is None:
        return redirect(get_object_or_404(Plan, token=pk, owner=request.user))
    preview = Preview(draft, request.user)
    zone, whose = verbs.zone_for(preview.ready, request.user)
    data = request.POST if request.method == "POST" else None
    form, why = ScheduleForm(data, lines=len(preview.ready), zone=zone, whose=whose, now=preview.now), ""
    if "make" in request.POST and form.is_valid():
        try:
            plan = verbs.make_plan(pk, request.POST.get("seen", ""), schedule_of(form), by=request.user)
        except NotAllowed:
            raise
        except Refusal as refusal:
            why = str(refusal)
            preview = Preview(draft, request.user)
        else:
            messages.success(request, "The plan is made. Nothing of it is ordered before its time.")
            return redirect(plan)
    schedule = schedule_of(form) if not form.is_bound or form.is_valid() else None
    context = {
        "draft": draft, "preview": preview, "form": form, "why": why, "schedule": schedule,
        "rows": future_rows(schedule, len(preview.ready)) if schedule else [], "latest": hours(LATEST),
        "theirs": schedule and not is_readers(schedule.zone),
        "totals": totals_of(preview.ready, request.user, preview.now),
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why or form.errors else HTTPStatus.OK
    return render(request, "orders/plans/new.html", context, status=status)


@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The plans, newest first, each with how many of its parts are to come and what comes next."""
    found = Plan.objects.select_related("owner").defer("seen")
    if before := read_number(request.GET.get("before")):
        found = found.filter(pk__lt=before)
    plans, more = one_more(found, PLANS_A_PAGE)
    older = f"{request.path}?before={plans[-1].pk}" if more else ""
    return render(request, "orders/plans/index.html", {"plans": listed_plans(plans), "older": older})


@needs("view")
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One plan with its parts; with `?part=3` also the lines of that part."""
    plan = get_object_or_404(Plan.objects.select_related("owner").defer("seen"), pk=pk)
    rows = rows_of(plan, request.user)
    opened = plan.parts.filter(number=read_number(request.GET.get("part"))).first()
    context = {
        "plan": plan, "rows": rows, "theirs": not is_readers(plan.zone), "latest": hours(LATEST), "opened": opened,
        "lines": opened.lines[:LINES_SHOWN] if opened else [], "now": timezone.now(),
        "coming": sum(row.part.next_at is not None for row in rows), "held": sum(row.part.is_held for row in rows),
        "waiting": sum(row.needs_person for row in rows),
    }  # fmt: skip
    return render(request, "orders/plans/show.html", context)


@needs("place")
@require_POST
def going(request: HttpRequest, pk: int) -> HttpResponse:
    """Stops the plan, lets it go on, or drops what is to come. `then` is one of VERBS."""
    plan = get_object_or_404(Plan, pk=pk)
    verb, done = VERBS.get(request.POST.get("then", ""), VERBS["stop"])
    return redirect_back(request, refusal_of(lambda: verb(plan, by=request.user)), done)


@needs("place")
@require_POST
def rest(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Opens the lines that a part left as a list to check, or with `then=leave` leaves them unordered."""
    part = PlanPart.objects.filter(plan=pk, number=number).first()
    if part is None:
        raise Http404
    if request.POST.get("then") == "leave":
        why = refusal_of(lambda: verbs.leave_rest(part, by=request.user))
        return redirect_back(request, why, "These lines are left unordered.")
    found: list[Any] = []
    if why := refusal_of(lambda: found.append(verbs.open_rest(part, by=request.user))):
        return redirect_back(request, why, "")
    return redirect(found[0])
