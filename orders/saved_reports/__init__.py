"""Reports under a name: saved for a person or the team, and mailed every Monday to whom wants it.

Read keep.py first. The worker sends what letter.py writes: panel/worker/report_mails.py."""
