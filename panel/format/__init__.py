"""How money, numbers, times and tables are written. Knows nothing of orders.

Pages, rules and sentences call it. Read locale.py first: it says whose clock and whose number format hold."""
