"""One try to sign in, from the throttle to the record. allauth's adapter (accounts/adapter.py) calls it."""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.sign_in import devices, throttle
from accounts.sign_in.backend import person_of
from accounts.sign_in.record import record_door
from panel.web.visitor import address_of

# How somebody signed in, as allauth calls it → in words.
WAYS = {"password": "password", "totp": "code", "recovery_codes": "recovery code", "webauthn": "passkey"}
WRONG_PASSWORD, UNKNOWN_NAME, SWITCHED_OFF = "wrong password", "nobody has this name", "the account is switched off"
SENTENCE = (
    "Too many failed sign-ins. Wait {minutes} min, then try again. Somebody else’s wrong passwords do not lock you "
    "out: on a device or from an address where you have signed in before, you can sign in now."
)


class TooMany(ValidationError):
    """A try that was refused before its password was looked at, with the sentence for the person."""


class Entrance:
    """One try of a password: `enter` before it is checked, then `passed` or `failed`."""

    def __init__(self, request: HttpRequest, login: str) -> None:
        self.request = request
        self.person = person_of(login.strip())
        known_device, known_address = devices.known(self.person, request)
        account = throttle.account_of(self.person, login)
        self.attempt = throttle.Try(
            account, address_of(request), devices.digest_in(request), known_device, known_address
        )
        self.taken: list[str] = []

    def enter(self) -> None:
        """Counts the try. Raises TooMany when there is no room for it; the first such refusal is recorded."""
        taken = throttle.take(self.attempt)
        if isinstance(taken, throttle.Refused):
            if taken.first:
                record_door("throttled", self.person, self.request)
            self.request.sign_in_wait = taken.seconds  # type: ignore[attr-defined]  # the view answers with it
            raise TooMany(SENTENCE.format(minutes=-(-taken.seconds // 60)), code="too_many_login_attempts")
        self.taken = taken

    def passed(self, person: Any) -> None:
        """The password was right: the try does not count. Whoever is switched off is recorded as a failure."""
        throttle.give_back(self.taken)
        if not person.is_active:
            record_door("failed", person, self.request, why=SWITCHED_OFF)

    def failed(self) -> None:
        """The password was wrong, or nobody has the name. What was typed is not recorded: it may be a password."""
        record_door("failed", self.person, self.request, why=WRONG_PASSWORD if self.person else UNKNOWN_NAME)


def signed_in(request: HttpRequest, person: Any, response: HttpResponseBase) -> None:
    """Records that somebody has signed in, remembers the device, and begins the time of the session."""
    new = devices.is_new(person, request)
    devices.remember(person, request, response, tell=new and bool(person.email))
    record_door("new_device" if new else "signed_in", person, request, how=how_of(request, person))
    request.session.began_at = timezone.now()  # type: ignore[attr-defined]


def how_of(request: HttpRequest, person: Any) -> str:
    """How the person has signed in, each step once: “password and code”."""
    steps = [step.get("type") or step["method"] for step in get_authentication_records(request, person)]
    return " and ".join(dict.fromkeys(WAYS.get(step, step) for step in steps))
