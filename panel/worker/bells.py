"""The worker's part in webhooks: rings for what came in, and forgets what came long ago."""

from datetime import datetime

from django.utils import timezone

from orders.webhooks import dispatch
from panel.upstream.models import Chore

FORGETS_EVERY_SECONDS = 60


def ring_in(_client: object) -> bool:
    """No call: what is rung for is looked at by the steps whose call it is."""
    return dispatch.ring_in(timezone.now(), hurry_balance)


def hurry_balance(now: datetime) -> None:
    """Upstream says that the balance is low; how low it is it tells when asked."""
    Chore.objects.filter(name="balance", due_at__gt=now).update(due_at=now)


def forget_deliveries(_client: object) -> bool:
    return dispatch.forget(timezone.now())
