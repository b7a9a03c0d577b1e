"""Pages that look back over many orders: late orders, charges by day, and the balance.

Each file is one page with its figures, and nothing else calls it."""
