"""What the roof keeps: how upstream is, which workers beat, and chores with their due time."""

from panel.alarms import models as alarms  # noqa: F401  # Django finds its models through this file
