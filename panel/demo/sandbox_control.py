"""How the demo controls its supplier, the sandbox: its clock, its limits, its orders, and where its webhooks go."""

import http.client
import json
from contextlib import closing
from http import HTTPStatus
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
    """The answer of one of the sandbox's control pages to these fields, as JSON. Raises Trouble when it refuses."""
    address = urlsplit(settings.NOTPANEL_API_URL)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=ANSWER_SECONDS)
    with closing(connection):
        connection.request("POST", f"/control/{page}", json.dumps(fields), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Trouble(f"The sandbox refused to change its {page}: HTTP {answer.status}.")
        return json.load(answer)


def register_webhook(port: int) -> None:
    """Has the sandbox send its webhooks to the desk at this port. Repeating it changes nothing."""
    url = f"http://127.0.0.1:{port}{reverse('webhook_door')}"
    [secret] = settings.NOTPANEL_WEBHOOK_SECRETS
    mark = signing.mark(secret)
    if not Endpoint.objects.filter(url=url, mark=mark).exists():
        upstream_id = str(control("webhooks", url=url, secret=secret)["webhook"])
        Endpoint.objects.create(url=url, upstream_id=upstream_id, mark=mark, registered_at=timezone.now())
