"""Activity: the trail as a page, filtered by who, what, about and when, with the state of its chain, and its export.

Start with filters.py, which reads the address; search.py finds the lines, rows.py writes them in words.
"""
