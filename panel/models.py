"""Imports the tables of panel's rooms, because Django looks for them in this file."""

from panel.alarms import models as alarms  # noqa: F401
from panel.upstream import models as upstream  # noqa: F401
