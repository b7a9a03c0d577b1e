"""The pages of teamwork that are not about one order: the notes that call a person, and the next order to take."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import needs
from orders.models import Mention, Order
from orders.teamwork.presence import mark_about
from orders.teamwork.take_next import next_waiting, take_next
from panel.web.htmx import wants_fragment, wants_htmx
from panel.web.paging import one_more
from panel.web.params import read_number
from panel.web.polling import bar_of

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


@needs("note")
@require_http_methods(["GET", "HEAD", "POST"])
def next_order(request: HttpRequest) -> HttpResponse:
    """Assigns the next order that needs a person to the one who presses, and opens it. A GET asks first."""
    if request.method != "POST":
        return render(request, "orders/teamwork/next.html", {"order": next_waiting()})
    if order := take_next(by=request.user):
        messages.success(request, f"Order {order.pk} is yours now.")
        address = order.get_absolute_url()
    else:
        messages.success(request, "Nothing waits to be taken: each order that needs a person has one.")
        address = request.path
    return HttpResponseClientRedirect(address) if wants_htmx(request) else redirect(address)


@needs("view")
@require_POST
def deciding(request: HttpRequest, pk: int) -> HttpResponse:
    """Notes what this person is about to do with the order (`about`, "" for nothing more), for those who come after.

    Answers with a sentence for each colleague who has the order open.
    """
    get_object_or_404(Order.objects.seen_by(request.user).only("pk"), pk=pk)
    company = bar_of(request).company.get(pk, [])
    mark_about(pk, request.user, request.POST.get("about", ""), timezone.now())
    if not company:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, "orders/teamwork/_company.html", {"company": company})
