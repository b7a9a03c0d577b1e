"""The page on which owners switch what each role may do. The table itself is accounts/access.py.

switches.py reads and moves the switches, matrix.py lays the table out; views.py answers requests."""
