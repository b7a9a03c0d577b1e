"""How money, numbers, times and tables are written for whoever reads them. Knows nothing of orders.

Pages, rules and sentences call it. Read locale.py first: whose clock and whose number format hold."""
