"""Every table of the orders, their querysets, and properties that are read from a row alone.

All rooms above import them from here. Read order.py first, then task.py: an order, and what is asked about it.
"""

from orders.models.bulk_job import Bulk
from orders.models.event import Event
from orders.models.order import Order, OrderQuerySet
from orders.models.saved_view import SavedView
from orders.models.statistics import Charged, Pace, Reading, Spending, Tally, Words
from orders.models.task import Attempt, Sending, Task, TaskQuerySet
from orders.models.team import Mention, Note, Presence
from orders.models.webhook import Arrival, Delivery, Endpoint, TurnedAway

__all__ = [
    "Arrival",
    "Attempt",
    "Bulk",
    "Charged",
    "Delivery",
    "Endpoint",
    "Event",
    "Mention",
    "Note",
    "Order",
    "OrderQuerySet",
    "Pace",
    "Presence",
    "Reading",
    "SavedView",
    "Sending",
    "Spending",
    "Tally",
    "Task",
    "TaskQuerySet",
    "TurnedAway",
    "Words",
]
