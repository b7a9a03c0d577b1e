"""Mirrors upstream's catalog: one call, a diff, and a bulk write of what changed. Runs in the worker."""

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog import changes
from catalog.models import RateChange, Service, SetAside, ShrinkAlarm
from panel.format.money import stored
from panel.notpanel.client import Client
from panel.notpanel.shapes import BadRow, Catalog, ServiceRow
from panel.ops.database import batches

log = logging.getLogger(__name__)

# What upstream says of a service, and we keep.
UPSTREAM_COLUMNS = ("rate", "name", "type", "category", "minimum", "maximum", "refill", "cancel", "dripfeed")
# So many rows in a write transaction: with SQLite everybody else who writes waits for it (measured: tests/benchmarks).
ROWS_A_WRITE = 60
# A list that leaves out more than this share of what we sell is doubted rather than obeyed; a few are never doubted.
DOUBTED_SHARE = 0.2
NEVER_DOUBTED = 10

# A service as the diff sees it, in plain tuples: as models, ten thousand take three times as long to read.
DIFF_COLUMNS = ("upstream_id", "pk", "active", *UPSTREAM_COLUMNS)

T = TypeVar("T")


class Outcome(NamedTuple):
    """What a sync did, in services."""

    listed: int
    added: int
    changed: int
    switched_off: int
    set_aside: int
    doubted: bool

    def __str__(self) -> str:
        done = (
            f"{self.listed:,} listed: {self.added:,} new, {self.changed:,} changed, "
            f"{self.switched_off:,} switched off, {self.set_aside:,} set aside."
        )
        return f"{done} The list is doubted: nothing was switched off." if self.doubted else done


def sync(client: Client) -> Outcome:
    """Asks upstream for its whole catalog and takes it in."""
    return apply_catalog(client.services(), timezone.now())


def apply_catalog(said: Catalog, now: datetime) -> Outcome:
    """Makes our catalog say what upstream's does. Two reads and no write when nothing moved.

    Each chunk is a transaction of its own and each row stands for itself, so a sync that is killed halfway leaves
    services that are right or as they were, and the next one goes on.
    """
    known = {row[0]: row for row in Service.objects.values_list(*DIFF_COLUMNS)}
    new = [row for row in said.rows if row.upstream_id not in known]
    changed = [
        row
        for row in said.rows
        if row.upstream_id in known and known[row.upstream_id][2:] != (True, *column_values(row))
    ]
    # A row that we cannot read is no service that went away.
    listed = {row.upstream_id for row in said.rows} | {row.upstream_id for row in said.bad}
    gone = [pk for upstream_id, pk, active, *_ in known.values() if active and upstream_id not in listed]
    doubted = is_doubtful(len(said.rows), len(gone), sum(row[2] for row in known.values()), now)
    for rows in batches(new, ROWS_A_WRITE):
        add_services(rows, now)
    for rows in batches(changed, ROWS_A_WRITE):
        change_services(rows, {row.upstream_id: known[row.upstream_id] for row in rows}, now)
    for pks in batches([] if doubted else gone, ROWS_A_WRITE):
        switch_off(pks, now)
    keep_bad_rows(said.bad, now)
    outcome = Outcome(
        len(said.rows), len(new), len(changed), 0 if doubted else len(gone), len(said.bad), doubted=doubted
    )
    log.info("catalog: %s", outcome)
    return outcome


_but_rate = attrgetter(*UPSTREAM_COLUMNS[1:])


def column_values(row: ServiceRow) -> tuple[Any, ...]:
    """What upstream says of a service, as our columns keep it, in the order of SAID."""
    return stored(row.rate), *_but_rate(row)


def service_of(row: ServiceRow, now: datetime) -> Service:
    """Unsaved, as upstream has it now."""
    said = dict(zip(UPSTREAM_COLUMNS, column_values(row), strict=True))
    return Service(
        upstream_id=row.upstream_id, haystack=search_text(row), first_seen_at=now, changed_at=now, active=True, **said
    )


