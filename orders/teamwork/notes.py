"""Writing a note about an order, once, and calling teammates to it."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from orders.models import Mention, Note, Order
from orders.models.team import NOTE_CHARACTERS
from orders.rules.refusal import Refusal, require_allowed
from orders.teamwork.mentions import mentioned
from panel.format.numbers import number

TEAM_PEOPLE = 1_000  # the most that are offered for assignment, and whose names are looked for in a note


def write_note(order: Order, text: str, token: uuid.UUID, *, by: Any) -> tuple[Note, bool]:
    """The note, and whether it is new: sending the same form again gives the note it wrote before.

    Raises a Refusal when the text may not stand as a note, or the form has written another text.
    """
    require_allowed(by, "note")
    text = text.replace("\r\n", "\n").rstrip().lstrip("\n")
    if why := why_no_note(text):
        raise Refusal(why)
    if earlier := Note.objects.filter(form_token=token).first():
        return same_note(earlier, order, text, by), False
    try:
        with transaction.atomic():
            note = Note.objects.create(order=order, by=by, at=timezone.now(), text=text, form_token=token)
            people = sorted(mentioned(text, team() if "@" in text else ()), key=str)
            Mention.objects.bulk_create([Mention(note=note, user=person) for person in people])
            order.change()
            facts = {"to": ", ".join(map(str, people))} if people else {}
            order.record("noted_to" if people else "noted", by=by, at=note.at, **facts)
    except IntegrityError:  # the same form was sent twice at the same moment
        return same_note(Note.objects.get(form_token=token), order, text, by), False
    return note, True


def why_no_note(text: str) -> str:
    """Why this text may not stand as a note, as a sentence; "" when it may."""
    if not any(sign.isprintable() and not sign.isspace() for sign in text):
        return "Write something first: the note is empty."
    if len(text) > NOTE_CHARACTERS:
        characters, limit = number(len(text)), number(NOTE_CHARACTERS)
        return f"The note has {characters} characters; at most {limit} can be kept. Shorten it."
    if "\0" in text:
        return "The note holds a character that cannot be kept (NUL). Type it again without it."
    return ""


def same_note(note: Note, order: Order, text: str, by: Any) -> Note:
    """The note that a form wrote before; raises a Refusal when the form now says something else."""
    if (note.order_id, note.by_id, note.text) != (order.pk, by.pk, text):
        raise Refusal("This form already wrote another note. Send it once more to write this one too.")
    return note


def team() -> list[User]:
    """The people who can still sign in, by username."""
    return list(User.objects.filter(is_active=True)[:TEAM_PEOPLE])
