"""The list of the people: who is here, since when not, and how safely they sign in. Few queries for any team."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from allauth.mfa.models import Authenticator
from django.db.models import Max

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
    seen, factors, links = last_seen(now), factor_words(), open_links(now)
    found = []
    for person in people:
        vars(person)["has_factor"] = person.pk in factors
        at = seen.get(person.pk)
        mark = "" if at is None else HERE if now - at < HERE_FOR else AWAY
        due = due_at(person) if person.is_active else None
        words = " and ".join(factors[person.pk]) if person.pk in factors else ""
        found.append(Member(person, mark, at or person.last_login, words, due, links.get(person.pk)))
    return found


def last_seen(now: datetime) -> dict[int, datetime]:
    """Person → when they last did something, of those who are signed in."""
    alive = DeskSession.objects.alive(now).filter(user__isnull=False).order_by()
    return dict(alive.values("user").annotate(at=Max("used_at")).values_list("user", "at"))


def member_of(person: User, now: datetime) -> tuple[str, datetime | None]:
    """The mark and the last sign of life of one person."""
    alive = DeskSession.objects.alive(now).filter(user=person).order_by("-used_at")
    at = alive.values_list("used_at", flat=True).first()
    return ("" if at is None else HERE if now - at < HERE_FOR else AWAY), at or person.last_login


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