def search_text(row: ServiceRow) -> str:
    """What the search looks through."""
    return f"{row.upstream_id} {row.name} {row.category} {row.type}".casefold()


def add_services(rows: list[ServiceRow], now: datetime) -> None:
    """New services, each with its first rate. One that another sync put in meanwhile is left to the next round."""
    services = [service_of(row, now) for row in rows]
    try:
        with transaction.atomic():
            Service.objects.bulk_create(services)
            RateChange.objects.bulk_create([RateChange(service=s, was=None, now=s.rate, at=now) for s in services])
    except IntegrityError:
        log.warning("another sync runs beside this one; the next round takes in what is left")


def change_services(rows: list[ServiceRow], known: dict[int, tuple[Any, ...]], now: datetime) -> None:
    """Services of which upstream says something else now."""
    services = [service_of(row, now) for row in rows]
    moves, moved = [], {}
    for service in services:
        was = dict(zip(DIFF_COLUMNS, known[service.upstream_id], strict=True))
        moved[was["pk"]] = changes.difference(was, vars(service))
        if service.rate != was["rate"]:
            moves.append(RateChange(service_id=was["pk"], was=was["rate"], now=service.rate, at=now))
    with transaction.atomic():
        changes.add_changes(moved, now)
        # One upsert on the unique id; bulk_update's CASE per row and column takes twenty times as long.
        Service.objects.bulk_create(
            services,
            update_conflicts=True,
            unique_fields=["upstream_id"],
            update_fields=[*UPSTREAM_COLUMNS, "active", "changed_at", "haystack"],  # first_seen_at stays what it was
        )
        RateChange.objects.bulk_create(moves)


def switch_off(pks: list[int], now: datetime) -> None:
    """Services (by our id) that upstream no longer lists."""
    with transaction.atomic():
        changes.add_changes({pk: {"active": [True, False]} for pk in pks}, now)
        Service.objects.filter(pk__in=pks).update(active=False, changed_at=now)


def is_doubtful(listed: int, missing: int, active: int, now: datetime) -> bool:
    """Whether the list is too short to be believed; raises the alarm, or closes it when it is over."""
    alarm = ShrinkAlarm.objects.filter(closed_at=None).first()
    suspicious = missing > max(NEVER_DOUBTED, active * DOUBTED_SHARE) or (listed == 0 and missing > 0)
    # A yes was given to what the alarm said then; a list that has shrunk further needs another one.
    accepted = bool(alarm and alarm.accepted_at and missing <= alarm.missing)
    if alarm and (accepted or not suspicious):
        ShrinkAlarm.objects.filter(pk=alarm.pk).update(closed_at=now)
    elif alarm and (alarm.listed, alarm.missing) != (listed, missing):
        ShrinkAlarm.objects.filter(pk=alarm.pk).update(
            listed=listed, missing=missing, accepted_at=None, accepted_by=None
        )
    elif suspicious and not alarm:
        ShrinkAlarm.objects.bulk_create(
            [ShrinkAlarm(raised_at=now, listed=listed, missing=missing)], ignore_conflicts=True
        )
        log.error("catalog: the list is suspiciously short", extra={"listed": listed, "missing": missing})
    return suspicious and not accepted


def keep_bad_rows(bad: Iterable[BadRow], now: datetime) -> None:
    """Keeps the rows that could not be taken in, and forgets those that were mended."""
    found = {hashlib.sha256(f"{row.why}\0{row.raw}".encode()).hexdigest(): row for row in bad}
    known = set(SetAside.objects.values_list("digest", flat=True))
    fresh = [
        SetAside(digest=d, raw=row.raw, why=row.why, first_seen_at=now) for d, row in found.items() if d not in known
    ]
    for rows in batches(fresh, ROWS_A_WRITE):
        SetAside.objects.bulk_create(rows, ignore_conflicts=True)
    for digests in batches(known - found.keys(), ROWS_A_WRITE):
        SetAside.objects.filter(digest__in=digests).delete()
