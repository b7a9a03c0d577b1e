"""What the supplier answers to each action. contract.py lists what the sandbox assumes about it.

http/server.py calls it. Read contract.py first."""
