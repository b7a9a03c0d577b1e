"""Writes one line of the trail, in the caller's transaction.

    record_change("view_made", by=user, thing="view", thing_id=view.pk, label=view.name)
    record_change("setting_changed", by=user, label="Late", before={"late": "6 h"}, after={"late": "8 h"})

Where it came from, its group and its seal are added by themselves. Secrets are never among the facts.
"""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from accounts.models import TrailLine
from accounts.trail.kinds import KINDS


def record_change(kind: str, *, by: Any, at: Any = None, **columns: Any) -> TrailLine:
    """Writes one line of this kind, a key of KINDS. `at` is a moment, or None for now.

    `columns` are columns of the line; others are facts.
    """
    line = change_line(kind, by=by, at=at, **columns)
    line.save()
    return line


def change_line(kind: str, *, by: Any, at: Any = None, **columns: Any) -> TrailLine:
    """The line that `record_change` writes, unsaved: for many at once."""
    if kind not in KINDS:
        raise KeyError(kind)
    own = {name: columns.pop(name) for name in OWN if name in columns}
    by_id = getattr(by, "pk", None)
    return TrailLine(kind=kind, by_id=by_id, at=at or timezone.now(), facts=columns, **own)


def write_lines(lines: Iterable[TrailLine]) -> None:
    """Writes many lines in a few statements."""
    TrailLine.objects.bulk_create(lines)


OWN = ("order", "order_id", "person", "person_id", "thing", "thing_id", "label", "before", "after")


def what_changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The columns `before` and `after` of a line: only what differs."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {"before": {name: before.get(name) for name in names}, "after": {name: after.get(name) for name in names}}
