"""People with second factors, and the codes that their apps show."""

import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client

from accounts.factors import keys
from accounts.factors.proof import PROOF_SECONDS, PROVED_AT
from accounts.models import DeskSession, User
from accounts.sessions.store import SessionStore
from tests.makers import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, STEP = "/accounts/login/", "/accounts/login/factor/"


def with_app(user: User) -> list[str]:
    """Gives this person an app with SECRET, and the recovery codes that they get back."""
    TOTP.activate(user, SECRET)
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


def code_now(secret: str = SECRET, *, later: int = 0) -> str:
    """What the app shows; `later` counts half minutes from now."""
    shown: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))
    return shown


def stored(user: User, kind: str = "totp") -> dict[str, Any]:
    """What the database keeps of this factor."""
    data: dict[str, Any] = Authenticator.objects.get(user=user, type=kind).data
    return data


def secret_of(user: User) -> str:
    """The app's secret."""
    return keys.decrypt(stored(user)["secret"])


def enter(client: Client, user: User, password: str = PASSWORD, **more: str) -> Any:
    """The answer to a sign-in by password."""
    return client.post(LOGIN, {"login": user.username, "password": password, **more})


def is_in(client: Client) -> bool:
    """Whether this browser may see a page of the desk."""
    return client.get("/orders/").status_code == 200


def grow_old(client: Client) -> None:
    """Lets the browser's proof grow too old."""
    session = client.session
    session[PROVED_AT] = time.time() - PROOF_SECONDS - 1
    session.save()


def held_in_sessions() -> str:
    """What all sessions hold, as text."""
    return str([SessionStore().decode(row.session_data) for row in DeskSession.objects.all()])
