"""The orders list: its address, filters, pages, rows, columns, saved views and exports.

views.py answers requests; listing.py is the list that an address describes. Read listing.py first."""
