"""The demo's hand on its supplier, the sandbox: its clock, its limits, its orders, and where its webhooks go."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from orders.models import Endpoint
from panel.demo.processes import Trouble
from panel.notpanel import signing

ANSWER_SECONDS = 10.0


def control(page: str, **fields: float | str | None) -> Any:
    """Posts to one of the sandbox's control pages; its answer, read from JSON. Raises Trouble when it says no."""
    address = urlsplit(settings.NOTPANEL_API_URL)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", f"/control/{page}", json.dumps(fields), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise Trouble(f"The sandbox refused to change its {page}: HTTP {answer.status}.")
    return json.loads(body)


def register_webhook(port: int) -> None:
    """Has the sandbox send its webhooks to the desk at this port of this machine. Does it once."""
    url = f"http://127.0.0.1:{port}{reverse('webhook_door')}"
    [secret] = settings.NOTPANEL_WEBHOOK_SECRETS
    if Endpoint.objects.filter(url=url, mark=signing.mark(secret)).exists():
        return
    made = control("webhooks", url=url, secret=secret)
    Endpoint.objects.create(
        url=url, upstream_id=str(made["webhook"]), mark=signing.mark(secret), registered_at=timezone.now()
    )
