"""Numbers that triggers and the worker keep up to date, so that no page adds up a year of orders.

The worker calls these files, pages read their tables (models/statistics.py). Read delivery_times.py first."""
