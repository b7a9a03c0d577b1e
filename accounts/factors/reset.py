"""Takes a person's second factor away, for the day on which they have lost it."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.sign_in.record import record_door


def reset(user: User, *, by: Any, reason: str, request: HttpRequest | None = None) -> str:
    """Removes all second factors of the person, recovery codes too. Returns "" or why not, as a sentence.

    A person whose role needs one has no days any more: at the next sign-in they set up a new one. `by` is None at a
    shell; an owner does it for others and not for themselves, because a signed-in owner can remove their own.
    """
    if by is not None and by.pk == user.pk:
        return "Remove your own second factor under Sign-in and security."
    with transaction.atomic():
        User.objects.select_for_update().filter(pk=user.pk).update(factor_asked_at=None)
        removed, _ = Authenticator.objects.filter(user_id=user.pk).delete()
        if not removed:
            transaction.set_rollback(True)
            return f"{user} has no second factor."
        if by is not None:
            LogEntry.objects.create(
                user_id=by.pk, content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk),
                object_repr=str(user)[:200], action_flag=CHANGE, change_message=f"Reset the second factor: {reason}",
            )  # fmt: skip
        record_door("factor_reset", user, request, reason=reason)
    return ""
