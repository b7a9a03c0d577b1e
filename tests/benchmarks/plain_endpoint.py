"""The endpoint as a first draft has it, to measure ours against: a view that inserts its row, and no more.

Also the settings that serve it: all as deployed, save the addresses.
"""

import hashlib
import json

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from panel.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.plain_endpoint"


@csrf_exempt
def endpoint(request: HttpRequest) -> HttpResponse:
    from orders.models import Delivery  # no model may be loaded while settings are

    said, now = json.loads(request.body), timezone.now()
    Delivery.objects.create(
        key=request.headers["X-NotPanel-Delivery"], digest=hashlib.sha256(request.body).hexdigest(), mark="",
        event=said["event"], upstream_id=said["data"]["order"], status=said["data"]["status"],
        body=request.body.decode(), received_at=now, due_at=now,
    )  # fmt: skip
    return HttpResponse("Taken.\n", content_type="text/plain")


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n")


urlpatterns = [
    path("webhooks/notpanel/", endpoint, name="webhook_door"),
    path("healthz", healthz),
    path("orders/", healthz),
]
