"""Named points where a test stops the desk short: at every commit and every edge of the network. Idle otherwise."""

import os
import signal
from collections.abc import Callable

ENV = "ORDER_DESK_FAILPOINT"  # `name`, or `name@3` for the third time it is passed: kill -9 to this process, there

act: Callable[[str], None] | None = None  # what a test does at a point, given its name


def fp(name: str) -> None:
    """Nothing, unless a test has armed it.

    In the transaction of x stand `x.half` and, last, `x.commit`; after it stands `x.committed`.
    """
    if act is not None:
        act(name)


def killer(wish: str) -> Callable[[str], None]:
    """Kills this process as `wish` says, the way the kernel would: nothing is flushed, closed or rolled back."""
    wanted, _, time = wish.partition("@")
    left = int(time or 1)

    def kill(name: str) -> None:
        nonlocal left
        left -= name == wanted
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill


if os.environ.get(ENV):
    act = killer(os.environ[ENV])
