"""The page of the roles: who may do what, for everybody to read, and for owners to switch."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import desk_settings
from accounts.access import needs, why_not
from accounts.desk_settings import SWITCHES, Moved
from accounts.factors.proof import recently_proved
from accounts.models import SettingChange
from accounts.roles.matrix import ROLES, matrix, people_by_role, touched
from accounts.roles.switches import Pointless, read_form, set_switches, stored_switches

CHANGES_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view")
@recently_proved
def roles(request: HttpRequest) -> HttpResponse:
    """Who may do what. An owner's POST moves switches; 409 when somebody else moved one meanwhile, 422 when one is
    without effect. What was chosen stays on the page then.
    """
    if request.method != "POST":
        return roles_page(request)
    if why := why_not(request.user, "people"):
        raise PermissionDenied(why)
    typed, seen = read_form(request.POST)
    try:
        changes = set_switches(typed, seen, by=request.user, at=timezone.now())
    except Moved as moved:
        errors = {name: moved_words(last) for name, last in moved.changes.items()}
        own = {name: state for name, state in typed.items() if name not in errors}
        return roles_page(request, typed=own, errors=errors, status=HTTPStatus.CONFLICT)
    except Pointless as pointless:
        return roles_page(request, typed=typed, errors=pointless.reasons, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(request, saved_words(changes))
    return redirect("roles")


def moved_words(last: SettingChange | None) -> str:
    """What is said of a switch that another owner moved while the page was open."""
    who = f"{last.changed_by} switched it {last.now}" if last else "It was switched"
    return f"{who} meanwhile. Look at it again, then save."


def saved_words(changes: list[SettingChange]) -> str:
    """What was saved, and whom it concerns."""
    if not changes:
        return "Nothing was changed."
    moved = {change.name.split(".")[0] for change in changes}
    said = [f"{desk_settings.label_of(change.name)}: {change.now}." for change in changes]
    return " ".join([*said, touched(moved, people_by_role())])


def roles_page(request: HttpRequest, *, status: int = HTTPStatus.OK, **sent: Any) -> HttpResponse:
    """The page, with what was sent and what is wrong with it."""
    people = people_by_role()
    changes = SettingChange.objects.filter(name__in=SWITCHES).select_related("changed_by")[:CHANGES_SHOWN]
    context = {
        "groups": matrix(stored_switches(), sent.get("typed"), sent.get("errors")),
        "errors": sent.get("errors") or {},
        "roles": ROLES,
        "people": people,
        "touched": {role: touched([role], people) for role in ROLES},
        "changes": changes,
        "label_of": desk_settings.label_of,
    }
    return render(request, "accounts/roles/index.html", context, status=status)
