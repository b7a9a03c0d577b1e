"""The page of teamwork that is not about one order: the notes that call a person."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from orders.models import Mention
from panel.web.htmx import wants_fragment
from panel.web.paging import one_more
from panel.web.params import read_number

MENTIONS_A_PAGE = 50


@require_safe
@needs("view")
def mentions(request: HttpRequest) -> HttpResponse:
    """The notes that call this person, newest first. The page itself then posts which of them it has shown."""
    mentions = Mention.objects.to(request.user)
    if before := read_number(request.GET.get("before")):
        mentions = mentions.filter(note_id__lt=before)
    shown_mentions, more = one_more(mentions, MENTIONS_A_PAGE)
    older = f"{request.path}?before={shown_mentions[-1].note_id}" if more else ""
    unread = [mention.note_id for mention in shown_mentions if mention.read_at is None]
    context = {"mentions": shown_mentions, "unread": unread, "older": older}
    return render(request, "orders/teamwork/mentions.html", context)


@needs("view")
@require_POST
def mentions_read(request: HttpRequest) -> HttpResponse:
    """Marks the notes to this person whose ids are posted as `note` as read. Repeating it changes nothing."""
    notes = [number for text in request.POST.getlist("note")[:MENTIONS_A_PAGE] if (number := read_number(text))]
    Mention.objects.to(request.user).filter(note_id__in=notes, read_at=None).update(read_at=timezone.now())
    return HttpResponse(status=HTTPStatus.NO_CONTENT) if wants_fragment(request) else redirect("mentions")
