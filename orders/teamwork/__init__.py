"""What teammates do about an order among themselves: notes, mentions, assignment, presence, activity.

The order's page and these views call it. Read notes.py first."""
