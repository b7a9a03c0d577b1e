"""The pages of the alarms: what stands, what is over, who has seen it, and what each wants to be told of."""

from http import HTTPStatus
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
from panel.web.htmx import page
from panel.web.paging import one_more
from panel.web.params import read_number
from panel.web.polling import bar_moved, unchanged, version_of, with_times

ROWS_A_PAGE = 50


@require_safe
@needs("view")
def alarms(request: HttpRequest) -> HttpResponse:
    """What stands, on the first page; then what is over, newest first. Asked by its own open page with the version that
    it has, 204 when that is still so."""
    before = read_number(request.GET.get("before"))
    over = Alarm.objects.shown().filter(ended_at__isnull=False)
    rows, more = one_more(over.filter(pk__lt=before) if before else over, ROWS_A_PAGE)
    context: dict[str, Any] = {
        "open": [] if before else [alarm_row(alarm, request.user) for alarm in Alarm.objects.open().shown()],
        "over": [alarm_row(alarm, request.user) for alarm in rows],
        "older": f"{request.path}?before={rows[-1].pk}" if more else "",
        "first": not before,
    }
    version = version_of(*(row_facts(row) for row in (*context["open"], *context["over"])))
    if same := unchanged(request, version):
        return with_times(request, same)
    context |= {"version": version, "bar_changed": bar_moved(request)}
    return with_times(request, page(request, "alarms/index.html", context, fragment="alarms/_now.html"))


def row_facts(row: dict[str, Any]) -> tuple[object, ...]:
    """What a person sees of an alarm's row and that may change while the page is open."""
    alarm, seen_by = row["alarm"], [person.pk for person in row["seen_by"]]
    return alarm.pk, alarm.ended_at, alarm.sentence, alarm.told, row["untold"], seen_by


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
    status = HTTPStatus.UNPROCESSABLE_ENTITY if mine.errors or chat.errors else HTTPStatus.OK
    return render(request, "alarms/choices.html", context, status=status)
