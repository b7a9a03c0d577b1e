"""Tells the record of the door what allauth does by itself: wrong codes, recovery codes, changed passwords."""

from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_used
from django.http import HttpRequest

from accounts.sign_in.record import record_door


def wrong_code(request: HttpRequest, user: Any, **_: object) -> None:
    """A code that was wrong, at a sign-in or at a proof."""
    record_door("factor_failed", user, request)


def used(request: HttpRequest, user: Any, authenticator: Authenticator, **_: object) -> None:
    """A recovery code that was used, which is worth a look: they are for the day on which the phone is lost."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        record_door("recovery_code_used", user, request)


def new_password(request: HttpRequest, user: Any, **_: object) -> None:
    """A password that the person changed on their own page."""
    record_door("password_changed", user, request)


def listen() -> None:
    """Hears of these from allauth from now on."""
    authentication_failed.connect(wrong_code, dispatch_uid="wrong code")
    authenticator_used.connect(used, dispatch_uid="recovery code used")
    password_changed.connect(new_password, dispatch_uid="password changed")
