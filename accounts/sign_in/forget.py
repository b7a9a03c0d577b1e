"""Forgets what sign-in no longer needs: counts whose time is over, and devices that nobody uses any more."""

from datetime import datetime

from accounts.models import KnownDevice, SignInCount
from accounts.sign_in.devices import FORGOTTEN_AFTER

EVERY_SECONDS = 300
DELETED_ROWS = 1_000  # of each table, in one round


def delete_old(now: datetime) -> int:
    """Deletes a lot of both. Returns how many rows."""
    ended = SignInCount.objects.filter(ends_at__lte=int(now.timestamp()))
    unused = KnownDevice.objects.filter(last_at__lt=now - FORGOTTEN_AFTER)
    keys = list(ended.order_by("ends_at").values_list("pk", flat=True)[:DELETED_ROWS])
    devices = list(unused.order_by("last_at").values_list("pk", flat=True)[:DELETED_ROWS])
    # Only what is still over: somebody may have tried again, or signed in, since it was read.
    return ended.filter(pk__in=keys).delete()[0] + unused.filter(pk__in=devices).delete()[0]
