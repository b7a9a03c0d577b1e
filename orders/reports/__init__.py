"""Pages that look back over many orders: reports, late orders, charges by day, and the balance.

The last three are a file each. Of the reports read period.py first, then statement.py and splits.py."""
