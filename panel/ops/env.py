"""Reads the environment strictly: a wrong value stops the start, with a sentence that names it.

Every name may also come as `NAME_FILE`, the path of a file that holds the value, so that secrets
need not stand in a process's environment.
"""

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

YES, NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
LOOPBACK = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")  # how an address of this machine begins

# How DATABASE_URL may begin, and what Django calls that database.
ENGINES = {
    "sqlite": "django.db.backends.sqlite3",
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
}
DATABASE_FORM = (
    "write it like postgres://user:password@host:5432/name or sqlite:////path/to/desk.sqlite3 "
    "(in a password, / is %2F, # is %23, ? is %3F and % is %25)"
)

SECRET_CHARACTERS, SECRET_LETTERS = 50, 12  # at least: in all, and different ones
GIVEN_SECRETS = ("django-insecure-", "debug-only-", "changeme", "change-me")  # how one begins that somebody else made

CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
source = environ.FileAwareEnv()


def read_file(path: Path) -> None:
    """Reads the lines `NAME=value` of a file into the environment, which wins. Nothing happens if there is no file."""
    try:
        with path.open(encoding="utf-8") as lines:
            source.read_env(lines)
    except (FileNotFoundError, IsADirectoryError):  # some keep their virtual environment in a folder of that name
        return
    except (OSError, UnicodeDecodeError) as trouble:
        raise ImproperlyConfigured(
            f"{path} cannot be read ({reason(trouble)}): let this user read it, or take it away."
        ) from None


def text(name: str, default: str = "") -> str:
    """The value as written, without surrounding blanks; the default when the name is not there."""
    file = f"{name}_FILE"
    try:
        written = source.ENVIRON.get(name)
        # It reads `$OTHER` as the value of OTHER. Where there is none, as for a password that begins so, it is meant.
        raw = default if written is None else str(source.str(name, default="") or written)
    except (OSError, ValueError) as trouble:  # a ValueError from what is no UTF-8, or no path
        why = f"cannot be read ({reason(trouble)})"
        raise ImproperlyConfigured(f"{_named(file)} {why}: {_path_or_value(name)}") from None
    value = raw.strip().removeprefix("\ufeff")  # the mark that some editors put in front
    if not value and os.environ.get(file):
        raise ImproperlyConfigured(f"{_named(file)} holds nothing: {_path_or_value(name)}")
    return value


def kept(path: Path, value: str, *, name: str) -> str:
    """What this file holds, which only this user may read. It is made with `value` when it is not there.

    `name` is the setting that does without the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            path.touch(mode=0o600)
            path.write_text(value)
        return path.read_text().strip() or value
    except (OSError, UnicodeDecodeError) as trouble:
        raise ImproperlyConfigured(
            f"{path} cannot be kept ({reason(trouble)}): set {name}, or let this user write there."
        ) from None


def forget(name: str) -> None:
    """Takes a value from this process's environment, for itself and for what it starts."""
    for each in (name, f"{name}_FILE"):
        source.ENVIRON.pop(each, None)


def refuse_weak(name: str, *values: str) -> None:
    """Refuses a secret that signs sessions and links unless it is long, random and nobody else's. It names no value."""
    for value in values:
        if len(value) < SECRET_CHARACTERS or len(set(value)) < SECRET_LETTERS or value.startswith(GIVEN_SECRETS):
            raise ImproperlyConfigured(
                f"{name} is short, plain or an example: set a random one of {SECRET_CHARACTERS} characters or more and "
                "keep it (.env.example says how to make it)."
            )


def reason(trouble: Exception) -> str:
    """Why a file cannot be read or written, in the system's words without its path."""
    return (trouble.strerror or "not readable") if isinstance(trouble, OSError) else "not a file of UTF-8 text"


def _named(file: str) -> str:
    """`NAME_FILE=/the/path`. What is no full path is left out: it may be the secret itself, put there by mistake."""
    path = os.environ[file]
    return f"{file}={path}" if path.startswith("/") else f"The file that {file} names"


def _path_or_value(name: str) -> str:
    return f"write the path of a file that holds the value and that this user may read, or set {name} instead."


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


def clock_time(name: str, default: str) -> str:
    """A time of day in UTC, written like 06:00, with its zone; "" for `off`."""
    raw = text(name, default)
    if raw.lower() == "off":
        return ""
    if not CLOCK_TIME.fullmatch(raw):
        raise ImproperlyConfigured(f"{name}={raw!r}: write a time like 06:00, or off.")
    return f"{raw} UTC"


def words(name: str, default: str = "") -> list[str]:
    """The words between commas, without surrounding blanks and without empty ones."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of `choices`, which are in capitals; the environment may write it in small letters."""
    raw = text(name, default).upper()
    if raw not in choices:
        raise ImproperlyConfigured(f"{name}={raw!r}: write one of {', '.join(choices)}.")
    return raw


def database(name: str, default: str) -> dict[str, Any]:
    """Django's settings of the database that a URL names: SQLite's, whose folder is made, or PostgreSQL's.

    The default when nothing is written. The error does not repeat the URL, because it may hold a password.
    """
    raw = text(name) or default
    begins, separated, _ = raw.partition("://")
    engine = ENGINES.get(begins.lower())
    if not (engine and separated):
        raise ImproperlyConfigured(f"{name} names no database that the desk can use: {DATABASE_FORM}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it warns of what it leaves out
            config: dict[str, Any] = source.db_url_config(raw)
            split = urlsplit(raw)
            behind = split.path + split.fragment if split.path and engine != ENGINES["sqlite"] else ""
            misread = "@" in behind or "\0" in config["NAME"]
    except (ValueError, Warning):
        misread = True
    if misread:  # as from a password with a bare / in it, where the host seems to end
        raise ImproperlyConfigured(f"{name} cannot be read: {DATABASE_FORM}.")
    if engine == ENGINES["sqlite"]:
        _require_sqlite_file(name, raw, config["NAME"])
    elif not (config["NAME"] or config.get("OPTIONS", {}).get("service")):
        raise ImproperlyConfigured(f"{name} does not say which database of the server: {DATABASE_FORM}.")
    return config | {"ENGINE": engine}


def _require_sqlite_file(name: str, raw: str, path: str) -> None:
    """Makes the file's folder. In memory, which nothing outlives, only when those words are written."""
    if path == ":memory:" and not raw.endswith(path):
        raise ImproperlyConfigured(f"{name} names no file: {DATABASE_FORM}.")
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as trouble:
        raise ImproperlyConfigured(
            f"{name}: the folder {Path(path).parent} cannot be made ({reason(trouble)}): "
            "make it for this user, or name another."
        ) from None
    if Path(path).is_dir():
        raise ImproperlyConfigured(f"{name}: {path} is a folder: {DATABASE_FORM}.")


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
