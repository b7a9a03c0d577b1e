"""Webhooks: accepting a signed delivery, polling the order that it names, and judging whether webhooks are reliable.

endpoint.py answers upstream, dispatch.py runs in the worker. Read endpoint.py first."""
