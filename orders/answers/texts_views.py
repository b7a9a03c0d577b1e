"""The pages on which the team reads, edits and translates its texts for customers."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs, why_not
from orders.answers import edit
from orders.answers.situations import SITUATIONS, UNKNOWN, WHICH, placeholders_of
from orders.answers.template import cleaned, fill, mistakes
from orders.answers.texts import ENGLISH, Texts, known_languages, languages_in_use, right_to_left
from orders.answers.worklist import read_orders
from orders.models import Order
from orders.rules.refusal import Refusal
from panel.web.params import read_number


@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All texts of one language, by what they tell of."""
    language = language_in(request)
    groups = edit.text_rows(language)
    rows, used = [row for of_group in groups.values() for row in of_group], languages_in_use()
    context = {
        **language_context(language), "groups": groups, "all": len(rows), "done": sum(row.translated for row in rows),
        "others": {code: name for code, name in known_languages().items() if code not in used},
    }  # fmt: skip
    return render(request, "orders/answers/texts.html", context)


@needs("view")
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, situation: str) -> HttpResponse:
    """One text and a preview. Posted, `preview` shows what was typed, `drop` takes the text back, else it is kept."""
    if situation not in SITUATIONS:
        raise Http404("There is no such text.")
    language = language_in(request)
    if request.method != "POST":
        return text_page(request, situation, language)
    if why := why_not(request.user, "settings"):
        raise PermissionDenied(why)
    text, saw = request.POST.get("text", ""), request.POST.get("saw", "")
    if "preview" in request.POST:
        return text_page(request, situation, language, text=text, saw=saw)
    try:
        if "drop" in request.POST:
            changed = edit.take_back(situation, language, saw=saw, by=request.user)
        else:
            changed = edit.save_text(situation, language, text, saw=saw, by=request.user)
    except edit.Unfit as refusal:
        return text_page(request, situation, language, text=text, saw=saw, wrong=refusal.mistakes)
    except Refusal as refusal:
        return text_page(request, situation, language, text=text, wrong=[str(refusal)], status=HTTPStatus.CONFLICT)
    name = SITUATIONS[situation].name
    words = (
        "is as it comes with the desk again" if "drop" in request.POST else "is saved" if changed else "was so already"
    )
    messages.success(request, f"The text “{name}” {words}.")
    return redirect(f"{reverse('orders:answer_texts')}?{urlencode({'language': language})}#t-{situation}")


def text_page(
    request: HttpRequest, situation: str, language: str, *, text: str | None = None, saw: str | None = None,
    wrong: list[str] | None = None, status: int = 0,
) -> HttpResponse:  # fmt: skip
    """The page of one text: as it is kept, or with what was typed and what is `wrong` with that."""
    row = edit.text_row(situation, language)
    typed = row.text if text is None else text
    order, why_no_order = preview_order(request)
    found = mistakes(situation, typed) if wrong is None else wrong
    context = {
        **language_context(language), "row": row, "text": typed, "saw": row.text if saw is None else saw,
        "wrong": found if text is not None else [], "default": SITUATIONS[situation].text,
        "placeholders": placeholders_of(situation), "preview": preview(situation, language, typed, order),
        "order": order, "why_no_order": why_no_order, "needs_order": situation != UNKNOWN,
        "may_edit": may(request.user, "settings"), "why_not": why_not(request.user, "settings"),
    }  # fmt: skip
    code = status or (HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK)
    return render(request, "orders/answers/text.html", context, status=code)


def preview_order(request: HttpRequest) -> tuple[Order | None, str]:
    """The order that a text is previewed with, by default the newest, and why there is none."""
    asked, seen = (
        (request.POST or request.GET).get("order", "").strip().lstrip("#"),
        Order.objects.seen_by(request.user),
    )
    pk = read_number(asked) if asked else seen.order_by("-pk").values_list("pk", flat=True).first()
    order = read_orders([pk]).get(pk) if pk else None
    if order:
        return order, ""
    return None, f"There is no order {asked[:20]} here. Type another number." if asked else "There is no order yet."


def preview(situation: str, language: str, text: str, order: Order | None) -> str:
    """The text as a customer would get it about this order; "" without an order."""
    if situation == UNKNOWN:
        return cleaned(fill(text, {"written": "48999"}))
    if not order:
        return ""
    texts = Texts.load(language)
    if situation == WHICH:
        texts.templates[WHICH] = text
        text = f"{{{WHICH}}}"
    return texts.fill(text, order, situation)


def language_in(request: HttpRequest) -> str:
    """The language that the address or the form names; English for any other word."""
    language = (request.POST or request.GET).get("language", "")
    return language if language in known_languages() else ENGLISH


def language_context(language: str) -> dict[str, Any]:
    """What the pages show of the language."""
    return {
        "language": language, "language_name": known_languages()[language], "english": ENGLISH,
        "rtl": right_to_left(language),
        "languages": {**languages_in_use(), language: known_languages()[language]},
    }  # fmt: skip
