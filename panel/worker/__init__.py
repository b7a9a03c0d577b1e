"""The worker: a loop around steps, each of which does one thing that is due.

`manage.py worker` runs it; any number of workers may run at once. Read loop.py first."""
