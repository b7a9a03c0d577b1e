"""`manage.py sandbox`: runs a supplier like NotPanel on this machine, over real HTTP."""

import errno
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from panel.notpanel.sandbox.http.server import Sandbox
from panel.notpanel.sandbox.world.supplier import DEFAULT_KEY, KEYS_PER_ACCOUNT, OPENING_BALANCE, Supplier


class Command(BaseCommand):
    """Runs the sandbox until SIGTERM or SIGINT. Its calls are logged."""

    help = "Runs the sandbox: the supplier's contract over real HTTP, with orders that move by themselves."
    requires_system_checks: list[str] = []  # it needs no database of ours

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the control page answers on loopback only")
        parser.add_argument("--port", type=int, default=8701)
        parser.add_argument("--speed", type=float, help="60: an hour a minute (default: as before, at first 1)")
        parser.add_argument("--store", type=Path, default=Path(".data/sandbox.sqlite3"), help="its own file")
        parser.add_argument("--balance", default=OPENING_BALANCE, help="USD on a new account")
        parser.add_argument("--key", action="append", help=f"an access key, up to {KEYS_PER_ACCOUNT} times")
        parser.add_argument(
            "--local-webhooks", action="store_true", help="webhook.add also takes http on loopback: for rehearsals"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_beside_a_key()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        try:
            supplier = Supplier(
                str(options["store"]),
                keys=tuple(options["key"] or [DEFAULT_KEY]),
                speed=options["speed"],
                balance=options["balance"],
                local_webhooks=options["local_webhooks"],
            )
        except ValueError as refusal:
            raise CommandError(f"{refusal}.") from refusal
        try:
            sandbox = _listen(supplier, options["host"], options["port"])
            self.stdout.write(f"Sandbox listening on {sandbox.url}\nControl page: {sandbox.control}")
            self.stdout.flush()
            stop.wait()
            sandbox.close()
        finally:
            supplier.close()


def refuse_beside_a_key() -> None:
    """Refuses to run where the key to the real supplier is: orders meant for the one must not go to the other."""
    if not settings.SANDBOX:
        raise CommandError(
            "NOTPANEL_API_KEY is set, so this desk orders at the real supplier. The sandbox and the demo do not run "
            "beside it: take the key out of this environment, or use another machine."
        )


def _listen(supplier: Supplier, host: str, port: int) -> Sandbox:
    try:
        return Sandbox(supplier, host, port).start()
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            raise CommandError(f"Port {port} is taken. Stop what uses it, or choose another with --port.") from trouble
        raise CommandError(f"The sandbox cannot listen on {host}:{port}: {trouble.strerror}.") from trouble
    except OverflowError as trouble:
        raise CommandError(f"{port} is no port; choose one from 1 to 65535.") from trouble
