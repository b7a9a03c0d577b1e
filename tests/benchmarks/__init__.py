"""The figures, measured: `python -m tests.benchmarks`, or one of them: `python -m tests.benchmarks.catalog`.

`python -m` imports this package before the module that it runs, so here Django is made ready, with DEBUG off as where
it counts; in a process where it is ready already (pytest) nothing happens. The database is made by `measure.desk()`.
"""

import os

import django
from django.apps import apps

AS_DEPLOYED = {
    "DJANGO_SETTINGS_MODULE": "panel.settings",
    "DEBUG": "false",
    "SECURE": "false",  # plain HTTP on loopback
    "SECRET_KEY": "for-measuring-only-" + "0123456789" * 5,
    "LOG_LEVEL": "ERROR",
    "NOTPANEL_API_KEY": "",  # never a real supplier, whatever the environment holds
    "NOTPANEL_API_URL": "http://127.0.0.1:8701/api/v2",
}

if not apps.ready:
    os.environ.update(AS_DEPLOYED, **{f"{name}_FILE": "" for name in AS_DEPLOYED})
    django.setup()
