"""What people do with templates of lists: save one with blanks, fill the blanks, change it, remove it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import may
from accounts.trail.record import record_change, what_changed
from orders.mass.draft import keep
from orders.mass.text import CELL_CHARACTERS, ReadList, TypedLine
from orders.models import ListTemplate, MassDraft
from orders.models.bulk_job import TEMPLATE_NAME_CHARACTERS
from orders.rules.refusal import NotAllowed, Refusal, require_allowed
from panel.format.letters import folded
from panel.format.numbers import number

TEMPLATES_KEPT = 50  # of one person
MOST_TEMPLATE_LINES = 400  # its page has up to two boxes a line
BLANKS = {"": "Nothing", "link": "Links", "quantity": "Quantities", "both": "Links and quantities"}
TOO_MANY = f"You keep {TEMPLATES_KEPT} templates. Remove one first."
NO_NAME = "Give the template a name."
TOO_LONG = "A template has at most {most} lines; this list has {lines}."
TOO_MANY_LINKS = "These are {links} links, and {blanks} lines have no link yet. Nothing was made."
NOT_YOURS = "Only whoever saved this template may change it, or somebody who may change settings."
NO_LINES = "This list has no line to keep."


def lines_of_draft(draft: MassDraft) -> list[TypedLine]:
    """The lines of a draft but for those that were left out."""
    return [TypedLine(row["n"], row["typed"]) for row in draft.lines if not row.get("out")]


def save_template(name: str, lines: Iterable[TypedLine], blanks: str, *, shared: bool, by: Any) -> ListTemplate:
    """Keeps these lines under a name, without the texts that stay blank. `blanks` is a key of BLANKS."""
    require_allowed(by, "place")
    name, rows = cleaned_name(name), [blanked(line, blanks) for line in lines]
    if not rows:
        raise Refusal(NO_LINES)
    if len(rows) > MOST_TEMPLATE_LINES:
        raise Refusal(TOO_LONG.format(most=number(MOST_TEMPLATE_LINES), lines=number(len(rows))))
    if ListTemplate.objects.filter(owner=by).count() >= TEMPLATES_KEPT:
        raise Refusal(TOO_MANY)
    try:
        with transaction.atomic():
            template = ListTemplate.objects.create(
                owner=by, name=name, key=folded(name), shared=shared, listed=len(rows), lines=rows,
                saved_at=timezone.now(),
            )  # fmt: skip
            record("template_saved", template, by=by, count=f"{len(rows):,}")
    except IntegrityError:
        raise Refusal(why_taken(name)) from None
    return template


def cleaned_name(name: str) -> str:
    """A name on one line. Raises a Refusal for none, and for one that is too long."""
    name = " ".join(name.replace("\0", " ").split())
    if not folded(name):
        raise Refusal(NO_NAME)
    if len(name) > TEMPLATE_NAME_CHARACTERS:
        raise Refusal(f"At most {TEMPLATE_NAME_CHARACTERS} characters; this name has {len(name)}.")
    return name


def why_taken(name: str) -> str:
    """The sentence about a name that another of the person's templates has."""
    return f"You have a template called “{name}” already. Give this one another name."


def blanked(line: TypedLine, blanks: str) -> dict[str, Any]:
    """A line as a template keeps it. Where a user name stands for the link, that is blank."""
    target = "username" if "username" in line.typed and "link" not in line.typed else "link"
    names = [
        *([target] if blanks in ("link", "both") else ()),
        *(["quantity"] if blanks in ("quantity", "both") else ()),
    ]
    return {
        "n": line.number, "typed": {name: text for name, text in line.typed.items() if name not in names},
        "blanks": names,
    }  # fmt: skip


def record(kind: str, template: ListTemplate, *, by: Any, **facts: Any) -> None:
    """Writes one line of the trail about a template."""
    record_change(kind, by=by, thing="template", thing_id=template.pk, label=template.name, **facts)


# ── Using one ────────────────────────────────────────────────────────────────────────────────────
def fill(template: ListTemplate, typed: Mapping[tuple[int, str], str], links: str, *, by: Any) -> MassDraft:
    """A draft of the template's lines with these texts in its blanks, by line and field.

    `links` are links, one a line, for the lines whose box is empty, in their order. What stays blank, the check says.
    """
    require_allowed(by, "place")
    pasted = [link.strip()[:CELL_CHARACTERS] for link in links.splitlines() if link.strip()]
    left, lines, empty = iter(pasted), [], 0
    for row in template.lines:
        texts = dict(row["typed"])
        for name in row["blanks"]:
            text = typed.get((row["n"], name), "").replace("\0", "").strip()[:CELL_CHARACTERS]
            if not text and name != "quantity":
                empty += 1
                text = next(left, "").replace("\0", "")
            if text:
                texts[name] = text
        lines.append(TypedLine(row["n"], texts))
    if len(pasted) > empty:
        raise Refusal(TOO_MANY_LINKS.format(links=number(len(pasted)), blanks=number(empty)))
    return keep(ReadList(lines, ()), f"the template {template.name}", by=by)


# ── Changing one ─────────────────────────────────────────────────────────────────────────────────
def may_change(template: ListTemplate, by: Any) -> bool:
    """Whether this person may change the template: it is theirs, or the team's and they may change settings."""
    return template.owner_id == by.pk or (template.shared and may(by, "settings"))


def change_template(template: ListTemplate, name: str, *, shared: bool, by: Any) -> bool:
    """Renames a template, or shares it; returns whether anything changed."""
    require_allowed(by, "place")
    require_own(template, by)
    name = cleaned_name(name)
    try:
        with transaction.atomic():
            kept = own(template, by)
            moved = what_changed({"name": kept.name, "shared": kept.shared}, {"name": name, "shared": shared})
            if not moved["after"]:
                return False
            kept.name, kept.key, kept.shared = name, folded(name), shared
            kept.save(update_fields=["name", "key", "shared"])
            record("template_changed", kept, by=by, **moved)
    except IntegrityError:
        raise Refusal(why_taken(name)) from None
    return True


def remove_template(template: ListTemplate, *, by: Any) -> None:
    """Removes a template. What was made of it stays."""
    require_allowed(by, "place")
    with transaction.atomic():
        kept = own(template, by)
        record("template_removed", kept, by=by)
        kept.delete()


def own(template: ListTemplate, by: Any) -> ListTemplate:
    """The template's row, locked, for somebody who may change it."""
    kept = ListTemplate.objects.select_for_update().filter(pk=template.pk).first()
    if kept is None:
        raise Refusal("This template was removed.")
    require_own(kept, by)
    return kept


def require_own(template: ListTemplate, by: Any) -> None:
    """Raises NotAllowed unless this person may change the template."""
    if not may_change(template, by):
        raise NotAllowed(NOT_YOURS)
