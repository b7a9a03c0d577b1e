"""Webhooks of the sandbox: which addresses it delivers to, and the courier that does.

The server starts the courier; the API and the control page add endpoints. Read courier.py first."""
