"""Named points where a test makes the desk stop: at every commit and every edge of the network. Idle otherwise."""

import os
import signal
from collections.abc import Callable

ENV = "ORDER_DESK_FAILPOINT"  # `name`, or `name@3`: kill -9 to this process when it passes that point the third time

act: Callable[[str], None] | None = None  # what a test does at a point, given its name


def fp(name: str) -> None:
    """Marks a point. Does nothing unless a test has set `act`.

    `x.half` and, as its last statement, `x.commit` stand inside the transaction x, `x.committed` after it.
    """
    if act is not None:
        act(name)


def killer(target: str) -> Callable[[str], None]:
    """An `act` that kills this process at `name@3`, as the kernel would: nothing is flushed, closed or rolled back."""
    point, _, times = target.partition("@")
    left = int(times or 1)

    def kill(name: str) -> None:
        nonlocal left
        left -= name == point
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill


if os.environ.get(ENV):
    act = killer(os.environ[ENV])
