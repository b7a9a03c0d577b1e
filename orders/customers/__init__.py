"""The register of customers: who they are, what they ordered and owe, whom an order is for, and what is kept of them.

The rail leads to it; the order form and the page of an order ask find.py. Read find.py first, then change.py.
"""
