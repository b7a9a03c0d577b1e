"""Forms of second factors: allauth's, with codes that work once, a secret that no session keeps in the clear."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core import context
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.factors import keys

log = logging.getLogger(__name__)

UNREADABLE = "The passkey’s answer cannot be read. Try again."
ALONE = "alone"  # in a passkey's data: whether its owner wants it to be the only step of a sign-in
LAST_COUNTER = "last_counter"  # in an app's data: the half minute of the last code that was used
NAME_CHARACTERS = 60
REASON_CHARACTERS = 200
NOT_ALONE = "This passkey is a second step only. Sign in with your password first."


class CodeOnce:
    """A code of an app that works once, even where the cache has forgotten that it was used."""

    def clean_code(self) -> str:
        """The code. Raises a ValidationError for one that is wrong or was used before."""
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP and not spend(self.authenticator, code):  # type: ignore[attr-defined]
            raise get_adapter().validation_error("incorrect_code")
        return code


def spend(app: Authenticator, code: str) -> bool:
    """Marks the code as used, and says whether it and all later ones were unused."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=app.pk)
        secret = keys.decrypt(row.data["secret"])
        counters = [
            counter
            for counter in auth.yield_hotp_counters_from_time()
            if compare_user_code(actual=code, expected=auth.format_hotp_value(auth.hotp_value(secret, counter)))
        ]
        if not counters or max(counters) <= row.data.get(LAST_COUNTER, 0):
            return False
        row.data[LAST_COUNTER] = max(counters)
        row.save(update_fields=["data"])
        return True


class SignInCodeForm(CodeOnce, AuthenticateForm):  # type: ignore[misc]
    """The code at the second step of a sign-in."""


class ProofCodeForm(CodeOnce, ReauthenticateForm):  # type: ignore[misc]
    """The code by which a person proves that it is still them."""


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """Sets up an authenticator app. Its new secret waits in the session, encrypted like everywhere."""

    secret: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        waiting = str(self.secret)
        self.secret = keys.decrypt(waiting) if keys.is_encrypted(waiting) else waiting
        context.request.session[auth.SECRET_SESSION_KEY] = keys.encrypt(self.secret)


@contextmanager
def sturdy() -> Iterator[None]:
    """Inside, whatever the library says of an answer that no browser gives becomes a sentence. Strangers send these."""
    try:
        yield
    except ValidationError:
        raise
    except Exception as trouble:
        log.warning("A passkey's answer cannot be read: %s", type(trouble).__name__)
        raise ValidationError(UNREADABLE) from None


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Adds a passkey, which may also be the only step of a sign-in."""

    name = forms.CharField(
        label="Name", max_length=NAME_CHARACTERS, required=False, help_text="Such as: laptop, phone."
    )
    passwordless = forms.BooleanField(label="Sign in with it alone, without a password", required=False)

    def clean(self) -> dict[str, Any]:
        """What was sent. Raises a ValidationError for an answer that is no passkey's."""
        with sturdy():
            return super().clean() or {}


class SturdyPasskey:
    """A passkey's answer, whatever was sent in its place."""

    def clean_credential(self) -> Authenticator:
        """The passkey that gave it. Raises a ValidationError."""
        with sturdy():
            return super().clean_credential()  # type: ignore[misc]


class SignInPasskeyForm(SturdyPasskey, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey at the second step of a sign-in."""


class ProofPasskeyForm(SturdyPasskey, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey by which a person proves that it is still them."""


class PasskeyAloneForm(SturdyPasskey, LoginWebAuthnForm):  # type: ignore[misc]
    """A sign-in by a passkey alone, where its owner wants that."""

    def clean_credential(self) -> Authenticator:
        """The passkey. Raises a ValidationError for one that is wrong, or was made as a second step."""
        passkey = super().clean_credential()
        if not passkey.data.get(ALONE):
            raise ValidationError(NOT_ALONE)
        return passkey


class ResetForm(forms.Form):
    """Why an owner takes a person's second factor away."""

    reason = forms.CharField(
        label="Reason", max_length=REASON_CHARACTERS,
        error_messages={"required": "Say why, such as: lost the phone. The person reads it."},
    )  # fmt: skip
