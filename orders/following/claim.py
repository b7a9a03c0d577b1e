"""Claims orders for one status call, so that no two workers ask about the same ones."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from orders.models import Poll, PollCall, Sending
from orders.models.poll import PollQuerySet, Urgency
from orders.rules.poll_schedule import LONGEST_PAUSE
from orders.rules.retry import LEASE
from panel.notpanel.budget import Purpose
from panel.ops.failpoints import fp

ORDERS_PER_CALL = 100  # upstream's limit for one status call, which counts as one request
# Somebody asked for these. They are polled even while a call that names them is under way: it may have come too early.
ASKED = (Urgency.WEBHOOK, Urgency.PERSON)


class Claimed(NamedTuple):
    """The columns that are read of a poll to claim it."""

    order_id: int
    upstream_id: str
    due_at: datetime
    urgency: int
    share: int | None


COLUMNS = ("order_id", "order__upstream_id", "next_poll_at", "urgency", "share")  # those of Claimed


def polls_due(now: datetime) -> "list[tuple[Purpose, PollQuerySet]]":
    """What a poll is for now, people first: purposes, each with the due polls that are a reason for it.

    Also those whose call is under way, which are in no hurry: a claim leaves them out.
    """
    due = Poll.objects.together().due(now)
    return [(Purpose.ASK, due.filter(urgency=Urgency.PERSON)), (Purpose.POLL, due)]


def claim(now: datetime) -> PollCall | None:
    """Claims up to a hundred orders for a call of this worker, or returns None if no order is due.

    The claim is one row for all of them and does not touch theirs: the answer writes each once. A call that is made
    anyway is filled up with the orders that are due next.
    """
    with transaction.atomic():
        Sending.lock()  # one claim at a time, so that the next one knows of this call
        claimed = choose(soonest(now, PollCall.order_ids_at(now)), now)
        call = PollCall.begin(now + LEASE, {row.order_id: (row.upstream_id, row.due_at) for row in claimed})
        asked = Poll.objects.filter(order__in=[row.order_id for row in claimed if row.urgency in ASKED])
        if asked.lock():  # whoever asks from here on wants to know more than this call tells
            asked.update(urgency=Urgency.NONE)
        fp("look.commit")
    fp("look.committed")
    return call


def soonest(now: datetime, in_calls: Collection[int]) -> list[Claimed]:
    """More than a call full of polls that no other call names: urgent ones first, then those that are due soonest."""
    polls = Poll.objects.together().filter(next_poll_at__lte=now + LONGEST_PAUSE).order_by("-urgency", "next_poll_at")
    most = ORDERS_PER_CALL + len(in_calls)
    rows = [Claimed(*row) for row in polls.values_list(*COLUMNS)[:most]]
    if len(rows) == most and rows[-1].urgency != Urgency.NONE:  # urgent ones that are due later hide the others
        rows += [Claimed(*row) for row in polls.filter(urgency=Urgency.NONE).values_list(*COLUMNS)[:most]]
    return [row for row in rows if row.order_id not in in_calls or row.urgency in ASKED]


def choose(rows: list[Claimed], now: datetime) -> list[Claimed]:
    """The polls of the next call, [] if none is due.

    Orders whose last call failed go first and among themselves, as many as their next call may name: there are few
    such calls, and most of their orders have waited long enough.
    """
    due = [row for row in rows if row.due_at <= now]
    if due and due[0].share:
        return [row for row in due if row.share == due[0].share][: due[0].share]
    asked = [row for row in due if row.urgency in ASKED]
    others = [row for row in rows if row.urgency == Urgency.NONE]
    return (asked + others)[:ORDERS_PER_CALL] if due else []
