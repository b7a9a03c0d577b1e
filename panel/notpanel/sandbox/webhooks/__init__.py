"""Webhooks of the sandbox: which addresses it delivers to, and the courier that does.

The server starts the courier. Read courier.py first."""
