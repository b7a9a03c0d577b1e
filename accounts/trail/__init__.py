"""The trail: one line for each change by a person or the machine, sealed, and chained so that tampering shows.

Rooms write a line with `record.record_change` (orders with `order.record`, the door with `record_door`). Read kinds.py
first, then complete.py, seal.py, chain.py and verify.py.
"""
