"""What one gunicorn process takes: orders pages and polls a second, and its memory after 30,000 of them.

Requests a second depend on the machine and are told. Its processor's time for each is told too; the memory is judged.
`python -m tests.benchmarks.capacity 300 300` takes a few seconds, by which a process is nearly as large as it gets.
"""

import http.client
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse

from panel.management.commands.demo import HERE
from tests.benchmarks import data, measure
from tests.benchmarks.first_visit import serving
from tests.benchmarks.page import BAR, NEWEST, ROW, TOP, browser_of
from tests.upstream import free_port

CLIENTS = 4
PAGES, POLLS = 3_000, 27_000
MOST_MEGABYTES = 120
COUNTS = re.compile(r'id="counts" data-v="(\w+)"')
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Used(NamedTuple):
    """What a process has used so far."""

    seconds: float  # of processors
    megabytes: float


class Server(NamedTuple):
    """A desk with one gunicorn process, and an owner's cookie."""

    port: int
    process: int
    headers: dict[str, str]


@contextmanager
def small_desk() -> Iterator[Server]:
    """A thousand orders and a server of their own."""
    with measure.desk(pages=True) as folder:
        owner = data.open_desk()
        data.write_orders(1, data.RECENT)
        cookie = f"{settings.SESSION_COOKIE_NAME}={browser_of(owner).cookies[settings.SESSION_COOKIE_NAME].value}"
        port = free_port()
        with serving(folder, port):
            yield Server(port, worker_of(port), {"Cookie": cookie, "Accept-Encoding": "gzip"})


def main(pages: int, polls: int) -> int:
    figures = measure.Figures(f"capacity: one gunicorn process, {CLIENTS} clients, {pages:,} pages, {polls:,} polls")
    with small_desk() as (port, worker, headers):
        poll = poll_address(port, headers["Cookie"])
        for what, path, requests in (("pages", reverse("orders:index"), pages), ("polls", poll, polls)):
            before, began = used(worker), time.perf_counter()
            send(port, path, headers | ({"HX-Request": "true"} if what == "polls" else {}), requests)
            took, after = time.perf_counter() - began, used(worker)
            each = (after.seconds - before.seconds) / requests * 1000
            figures.say(f"{what}: {requests / took:.0f} a second, {each:.2f} ms of processor each")
        figures.at_most(f"megabytes after {pages + polls:,} requests", round(used(worker).megabytes), MOST_MEGABYTES)
    return figures.end()


def poll_address(port: int, cookie: str) -> str:
    """What the open first page asks every few seconds."""
    with connected(port) as client:
        client.request("GET", reverse("orders:index"), headers={"Cookie": cookie})
        html = client.getresponse().read().decode()
    rows = ",".join(f"{pk}:{version}" for pk, version in ROW.findall(html))
    [bar], [top], [counts] = BAR.findall(html), TOP.findall(html), COUNTS.findall(html)
    newest = NEWEST.findall(html)[0]
    return f"{reverse('orders:changes')}?newest={newest}&v={rows}&bar={bar}&top={top}&counts={counts}"


def send(port: int, path: str, headers: dict[str, str], requests: int) -> None:
    """So many requests, over CLIENTS connections that stay open."""
    numbers = count()

    def one_client(_: int) -> None:
        with connected(port) as client:
            while next(numbers) < requests:
                client.request("GET", path, headers=headers)
                answer = client.getresponse()
                answer.read()
                assert answer.status in (200, 204), answer.status

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(one_client, range(CLIENTS)))


@contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    client = http.client.HTTPConnection(HERE, port)
    try:
        yield client
    finally:
        client.close()


def worker_of(port: int) -> int:
    """The process that answers: gunicorn's only child, and the largest of the two."""
    ours = [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and f"--bind={HERE}:{port}".encode() in _read(folder / "cmdline")
    ]
    return max(ours)


def used(process: int) -> Used:
    times = _read(Path(f"/proc/{process}/stat")).rpartition(b")")[2].split()
    [kilobytes] = re.findall(rb"VmRSS:\s+(\d+)", _read(Path(f"/proc/{process}/status")))
    return Used((int(times[11]) + int(times[12])) / TICKS_A_SECOND, int(kilobytes) / 1024)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:])) if sys.argv[1:] else main(PAGES, POLLS))
