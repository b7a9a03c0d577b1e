"""What people and the team may spend, what was spent today, and whether an order fits. Owners set it on pages here.

The order form and place.py ask check.py; triggers keep the sums. Read check.py first."""
