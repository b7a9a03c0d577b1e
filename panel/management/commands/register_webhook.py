"""`manage.py register_webhook URL`: has upstream deliver to this address, and prints the secret that it signs with."""

from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.trail.record import record_change
from orders.models import Endpoint
from panel.notpanel import signing
from panel.notpanel.errors import NotPanelError, Refused, Unclear
from panel.upstream.client import make_client

# The names under which upstream's answer, which is not documented, may hold each.
SECRET_AT = ("secret", "signing_secret", "webhook_secret")
ID_AT = ("webhook", "id", "webhook_id")

KEEP_IT = """\
This is the endpoint's secret. The supplier shows it this once, and the desk does not keep it.
Put it into NOTPANEL_WEBHOOK_SECRETS (or the file that NOTPANEL_WEBHOOK_SECRETS_FILE names), with a comma between it and
those that are there, and start the desk's web servers anew. Until then its deliveries are turned away."""
NONE_FOUND = """\
The supplier accepted the address, but its answer has no secret. It has: {names}. Without a secret no delivery can be
told from a forgery. Remove the endpoint at the supplier and add it again, or ask the supplier."""
HINTS = {
    "limit": "A key can have at most five endpoints. Remove one at the supplier, then try again.",
    "public https": "The supplier delivers only to public https addresses: no http, no localhost, no private network.",
}


class Command(BaseCommand):
    """Registers the webhook and stores its endpoint, without the secret. Explains every refusal."""

    help = "Registers a webhook at the supplier. Prints the secret on stdout, once; everything else on stderr."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", help="the desk's public address, as https://desk.example.com/webhooks/notpanel/")
        parser.add_argument("--events", default="", help="between commas, as order.completed,balance.low; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        url, path = options["url"].strip(), reverse("webhook_door")
        events = [event.strip() for event in options["events"].split(",") if event.strip()]
        if not urlsplit(url).path.endswith(path):
            self.stderr.write(f"Note: the desk receives deliveries at {path}; this address ends differently.")
        try:
            answer = make_client().add_webhook(url, events)
        except Unclear as trouble:
            raise CommandError(f"{trouble} It may be registered anyway: check at the supplier.") from None
        except Refused as refusal:
            hint = next((hint for word, hint in HINTS.items() if word in str(refusal)), "")
            raise CommandError(f"The supplier says: {refusal}. {hint}".strip()) from None
        except NotPanelError as trouble:
            raise CommandError(str(trouble)) from None
        secret = first_value(answer, SECRET_AT)
        if secret:  # printed before anything else can go wrong and lose it
            self.stdout.write(secret)
            self.stderr.write(KEEP_IT)
        else:
            self.stderr.write(NONE_FOUND.format(names=", ".join(sorted(answer))))
        with transaction.atomic():
            self.keep(url, events, answer, secret)

    def keep(self, url: str, events: list[str], answer: dict[str, object], secret: str) -> None:
        """Keeps what was registered, without the secret."""
        endpoint = Endpoint.objects.create(
            url=url[:500], upstream_id=first_value(answer, ID_AT)[:64], events=",".join(events)[:500],
            mark=signing.mark(secret) if secret else "", registered_at=timezone.now(),
        )  # fmt: skip
        record_change("endpoint_added", by=None, thing="endpoint", thing_id=endpoint.pk, label=url)


def first_value(answer: dict[str, object], names: tuple[str, ...]) -> str:
    """The value under the first of these names that the answer holds; "" when it holds none."""
    return next((str(answer[name]) for name in names if isinstance(answer.get(name), str | int)), "")
