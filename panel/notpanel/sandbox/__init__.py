"""A NotPanel that runs on this machine: the documented contract over real HTTP, with a store of its own.

It shares no code with the client. `manage.py sandbox` starts it. Read api/contract.py first."""
