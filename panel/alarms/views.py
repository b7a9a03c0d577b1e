"""The pages of the alarms: what stands, what is over, who has seen it, and which alarms each person is told of."""

from datetime import time
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.trail.record import record_change, what_changed
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
    """The open alarms on the first page, the calm ones apart from those that stand, then those that are over.

    The open page asks again with the version that it shows, and gets a 204 while nothing has changed.
    """
    before = read_number(request.GET.get("before"))
    over = Alarm.objects.for_page().over()
    rows, more = one_more(over.filter(pk__lt=before) if before else over, ROWS_A_PAGE)
    unended = [] if before else [alarm_row(alarm, request.user) for alarm in Alarm.objects.open().for_page()]
    context: dict[str, Any] = {
        "open": [row for row in unended if not row["alarm"].calm_sentence],
        "calm": [row for row in unended if row["alarm"].calm_sentence],
        "over": [alarm_row(alarm, request.user) for alarm in rows],
        "older": f"{request.path}?before={rows[-1].pk}" if more else "",
        "first": not before,
    }
    version = version_of(*(row_facts(row) for row in (*unended, *context["over"])))
    if answer := unchanged(request, version):
        return with_times(request, answer)
    context |= {"version": version, "bar_changed": bar_moved(request)}
    return with_times(request, page(request, "alarms/index.html", context, fragment="alarms/_now.html"))


def alarm_row(alarm: Alarm, user: object) -> dict[str, Any]:
    """What one alarm's row shows to this person."""
    seen_by = [sighting.user for sighting in alarm.sightings.all()]
    untold = [f"{notice.to.user or 'the chat'}: {notice.trouble}" for notice in alarm.untold]  # type: ignore[attr-defined]
    return {"alarm": alarm, "seen_by": seen_by, "unseen": user not in seen_by, "untold": untold}


def row_facts(row: dict[str, Any]) -> tuple[object, ...]:
    """What an alarm's row shows that may change while the page is open."""
    alarm, seen_by = row["alarm"], [person.pk for person in row["seen_by"]]
    return alarm.pk, alarm.ended_at, alarm.sentence, alarm.calm_sentence, alarm.told, row["untold"], seen_by


@needs("view")
@require_POST
def sightings(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks an alarm as seen by this person. Repeating it changes nothing."""
    alarm = get_object_or_404(Alarm, pk=pk)
    with transaction.atomic():
        _, new = Sighting.objects.get_or_create(
            alarm=alarm, user_id=request.user.pk or 0, defaults={"at": timezone.now()}
        )
        if new:
            record_change("alarm_seen", by=request.user, thing="alarm", thing_id=alarm.pk, label=alarm.about.title)
    return redirect("alarms")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
def choices(request: HttpRequest) -> HttpResponse:
    """Shows which alarms this person, and the team's chat, is told of. A POST saves the person's own choices."""
    mine = Recipient.objects.of(request.user)
    form = ChoicesForm(request.POST) if request.method == "POST" else ChoicesForm.showing(mine)
    if form.is_valid():
        choose(mine, form.cleaned_data, "alarms_chosen", request.user)
        messages.success(request, "Saved. This applies to alarms from now on.")
        return redirect("alarm_choices")
    return render_choices(request, form, ChatForm.showing(Recipient.objects.chat_to_show()))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("settings")
def chat_choices(request: HttpRequest) -> HttpResponse:
    """Saves the choices for the team's chat. A GET redirects, because Back and F5 may lead here after a refusal."""
    if request.method != "POST":
        return redirect("alarm_choices")
    form = ChatForm(request.POST)
    if form.is_valid():
        with transaction.atomic():
            choose(Recipient.objects.chat(), form.cleaned_data, "chat_chosen", request.user)
        messages.success(request, "Saved. This applies to alarms in the chat from now on.")
        return redirect("alarm_choices")
    return render_choices(request, ChoicesForm.showing(Recipient.objects.of(request.user)), form)


@transaction.atomic
def choose(recipient: Recipient, choices: dict[str, Any], kind: str, by: Any) -> None:
    """Saves these choices, and records what of them is new."""
    was = {name: plain(getattr(recipient, name)) for name in choices}
    recipient.choose(**choices)
    changed = what_changed(was, {name: plain(value) for name, value in choices.items()})
    if changed["before"]:
        record_change(kind, by=by, **changed)


def plain(choice: Any) -> Any:
    """A choice as JSON keeps it."""
    return f"{choice:%H:%M}" if isinstance(choice, time) else choice


def render_choices(request: HttpRequest, mine: ChoicesForm, chat: ChoicesForm) -> HttpResponse:
    """The page with both forms; 422 when one of them has errors."""
    context = {
        "form": mine,
        "chat": chat,
        "kinds": KINDS,
        "mail_configured": settings.EMAIL_CONFIGURED,
        "chat_configured": bool(settings.ALARM_WEBHOOK_URL),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if mine.errors or chat.errors else HTTPStatus.OK
    return render(request, "alarms/choices.html", context, status=status)
