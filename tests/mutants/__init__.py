"""Mistakes planted one by one in a copy of the desk, to see that the tests notice: `python -m tests.mutants`."""
