"""Placing an order: the form, writing the order down, sending it once, and deciding when nobody knows what happened.

place.py is what pages and jobs call, submit.py is the worker's half. Read place.py first."""
