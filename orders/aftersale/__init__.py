"""What is asked after the sale: refills, cancels, and the withdrawal of an order that was not sent yet.

ask.py is what pages and jobs call, submit.py is the worker's half, settle.py says how a task ends. Read
ask.py first."""
