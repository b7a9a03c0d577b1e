"""The pages of teamwork that are not about one order: the notes that call a person, and the whole desk's activity."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import needs
from orders.models import Event, Mention
from panel.web.paging import one_more
from panel.web.params import read_number

MENTIONS_A_PAGE = 50
EVENTS_A_PAGE = 100


@require_safe
@needs("view")
def mentions(request: HttpRequest) -> HttpResponse:
    """The notes that call this person, newest first. Showing a note marks it as read from the next page on."""
    mentions = Mention.objects.to(request.user)
    if before := read_number(request.GET.get("before")):
        mentions = mentions.filter(note_id__lt=before)
    shown_mentions, more = one_more(mentions, MENTIONS_A_PAGE)
    older = f"{request.path}?before={shown_mentions[-1].note_id}" if more else ""
    if unread := [mention.pk for mention in shown_mentions if mention.read_at is None]:
        Mention.objects.filter(pk__in=unread).update(read_at=timezone.now())
    return render(request, "orders/teamwork/mentions.html", {"mentions": shown_mentions, "older": older})


@require_safe
@needs("view")
def activity(request: HttpRequest) -> HttpResponse:
    """The events of the whole desk, newest first."""
    events = Event.objects.select_related("order", "by")
    if before := read_number(request.GET.get("before")):
        events = events.filter(pk__lt=before)
    shown_events, more = one_more(events, EVENTS_A_PAGE)
    older = f"{request.path}?before={shown_events[-1].pk}" if more else ""
    return render(request, "orders/teamwork/activity.html", {"events": shown_events, "older": older})
