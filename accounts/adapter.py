"""How allauth behaves here: people are invited by an owner, nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


class TeamAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Paths of the desk alone; allauth's own check breaks on what is no address at all, such as `http://[`."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)
