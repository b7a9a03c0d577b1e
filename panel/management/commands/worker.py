"""`manage.py worker`: submits orders to upstream, polls them, and keeps the catalog and the balance."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from panel.ops.start import unmigrated
from panel.upstream.client import make_client, record_own_key
from panel.upstream.models import ROLES
from panel.worker.loop import work


class Command(BaseCommand):
    """Works until SIGTERM or SIGINT, and finishes the step in hand first."""

    help = "Sends orders, checks their status, and keeps the catalog and the balance up to date. You can run several."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only", nargs="+", choices=ROLES, default=ROLES, metavar="ROLE",
            help=f"what this worker does: {', '.join(ROLES)} (default: all); for each, some worker must run",
        )  # fmt: skip
        parser.add_argument("--once", action="store_true", help="work until nothing is due, then exit (for cron)")

    def handle(self, *args: Any, **options: Any) -> None:
        if lacks := unmigrated():  # otherwise each round would break off, and the worker would go on for ever
            raise CommandError(lacks)
        client = make_client()
        record_own_key(timezone.now())
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        work(client, stop, once=options["once"], roles=options["only"])
