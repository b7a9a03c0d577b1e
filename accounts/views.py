"""The page of the team, and each person's preferences."""

from decimal import Decimal
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import Role, needs
from accounts.models import User
from accounts.preferences import PreferencesForm
from panel.format.locale import written_for


@require_safe
@needs("view")
def team(request: HttpRequest) -> HttpResponse:
    """Everybody who is or was on the team, and what their roles allow."""
    people = User.objects.order_by("-is_active", "name", "username")
    return render(request, "accounts/team.html", {"people": people, "roles": Role})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
def preferences(request: HttpRequest) -> HttpResponse:
    """A person's own preferences; a POST saves them, and comes back with status 422 when something cannot be chosen."""
    form = PreferencesForm(request.POST) if request.method == "POST" else PreferencesForm.of(request.user)
    if form.is_valid():
        form.save(request.user)
        messages.success(request, "Saved. Every page is written for you like this from now on.")
        return redirect("preferences")
    context = {"form": form, **sample_context()}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/preferences.html", context, status=status)


@require_safe
@needs("view")
def sample(request: HttpRequest) -> HttpResponse:
    """A number, an amount and a time, written as the address asks: the preferences as chosen and not saved yet."""
    with written_for(request.GET.get("time_zone", ""), request.GET.get("numbers", "")):
        return render(request, "accounts/_sample.html", sample_context())


def sample_context() -> dict[str, object]:
    """What `accounts/_sample.html` shows: a number, an amount in USD, and the time now."""
    return {"count": 12_480, "amount": Decimal("1234.5"), "at": timezone.now()}
