"""Plans that place a list in parts at their times, each checked anew as a person's press is.

A person comes by views.py, the worker by due.py. Read schedule.py first (when), then plan.py (what people do about a
plan), and due.py (what happens at a part's time)."""
