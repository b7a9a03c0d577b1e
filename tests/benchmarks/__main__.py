"""All figures, each in a process of its own: `python -m tests.benchmarks`."""

import subprocess
import sys

EVERY = (
    "catalog", "sweep", "budget", "outage", "poll_schedule", "orders_page", "search", "poll", "live_page",
    "first_visit", "capacity", "sales", "reports", "submit", "bulk", "export", "webhooks", "guesses", "looks", "flat",
    "slow_clients", "trail", "mass",
)  # fmt: skip


def main() -> int:
    """1 when any bound was missed."""
    missed = [name for name in EVERY if subprocess.call([sys.executable, "-m", f"tests.benchmarks.{name}"])]
    print(f"\nMISSED: {', '.join(missed)}" if missed else "\nok: every figure")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
