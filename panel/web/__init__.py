"""What every view needs: htmx requests, parameters of an address, pages of rows, polls, read-only admin.

Knows nothing of orders. Read htmx.py first."""
