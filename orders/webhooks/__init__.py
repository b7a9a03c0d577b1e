"""Webhooks: taking a signed delivery, polling the order that it names, and judging whether webhooks can be relied on.

endpoint.py answers upstream, dispatch.py runs in the worker. Read endpoint.py first."""
