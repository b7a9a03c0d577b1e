"""Who must have a second factor, and until when they can work without it."""

from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils import timezone

from accounts.desk_settings import current, needs_factor
from accounts.models import FACTORS


def has_factor(user: Any) -> bool:
    """Whether the person has an app or a passkey. For who signed in, the query that read them knows it."""
    if hasattr(user, "has_factor"):
        return bool(user.has_factor)
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def is_required(user: Any) -> bool:
    """Whether owners ask a second factor of this person's role."""
    return needs_factor(user.role, current().factor_from)


def due_at(user: Any) -> datetime | None:
    """The moment at which the person needs a second factor that they have not; None if there is no such moment."""
    if not is_required(user) or has_factor(user):
        return None
    grace = timedelta(days=float(current().factor_grace_days))
    return user.factor_asked_at + grace if user.factor_asked_at else user.date_joined  # type: ignore[no-any-return]


def is_shut_out(user: Any, now: datetime | None = None) -> bool:
    """Whether the person can do nothing but set up a second factor."""
    due = due_at(user)
    return due is not None and due <= (now or timezone.now())
