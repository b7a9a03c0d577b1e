"""How allauth behaves here: an owner invites people, and nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


class TeamAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """What allauth asks about accounts; the setting ACCOUNT_ADAPTER names this class."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always False: there is no sign-up page."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Whether the address is a path of the desk. allauth's own check breaks on text such as `http://[`."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)
