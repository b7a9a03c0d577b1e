"""Texts for customers: from an order's facts, in templates that the team edits and translates, for one order or many.

The order's page, a job's receipt and its CSV, and the answers to a pasted message call it. Read texts.py first, then
situations.py."""
