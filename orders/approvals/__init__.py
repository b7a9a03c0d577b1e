"""Four eyes: an order above a limit or a sum waits here until a second person approves it, declines it, or it expires.

place.py asks, decide.py is every way in which the waiting ends, remind.py calls those who may decide, page.py and
views.py show it. Read decide.py first."""
