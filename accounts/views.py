"""Who is on the team, and how each reads the desk."""

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
    people = User.objects.order_by("-is_active", "name", "username")
    return render(request, "accounts/team.html", {"people": people, "roles": Role})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
def preferences(request: HttpRequest) -> HttpResponse:
    """Everybody's own."""
    form = PreferencesForm(request.POST) if request.method == "POST" else PreferencesForm.of(request.user)
    if form.is_valid():
        form.keep(request.user)
        messages.success(request, "Saved. Every page is written for you like this from now on.")
        return redirect("preferences")
    context = {"form": form, **to_be_written()}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/preferences.html", context, status=status)


@require_safe
@needs("view")
def sample(request: HttpRequest) -> HttpResponse:
    """What is chosen and not saved yet, as it would be written."""
    with written_for(request.GET.get("time_zone", ""), request.GET.get("numbers", "")):
        return render(request, "accounts/_sample.html", to_be_written())


def to_be_written() -> dict[str, object]:
    """What `accounts/_sample.html` wants."""
    return {"count": 12_480, "amount": Decimal("1234.5"), "at": timezone.now()}
