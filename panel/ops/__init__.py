"""For the people who run the desk: environment, logs, system checks, error reports, SQLite, failpoints.

Knows nothing of orders. Read env.py first."""
