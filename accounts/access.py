"""Who may do what. Roles are compared here and nowhere else."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from panel.web.htmx import page_path, wants_htmx

View = Callable[..., HttpResponseBase]


class Role(models.TextChoices):
    """What a teammate is. Each role may do everything that the roles before it may."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    MANAGER = "manager", "Manager"
    OWNER = "owner", "Owner"


#   what          from which role on    in words, after "Only … may"
NEEDS = {
    "view": (Role.VIEWER, "see the desk"),
    "money": (Role.VIEWER, "see money"),
    "place": (Role.OPERATOR, "place orders"),
    "note": (Role.OPERATOR, "write notes and assign orders"),
    "decide": (Role.MANAGER, "decide this"),
    "administer": (Role.OWNER, "administer the desk"),
}
RANK = {role: rank for rank, role in enumerate(Role)}
PLURAL = {Role.VIEWER: "team members", Role.OPERATOR: "operators, managers and owners",
          Role.MANAGER: "managers and owners", Role.OWNER: "owners"}  # fmt: skip


def why_not(user: Any, what: str) -> str:
    """Why this person may not do `what` (a key of NEEDS), as a sentence to show; "" when they may."""
    least, words = NEEDS[what]
    if user is None or not user.is_authenticated:
        return "Sign in first."
    if not user.is_active:
        return "This account is switched off."
    if RANK[Role(user.role)] < RANK[least]:
        return f"Only {PLURAL[least]} may {words}."
    return ""


def may(user: Any, what: str) -> bool:
    """Whether this person may do `what`, a key of NEEDS."""
    return not why_not(user, what)


def needs(what: str) -> Callable[[View], View]:
    """Guards a view: a stranger is sent to sign in, a teammate who may not do `what` gets a 403 that says why."""
    if what not in NEEDS:
        raise KeyError(what)

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_login(request)
            if why := why_not(request.user, what):
                raise PermissionDenied(why)
            return view(request, *args, **kwargs)

        guarded.needs = what  # type: ignore[attr-defined]  # for the test of every URL
        return guarded

    return guard


def to_login(request: HttpRequest) -> HttpResponse:
    """Sends to the sign-in page, and from there back to the page the person was on.

    For htmx the whole page moves, so that no sign-in page appears inside a table.
    """
    url = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page_path(request)})}"
    return HttpResponseClientRedirect(url) if wants_htmx(request) else HttpResponseRedirect(url)
