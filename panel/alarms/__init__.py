"""Alarms: what somebody should know of at once, judged by the worker and told in the desk, by e-mail and in a chat."""
