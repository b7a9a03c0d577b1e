"""What owners change about a person: the role, whether the account is on, name and address. An owner always stays.

Every door comes here: the person's page, and Django's admin for its check and its record.
"""

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import Role, why_not
from accounts.factors.rule import is_required
from accounts.models import User
from accounts.sign_in.record import record_door

LAST_OWNER = "This is the last active owner. Make somebody else an owner first."
REASON_CHARACTERS = 200


class Refused(Exception):
    """Our no to a change of a person, with its reason as a sentence."""


def why_no_owner_left(person: User, *, stays_owner: bool) -> str:
    """Why this person must stay an active owner, or "". Locks the owners until the caller's transaction ends.

    So of two owners who demote each other at once, only one succeeds.
    """
    owners = User.objects.filter(role=Role.OWNER, is_active=True).order_by("pk").select_for_update()
    return LAST_OWNER if {owner.pk for owner in owners} <= {person.pk} and not stays_owner else ""


def set_role(
    person: User, role: str, *, saw: str, by: Any, request: HttpRequest | None = None, reason: str = ""
) -> bool:
    """Gives the person another role, which holds with their next request. False if they have it already.

    `saw` is the role that the page showed; raises Refused when somebody has changed it since.
    """
    if role not in Role.values:
        raise Refused("Choose one of the roles.")
    with transaction.atomic():
        fresh = locked(person, by, stays_owner=role == Role.OWNER)
        if fresh.role == role:
            return False
        if fresh.role != saw:
            raise Refused(f"Somebody has made {fresh} {a_role(fresh.role)} meanwhile. Nothing was changed.")
        was, fresh.role = fresh.role, role
        if is_required(fresh):  # whom a second factor is newly asked of gets the days in full
            fresh.factor_asked_at = timezone.now()
        fresh.save(update_fields=["role", "factor_asked_at"])
        record_change(fresh, request, was=was, reason=reason)
    return True


def switch(person: User, on: bool, *, by: Any, request: HttpRequest | None = None, reason: str = "") -> bool:
    """Switches the account on or off. Off ends every session, so that nothing is served from then on.

    Returns False if it stands so already.
    """
    with transaction.atomic():
        fresh = locked(person, by, stays_owner=on or not person.is_active)
        if fresh.is_active == on:
            return False
        fresh.is_active = on
        fresh.save(update_fields=["is_active"])
        record_switch(fresh, request, reason=reason)
    return True


def locked(person: User, by: Any, *, stays_owner: bool) -> User:
    """The person as they stand now, for this change. Raises Refused without the right to it, or for the last owner.

    The right is read anew behind the lock: an owner who was demoted a moment ago changes nobody.
    """
    last = why_no_owner_left(person, stays_owner=stays_owner)
    if why := why_not(User.objects.get(pk=by.pk), "people"):
        raise Refused(why)
    fresh = User.objects.select_for_update().get(pk=person.pk)
    if last and fresh.role == Role.OWNER and fresh.is_active:
        raise Refused(last)
    return fresh


def a_role(role: str) -> str:
    """`an owner`, `a manager`."""
    return f"{'an' if role[:1] in 'aeiou' else 'a'} {role}"


def record_change(person: User, request: HttpRequest | None, *, was: str, reason: str = "") -> None:
    """Writes down that the person has another role now."""
    record_door("role_changed", person, request, was=Role(was).label, now=Role(person.role).label, why=because(reason))


def record_switch(person: User, request: HttpRequest | None, *, reason: str = "") -> None:
    """Writes down that the account was switched on or off."""
    record_door("switched_on" if person.is_active else "switched_off", person, request, why=because(reason))


def because(reason: str) -> str:
    """A reason as it follows a sentence of the record; "" for none."""
    return f": {reason}" if (reason := " ".join(reason.split())[:REASON_CHARACTERS]) else ""
