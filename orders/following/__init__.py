"""Following a live order: asking upstream about it, applying its reports, and flagging what does not add up.

poll.py runs in the worker; absorb.py is the only way in which upstream's words reach an order. Read absorb.py first."""
