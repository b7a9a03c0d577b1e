"""The page of one order: its progress, evidence, timeline, and a text for the customer.

page.py puts it together; views.py answers. Read page.py first."""
