"""The note to the next shift: written once, read by everybody else of the team, with who read it and when."""

import re
import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.models import Change
from orders.models import Order, ShiftNote, ShiftReader
from orders.rules.refusal import Refusal, require_allowed
from orders.teamwork.mentions import text_parts
from orders.teamwork.notes import team, why_no_note

SHOWN_UNREAD, SHOWN_READ = 20, 5  # notes
MOST_TAKEN = 200  # things that go with a note
ORDER_NUMBER = re.compile(r"(?<!\w)#(\d{1,15})\b")
SECTIONS = ("badly", "look", "late", "answers", "prices")


class Taken(NamedTuple):
    """A thing that went with a note, as it stands now: an order, or a price that moved; neither when it is gone."""

    section: str
    pk: int
    order: Order | None = None
    change: Change | None = None


class Shown(NamedTuple):
    """A note as the page shows it."""

    note: ShiftNote
    html: SafeString
    taken: list[Taken]
    read_by: list[ShiftReader]
    unread_by: list[str]  # names
    mine: ShiftReader | None  # whose note it is has none


# ── Writing and reading ──────────────────────────────────────────────────────────────────────────
@transaction.atomic
def write_shift_note(text: str, taken: Iterable[str], token: uuid.UUID, *, by: Any) -> tuple[ShiftNote, bool]:
    """The note, and whether it is new: sending the same form again gives the note that it wrote before.

    `taken` names what goes with it, such as `late-4731`. Raises a Refusal when there is nothing to hand over, when the
    text may not stand as a note, or when the form has written another one.
    """
    require_allowed(by, "note")
    text = text.replace("\r\n", "\n").strip()
    along = read_taken(taken)
    if (text or not along) and (why := why_no_note(text)):
        raise Refusal(why)
    if earlier := ShiftNote.objects.filter(form_token=token).first():
        return same_note(earlier, text, by), False
    try:
        with transaction.atomic():
            note = ShiftNote.objects.create(by=by, at=timezone.now(), text=text, taken_along=along, form_token=token)
            readers = [ShiftReader(note=note, user=person) for person in team() if person.pk != by.pk]
            ShiftReader.objects.bulk_create(readers)
    except IntegrityError:  # the same form was sent twice at the same moment
        return same_note(ShiftNote.objects.get(form_token=token), text, by), False
    return note, True


def same_note(note: ShiftNote, text: str, by: Any) -> ShiftNote:
    """The note that a form wrote before; raises a Refusal when the form now says something else."""
    if (note.by_id, note.text) != (by.pk, text):
        raise Refusal("This form already wrote another note. Send it once more to write this one too.")
    return note


def read_taken(names: Iterable[str]) -> list[list[Any]]:
    """What a form names, as the note keeps it: section and id, each once. Names that say nothing are left out."""
    found: dict[tuple[str, int], None] = {}
    for name in names:
        section, _, number = name.partition("-")
        if section in SECTIONS and number.isascii() and number.isdecimal() and len(number) <= 15:
            found[section, int(number)] = None
    return [list(one) for one in list(found)[:MOST_TAKEN]]


def mark_read(note: int, *, by: Any, now: datetime) -> bool:
    """Writes that a person has read a note. False when they had already, or it is not for them."""
    return bool(ShiftReader.objects.filter(note=note, user=by, read_at=None).update(read_at=now))


# ── Showing ──────────────────────────────────────────────────────────────────────────────────────
def shown_notes(user: Any) -> tuple[list[Shown], list[Shown]]:
    """The notes that this person has not read, oldest first, and the newest of all others: own ones, and read ones."""
    unread = ShiftReader.objects.filter(user=user, read_at=None).order_by("note_id").values_list("note_id", flat=True)
    unread_ids = list(unread[:SHOWN_UNREAD])
    newest = ShiftNote.objects.order_by("-pk").values_list("pk", flat=True)[: SHOWN_UNREAD + SHOWN_READ]
    read_ids = [pk for pk in newest if pk not in unread_ids][:SHOWN_READ]
    readers = Prefetch("readers", ShiftReader.objects.select_related("user").order_by("read_at", "pk"))
    notes = ShiftNote.objects.select_related("by").prefetch_related(readers).in_bulk([*unread_ids, *read_ids])
    shown = shown_as(notes.values(), user)
    return [shown[pk] for pk in unread_ids if pk in shown], [shown[pk] for pk in read_ids if pk in shown]


def shown_as(notes: Collection[ShiftNote], user: Any) -> dict[int, Shown]:
    """These notes as the page shows them, with all that they name as it stands now, in three queries at most."""
    named = {int(pk) for note in notes for pk in ORDER_NUMBER.findall(note.text)}
    taken = [(section, pk) for note in notes for section, pk in note.taken_along]
    changes = Change.objects.for_inbox().in_bulk([pk for section, pk in taken if section == "prices"])
    wanted = named | {pk for section, pk in taken if section != "prices"}
    orders = Order.objects.for_table().defer("body", "said").in_bulk(wanted) if wanted else {}
    people = team() if any("@" in note.text for note in notes) else []
    return {note.pk: shown_as_one(note, user, orders, changes, people) for note in notes}


def shown_as_one(
    note: ShiftNote, user: Any, orders: dict[int, Order], changes: dict[int, Change], people: list[Any]
) -> Shown:
    """One note, for which all that it names has been read."""
    taken = [
        Taken(section, pk, change=changes.get(pk)) if section == "prices" else Taken(section, pk, orders.get(pk))
        for section, pk in note.taken_along
    ]
    readers = list(note.readers.all())
    return Shown(
        note,
        linked(note.text, orders, people),
        taken,
        [reader for reader in readers if reader.read_at],
        [str(reader.user) for reader in readers if not reader.read_at and reader.user.is_active],
        next((reader for reader in readers if reader.user_id == user.pk), None),
    )


def linked(text: str, orders: Collection[int], people: list[Any]) -> SafeString:
    """The text as it was written, with `#4731` as a link to that order, if there is one, and names in bold."""
    parts = []
    for part in text_parts(text, people):
        if isinstance(part, SafeString):
            parts.append(part)
            continue
        for position, piece in enumerate(ORDER_NUMBER.split(part)):
            known = position % 2 and int(piece) in orders
            parts.append(
                format_html('<a href="{}">#{}</a>', reverse("orders:show", args=[piece]), piece) if known
                else format_html("#{}" if position % 2 else "{}", piece)
            )  # fmt: skip
    return format_html_join("", "{}", ((part,) for part in parts))
