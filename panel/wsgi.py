"""What gunicorn loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
application = get_wsgi_application()
resolve("/orders/")  # loads every view, rather than the first visitor's page
# What is loaded by now stays: the collector need not walk through it again and again, 100 ms within somebody's page.
gc.freeze()
