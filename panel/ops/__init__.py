"""What an operator of the desk deals with: environment, logs, system checks, error reports, SQLite, failpoints.

Knows nothing of orders. Read env.py first."""
