"""Django finds the roof's tables through this file. They stand in the rooms that keep them."""

from panel.alarms import models as alarms  # noqa: F401
from panel.upstream import models as upstream  # noqa: F401
