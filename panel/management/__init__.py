"""Commands for a person at a shell: worker, demo, sandbox, sync_catalog, register_webhook and others.

Each file of commands/ is one command; what they do is in the rooms that they call."""
