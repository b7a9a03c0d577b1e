"""Numbers that triggers and the worker keep up to date, so that no page adds up a year of orders.

The tables are in models/statistics.py; the worker calls these files. Read delivery_times.py first."""
