"""The table of sessions: who is signed in, where, and for how long."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.door import ADDRESS_CHARACTERS, DEVICE_CHARACTERS, DIGEST_CHARACTERS


class DeskSessionQuerySet(models.QuerySet["DeskSession"]):
    """Sessions that still count, and whose they are."""

    def alive(self, now: datetime) -> Self:
        """Sessions within both limits: not unused for too long, and not too long after the sign-in."""
        return self.within(now, *limits(now))

    def within(self, now: Any, idle: Any, oldest: Any) -> Self:
        """Sessions that have not ended, were used since `idle`, and began after `oldest`."""
        return self.filter(ends_at__gt=now, used_at__gt=idle, began_at__gt=oldest)

    def ended(self, now: datetime) -> Self:
        """All others."""
        idle, oldest = limits(now)
        return self.filter(Q(used_at__lte=idle) | Q(began_at__lte=oldest) | Q(ends_at__lte=now))


def limits(now: datetime) -> tuple[datetime, datetime]:
    """When a session that ends now was used last, and when it began, at the latest."""
    return now - timedelta(hours=settings.SESSION_IDLE_HOURS), now - timedelta(hours=settings.SESSION_HOURS)


class DeskSession(models.Model):
    """One browser that is signed in, or about to. The cookie holds its key; here stands only a hash of it."""

    digest = models.CharField(max_length=DIGEST_CHARACTERS, unique=True)
    # No index of its own: the index `session_of_person` serves it. Empty before the sign-in is complete.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    session_data = models.TextField(help_text="Signed by the desk.")
    address = models.CharField(max_length=ADDRESS_CHARACTERS, blank=True)
    device = models.CharField(max_length=DEVICE_CHARACTERS, blank=True)
    began_at = models.DateTimeField(help_text="When the person signed in.")
    used_at = models.DateTimeField(help_text="When the person last did something, to the minute; polls do not count.")
    ends_at = models.DateTimeField(help_text="When it ends even if it is used.")

    objects: ClassVar[DeskSessionQuerySet] = DeskSessionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-used_at",)
        indexes = [
            # A person's sessions, the latest used first.
            models.Index(fields=["user", "-used_at"], name="session_of_person"),
            # For the chore that deletes what has expired.
            models.Index(fields=["used_at"], name="session_by_use"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.device}"
