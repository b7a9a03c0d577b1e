"""The tables of the door: tries to sign in, and devices that people use. What happened there is in the trail."""

import hashlib

from django.conf import settings
from django.db import models

DIGEST_CHARACTERS = 64  # of SHA-256, in hexadecimal
ADDRESS_CHARACTERS = 45  # of the longest IP address
DEVICE_CHARACTERS = 60  # of short words such as “Chrome on Windows”
REFUSED = "refused"  # the group of events that the alarm counts: failures, and what was slowed down


def digest_of(secret: str) -> str:
    """The hash by which a table knows what a cookie or a link holds. That is long and random: nobody guesses it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class SignInCount(models.Model):
    """How often something was tried within a span of time: a password of an account, or from an address.

    The key is a hash, so the table tells neither names nor addresses. It makes no difference whether an account exists.
    """

    key = models.CharField(max_length=DIGEST_CHARACTERS, primary_key=True)
    tries = models.PositiveIntegerField()
    ends_at = models.BigIntegerField(help_text="Seconds since 1970; after that counting begins anew.")

    class Meta:
        indexes = [
            # For the chore that deletes what has ended.
            models.Index(fields=["ends_at"], name="sign_in_count_end"),
        ]

    def __str__(self) -> str:
        return f"{self.tries} of {self.key[:8]}"


class KnownDevice(models.Model):
    """A browser with which a person has signed in at an address, known by the hash of a random text in its cookie."""

    # No index of its own: the constraint below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    digest = models.CharField(max_length=DIGEST_CHARACTERS)
    address = models.CharField(max_length=ADDRESS_CHARACTERS, help_text="Where it signed in.")
    device = models.CharField(max_length=DEVICE_CHARACTERS, help_text="In short words.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    mail_due_at = models.DateTimeField(
        null=True, help_text="When a worker tells the person of it; empty: it is told, or needs no message."
    )
    mail_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("-last_at",)
        constraints = [
            # Two sign-ins at once with one browser make one row. Also finds a person's devices at each try to sign in.
            models.UniqueConstraint(fields=["user", "digest", "address"], name="one_row_a_device_and_address")
        ]
        indexes = [
            # For the chores: what is to be told, and what nobody has used for long.
            models.Index(fields=["mail_due_at"], condition=models.Q(mail_due_at__isnull=False), name="device_to_tell"),
            models.Index(fields=["last_at"], name="device_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.device}"
