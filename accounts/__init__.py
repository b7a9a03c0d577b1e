"""The team and what each person may do and prefers, and what upstream says of the desk's own account: the balance.

Everything above imports it. Read access.py first: roles are compared there and nowhere else."""
