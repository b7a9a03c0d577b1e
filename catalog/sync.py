"""Mirrors upstream's catalog: one call, a comparison, and bulk writes of what changed. Runs in the worker."""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.trail.record import record_change
from catalog import changes
from catalog.models import RateChange, Service, SetAside, ShrinkAlarm
from panel.format.letters import folded
from panel.format.money import stored
from panel.format.visible import visible
from panel.notpanel.client import Client
from panel.notpanel.shapes import BadRow, Catalog, ServiceRow
from panel.ops.database import batches

log = logging.getLogger(__name__)

# The columns that keep what upstream says of a service; the rate is first, for it is rounded as a column keeps it.
UPSTREAM_COLUMNS = ("rate", "name", "type", "category", "minimum", "maximum", "refill", "cancel", "dripfeed")
read_all_but_rate = attrgetter(*UPSTREAM_COLUMNS[1:])
# A service is compared as a plain tuple of these: as models, ten thousand take three times as long to read.
DIFF_COLUMNS = ("upstream_id", "pk", "active", *UPSTREAM_COLUMNS, "unread_why")
UNCATEGORISED = "Uncategorised"  # in place of a category of which nothing can be seen
# In a write transaction, for which all other writers wait on SQLite (measured: tests/benchmarks).
ROWS_A_WRITE = 60
# A list that leaves out more than this share of our active services is doubted, and not obeyed.
DOUBTED_SHARE = 0.2
NEVER_DOUBTED_SERVICES = 10  # a list that leaves out no more than these is obeyed, unless it is empty


class Outcome(NamedTuple):
    """What a sync did, in services."""

    listed: int
    added: int
    changed: int
    switched_off: int
    set_aside: int
    doubted: bool

    def __str__(self) -> str:
        counts = (
            f"{self.listed:,} listed: {self.added:,} new, {self.changed:,} changed, "
            f"{self.switched_off:,} switched off, {self.set_aside:,} set aside."
        )
        return f"{counts} The list is doubted: nothing was switched off." if self.doubted else counts


def sync(client: Client) -> Outcome:
    """Asks upstream for its whole catalog and applies it."""
    return apply_catalog(client.services(), timezone.now())


def apply_catalog(catalog: Catalog, now: datetime) -> Outcome:
    """Makes our services say what upstream's catalog does. Costs a few reads and no write when nothing has changed.

    Each batch is a transaction of its own, so a sync that is killed halfway leaves every service either up to date
    or as it was, and the next sync does the rest.
    """
    catalog = sellable(catalog)
    known = {columns[0]: columns for columns in Service.objects.values_list(*DIFF_COLUMNS)}
    new = [row for row in catalog.rows if row.upstream_id not in known]
    changed = [
        row
        for row in catalog.rows
        if row.upstream_id in known and known[row.upstream_id][2:-1] != (True, *column_values(row))
    ]
    # A service whose row cannot be read has not gone away.
    listed = {row.upstream_id for row in catalog.rows} | {row.upstream_id for row in catalog.bad}
    gone = [pk for upstream_id, pk, active, *_ in known.values() if active and upstream_id not in listed]
    doubted = is_doubtful(len(catalog.rows), len(gone), sum(columns[2] for columns in known.values()), now)
    for rows in batches(new, ROWS_A_WRITE):
        add_services(rows, now)
    for rows in batches(changed, ROWS_A_WRITE):
        change_services(rows, {row.upstream_id: known[row.upstream_id] for row in rows}, now)
    for pks in batches([] if doubted else gone, ROWS_A_WRITE):
        switch_off(pks, now)
    mark_unread(catalog, known, now)
    keep_bad_rows(catalog.bad, now)
    switched_off = 0 if doubted else len(gone)
    outcome = Outcome(len(catalog.rows), len(new), len(changed), switched_off, len(catalog.bad), doubted)
    log.info("catalog: %s", outcome)
    return outcome


def sellable(catalog: Catalog) -> Catalog:
    """The catalog with every label that can be seen, and without rows whose price or name the desk cannot show."""
    rows, bad = [], list(catalog.bad)
    for row in catalog.rows:
        if why := why_not_shown(row):
            raw = json.dumps(
                {"service": row.upstream_id, "name": row.name, "rate": f"{row.rate:f}"}, ensure_ascii=False
            )
            bad.append(BadRow(raw, why, row.upstream_id))
        elif visible(row.type) and visible(row.category):
            rows.append(row)
        else:
            kind, category = visible(row.type) or "Default", visible(row.category) or UNCATEGORISED
            rows.append(replace(row, type=kind, category=category))
    return Catalog(tuple(rows), tuple(bad))


def why_not_shown(row: ServiceRow) -> str:
    """Why a row that can be read must still be set aside, or ""."""
    if row.rate and not stored(row.rate):
        return "its rate is below a millionth of a dollar, finer than prices are kept"
    return "" if visible(row.name) else "nothing of its name can be seen"


