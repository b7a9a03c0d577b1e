"""The supplier's services as the desk mirrors them: fetched, compared, searched, starred, and what moved.

The worker calls sync.py; the order form and the catalog's pages read the rest. Read models.py first."""
