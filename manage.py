#!/usr/bin/env python
"""Django's own commands, and the desk's: demo, sandbox, worker, sync_catalog."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
