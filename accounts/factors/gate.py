"""Lets people who need a second factor and have none do nothing but set one up, on every address, the admin's too."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from accounts.factors.rule import due_at, is_shut_out
from accounts.preferences import reader_of
from panel.format.times import local
from panel.web.htmx import wants_htmx

# What they can still reach: where they set one up or leave, what is open to strangers too, and machines' own addresses.
OPEN = frozenset({
    "factors", "mfa_activate_totp", "mfa_add_webauthn", "account_logout", "account_login", "account_inactive",
    "invitation", "choose_password", "healthz", "ready", "webhook_door",
})  # fmt: skip

REMINDER = "You need a second factor from {day} on. Set it up in your menu, under Sign-in and security."


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Sends those whose days are over to the page where they set up a second factor, before any view runs."""

    def pass_on(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    pass_on.process_view = keep_out  # type: ignore[attr-defined]
    return pass_on


def keep_out(request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
    """The way to that page, or None for all others and for what is open. An open page that polls moves there too."""
    if request.resolver_match is None or request.resolver_match.view_name in OPEN:
        return None
    person = reader_of(request)
    if person is None or not is_shut_out(person):
        return None
    return HttpResponseClientRedirect(reverse("factors")) if wants_htmx(request) else redirect("factors")


def remind(request: HttpRequest, user: object) -> None:
    """Tells a person who signs in without a second factor until when they need one."""
    due = due_at(user)
    if due and due > timezone.now():  # after that, the only page that is left says so
        messages.warning(request, REMINDER.format(day=f"{local(due):%-d %B}"))
