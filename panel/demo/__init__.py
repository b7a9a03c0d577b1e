"""The whole desk on one machine, to try it out: its programs, its team, two days of orders. Read history.py first."""
