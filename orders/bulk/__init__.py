"""A refill or a cancel of many orders in one press: selection, dry run, job and receipt.

views.py answers; job.py writes it all down. Read dry_run.py first."""
