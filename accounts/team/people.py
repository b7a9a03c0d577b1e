"""The list of the people: who is here, since when not, and how safely they sign in. Few queries for any team."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from allauth.mfa.models import Authenticator

from accounts.factors.rule import due_at
from accounts.models import FACTORS, DeskSession, PasswordLink, User

HERE_FOR = timedelta(minutes=5)  # after the last thing that a person did; polls of open pages do not count
FACTOR_WORDS = {Authenticator.Type.TOTP: "Code from an app", Authenticator.Type.WEBAUTHN: "Passkey"}
HERE, AWAY = "is-here", "is-away"  # the marks on a face


class Member(NamedTuple):
    """One person of the list."""

    person: User
    mark: str  # HERE, AWAY, or "" without a session
    seen_at: datetime | None  # when they last did something; None if nobody knows
    factor: str  # in words, "" for none
    factor_due: datetime | None  # from then on they can do nothing without one
    link: PasswordLink | None  # by which they can still choose a password


def members(now: datetime) -> list[Member]:
    """Everybody who is or was on the team: who is active first, by name."""
    people = list(User.objects.order_by("-is_active", "name", "username"))
    signed_in, factors, links = people_signed_in(now), factor_words(), open_links(now)
    found = []
    for person in people:
        vars(person)["has_factor"] = person.pk in factors
        mark = mark_of(person, person.pk in signed_in, now)
        due = due_at(person) if person.is_active else None
        words = " and ".join(factors[person.pk]) if person.pk in factors else ""
        found.append(Member(person, mark, seen_at(person), words, due, links.get(person.pk)))
    return found


def seen_at(person: User) -> datetime | None:
    """When the person last did something, on any device, whether or not they are still signed in."""
    return person.seen_at or person.last_login  # who was never seen since an older version of the desk


def people_signed_in(now: datetime) -> set[int]:
    """Everybody who has a session."""
    return set(DeskSession.objects.alive(now).filter(user__isnull=False).order_by().values_list("user", flat=True))


def mark_of(person: User, is_signed_in: bool, now: datetime) -> str:
    """HERE, AWAY, or "" without a session."""
    at = seen_at(person)
    return "" if not is_signed_in else HERE if at and now - at < HERE_FOR else AWAY


def member_of(person: User, now: datetime) -> tuple[str, datetime | None]:
    """The mark and the last sign of life of one person."""
    is_signed_in = DeskSession.objects.alive(now).filter(user=person).exists()
    return mark_of(person, is_signed_in, now), seen_at(person)


def factor_words() -> dict[int, list[str]]:
    """Person → their second factors in words."""
    kinds: dict[int, list[str]] = defaultdict(list)
    for user, kind in (
        Authenticator.objects.filter(type__in=FACTORS).values_list("user", "type").distinct().order_by("type")
    ):
        kinds[user].append(FACTOR_WORDS[kind])
    return kinds


def open_links(now: datetime) -> dict[int, PasswordLink]:
    """Person → the link by which they can still choose a password."""
    usable = PasswordLink.objects.filter(used_at=None, expires_at__gt=now, user__is_active=True)
    return {link.user_id: link for link in usable.select_related("user", "made_by").order_by("pk")}
