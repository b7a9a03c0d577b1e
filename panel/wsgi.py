"""What gunicorn loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve, reverse

ALLOCATIONS = 200_000  # more objects made than freed until the collector looks at the newest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
pages = get_wsgi_application()
resolve("/orders/")  # loads every view, rather than the first visitor's page

from orders.webhooks import endpoint  # noqa: E402  # has models, for which Django must be ready

application = endpoint.with_endpoint(pages, reverse("webhook_door"))
# What is loaded by now stays: the collector need not walk through it again and again, 100 ms within somebody's page.
# Nor need it come 140 times a page, as it does by default: what a page makes is freed by its last reference.
gc.freeze()
gc.set_threshold(ALLOCATIONS, 2, 100)
