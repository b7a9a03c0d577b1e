"""Keeps one worker alive: forks it anew whenever it was killed. `python -m tests.kills.nursery SEED`.

The worker is `manage.py worker`, without a new Python each time. Every other one is armed to die at a failpoint. Each
line on stdout is an event: `born PID FAILPOINT`, `died PID SIGNAL`. On SIGTERM the worker may end in good order.
"""

import os
import signal
import sys
from random import Random
from types import FrameType

import django
from django.core.management import call_command

from panel.ops import failpoints
from tests.campaign.points import discovered

# Those that a worker without any fault of upstream's comes by.
WORKERS_POINTS = [
    name for name in discovered() if name.split(".")[0] in ("claim", "add", "placed", "look", "status", "take_in")
]  # fmt: skip
MOST_PASSES = 4


def main(seed: int) -> None:
    django.setup()
    # What a worker would read on the way, so that a newborn has it.
    import panel.management.commands.worker  # noqa: F401

    dice, stopping, child = Random(seed), False, 0

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    while not stopping:
        armed = dice.random() < 0.5
        wish = f"{dice.choice(WORKERS_POINTS)}@{dice.randint(1, MOST_PASSES)}" if armed else ""
        child = os.fork()
        if not child:
            live(wish)
        print(f"born {child} {wish}", flush=True)
        _, status = os.waitpid(child, 0)
        print(f"died {child} {os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}", flush=True)


def live(wish: str) -> None:
    """The worker's whole life, in the child."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if wish:
        os.environ[failpoints.ENV] = wish
        failpoints.act = failpoints.killer(wish)
    try:
        call_command("worker")
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
