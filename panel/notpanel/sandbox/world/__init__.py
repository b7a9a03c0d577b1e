"""The supplier's own state: accounts, services, orders that move by themselves, charges, limits and its clock.

The API and the control page call it. Read supplier.py first."""
