"""The desk's connection to the supplier: the client, the budget of calls that all processes share, a page about both.

Only the worker and commands make a client; every process reads the tables. Read client.py first."""
