"""The pages of drafts: the box to paste into, the check of each line, and the press that places the list."""

import uuid
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.desk_settings import undo_window
from orders.mass import draft as drafts
from orders.mass.check import Preview
from orders.mass.lines import KINDS, STATES, TYPED_FIELDS
from orders.mass.place import place_list
from orders.mass.text import MOST_LINES, TEXT_CHARACTERS, ReadList, as_text, read_links, read_list
from orders.mass.totals import totals_of
from orders.mass.upload import read_file
from orders.models import ListTemplate, MassDraft, MassJob
from orders.rules.refusal import NotAllowed, Refusal
from orders.rules.service_types import FIELDS
from panel.web.params import read_number

LINES_A_PAGE = 100
TEAM_TEMPLATES = 100  # on the page
LINKS = "links"  # how a list is written: one service, many links
OPTIONS = ("service", "quantity", "customer", "reference")  # what is typed beside the list
OPTION_CHARACTERS = 200
PRESSES = ("make", "tick", "yes", "mend")  # of one line, whose number comes with them
LABELS = {**{name: field.label for name, field in FIELDS.items()}, "service": "Service", "customer": "Customer",
          "reference": "Reference"}  # fmt: skip


# ── The box to paste into ────────────────────────────────────────────────────────────────────────
@needs("place")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The box to paste into, and the drafts that are kept; posted, the draft of what was pasted or of a file."""
    if request.method == "POST":
        try:
            return redirect(keep_sent(request))
        except Refusal as refusal:
            return paste_page(request, str(refusal))
    return paste_page(request)


def keep_sent(request: HttpRequest) -> MassDraft:
    """The draft of the list in the form: its file if it has one, else its text."""
    form, file = request.POST, request.FILES.get("file")
    options = {name: form.get(name, "").strip()[:OPTION_CHARACTERS] for name in OPTIONS}
    if file:
        read, source = read_file(file.name or "", file.read()), f"the file {file.name}"
    else:
        read, source = read_text(form.get("text", ""), form.get("how", ""), options), "a pasted list"
    return drafts.keep(
        read, source[:OPTION_CHARACTERS], by=request.user, customer=options["customer"],
        reference=options["reference"], instead=uuid_of(form.get("draft", "")),
    )  # fmt: skip


def read_text(text: str, how: str, options: dict[str, str]) -> ReadList:
    """The lines of a pasted text."""
    if how == LINKS:
        if not options["service"]:
            raise Refusal("Which service? Write its number.")
        return read_links(text, options["service"], options["quantity"])
    return read_list(text)


def paste_page(request: HttpRequest, why: str = "") -> HttpResponse:
    """The page with what was typed, and why it could not be read (422)."""
    mine = drafts_of(request)
    asked_for = uuid_of(request.GET.get("draft", ""))
    opened = mine.filter(pk=asked_for).first() if asked_for else None
    text = as_text(row["typed"] for row in opened.lines) if opened else request.POST.get("text", "")
    context = {
        "why": why, "text": text, "draft": opened.pk if opened else request.POST.get("draft", ""),
        "how": request.POST.get("how", ""), "typed": {name: request.POST.get(name, "") for name in OPTIONS},
        "drafts": mine.defer("seen"), "templates": templates_of(request.user), "most": MOST_LINES,
        "most_characters": TEXT_CHARACTERS,
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK
    return render(request, "orders/mass/new.html", context, status=status)


def templates_of(user: Any) -> list[ListTemplate]:
    """The templates that this person may use: their own by the alphabet, then those of the team."""
    own = ListTemplate.objects.filter(owner=user.pk).order_by("key").defer("lines")
    shared = ListTemplate.objects.filter(shared=True).order_by("key", "id").select_related("owner").defer("lines")
    return [*own, *(one for one in shared[:TEAM_TEMPLATES] if one.owner_id != user.pk)]


def drafts_of(request: HttpRequest) -> Any:
    """The drafts of the person who asks; nobody sees another person's."""
    return MassDraft.objects.filter(owner=request.user.pk)


