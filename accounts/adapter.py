"""How allauth behaves here: an owner invites people, and nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.factors.gate import remind
from accounts.preferences import take_browser_zone
from panel.ops.start import NO_ADDRESS

LOGIN_CHARACTERS = 255  # one more than the longest e-mail address has, so that nobody is named by what is left


class TeamAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """What allauth asks about accounts; the setting ACCOUNT_ADAPTER names this class."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always False: there is no sign-up page."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Whether the address is a path of the desk. allauth's own check breaks on text such as `http://[`."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """The person who signs in, or None. A name that is longer than any is cut: nobody has it, and it is counted.

        SQLite compares names as patterns, and breaks on one of 50 kB.
        """
        cut = {name: text if name == "password" else text[:LOGIN_CHARACTERS] for name, text in credentials.items()}
        return super().authenticate(request, **cut)

    def login(self, request: HttpRequest, user: Any) -> None:
        """Signs the person in. Who has no time zone yet gets the browser's, which its script put into the form."""
        super().login(request, user)
        take_browser_zone(user, request.POST.get("time_zone", ""))
        remind(request, user)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The visitor's address, for the throttle of sign-in. Without one, the refusal says what to do about it."""
        try:
            return str(super().get_client_ip(request))
        except PermissionDenied:
            raise PermissionDenied(NO_ADDRESS) from None
