"""The record of what happens at the door: one line of the trail, and one line in the log.

Other code adds an event like this, in the transaction of what it tells of:

    record_door("password_changed", user, request)
    record_door("factor_reset", user, request, reason="Lost the phone")

`user` is the person whose account it is about, `request` gives who did it, the address and the device. Each kind is a
row of KINDS. Facts are short and tell no secret: a password, a code, a link or a key of a session is never among them.
"""

import logging
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import DoorEvent
from accounts.sign_in import throttle
from accounts.trail.kinds import SECURITY_GROUPS
from panel.format.money import without_amounts
from panel.ops.logs import on_one_line
from panel.web.visitor import address_of, device_of

log = logging.getLogger(__name__)

FACT_CHARACTERS = 200
FORBIDDEN_ROWS = 20  # of one person within ten minutes


class Kind(NamedTuple):
    """One kind of event: its title, and what the page says below it, with facts in braces."""

    group: str  # a key of GROUPS
    title: str
    detail: str = ""
    tone: str = ""  # warn, bad


GROUPS = SECURITY_GROUPS  # filters of the page
KINDS: dict[str, Kind] = {
    "signed_in": Kind("sign_in", "Signed in", "{how}"),
    "new_device": Kind("sign_in", "Signed in on a new device", "{how}", "warn"),
    "reauthenticated": Kind("sign_in", "Confirmed who they are"),
    "failed": Kind("refused", "Failed to sign in", "{why}"),
    "throttled": Kind("refused", "Slowed down", "after too many failures", "bad"),
    "factor_failed": Kind("refused", "Gave a wrong code"),
    "factor_added": Kind("factor", "Second factor added"),
    "factor_removed": Kind("factor", "Second factor removed", tone="warn"),
    "factor_reset": Kind("factor", "Second factor reset", "{reason}", "warn"),
    "recovery_codes_made": Kind("factor", "Recovery codes made"),
    "recovery_code_used": Kind("factor", "Recovery code used", tone="warn"),
    "passkey_added": Kind("factor", "Passkey added"),
    "passkey_removed": Kind("factor", "Passkey removed"),
    "password_changed": Kind("password", "Password changed"),
    "password_reset": Kind("password", "Password reset through a link", tone="warn"),
    "invitation_made": Kind("password", "Link to choose a password made"),
    "invitation_used": Kind("password", "Link to choose a password used"),
    "invitation_withdrawn": Kind("password", "Link to choose a password withdrawn"),
    "signed_out": Kind("session", "Signed out"),
    "session_ended": Kind("session", "Session ended", "{device_ended}"),
    "sessions_ended": Kind("session", "Sessions ended", "{count} of them"),
    "person_added": Kind("people", "Added to the team"),
    "person_changed": Kind("people", "Account changed"),
    "role_changed": Kind("people", "Role changed", "{was} to {now}{why}", "warn"),
    "switched_off": Kind("people", "Account switched off", "by an owner{why}", "warn"),
    "switched_on": Kind("people", "Account switched on again", "by an owner{why}"),
    "details_changed": Kind("people", "Name or address changed", "{what}"),
    "limits_set": Kind("people", "Limits changed", "{was} → {now}"),
    "forbidden": Kind("forbidden", "Asked for what they may not do", "{method} {path}", "warn"),
}
STRANGERS = ("failed", "throttled", "factor_failed")  # whoever did it has not shown that they are the person
UNKNOWN_KIND = Kind("", "Something that this version of the desk does not know")


class Facts(dict[str, Any]):
    """The facts of an event; what is missing is a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def record_door(kind: str, user: Any, request: HttpRequest | None, **facts: Any) -> DoorEvent:
    """Records an event of this kind, a key of KINDS, and logs it in one line.

    `user` is the person whose account it is about, or None for an account that does not exist. Who is signed in is
    recorded as the one who did it where that is somebody else; otherwise the person is, unless a stranger may have
    been. `request` is None at a shell.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    actor = getattr(request, "user", None)
    by = actor if actor is not None and actor.is_authenticated and actor != user else None
    person = user if user is not None and user.pk else None
    event = DoorEvent.objects.create(
        at=timezone.now(),
        kind=kind,
        group=KINDS[kind].group,
        person=person,
        label=str(person or ""),
        by=by or (None if kind in STRANGERS else person),
        address=address_of(request) if request else "",
        device=device_of(request) if request else "",
        facts={name: short(value) for name, value in facts.items()},
    )
    about = {"door": kind, "person": event.person_id, "by": event.by_id, "address": event.address,
             "device": event.device}  # fmt: skip
    log.info("door: %s", KINDS[kind].title, extra={**event.facts, **about})
    return event


def short(value: Any) -> Any:
    """A fact as the record keeps it: a number as it is, anything else as a text that is cut.

    Control characters are written out: PostgreSQL keeps no NUL, which a path may have.
    """
    return (
        value if value is None or isinstance(value, bool | int | float) else on_one_line(str(value))[:FACT_CHARACTERS]
    )


def kind_of(event: DoorEvent) -> Kind:
    """The row of KINDS that says what this event is called."""
    return KINDS.get(event.kind, UNKNOWN_KIND)


def detail_of(event: DoorEvent) -> str:
    """What is to be said besides the title, or ""."""
    return without_amounts(kind_of(event).detail.format_map(Facts(event.facts)))


def record_forbidden(request: HttpRequest) -> None:
    """Records that a person asked for what they may not do, the first few times within ten minutes.

    A stranger is sent to sign in instead, and has no row: otherwise strangers could fill the database.
    """
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return
    if throttle.has_room("forbidden", str(person.pk), most=FORBIDDEN_ROWS):
        record_door("forbidden", person, request, method=request.method, path=request.path)
