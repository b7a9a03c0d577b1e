"""What happens to second factors and passwords, told to the record of the door."""

import logging
from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_used
from django.http import HttpRequest

log = logging.getLogger(__name__)


def note_door(kind: str, user: Any, request: HttpRequest | None, **facts: Any) -> None:
    """Notes that this happened to this person's account. Facts are never secrets.

    Everything of this part goes through here: where the desk has a record of the door, this function calls it.
    """
    by = request.user.pk if request is not None and request.user.is_authenticated else None
    log.info("At the door: %s", kind, extra={"kind": kind, "person": getattr(user, "pk", None), "by": by, **facts})


def wrong_code(request: HttpRequest, user: Any, **_: object) -> None:
    """A code that was wrong, at a sign-in or at a proof."""
    note_door("factor_failed", user, request)


def used(request: HttpRequest, user: Any, authenticator: Authenticator, **_: object) -> None:
    """A recovery code that was used, which is worth a look: they are for the day on which the phone is lost."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        note_door("recovery_code_used", user, request)


def new_password(request: HttpRequest, user: Any, **_: object) -> None:
    """A password that the person changed on their own page."""
    note_door("password_changed", user, request)


authentication_failed.connect(wrong_code, dispatch_uid="wrong code")
authenticator_used.connect(used, dispatch_uid="recovery code used")
password_changed.connect(new_password, dispatch_uid="password changed")
