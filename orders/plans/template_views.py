"""The pages of templates: saving a draft or a list as one, and filling its blanks."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import may, needs
from orders.mass.check import services_of
from orders.mass.draft import lines_of_list
from orders.mass.text import TypedLine
from orders.mass.views import LABELS, drafts_of, uuid_of
from orders.models import ListTemplate, MassJob
from orders.models.bulk_job import TEMPLATE_NAME_CHARACTERS
from orders.plans import template as verbs
from orders.rules.refusal import NotAllowed, Refusal
from orders.table.replies import refusal_of
from panel.web.params import read_number

any_method = require_http_methods(["GET", "HEAD", "POST"])


@needs("place")
@any_method
def new(request: HttpRequest) -> HttpResponse:
    """The form that saves a draft or a list as a template; 422 with what is wrong."""
    lines, form, why = source_lines(request), request.POST, ""
    if request.method == "POST":
        blanks = form.get("blanks", "")
        try:
            template = verbs.save_template(
                form.get("name", ""), lines, blanks if blanks in verbs.BLANKS else "", shared="shared" in form,
                by=request.user,
            )  # fmt: skip
        except NotAllowed:
            raise
        except Refusal as refusal:
            why = str(refusal)
        else:
            messages.success(request, f"The template “{template}” is saved.")
            return redirect(template)
    context = {
        "lines": len(lines), "form": form, "why": why, "blanks": verbs.BLANKS, "draft": asked(request, "draft"),
        "list": asked(request, "list"), "most": TEMPLATE_NAME_CHARACTERS,
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK
    return render(request, "orders/plans/template_new.html", context, status=status)


def asked(request: HttpRequest, name: str) -> str:
    """A text of the form, or of the address."""
    return request.POST.get(name) or request.GET.get(name, "")


def source_lines(request: HttpRequest) -> list[TypedLine]:
    """The lines of the draft or the list that is named; 404 where there is none."""
    if draft := drafts_of(request).filter(pk=uuid_of(asked(request, "draft"))).first():
        return verbs.lines_of_draft(draft)
    if job := MassJob.objects.filter(pk=read_number(asked(request, "list"))).first():
        return lines_of_list(job)
    raise Http404


def the_template(request: HttpRequest, pk: int) -> ListTemplate:
    """A template that this person may use: their own, or one of the team; else 404."""
    seen = Q(owner=request.user.pk) | Q(shared=True)
    return get_object_or_404(ListTemplate.objects.select_related("owner").filter(seen), pk=pk)


@needs("place")
@any_method
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines of a template with a box for each blank; posted, the draft that is made of it."""
    template, why = the_template(request, pk), ""
    boxes = [(row["n"], name) for row in template.lines for name in row["blanks"]]
    typed = {box: request.POST.get(box_name(*box), "") for box in boxes}
    if request.method == "POST":
        try:
            return redirect(verbs.fill(template, typed, request.POST.get("links", ""), by=request.user))
        except NotAllowed:
            raise
        except Refusal as refusal:
            why = str(refusal)
    return template_page(request, template, typed, why)


def box_name(line: int, field: str) -> str:
    """The name of the box for a blank."""
    return f"{field}-{line}"


def template_page(request: HttpRequest, template: ListTemplate, typed: dict[Any, str], why: str = "",
                  why_name: str = "") -> HttpResponse:  # fmt: skip
    """The page of a template, with what was typed and what is wrong with it (422)."""
    context = {
        "template": template, "typed": typed, "why": why, "why_name": why_name, "labels": LABELS, "box_name": box_name,
        "services": services_of(row["typed"].get("service", "") for row in template.lines),
        "links_blank": any(name != "quantity" for row in template.lines for name in row["blanks"]),
        "links": request.POST.get("links", ""), "may_change": verbs.may_change(template, request.user),
        "names": may(request.user, "customers"), "number_of": read_number, "most": TEMPLATE_NAME_CHARACTERS,
        "new_name": request.POST.get("name", template.name) if why_name else template.name,
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why or why_name else HTTPStatus.OK
    return render(request, "orders/plans/template.html", context, status=status)


@needs("place")
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Renames a template or shares it; 422 with what is wrong."""
    template = the_template(request, pk)
    name, shared = request.POST.get("name", ""), "shared" in request.POST
    if why := refusal_of(lambda: verbs.change_template(template, name, shared=shared, by=request.user)):
        return template_page(request, template, {}, why_name=why)
    messages.success(request, "Saved.")
    return redirect(template)


@needs("place")
@require_POST
def removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Removes a template."""
    template = the_template(request, pk)
    if why := refusal_of(lambda: verbs.remove_template(template, by=request.user)):
        messages.warning(request, why)
    else:
        messages.success(request, f"The template “{template}” is removed.")
    return redirect("orders:mass_new")
