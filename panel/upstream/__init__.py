"""The desk's one connection to the supplier: the client, the shared budget of calls, and the page about both.

Only the worker and commands make a client; every process reads the tables. Read client.py first."""
