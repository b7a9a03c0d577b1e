"""The WSGI application that gunicorn loads."""

import gc
import logging
import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve, reverse

from panel.ops import start

# Objects made and not freed, until the garbage collector walks through the newest. With ten times as many a process
# grows to 300 MB, for a page leaves circles; with fewer it collects for longer than it saves.
ALLOCATIONS = 5_000

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
with start.told_in_a_sentence(exit_code=start.APP_LOAD_ERROR):
    pages = get_wsgi_application()
start.forget_key()
for obstacle in start.obstacles():
    logging.getLogger(__name__).error(obstacle)
resolve("/orders/")  # loads every view now, so that the first visitor does not wait for that

from orders.webhooks import endpoint  # noqa: E402  # it imports models, for which Django must be ready
from panel.ops.database import keep_open  # noqa: E402

kept = keep_open()
application = endpoint.with_endpoint(pages, reverse("webhook_door"))
# What is loaded by now stays. Otherwise the garbage collector walks through it again and again, 100 ms each time, while
# somebody waits for a page. By default it also runs 140 times a page, though what a page makes is freed without it.
gc.freeze()
gc.set_threshold(ALLOCATIONS, 2, 100)