def uuid_of(text: str) -> uuid.UUID | None:
    """The id in this text, or None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


# ── The check ────────────────────────────────────────────────────────────────────────────────────
@needs("place")
@require_safe
def show(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Each line as it would be ordered now, and what all of them come to."""
    draft = drafts_of(request).filter(pk=pk).first()
    if draft is None:
        return redirect(get_object_or_404(MassJob, token=pk, placed_by=request.user))
    return check_page(request, draft)


def check_page(request: HttpRequest, draft: MassDraft, why: str = "") -> HttpResponse:
    """The page of the check, with why a press did nothing (422)."""
    preview = Preview(draft, request.user)
    shown = request.GET.get("show", "")
    lines = [line for line in preview.lines if shown not in STATES or line.state == shown]
    lines.sort(key=lambda line: (line.in_trouble, line.number))  # trouble first, and it stays where it is once answered
    pages = max(-(-len(lines) // LINES_A_PAGE), 1)
    number = min(max(read_number(request.GET.get("page")), 1), pages)
    context = {
        "draft": draft, "preview": preview, "totals": totals_of(preview.ready, request.user, preview.now),
        "lines": lines[(number - 1) * LINES_A_PAGE : number * LINES_A_PAGE], "shown": shown if shown in STATES else "",
        "number": number, "pages": pages, "states": STATES, "kinds": KINDS, "why": why, "labels": LABELS,
        "edited": read_number(request.GET.get("edit")), "typed_fields": TYPED_FIELDS,
        "undo_window": undo_window(request.user),
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK
    return render(request, "orders/mass/check.html", context, status=status)


@needs("place")
@require_POST
def lines(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Changes lines of a draft by one press: mend, make, tick, yes, all, bad, split. Leads back to where it was."""
    form = request.POST
    if "split" in form:
        return split(request, pk)

    def act(draft: MassDraft) -> None:
        number, _, word = next((form[name] for name in PRESSES if name in form), "").partition(":")
        line = read_number(number)
        if "mend" in form:
            drafts.mend(draft, line, {name: form[name] for name in TYPED_FIELDS if name in form})
        elif "make" in form:
            drafts.set_quantity(draft, line, str(read_number(word)))
        elif "tick" in form:
            drafts.tick(draft, line, out=word == "out")
        elif "yes" in form:
            drafts.answer(draft, request.user, word.removeprefix("not-"), number=line or -1, yes=word[:4] != "not-")
        elif "all" in form:
            drafts.answer(draft, request.user, form["all"])
        elif "bad" in form:
            drafts.leave_out_bad(draft, request.user)

    try:
        drafts.change(pk, act, by=request.user)
    except NotAllowed:
        raise
    except Refusal as refusal:
        messages.warning(request, str(refusal))
        if not drafts_of(request).filter(pk=pk).exists():
            return redirect("orders:mass_new")
    state = form.get("show", "")
    query = f"?show={state if state in STATES else ''}&page={read_number(form.get('page')) or 1}"
    pressed = read_number(next((form[name] for name in PRESSES if name in form), "").partition(":")[0])
    return redirect(f"{reverse('orders:mass_draft', args=[pk])}{query}{f'#l{pressed}' if pressed else ''}")


def split(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Makes a draft of each service's lines, and leads to all drafts."""
    try:
        parts = drafts.split(pk, by=request.user)
    except NotAllowed:
        raise
    except Refusal as refusal:
        messages.warning(request, str(refusal))
        return redirect("orders:mass_draft", pk)
    messages.success(request, f"These are {len(parts)} lists now, one for each service. Nothing was sent.")
    return redirect("orders:mass_new")


@needs("place")
@require_POST
def removal(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Throws a draft away."""
    drafts.throw_away(pk, by=request.user)
    messages.success(request, "The list was thrown away. Nothing was sent.")
    return redirect("orders:mass_new")


@needs("place")
@require_POST
def placement(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Places the list, and leads to its receipt, however often it is pressed."""
    funded = request.POST.get("send_when_funded", "1") != "0" or "funded" in request.POST
    try:
        job = place_list(pk, request.POST.get("seen", ""), by=request.user, send_when_funded=funded)
    except NotAllowed:
        raise
    except Refusal as refusal:
        draft = drafts_of(request).filter(pk=pk).first()
        if draft is None:
            raise Http404(str(refusal)) from None
        return check_page(request, draft, str(refusal))
    return redirect(job)
