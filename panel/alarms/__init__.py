"""Alarms: what somebody should know at once. The worker raises them, and tells of them by e-mail and in a chat.

evaluate.py raises and ends them, notify.py sends the messages. Read kinds.py first."""
