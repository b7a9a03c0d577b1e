"""The person who asked reminds everybody who may approve: once an hour, as a note that calls them."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders.approvals.decide import faster_sentence
from orders.approvals.page import deciders
from orders.models import Approval, Event, Mention, Note, Order
from orders.rules.refusal import Refusal, require_allowed
from panel.format.locale import for_the_record
from panel.format.times import clock, day_and_clock

REMINDED_EVERY = timedelta(hours=1)
NOT_YOURS = "Only the person who asked for the order reminds the others."
NOBODY_ELSE = "Nobody else may approve orders: an owner can change that."


def remind(order: Order, *, by: Any) -> list[Any]:
    """Reminds all who may approve that this order waits. Returns whom.

    They find it under Notes to me, in its count in the rail, and in Since you left.
    """
    require_allowed(by, "place")
    if order.placed_by_id != by.pk:
        raise Refusal(NOT_YOURS)
    now = timezone.now()
    with transaction.atomic():
        # Locked, so that two presses at once remind once, and a decision at the same moment comes before or after.
        approval = Approval.objects.select_for_update(of=("self",)).filter(order=order, decided_at=None).first()
        if approval is None:
            raise Refusal(faster_sentence(order))
        # The index `event_timeline` gives the order's own events, newest first.
        last = Event.objects.filter(order=order, kind="reminded").order_by("-pk").values_list("at", flat=True).first()
        if last and now - last < REMINDED_EVERY:
            raise Refusal(f"You reminded them at {clock(last)}. You can again from {clock(last + REMINDED_EVERY)} on.")
        if not (people := deciders(by.pk)):
            raise Refusal(NOBODY_ELSE)
        with for_the_record():
            text = f"This order waits for approval. It expires at {day_and_clock(approval.expires_at)}."
        note = Note.objects.create(order=order, by=by, at=now, text=text, form_token=uuid.uuid4())
        Mention.objects.bulk_create([Mention(note=note, user=person) for person in people])
        order.change()
        order.record("reminded", by=by, at=now, to=", ".join(map(str, people)))
    return people
