"""The answers to a message, and the list of earlier messages."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs
from orders.answers import worklist as worklists
from orders.answers.situations import SITUATIONS
from orders.answers.texts import known_languages, languages_in_use, right_to_left
from orders.models import Worklist
from orders.rules.refusal import Refusal
from panel.web.htmx import page
from panel.web.paging import one_more
from panel.web.params import read_number
from panel.web.polling import bar_moved, unchanged, with_times

LINES_A_PAGE = 200
MESSAGES_A_PAGE = 50
BLOCKS = "blocks"


@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The messages that were answered, newest first."""
    rows = Worklist.objects.select_related("by", "job").defer("job__left_out", "changed")
    if before := read_number(request.GET.get("before")):
        rows = rows.filter(pk__lt=before)
    found, more = one_more(rows, MESSAGES_A_PAGE)
    older = f"{request.path}?before={found[-1].pk}" if more else ""
    return render(
        request, "orders/answers/index.html", {"worklists": found, "older": older, "languages": known_languages()}
    )


@needs("view")
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The answers to a message. Its open page polls it with the version it shows: 204 while that is unchanged."""
    worklist = the_worklist(pk)
    version = worklists.version_of_answers(worklist)
    if no_content := unchanged(request, version):
        return with_times(request, no_content)
    return with_times(request, answers_page(request, worklist, version))


def answers_page(
    request: HttpRequest, worklist: Worklist, version: str, *, why: str = "", draft: str = ""
) -> HttpResponse:
    """The page, or for its own poll the part that moves. `why` a changed answer was refused, whose text is `draft`."""
    form, here = request.POST or request.GET, request.GET
    lines = worklists.lines_of(worklist)
    situation = here.get("situation", "") if here.get("situation", "") in SITUATIONS else ""
    listed = [line for line in lines if not situation or line.answer.situation == situation]
    after, in_blocks = read_number(here.get("after")), here.get("form") == BLOCKS
    kept = {name: here[name] for name in ("situation", "form") if here.get(name)}
    context = {
        "worklist": worklist, "job": getattr(worklist, "job", None), "version": version, "lines": lines,
        "page": listed[after : after + LINES_A_PAGE], "after": after, "more": len(listed) > after + LINES_A_PAGE,
        "a_page": LINES_A_PAGE, "listed": len(listed),
        "situation": situation, "situations": SITUATIONS, "counts": worklists.by_situation(lines),
        "languages": languages_in_use(), "rtl": right_to_left(worklist.language), "in_blocks": in_blocks,
        "copied": worklists.copied(lines, in_blocks=in_blocks), "kept": urlencode(kept),
        "edit": read_number(form.get("edit")) if may(request.user, "note") else 0, "why": why, "draft": draft,
        "bar_changed": bar_moved(request),
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK
    return page(
        request, "orders/answers/show.html", context, fragment="orders/answers/_answers_now.html", status=status
    )


@needs("note")
@require_POST
def language(request: HttpRequest, pk: int) -> HttpResponse:
    """Has all answers of a message written in another language."""
    worklist = the_worklist(pk)
    try:
        worklists.choose_language(worklist, request.POST.get("language", ""), by=request.user)
    except Refusal as refusal:
        messages.warning(request, str(refusal))
    return redirect(worklist)


@needs("note")
@require_http_methods(["GET", "HEAD", "POST"])
def changes(request: HttpRequest, pk: int) -> HttpResponse:
    """Keeps a person’s own text in place of one answer, or takes it back. A refused text comes back in its field."""
    worklist = the_worklist(pk)
    if request.method != "POST":  # Back, F5 and signing in again may come here
        return redirect(worklist)
    place, text = read_number(request.POST.get("edit")), request.POST.get("text", "")
    try:
        worklists.change_answer(worklist, place, None if "undo" in request.POST else text, by=request.user)
    except Refusal as refusal:
        version = worklists.version_of_answers(worklist)
        return answers_page(request, worklist, version, why=str(refusal), draft=text)
    after = (place - 1) // LINES_A_PAGE * LINES_A_PAGE
    return redirect(f"{worklist.get_absolute_url()}{f'?after={after}' if after else ''}#a{place}")


def the_worklist(pk: int) -> Any:
    """The message, with who pasted it and its job, or 404."""
    return get_object_or_404(Worklist.objects.select_related("by", "job").defer("job__left_out"), pk=pk)
