"""What a person does with a draft: keep it, mend a line, leave lines out, say yes, throw it away."""

from collections import defaultdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders.mass.check import Preview, services_of
from orders.mass.lines import KINDS, TYPED_FIELDS, kept
from orders.mass.text import CELL_CHARACTERS, ReadList, TypedLine
from orders.models import MassDraft, MassJob, MassLine, Task
from orders.rules.refusal import Refusal, require_allowed

DRAFTS_KEPT = 20  # of one person
TOO_MANY = f"You keep {DRAFTS_KEPT} lists that are not placed. Throw one away, or place it."
GONE = "This list was thrown away, or placed from another tab. Nothing was sent now."
ONE_SERVICE = "All lines of this list are of one service. Nothing was changed."
NOT_ANY_MORE = "This line is not in the list any more. Nothing was changed."
NONE_REFUSED = "No order of this list was refused by the supplier."
NONE_ORDERED = "No line of this list became an order."


def keep(
    read: ReadList, source: str, *, by: Any, customer: str = "", reference: str = "", instead: Any = None
) -> MassDraft:
    """Keeps a list that was read. Customer and reference fill lines that have none.

    `instead` is the draft that it replaces.
    """
    require_allowed(by, "place")
    common = {"customer": customer.strip(), "reference": reference.strip()}
    common = {name: text for name, text in common.items() if text}
    lines = [kept(line.number, {**common, **line.typed}) for line in read.lines]
    seen = {
        str(service.upstream_id): service.terms
        for service in services_of(line.typed.get("service", "") for line in read.lines).values()
    }
    with transaction.atomic():
        mine = MassDraft.objects.filter(owner=by)
        draft = mine.select_for_update().filter(pk=instead).first() if instead else None
        if draft is None:
            if mine.count() >= DRAFTS_KEPT:
                raise Refusal(TOO_MANY)
            draft = MassDraft(owner=by)
        draft.source, draft.lines, draft.seen = source, lines, seen
        draft.unread, draft.changed_at = ", ".join(read.unread), timezone.now()
        draft.save()
    return draft


def change(pk: Any, act: Any, *, by: Any) -> MassDraft:
    """Changes the rows of a person's draft by `act`, which gets the draft, one change at a time."""
    require_allowed(by, "place")
    with transaction.atomic():
        draft = MassDraft.objects.select_for_update().filter(pk=pk, owner=by).first()
        if draft is None:
            raise Refusal(GONE)
        act(draft)
        draft.changed_at = timezone.now()
        draft.save(update_fields=["lines", "seen", "changed_at"])
    return draft


def row_of(draft: MassDraft, number: int) -> dict[str, Any]:
    """The row of a line."""
    row = next((row for row in draft.lines if row["n"] == number), None)
    if row is None:
        raise Refusal(NOT_ANY_MORE)
    return row  # type: ignore[no-any-return]


def mend(draft: MassDraft, number: int, typed: dict[str, str]) -> None:
    """Writes a line anew. What was agreed to of it counts for as long as it is still the same."""
    row = row_of(draft, number)
    texts = {
        name: text.replace("\0", "").strip()[:CELL_CHARACTERS] for name, text in typed.items() if name in TYPED_FIELDS
    }
    row["typed"] = {name: text for name, text in texts.items() if text}
    row["out"] = False
    for service in services_of([row["typed"].get("service", "")]).values():
        draft.seen.setdefault(str(service.upstream_id), service.terms)


def set_quantity(draft: MassDraft, number: int, quantity: str) -> None:
    """Writes another quantity into a line."""
    row_of(draft, number)["typed"]["quantity"] = quantity


def tick(draft: MassDraft, number: int, *, out: bool) -> None:
    """Leaves a line out, or takes it in again."""
    row_of(draft, number)["out"] = out


def leave_out_bad(draft: MassDraft, by: Any) -> None:
    """Leaves out all lines that cannot go."""
    bad = {line.number for line in Preview(draft, by).lines if line.errors}
    for row in draft.lines:
        row["out"] = row.get("out", False) or row["n"] in bad


def answer(draft: MassDraft, by: Any, kind: str, *, number: int = 0, yes: bool = True) -> None:
    """Says yes to one kind of question, or takes the yes back: of one line, or without a number of all lines."""
    if kind not in KINDS:
        raise Refusal(NOT_ANY_MORE)
    rows = {row["n"]: row for row in draft.lines}
    for line in Preview(draft, by).lines:
        if number in (0, line.number):
            for question in line.questions:
                if question.kind == kind:
                    agreed = rows[line.number].setdefault("yes", {})
                    agreed.pop(kind, None)
                    if yes:
                        agreed[kind] = question.mark


def split(pk: Any, *, by: Any) -> list[MassDraft]:
    """Makes a draft of each service's lines; the first remains in this one. What was agreed to still counts."""
    require_allowed(by, "place")
    with transaction.atomic():
        mine = MassDraft.objects.filter(owner=by)
        draft = mine.select_for_update().filter(pk=pk).first()
        if draft is None:
            raise Refusal(GONE)
        of_service: defaultdict[str, list[Any]] = defaultdict(list)
        for row in draft.lines:
            of_service[row["typed"].get("service", "")].append(row)
        if len(of_service) == 1:
            raise Refusal(ONE_SERVICE)
        if mine.count() + len(of_service) - 1 > DRAFTS_KEPT:
            raise Refusal(TOO_MANY)
        first, *others = of_service.values()
        now = timezone.now()
        copied = {"owner": by, "source": draft.source, "seen": draft.seen, "unread": draft.unread, "changed_at": now}
        draft.lines, draft.changed_at = first, now
        draft.save(update_fields=["lines", "changed_at"])
        return [draft, *MassDraft.objects.bulk_create(MassDraft(lines=rows, **copied) for rows in others)]


def throw_away(pk: Any, *, by: Any) -> None:
    """Deletes a person's draft. Doing it again changes nothing."""
    require_allowed(by, "place")
    MassDraft.objects.filter(pk=pk, owner=by).delete()


def mend_refused(job: MassJob, *, by: Any) -> MassDraft:
    """A new draft of the lines that the supplier refused; what comes of it has request ids of its own."""
    refused = MassLine.objects.filter(
        job=job, order__tasks__kind=Task.Kind.PLACE, order__tasks__outcome=Task.Outcome.REFUSED
    )
    lines = [TypedLine(line.number, line.typed) for line in refused.order_by("number").only("number", "typed")]
    if not lines:
        raise Refusal(NONE_REFUSED)
    return keep(ReadList(lines, ()), f"refused in list {job.pk}", by=by)


def lines_of_list(job: MassJob) -> list[TypedLine]:
    """The lines of a list that became orders."""
    ordered = MassLine.objects.filter(job=job, order__isnull=False).order_by("number").only("number", "typed")
    return [TypedLine(line.number, line.typed) for line in ordered]


def order_again(job: MassJob, *, by: Any) -> MassDraft:
    """A new draft of all lines of a list that became orders, as they were typed. It is checked as any other."""
    lines = lines_of_list(job)
    if not lines:
        raise Refusal(NONE_ORDERED)
    return keep(ReadList(lines, ()), f"list {job.pk}, again", by=by)
