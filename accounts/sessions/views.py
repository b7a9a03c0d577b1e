"""The page of a person's sessions, for themselves and for owners, and the buttons that end them."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import may, needs, why_not
from accounts.factors.proof import recently_proved
from accounts.models import DeskSession, User
from accounts.sessions.end import end_session, end_sessions
from panel.format.times import took
from panel.web.paging import one_more

SHOWN_SESSIONS = 50


@require_safe
@needs("view")
def sessions(request: HttpRequest) -> HttpResponse:
    """Where this person is signed in now."""
    return page_of(request, request.user)


@require_safe
@needs("people")
def sessions_of(request: HttpRequest, pk: int) -> HttpResponse:
    """Where another person is signed in now, for owners."""
    return page_of(request, get_object_or_404(User.objects.all(), pk=pk))


@needs("view")
@require_POST
@recently_proved
def ending(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one session: one's own, and for owners anybody's."""
    session = get_object_or_404(DeskSession.objects.select_related("user"), pk=pk, user__isnull=False)
    if session.user_id != request.user.pk and (why := why_not(request.user, "people")):
        raise PermissionDenied(why)
    here = current(request)
    if here and here.pk == session.pk:
        return redirect("account_logout")  # which asks first
    end_session(session, request)
    messages.success(request, "That session has ended.")
    return back(request, session.user)


@needs("view")
@require_POST
@recently_proved
def endings(request: HttpRequest) -> HttpResponse:
    """Ends all sessions of this person but the one that asks."""
    count = end_sessions(request.user, request, but=current(request))  # type: ignore[arg-type]
    messages.success(request, ended_words(count))
    return redirect("sessions")


@needs("people")
@require_POST
@recently_proved
def endings_of(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends all sessions of a person, for owners; of the owner who asks, all but this one."""
    person = get_object_or_404(User.objects.all(), pk=pk)
    own = person.pk == request.user.pk
    count = end_sessions(person, request, but=current(request) if own else None)
    messages.success(request, ended_words(count))
    return back(request, person)


def ended_words(count: int) -> str:
    """What is said after sessions were ended."""
    return f"{count} session{'s' * (count != 1)} ended." if count else "There was no other session."


def page_of(request: HttpRequest, person: Any) -> HttpResponse:
    """The page with a person's sessions, the latest used first."""
    alive = DeskSession.objects.alive(timezone.now()).filter(user=person)
    rows, more = one_more(alive, SHOWN_SESSIONS)
    here = current(request)
    limits = {"idle": settings.SESSION_IDLE_HOURS, "longest": settings.SESSION_HOURS}
    spans = {name: took(timedelta(hours=hours)) for name, hours in limits.items()}
    context = {"person": person, "rows": rows, "more": more, "here": here.pk if here else 0, **spans}
    return render(request, "accounts/sessions/index.html", context)


def back(request: HttpRequest, person: Any) -> HttpResponse:
    """Back to the page of this person's sessions."""
    if person.pk != request.user.pk and may(request.user, "people"):
        return redirect("sessions_of", person.pk)
    return redirect("sessions")


def current(request: HttpRequest) -> DeskSession | None:
    """The session that asks."""
    row: DeskSession | None = request.session.row  # type: ignore[attr-defined]
    return row
