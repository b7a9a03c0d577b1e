"""One person's page: who they are and may be, how they sign in, where they are signed in, and what they did lately."""

from http import HTTPStatus
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import Role
from accounts.factors.forms import ResetForm
from accounts.factors.rule import due_at, is_required
from accounts.invitations import links
from accounts.models import DeskSession, PasswordLink, User
from accounts.team.people import HERE, member_of

SESSIONS_SHOWN = 10  # the page of the sessions has more
ROLE_WORDS = {
    Role.VIEWER: "Sees orders and services. Places nothing.",
    Role.OPERATOR: "Places orders, asks for refills and cancels.",
    Role.MANAGER: "Also decides about prices and doubtful orders, stops sending, changes settings.",
    Role.OWNER: "May do everything, and decides who is on the team.",
}


class DetailsForm(forms.ModelForm):  # type: ignore[type-arg]
    """How the team calls a person, and where mail reaches them."""

    class Meta:
        model = User
        fields = ("name", "email")
        labels = {"name": "Shown name", "email": "E-mail"}
        help_texts = {"name": "", "email": ""}

    def clean_email(self) -> str:
        """The address as it is compared: the host in small letters."""
        return User.objects.normalize_email(self.cleaned_data["email"])


def person_page(request: HttpRequest, of: User, status: int = HTTPStatus.OK, **sent: Any) -> HttpResponse:
    """The page. `sent` is what a refused form brings back: the form with its errors, or `why`, `role` and `reason`."""
    now = timezone.now()
    link = PasswordLink.objects.filter(user=of).select_related("made_by").first()
    mark, seen_at = member_of(of, now)
    context: dict[str, Any] = {
        "person": of, "mark": mark, "is_here": mark == HERE, "seen_at": seen_at,
        "roles": ROLE_WORDS, "role": of.role, "reason": "", "why": "",
        "form": ResetForm(), "details": DetailsForm(instance=of),
        "link": link,
        "link_works": link is not None and links.by_id(link.pk) is not None,
        "kinds": list(Authenticator.objects.filter(user=of).order_by("created_at", "pk")),
        "required": is_required(of),
        "due": due_at(of),
        "hours": links.RESET_FOR.total_seconds() // 3600,
        "days": links.INVITATION_FOR.days,
        "sessions": list(DeskSession.objects.alive(now).filter(user=of)[: SESSIONS_SHOWN + 1]),
        "sessions_shown": SESSIONS_SHOWN,
        **sent,
    }  # fmt: skip
    return render(request, "accounts/team/person.html", context, status=status)
