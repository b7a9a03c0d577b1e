"""The list of the people, one person's page, and the buttons there."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs, why_not
from accounts.factors.proof import recently_proved
from accounts.models import User
from accounts.sign_in.record import record_door
from accounts.team import change
from accounts.team.people import HERE, members
from accounts.team.person import DetailsForm, person_page


@require_safe
@needs("view")
def team(request: HttpRequest) -> HttpResponse:
    """Everybody who is or was on the team, and for owners the links that are open."""
    people = members(timezone.now())
    context = {
        "members": people,
        "here": sum(member.mark == HERE for member in people),
        "active": sum(member.person.is_active for member in people),
        "invitations": [member.link for member in people if member.link],
    }
    return render(request, "accounts/team/index.html", context)


@require_safe
@needs("people")
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person, and what an owner can do about them."""
    return person_page(request, get_object_or_404(User, pk=pk))


@needs("people")
@require_POST
@recently_proved
def role(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives the person another role; 409 with the reason when that is refused, and what was chosen stays."""
    of, form = get_object_or_404(User, pk=pk), request.POST
    wanted, reason = form.get("role", ""), form.get("reason", "")
    try:
        changed = change.set_role(of, wanted, saw=form.get("saw", ""), by=request.user, request=request, reason=reason)
    except change.Refused as refused:
        return refusal(request, pk, refused, role=wanted, reason=reason)
    of.refresh_from_db()
    words = f"{of} is {change.a_role(of.role)} now. It holds from the next page that they open."
    messages.success(request, words if changed else f"{of} is {change.a_role(of.role)} already.")
    return redirect("person", pk)


@needs("people")
@require_POST
@recently_proved
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """Switches the person's account on or off: `on` is 1 or 0."""
    of, reason = get_object_or_404(User, pk=pk), request.POST.get("reason", "")
    if request.POST.get("on") not in ("0", "1"):
        messages.warning(request, "This page came back incomplete. Nothing was changed.")
        return redirect("person", pk)
    on = request.POST["on"] == "1"
    try:
        change.switch(of, on, by=request.user, request=request, reason=reason)
    except change.Refused as refused:
        return refusal(request, pk, refused, reason=reason)
    off = "is switched off. All their sessions have ended; what they did keeps their name."
    messages.success(request, f"{of} {'can sign in again.' if on else off}")
    return redirect("person", pk) if of.pk != request.user.pk or on else redirect("account_login")


@needs("people")
@require_POST
@recently_proved
def details(request: HttpRequest, pk: int) -> HttpResponse:
    """Saves the person's shown name and address; 422 when something is wrong with them."""
    of = get_object_or_404(User, pk=pk)
    kept = {name: getattr(of, name) for name in DetailsForm.base_fields}  # of a field that did not come
    form = DetailsForm({**kept, **request.POST.dict()}, instance=of)
    try:
        with transaction.atomic():
            if form.is_valid():
                User.objects.filter(pk=pk).update(**{name: form.cleaned_data[name] for name in form.changed_data})
                if form.changed_data:
                    record_door("details_changed", of, request, what=" and ".join(form.changed_data))
                messages.success(request, "Saved." if form.changed_data else "Nothing was changed.")
                return redirect("person", pk)
    except IntegrityError:  # two owners at once
        form.add_error("email", "Somebody already has this e-mail address.")
    fresh = get_object_or_404(User, pk=pk)
    return person_page(request, fresh, HTTPStatus.UNPROCESSABLE_ENTITY, details=form)


def refusal(request: HttpRequest, pk: int, refused: change.Refused, **typed: str) -> HttpResponse:
    """The person's page as it is now, with why nothing was changed, and with what was chosen; 403 without the right."""
    if why := why_not(User.objects.filter(pk=request.user.pk or 0).first(), "people"):
        raise PermissionDenied(why)
    fresh = get_object_or_404(User, pk=pk)
    typed.setdefault("role", fresh.role)
    return person_page(request, fresh, HTTPStatus.CONFLICT, why=str(refused), **typed)
