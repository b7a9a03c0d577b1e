"""Who works at the desk: people, roles and what each may do, sign-in, preferences, and the account's balance.

The orders and the roof ask `access.may`; nothing here knows of orders. Read access.py first."""
