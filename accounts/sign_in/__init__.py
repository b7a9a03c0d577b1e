"""Who comes in: tries of passwords are counted, devices remembered, and what happens is recorded and shown to owners.

Start with throttle.py, which says who may still try. Other rooms record what they do with `record_door` (record.py).
"""
