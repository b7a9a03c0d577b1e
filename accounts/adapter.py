"""How allauth behaves here: an owner invites people, and nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.factors.gate import remind
from accounts.preferences import take_browser_zone
from accounts.sign_in.entrance import Entrance, signed_in
from accounts.sign_in.record import record_door
from panel.ops.start import NO_ADDRESS
from panel.web.visitor import address_of

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
        attempt = self.entrance = Entrance(request, cut.get("username") or cut.get("email") or "")
        person = super().authenticate(request, **cut)
        attempt.passed(person) if person else attempt.failed()
        return person

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuses a try that has no room in the throttle, before the password is hashed. In place of allauth's own."""
        self.get_client_ip(request)
        self.entrance.enter()

    def login(self, request: HttpRequest, user: Any) -> None:
        """Signs the person in. Who has no time zone yet gets the browser's, which its script put into the form."""
        super().login(request, user)
        take_browser_zone(user, request.POST.get("time_zone", ""))
        remind(request, user)

    def post_login(self, request: HttpRequest, user: Any, **details: Any) -> Any:
        """Records the sign-in and remembers the device, once all steps of it are done."""
        response = super().post_login(request, user, **details)
        signed_in(request, user, response)
        return response

    def logout(self, request: HttpRequest) -> None:
        """Signs the person out, and records it."""
        record_door("signed_out", request.user, request)
        super().logout(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The visitor's address, for the throttle of sign-in. Without one, the refusal says what to do about it."""
        if address := address_of(request):
            return address
        raise PermissionDenied(NO_ADDRESS)
