"""The demo's webhooks: its supplier is told where the desk's door is, with a secret that both know."""

import json
import urllib.request
from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from orders.models import Endpoint
from panel.notpanel import signing

ANSWER_SECONDS = 10.0


def register(port: int) -> None:
    """Once; the desk listens on this port of this machine. Its supplier is the sandbox alone, never a real one."""
    url = f"http://127.0.0.1:{port}{reverse('webhook_door')}"
    [secret] = settings.NOTPANEL_WEBHOOK_SECRETS
    if Endpoint.objects.filter(url=url, mark=signing.mark(secret)).exists():
        return
    made = control("webhooks", {"url": url, "secret": secret})
    Endpoint.objects.create(
        url=url, upstream_id=str(made["webhook"]), mark=signing.mark(secret), registered_at=timezone.now()
    )


def control(thing: str, fields: dict[str, str]) -> dict[str, object]:
    """A call to the sandbox's control page."""
    to = urljoin(settings.NOTPANEL_API_URL, f"/control/{thing}")
    asked = urllib.request.Request(to, json.dumps(fields).encode(), {"Content-Type": "application/json"})  # noqa: S310  loopback
    with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
        said: dict[str, object] = json.load(answer)
        return said
