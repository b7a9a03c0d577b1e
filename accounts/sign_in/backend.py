"""Checks a password. Each try costs one hash: for a name, an e-mail address, and what nobody has."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import Q
from django.http import HttpRequest

from accounts.models import User


class OneHashBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's own, but that it finds the person first. allauth hashes twice for an e-mail address that somebody has,
    and once for one that nobody has: by the time of an answer a stranger would learn who is here.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """The person with this name or address and this password, or None. `authenticate` calls it."""
        person = person_of(credentials.get("username") or credentials.get("email") or "")
        # The hash of a person without a password is made all the same, by Django.
        return self._check_password(person, credentials["password"])  # type: ignore[no-any-return]


def person_of(login: str) -> User | None:
    """The person who has this username or this e-mail address, in any capitals; the username counts first."""
    if not login or "\0" in login:  # PostgreSQL takes a NUL in no text
        return None
    people = list(User.objects.filter(Q(username__iexact=login) | Q(email__iexact=login)))
    by_name = [person for person in people if person.username.casefold() == login.casefold()]
    return next(iter(by_name or people), None)