def mark_unread(catalog: Catalog, known: dict[int, tuple[Any, ...]], now: datetime) -> None:
    """Marks services on sale whose newest row cannot be read, for their price may have moved; unmarks the others."""
    reasons = {row.upstream_id: row.why for row in catalog.bad if row.upstream_id is not None}
    reasons |= dict.fromkeys((row.upstream_id for row in catalog.rows), "")
    marks: defaultdict[str, list[int]] = defaultdict(list)
    for upstream_id, pk, active, *_, was in known.values():
        why = reasons.get(upstream_id, was)
        if why != was and (active or not why):
            marks[why].append(pk)
    for why, pks in marks.items():
        for some in batches(pks, ROWS_A_WRITE):
            Service.objects.filter(pk__in=some).update(unread_since=now if why else None, unread_why=why)


def column_values(row: ServiceRow) -> tuple[Any, ...]:
    """What upstream says of a service, as our columns keep it, in the order of UPSTREAM_COLUMNS."""
    return stored(row.rate), *read_all_but_rate(row)


def service_of(row: ServiceRow, now: datetime) -> Service:
    """A service, not saved yet, that says what upstream's row does."""
    columns = dict(zip(UPSTREAM_COLUMNS, column_values(row), strict=True))
    fields = {"upstream_id": row.upstream_id, "haystack": search_text(row), "first_seen_at": now, "changed_at": now}
    return Service(**fields, **columns, active=True)


def search_text(row: ServiceRow) -> str:
    """The text that a search for services looks through: id, name, category and type, folded."""
    return folded(f"{row.upstream_id} {row.name} {row.category} {row.type}")


def add_services(rows: list[ServiceRow], now: datetime) -> None:
    """Adds new services, each with its first rate. Adds none when another sync has just added one of them."""
    services = [service_of(row, now) for row in rows]
    try:
        with transaction.atomic():
            Service.objects.bulk_create(services)
            RateChange.objects.bulk_create([RateChange(service=s, was=None, now=s.rate, at=now) for s in services])
            record_change("services_added", by=None, at=now, count=len(services))
    except IntegrityError:
        log.warning("another sync runs beside this one; the next round takes in what is left")


def change_services(rows: list[ServiceRow], known: dict[int, tuple[Any, ...]], now: datetime) -> None:
    """Updates services that upstream describes differently from `known` (upstream id → DIFF_COLUMNS)."""
    services = [service_of(row, now) for row in rows]
    rate_changes, moved = [], {}
    for service in services:
        was = dict(zip(DIFF_COLUMNS, known[service.upstream_id], strict=True))
        moved[was["pk"]] = changes.difference(was, vars(service))
        if service.rate != was["rate"]:
            rate_changes.append(RateChange(service_id=was["pk"], was=was["rate"], now=service.rate, at=now))
    with transaction.atomic():
        changes.add_changes(moved, now)
        # One upsert on the unique id; bulk_update's CASE per row and column takes twenty times as long.
        Service.objects.bulk_create(
            services,
            update_conflicts=True,
            unique_fields=["upstream_id"],
            update_fields=[*UPSTREAM_COLUMNS, "active", "changed_at", "haystack"],  # first_seen_at stays what it was
        )
        RateChange.objects.bulk_create(rate_changes)


def switch_off(pks: list[int], now: datetime) -> None:
    """Takes services (by our id) off sale that upstream no longer lists."""
    with transaction.atomic():
        changes.add_changes({pk: {"active": changes.WENT_OFF_SALE} for pk in pks}, now)
        Service.objects.filter(pk__in=pks).update(active=False, changed_at=now)


def is_doubtful(listed: int, missing: int, active: int, now: datetime) -> bool:
    """Whether upstream's list is too short to be obeyed. Raises the alarm, renews it, or closes it.

    Counts services: in the list, missing from it, and on sale so far.
    """
    alarm = ShrinkAlarm.objects.filter(closed_at=None).first()
    suspicious = missing > max(NEVER_DOUBTED_SERVICES, active * DOUBTED_SHARE) or (listed == 0 and missing > 0)
    # A manager accepts the number that the alarm named; a list that has shrunk further must be accepted anew.
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
    """Keeps the rows that cannot be read, and deletes those that upstream has corrected since."""
    rows_by_digest = {hashlib.sha256(f"{row.why}\0{row.raw}".encode()).hexdigest(): row for row in bad}
    known = set(SetAside.objects.values_list("digest", flat=True))
    fresh = [
        SetAside(digest=digest, raw=row.raw, why=row.why, first_seen_at=now)
        for digest, row in rows_by_digest.items()
        if digest not in known
    ]
    for rows in batches(fresh, ROWS_A_WRITE):
        SetAside.objects.bulk_create(rows, ignore_conflicts=True)
    for digests in batches(known - rows_by_digest.keys(), ROWS_A_WRITE):
        SetAside.objects.filter(digest__in=digests).delete()
