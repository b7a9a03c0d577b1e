"""`manage.py encrypt_again`: encrypts the secrets of second factors by a new SECRET_KEY."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.factors.keys import encrypt_again


class Command(BaseCommand):
    """Encrypts every secret by SECRET_KEY, so that SECRET_KEY_FALLBACKS can be emptied."""

    help = "Encrypts all secrets of second factors by SECRET_KEY; then SECRET_KEY_FALLBACKS can be emptied."

    def handle(self, *args: Any, **options: Any) -> None:
        done, unreadable = encrypt_again()
        self.stdout.write(f"{done} encrypted by SECRET_KEY.")
        if unreadable:
            self.stderr.write(
                f"{unreadable} cannot be read: add the SECRET_KEY of their time to SECRET_KEY_FALLBACKS, or reset them."
            )
