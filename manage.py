#!/usr/bin/env python
"""Django's own commands, and the desk's: demo, sandbox, worker, sync_catalog."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
    try:
        from django.core.management import execute_from_command_line

        from panel.ops.start import told_in_a_sentence
    except ModuleNotFoundError as missing:
        sys.exit(
            f"This Python has no module {missing.name}: run `.venv/bin/python manage.py`, or "
            "`pip install --require-hashes -r requirements.txt` first."
        )
    with told_in_a_sentence():
        execute_from_command_line(sys.argv)
