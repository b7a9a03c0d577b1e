"""Devices with which people have signed in: a browser keeps a random text in a cookie, the desk keeps its hash."""

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.models import KnownDevice, User, digest_of
from panel.web.visitor import address_of, device_of

COOKIE = f"{settings.OWN_COOKIE}desk_device"
COOKIE_BYTES = 32
FORGOTTEN_AFTER = timedelta(days=180)  # without a sign-in
ROWS_A_PERSON = 40  # the latest devices and addresses; each of them is a count of its own for guesses


def digest_in(request: HttpRequest) -> str:
    """The hash of the text in this browser's cookie, or "" where it has none."""
    cookie = request.COOKIES.get(COOKIE, "")
    return digest_of(cookie) if cookie else ""


def known(person: User | None, request: HttpRequest) -> tuple[bool, bool]:
    """Whether this person has signed in before: with this device, and from this address.

    It costs one query for everybody, also for an account that does not exist.
    """
    devices = KnownDevice.objects.filter(user_id=person.pk if person else 0)
    digest, address, pairs = digest_in(request), address_of(request), set(devices.values_list("digest", "address"))
    return any(digest == kept for kept, _ in pairs), any(address == kept for _, kept in pairs)


def is_new(person: User, request: HttpRequest) -> bool:
    """Whether this person uses another device than before. Somebody's first device is not new to them."""
    devices = KnownDevice.objects.filter(user=person)
    return devices.exists() and not devices.filter(digest=digest_in(request)).exists()


def remember(person: User, request: HttpRequest, response: HttpResponseBase, *, tell: bool) -> None:
    """Remembers the device after a sign-in, and gives it its cookie. With `tell` a worker e-mails the person."""
    now, text = timezone.now(), request.COOKIES.get(COOKIE) or secrets.token_urlsafe(COOKIE_BYTES)
    request.COOKIES[COOKIE] = text  # the same for whatever else asks in this request
    seen: dict[str, Any] = {"device": device_of(request), "last_at": now}
    KnownDevice.objects.update_or_create(
        user=person,
        digest=digest_in(request),
        address=address_of(request),
        defaults=seen,
        create_defaults={**seen, "first_at": now, "mail_due_at": now if tell else None},
    )
    kept = KnownDevice.objects.filter(user=person).order_by("-last_at", "-id").values("pk")[:ROWS_A_PERSON]
    KnownDevice.objects.filter(user=person).exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
    response.set_cookie(COOKIE, text, max_age=FORGOTTEN_AFTER, secure=settings.SECURE, httponly=True, samesite="Lax")
