"""What gunicorn loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
application = get_wsgi_application()
# What is loaded by now stays: the collector need not walk through it again and again, 100 ms within somebody's page.
gc.freeze()
