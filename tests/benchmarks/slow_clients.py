"""How long visitors wait while others send half of their requests or none: behind nginx, and without it.

64 half-sent requests (in the header, in the body) and 500 idle connections at once, at the desk as README has it run:
README's own gunicorn on a Unix socket behind the shipped nginx.conf, which is judged; and the same gunicorn on a TCP
port with nothing in front, which is told, to show why something must be. Everything is on loopback and ends by itself.
"""

import http.client
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.urls import reverse

from tests.benchmarks import data, measure
from tests.benchmarks.page import browser_of
from tests.nginx import ANSWER_SECONDS, HERE, NAME, find_nginx, nginx
from tests.served import gunicorn
from tests.slow_clients import HALF_BODIES, HALF_HEADERS, IDLE, Connect, attack, waits
from tests.upstream import free_port

ROUNDS, ROUNDS_WITHOUT = 150, 5
PATIENCE_SECONDS = 3.0  # of a visitor without nginx, who would wait for as long as the others stay
MOST_SECONDS = 1.0

Visit = Callable[[], http.client.HTTPConnection]


def main() -> int:
    figures = measure.Figures(f"slow clients: {HALF_HEADERS + HALF_BODIES} half-sent requests, {IDLE} idle connections")
    with measure.desk(pages=True) as folder:
        owner = data.open_desk()
        data.write_orders(1, data.RECENT)
        session = browser_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
        with without_nginx(folder) as (connect, visit):
            compare("gunicorn alone", connect, visit, f"sessionid={session}", ROUNDS_WITHOUT, figures)
        if find_nginx() is None:
            figures.exactly("nginx is here (Debian's package nginx)", False, True)
        else:
            with behind_nginx(folder) as (connect, visit):
                longest = compare("behind nginx", connect, visit, f"__Host-sessionid={session}", ROUNDS, figures)
            for path, seconds in longest.items():
                figures.at_most(f"behind nginx, {path}: seconds that the unluckiest waits", seconds, MOST_SECONDS)
    return figures.end()


def compare(
    how: str, connect: Connect, visit: Visit, cookie: str, rounds: int, figures: measure.Figures
) -> dict[str, float]:
    """Tells the waits at rest and during the attack; gives the longest during the attack by path."""
    paths: Mapping[str, Mapping[str, str]] = {"/healthz": {}, reverse("orders:index"): {"Cookie": cookie}}
    for path, waited in waits(visit, paths, rounds).items():
        figures.say(f"{how}, at rest, {path}: {waited}")
    with attack(connect) as (idle, halves):
        found = waits(visit, paths, rounds)
        figures.say(f"{how}: {len(idle)} idle, {len(halves)} half-sent")
    for path, waited in found.items():
        figures.say(f"{how}, meanwhile, {path}: {waited}")
    return {path: waited.seconds[-1] for path, waited in found.items()}


@contextmanager
def without_nginx(folder: Path) -> Iterator[tuple[Connect, Visit]]:
    """The desk on a TCP port; how a slow one connects to it, and how a visitor does."""
    port = free_port()
    with gunicorn(f"{HERE}:{port}", environment(folder), folder / "alone.log"):
        yield (
            partial(socket.create_connection, (HERE, port), ANSWER_SECONDS),
            partial(http.client.HTTPConnection, HERE, port, timeout=PATIENCE_SECONDS),
        )


@contextmanager
def behind_nginx(folder: Path) -> Iterator[tuple[Connect, Visit]]:
    """The desk as README has it run; the same two."""
    desk = folder / "desk.sock"
    with ExitStack() as stack:
        more = {"SECURE": "true", "BEHIND_PROXY": "true", "ALLOWED_HOSTS": NAME}
        stack.enter_context(gunicorn(f"unix:{desk}", environment(folder) | more, folder / "desk.log"))
        proxy = stack.enter_context(nginx(folder, desk, free_port(), free_port()))
        yield proxy.line, proxy.connect


def environment(folder: Path) -> dict[str, str]:
    """A desk's on this measurement's database."""
    server = "sqlite://" if measure.on_sqlite() else settings.DATABASE_URL.rpartition("/")[0]
    database = f"{server}/{connection.settings_dict['NAME']}"
    return os.environ | {"DATABASE_URL": database, "STATIC_ROOT": str(folder / "static"), "BEHIND_PROXY": "false"}


if __name__ == "__main__":
    raise SystemExit(main())
