"""Refills or cancels of many orders in one press: the selection, its dry run, the job, and the job's receipt.

views.py answers requests; job.py writes the tasks. Read dry_run.py first."""
