"""What the sandbox does wrong on purpose: to calls, and to webhook deliveries.

http/server.py and webhooks/courier.py ask here; the control page sets it. Read rules.py first."""
