"""Following a live order: polling upstream about it, applying upstream's reports, and flagging anomalies.

The worker calls poll.py; only absorb.py changes an order by a report. Read absorb.py first."""
