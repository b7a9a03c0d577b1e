"""The orders list: its address, filters, pages, rows, columns, saved views and exports.

listing.py is the list that an address asks for; views.py answers. Read listing.py first."""
