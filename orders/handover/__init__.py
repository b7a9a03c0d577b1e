"""Since you left: what happened while a person was away, what of it still needs somebody, the note to the next shift.

The addresses call views.py. Read sections.py first; events.py alone reads events.
"""
