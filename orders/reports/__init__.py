"""Pages that look back over many orders: late ones, charges by day, and the balance.

Each file is one page with its figures. Nothing else calls them."""
