"""Reads the environment strictly: a wrong value stops the start, with a sentence that names it.

Every name may also come as `NAME_FILE`, the path of a file that holds the value, so that secrets
need not stand in a process's environment.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

YES, NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")  # how an address of this machine begins

source = environ.FileAwareEnv()


def text(name: str, default: str = "") -> str:
    """The value as written, without surrounding blanks."""
    return str(source.str(name, default=default)).strip()


def flag(name: str, default: bool) -> bool:
    """A yes or a no. django-environ reads any unknown word as no, which would hide `DEBUG=flase`."""
    raw = text(name)
    if raw and raw.lower() not in YES + NO:
        raise ImproperlyConfigured(f"{name}={raw!r}: write true or false.")
    return raw.lower() in YES if raw else default


def number(name: str, default: T, kind: Callable[[str], T], *, least: T, most: T) -> T:
    """A number of `kind` (int, float, Decimal), from `least` to `most`."""
    raw = text(name)
    if not raw:
        return default
    try:
        value = kind(raw)
        fits = least <= value <= most  # type: ignore[operator]  # a float's NaN fits nowhere
    except (ValueError, ArithmeticError):  # the latter from a Decimal, whose NaN refuses to be compared
        raise ImproperlyConfigured(f"{name}={raw!r}: write a number.") from None
    if not fits:
        raise ImproperlyConfigured(f"{name}={raw!r}: write a number from {least} to {most}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """The words between commas, without surrounding blanks and without empty ones."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of `choices`, which are in capitals; the environment may write it in small letters."""
    raw = text(name, default).upper()
    if raw not in choices:
        raise ImproperlyConfigured(f"{name}={raw!r}: write one of {', '.join(choices)}.")
    return raw


def address(name: str, *, loopback: bool) -> str:
    """An https:// address, or "". `loopback` also allows one of this machine without TLS.

    The error does not repeat the address, because it may hold a secret.
    """
    raw = text(name)
    if raw and not raw.startswith(("https://", *LOOPBACK) if loopback else "https://"):
        raise ImproperlyConfigured(f"{name} must begin with https://.")
    return raw


def mail(name: str, default: str) -> dict[str, Any]:
    """Django's EMAIL_* settings that `smtp+tls://user:password@host:587` and the like stand for; {} when not set.

    The error does not repeat the value, because it may hold a password.
    """
    raw = text(name, default)
    try:
        return dict(source.email_url_config(raw)) if raw else {}
    except (ImproperlyConfigured, ValueError):
        raise ImproperlyConfigured(f"{name}: write it like smtp+tls://user:password@mail.example.com:587.") from None
