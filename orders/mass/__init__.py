"""Mass order: a pasted list or a file becomes a draft that is checked, and the draft becomes many orders at once.

A person comes by views.py. Read check.py first (what a line would be), then place.py (one transaction for all), and
job.py (what people do about a list that was placed)."""
