"""NotPanel, the supplier: its contract in our words, and nothing of ours in it."""
