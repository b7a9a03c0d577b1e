"""The pages of the alarms: what stands, what is over, who has seen it, and what each wants to be told of."""

import hashlib
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from panel.alarms.forms import ChatForm, ChoicesForm
from panel.alarms.kinds import KINDS
from panel.alarms.models import Alarm, Recipient, Sighting
from panel.web.htmx import page, wants_fragment, with_times
from panel.web.params import number

ROWS_A_PAGE = 50
UNPROCESSABLE = 422


@require_safe
@needs("view")
def alarms(request: HttpRequest) -> HttpResponse:
    """What stands, on the first page; then what is over, newest first. Asked by its own open page with the version that
    it has, 204 when that is still so."""
    before = number(request.GET.get("before"))
    over = Alarm.objects.shown().filter(ended_at__isnull=False)
    rows = list((over.filter(pk__lt=before) if before else over)[: ROWS_A_PAGE + 1])
    context = {
        "open": [] if before else [alarm_row(alarm, request.user) for alarm in Alarm.objects.open().shown()],
        "over": [alarm_row(alarm, request.user) for alarm in rows[:ROWS_A_PAGE]],
        "older": f"{request.path}?before={rows[ROWS_A_PAGE - 1].pk}" if len(rows) > ROWS_A_PAGE else "",
        "first": not before,
    }
    version, bar = version_of(context), request.bar  # type: ignore[attr-defined]
    bar_changed = bar.version != request.GET.get("bar")
    if wants_fragment(request) and version == request.GET.get("v") and not bar_changed:
        return with_times(request, HttpResponse(status=204), {})
    context |= {"version": version, "bar_changed": bar_changed}
    return with_times(request, page(request, "alarms/index.html", context, fragment="alarms/_now.html"), {})


def version_of(shown: dict[str, Any]) -> str:
    """Changes when what the page shows does."""
    rows = [
        (row["alarm"].pk, row["alarm"].ended_at, row["alarm"].sentence, row["alarm"].told, *row["untold"],
         *(person.pk for person in row["seen_by"]))
        for row in (*shown["open"], *shown["over"])
    ]  # fmt: skip
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:12]


def alarm_row(alarm: Alarm, user: object) -> dict[str, Any]:
    """What one alarm's row shows."""
    sightings = list(alarm.sightings.all())
    untold = [f"{notice.to.user or 'the chat'}: {notice.trouble}" for notice in alarm.untold]  # type: ignore[attr-defined]
    return {
        "alarm": alarm,
        "seen_by": [sighting.user for sighting in sightings],
        "unseen": all(sighting.user != user for sighting in sightings),
        "untold": untold,
    }


@needs("view")
@require_POST
def sightings(request: HttpRequest, pk: int) -> HttpResponse:
    """That one has seen it. A second press is the same as the first."""
    alarm = get_object_or_404(Alarm, pk=pk)
    seen = Sighting(alarm=alarm, user_id=request.user.pk or 0, at=timezone.now())
    Sighting.objects.bulk_create([seen], ignore_conflicts=True)
    return redirect("alarms")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
def choices(request: HttpRequest) -> HttpResponse:
    """Everybody's own, and for managers the chat's beside it."""
    mine = Recipient.objects.of(request.user)
    form = ChoicesForm(request.POST) if request.method == "POST" else ChoicesForm(initial=ChoicesForm.now(mine))
    if form.is_valid():
        form.keep(mine)
        messages.success(request, "Saved. What is raised from now on is told to you like this.")
        return redirect("alarm_choices")
    return render_choices(request, form, ChatForm(initial=ChatForm.now(Recipient.objects.chat())))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("decide")
def chat_choices(request: HttpRequest) -> HttpResponse:
    """The team's one chat; what is refused is answered here, so this is where Back and F5 may lead."""
    form = ChatForm(request.POST)
    if request.method != "POST":
        return redirect("alarm_choices")
    if form.is_valid():
        form.keep(Recipient.objects.chat())
        messages.success(request, "Saved. What is raised from now on is told to the chat like this.")
        return redirect("alarm_choices")
    mine = Recipient.objects.of(request.user)
    return render_choices(request, ChoicesForm(initial=ChoicesForm.now(mine)), form)


def render_choices(request: HttpRequest, mine: ChoicesForm, chat: ChatForm) -> HttpResponse:
    context = {
        "form": mine,
        "chat": chat,
        "kinds": KINDS,
        "mail_configured": settings.EMAIL_CONFIGURED,
        "chat_configured": bool(settings.ALARM_WEBHOOK_URL),
    }
    status = UNPROCESSABLE if mine.errors or chat.errors else 200
    return render(request, "alarms/choices.html", context, status=status)
