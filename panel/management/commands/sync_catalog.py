"""`manage.py sync_catalog`: reads upstream's catalog now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.sync import sync
from panel.notpanel.errors import NotPanelError
from panel.upstream.client import make_client


class Command(BaseCommand):
    """Applies upstream's catalog and prints what changed."""

    help = "Reads the supplier’s catalog now and applies its changes. The worker does this regularly."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(str(sync(make_client())))
        except NotPanelError as trouble:
            raise CommandError(str(trouble)) from None
