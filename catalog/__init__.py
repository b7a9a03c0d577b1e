"""The supplier's catalog: its services, how it changes, and what people make of that: decisions, holds, favourites.

The worker calls sync.py once in a while; pages and the orders read the rest. Read models.py first, then sync.py."""
