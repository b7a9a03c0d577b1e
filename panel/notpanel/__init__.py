"""The supplier NotPanel: a client for its API, the call budget, webhook signatures, and a sandbox to rehearse on.

Knows nothing of orders or Django; panel/upstream makes the client and stores the budget. Read client.py first."""
