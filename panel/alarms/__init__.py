"""Alarms: what somebody should know at once, found by the worker and told in the desk, by e-mail and in a chat.

evaluate.py raises and ends them, notify.py sends the messages. Read kinds.py first."""
