"""What teammates do about an order among themselves: notes, whom it is assigned to, and the notes that call one."""

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
    """The notes that call this person, newest first. What is shown counts as seen from here on."""
    mine = Mention.objects.to(request.user)
    if before := read_number(request.GET.get("before")):
        mine = mine.filter(note_id__lt=before)
    shown, more = one_more(mine, MENTIONS_A_PAGE)
    older = f"{request.path}?before={shown[-1].note_id}" if more else ""
    if new := [mention.pk for mention in shown if mention.read_at is None]:
        Mention.objects.filter(pk__in=new).update(read_at=timezone.now())
    return render(request, "orders/teamwork/mentions.html", {"mentions": shown, "older": older})


@require_safe
@needs("view")
def activity(request: HttpRequest) -> HttpResponse:
    """What happened lately on the whole desk."""
    events = Event.objects.select_related("order", "by")
    if before := read_number(request.GET.get("before")):
        events = events.filter(pk__lt=before)
    shown, more = one_more(events, EVENTS_A_PAGE)
    older = f"{request.path}?before={shown[-1].pk}" if more else ""
    return render(request, "orders/teamwork/activity.html", {"events": shown, "older": older})
