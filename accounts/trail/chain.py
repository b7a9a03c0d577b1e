"""Puts new lines into the chain: the worker does, about each second, for to do it in each transaction would have all
writers wait for each other.

A line is taken once no line with a lower id can still appear. On SQLite writers take turns, so that is at once. On
PostgreSQL a transaction may take an id and end much later; see `settled`.
"""

import hmac
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import ChainHead, ChainLink, TrailLine
from accounts.trail.seal import chain_digest, fingerprint, key_of, mark_of, newest_key, spelled
from panel.ops.database import ONLY_ROW
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)

SEALED_EVERY = timedelta(seconds=1)
LINES_A_LINK = 2_000  # at most, so that a link of old lines is made and verified in a moment
# Other databases of the same server share its numbers: an old transaction in one of them must not hold ours up.
ALL_ENDED = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %(number)s OR NOT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND age(backend_xid) > age(%(number)s::text::xid8::xid)
    )
"""
HEAD_FIELDS = ("number", "last_id", "lines", "unsealed_until", "digest", "sealed_at", "settles", "settled_by", "key")


def unsealed(now: Any) -> "QuerySet[ChainHead]":
    """The end of the chain, if there are lines behind it, not of this very moment, and it was not moved just now."""
    past = now - SEALED_EVERY
    behind = TrailLine.objects.filter(Q(at__lte=past) | Q(at__gt=now), pk__gt=OuterRef("last_id"))
    calm = Q(sealed_at__lte=past) | Q(sealed_at__gt=now)  # the clock may have been set back
    return ChainHead.objects.filter(calm, Exists(behind), pk=ONLY_ROW)


def seal_new(now: datetime) -> bool:
    """Makes one link of the next lines. False when there was nothing that could be done."""
    newest_id = last_given_id()  # before the transaction has a number: see `settled`
    with transaction.atomic():
        head = ChainHead.objects.select_for_update(skip_locked=True).filter(pk=ONLY_ROW).first()
        if head is None or not is_whole(head):
            # What is left stays as it is, for a person to look at; the watch over the trail raises the alarm.
            if head is not None:
                log.error("trail: the end of the chain was changed outside of the desk; nothing more is sealed")
            return False
        until = settled(head)
        made = make_link(head, until, now) if until > head.last_id else None
        if made is None and not look_ahead(head, newest_id):
            return False
        if made is not None and head.last_id >= head.settles:
            look_ahead(head, newest_id)
        head.sealed_at = now
        write_head(head)
        fp("seal.commit")
    fp("seal.committed")
    return True


# ── What is settled ──────────────────────────────────────────────────────────────────────────────
def last_given_id() -> int:
    """The highest id that a line has or will have whose transaction is under way; 0 where nobody asks."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')::regclass)", [TrailLine._meta.db_table]
        )
        return cursor.fetchone()[0] or 0


def settled(head: ChainHead) -> int:
    """Up to which id no further line can appear.

    A transaction gets its number before it takes an id (triggers.py). `look_ahead` noted the last id given, and then
    the number of a transaction of its own: whoever took an id up to that one has a lower number. When all these have
    ended in this database, all their lines can be seen.
    """
    if connection.vendor == "sqlite":
        return TrailLine.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(ALL_ENDED, {"number": head.settled_by})
        return head.settles if cursor.fetchone()[0] else 0


def look_ahead(head: ChainHead, newest_id: int) -> bool:
    """Notes what is to be settled next. False when that is noted already, or needs no note."""
    if newest_id <= max(head.settles, head.last_id) or connection.vendor == "sqlite":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        head.settles, head.settled_by = newest_id, cursor.fetchone()[0]
    return True


# ── Links ────────────────────────────────────────────────────────────────────────────────────────
def make_link(head: ChainHead, until: int, now: datetime) -> ChainLink | None:
    """The next link, written; None when no line is there. Moves the head in hand, which the caller writes."""
    behind = TrailLine.objects.filter(pk__gt=head.last_id, pk__lte=until).order_by("pk")
    lines = list(behind[:LINES_A_LINK])
    if not lines:
        return None
    key = newest_key()
    link = ChainLink(
        number=head.number + 1, first_id=head.last_id + 1, last_id=lines[-1].pk, lines=len(lines), sealed_at=now,
        gaps=gaps_between(head.last_id, [line.pk for line in lines]), key=fingerprint(key),
    )  # fmt: skip
    link.digest = digest_of_link(link, key, bytes(head.digest), lines)
    link.save(force_insert=True)
    head.number, head.last_id, head.digest = link.number, link.last_id, link.digest
    head.lines += link.lines
    return link


def gaps_between(before: int, pks: list[int]) -> list[list[int]]:
    """The ids after `before` that are not among these, as [first, last]: of transactions that were undone."""
    gaps = []
    for pk in pks:
        if pk > before + 1:
            gaps.append([before + 1, pk - 1])
        before = pk
    return gaps


def digest_of_link(link: ChainLink, key: bytes, before: bytes, lines: list[TrailLine]) -> bytes:
    """What the link's digest must be after a link with the digest `before`, with these lines."""
    facts = (link.number, link.first_id, link.last_id, link.lines, link.gaps, link.sealed_at, link.key)
    marks: Iterator[tuple[int, bytes]] = ((line.pk, mark_of(line)) for line in lines)
    return chain_digest(key, before, facts, marks)


# ── The head ─────────────────────────────────────────────────────────────────────────────────────
def write_head(head: ChainHead, using: str = "default") -> None:
    """Writes the end of the chain with its own seal."""
    key = newest_key()
    head.key = fingerprint(key)
    head.mac = mac_of(head, key)
    head.save(using=using)


def mac_of(head: ChainHead, key: bytes) -> bytes:
    """The seal of the head."""
    values = [getattr(head, name) for name in HEAD_FIELDS]
    plain = [bytes(value).hex() if isinstance(value, bytes | memoryview) else spelled(value) for value in values]
    return hmac.digest(key, b"head" + json.dumps(plain).encode(), "sha256")


def is_whole(head: ChainHead) -> bool:
    """Whether the head is as the desk wrote it."""
    key = key_of(head.key)
    return key is not None and hmac.compare_digest(bytes(head.mac), mac_of(head, key))
