"""What happened on the desk, to one order or to many: an event is a line of the trail."""

from accounts.models import TrailLine

Event = TrailLine
