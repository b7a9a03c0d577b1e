"""Reads the environment strictly: a wrong word stops the start, with a sentence that names it.

Every name may also come as `NAME_FILE`, the path of a file that holds the value, so that secrets
need not stand in a process's environment.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

WORDS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}

source = environ.FileAwareEnv()


def text(name: str, default: str = "") -> str:
    """The value as written, without surrounding blanks."""
    return str(source.str(name, default=default)).strip()


def flag(name: str, default: bool) -> bool:
    """A yes or a no. django-environ reads any unknown word as no, which would hide `DEBUG=flase`."""
    raw = text(name)
    if not raw:
        return default
    if raw.lower() not in WORDS:
        raise ImproperlyConfigured(f"{name}={raw!r}: write true or false.")
    return WORDS[raw.lower()]


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
    """Words between commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of `choices`, in capitals."""
    raw = text(name, default).upper()
    if raw not in choices:
        raise ImproperlyConfigured(f"{name}={raw!r}: write one of {', '.join(choices)}.")
    return raw


def address(name: str, *, loopback: bool) -> str:
    """An https:// address, or "". With `loopback` also one of this machine without TLS. It is never repeated: a secret
    may stand in it."""
    raw = text(name)
    here = raw.startswith(("http://127.0.0.1:", "http://localhost:", "http://[::1]:"))
    if raw and not (raw.startswith("https://") or (loopback and here)):
        raise ImproperlyConfigured(f"{name} must begin with https://.")
    return raw


class Mail(NamedTuple):
    """Django's settings of how mail is sent, in the order of panel/settings.py."""

    backend: str
    host: str
    port: int
    user: str
    password: str
    tls: bool
    ssl: bool


NO_MAIL = Mail("django.core.mail.backends.dummy.EmailBackend", "", 25, "", "", tls=False, ssl=False)


def mail(name: str, default: str) -> Mail | None:
    """`smtp+tls://user:password@host:587` and its like; None when nothing is said. It is never repeated either."""
    raw = text(name, default)
    if not raw:
        return None
    try:
        said = source.email_url_config(raw)
        return Mail(
            said["EMAIL_BACKEND"], said["EMAIL_HOST"] or "", said["EMAIL_PORT"] or 25, said["EMAIL_HOST_USER"] or "",
            said["EMAIL_HOST_PASSWORD"] or "", tls=said.get("EMAIL_USE_TLS", False),
            ssl=said.get("EMAIL_USE_SSL", False),
        )  # fmt: skip
    except (ImproperlyConfigured, KeyError, ValueError):
        raise ImproperlyConfigured(f"{name}: write it like smtp+tls://user:password@mail.example.com:587.") from None


def load_file(path: Path) -> None:
    """Reads `.env`, if there is one; what the environment already says wins."""
    if path.is_file():
        environ.Env.read_env(str(path))
