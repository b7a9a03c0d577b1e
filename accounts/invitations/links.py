"""Links with which people choose their own passwords: made by owners, used once, kept as a hash alone."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import PasswordLink, User, digest_of

TOKEN_BYTES = 32  # too many to guess, so a plain hash without salt will do
INVITATION_FOR = timedelta(days=7)  # for a person without a password
RESET_FOR = timedelta(hours=24)  # for a person who has one: whoever gets the link gets the account


def make(
    user: User, *, by: Any, at: datetime | None = None, lasts: timedelta | None = None
) -> tuple[PasswordLink, str]:
    """A new link for this person, and its token, which is told now and never again. Older links work no more.

    It works for as long as `lasts` says, or as is usual.
    """
    now, token = at or timezone.now(), secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        withdraw(user, at=now)
        link = PasswordLink.objects.create(
            user=user, token_hash=digest_of(token), made_by=by, made_at=now,
            expires_at=now + (lasts or (RESET_FOR if user.has_usable_password() else INVITATION_FOR)),
        )  # fmt: skip
    return link, token


def withdraw(user: User, *, at: datetime | None = None) -> int:
    """Ends the links of this person that could still be used. Returns how many."""
    now = at or timezone.now()
    return PasswordLink.objects.filter(user=user, used_at=None, expires_at__gt=now).update(expires_at=now)


def find(token: str, *, at: datetime | None = None) -> PasswordLink | None:
    """The link with this token, if it can still be used. To look uses nothing up: mail scanners open links."""
    return usable(at).filter(token_hash=digest_of(token)).first()


def by_id(pk: object, *, at: datetime | None = None) -> PasswordLink | None:
    """The link with this id, if it can still be used."""
    return usable(at).filter(pk=pk).first() if isinstance(pk, int) else None


def usable(at: datetime | None = None) -> "QuerySet[PasswordLink]":
    """Links that were not used, have not expired, and are of people who may sign in."""
    now = at or timezone.now()
    return PasswordLink.objects.filter(used_at=None, expires_at__gt=now, user__is_active=True).select_related("user")


def use(link: PasswordLink, password: str, *, at: datetime | None = None) -> bool:
    """Sets the password that the person has chosen, and uses the link up. False when it was used or ended meanwhile.

    A changed password ends every session of the person.
    """
    now = at or timezone.now()
    with transaction.atomic():
        if not usable(now).filter(pk=link.pk).update(used_at=now):
            return False
        person = User.objects.select_for_update().get(pk=link.user_id)
        person.set_password(password)
        person.save(update_fields=["password"])
    return True
