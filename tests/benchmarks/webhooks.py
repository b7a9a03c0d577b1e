"""Webhooks in a burst: what was answered 2xx is on the disk, pages stay quick, and one commit serves many deliveries.

Each against a real gunicorn over loopback: how many deliveries one process takes, beside a view that inserts its row
by itself; then 1,000 a second at a gunicorn for webhooks alone while the desk's own serves pages. The same burst at an
endpoint that does nothing tells how much of it is the web server's and the sender's own.

The gunicorn for webhooks is started as README says: `nice`, and kept to one core, where a process whose threads take
turns anyway loses no time by handing over between cores. The plain view has all cores, with which it is quicker.

How much faster ours is depends on what a commit costs. A disk that takes 5 ms for one leaves a plain view at 200 a
second at most; where it takes a quarter of one, as in a virtual machine, each one's processor time is the limit. So
beside the rate it is counted how many deliveries share a commit, which is the same on every machine. On PostgreSQL run
it with `python -m tests.postgres --durable`: a commit that is not made durable costs next to nothing.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from orders.models import Arrival, Delivery
from orders.webhooks import inbox
from panel.management.commands.demo import HERE, START_SECONDS, answer
from tests.benchmarks import data, measure
from tests.benchmarks.delivery_sender import CONNECTIONS, SECRET
from tests.benchmarks.page import browser_of
from tests.upstream import free_port

OURS, PLAIN, EMPTY = "panel.settings", "tests.benchmarks.plain_endpoint", "tests.benchmarks.empty_endpoint"
APPLICATION = {OURS: "panel.wsgi", PLAIN: "panel.wsgi:pages", EMPTY: EMPTY}
THREADS = 16
ROUNDS, ROUND_SECONDS = 8, 2.0
BURST, BURST_SECONDS = 1_000, 4.0  # deliveries a second, for so long
BURSTS = 6
ALONE = 2_000  # deliveries past the web server
PAGES_A_ROUND = 40  # at most, within a burst
MOST_SLOWER = 1.5
LEAST_FASTER = 4.0
LEAST_SHARED = 4.0  # deliveries a commit
NICE = ("nice", "-n", "19")  # what takes deliveries, and what sends them: pages come first
ONE_CORE = ("taskset", "-c", str(max(os.sched_getaffinity(0))))


def main() -> int:
    figures = measure.Figures("webhooks: a burst of signed deliveries")
    figures.say(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, which carry all of it")
    with measure.desk(pages=True) as folder:
        owner = data.open_desk()
        data.write_orders(1, data.RECENT)
        session = browser_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
        shared(figures)
        rates(folder, figures)
        burst(folder, session, figures, "webhooks in a gunicorn of their own", judged=True)
        burst(folder, session, figures, "pages and webhooks in one gunicorn", together=True)
        burst(folder, session, figures, "a door that does nothing", kind=EMPTY)
    figures.say(f"load of the machine: {os.getloadavg()[0]:.1f}")
    return figures.end()


def shared(figures: measure.Figures) -> None:
    """How many rows each commit has, with as many threads as a gunicorn; and what a commit costs this disk."""
    commits, usual = list[int](), inbox.insert_deliveries

    def write(arrivals: list[Arrival]) -> None:
        commits.append(len(arrivals))
        usual(arrivals)

    def put(number: int) -> None:
        key, now = f"shared_{number}", timezone.now()
        inbox.INBOX.put(Arrival(key=key, digest=key, body="{}", received_at=now))

    with patch.object(inbox, "insert_deliveries", write), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(put, range(ALONE)))
    figures.exactly("rows that came of as many deliveries", len(on_disk()), ALONE)
    figures.at_least(f"deliveries a commit, of {THREADS} threads", ALONE / len(commits), LEAST_SHARED)
    with tempfile.TemporaryFile() as file:
        times = []
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            times.append(measure.seconds(lambda: os.fdatasync(file.fileno())))
    figures.say(f"this disk takes {median(times) * 1000:.2f} ms to make 4 kB durable")


def rates(folder: Path, figures: measure.Figures) -> None:
    """As many as one process takes, ours and a plain view in turns; ours is killed at the end."""
    found: dict[str, list[float]] = {OURS: [], PLAIN: []}
    spent: dict[str, list[float]] = {OURS: [], PLAIN: []}
    taken: list[str] = []
    with serving(folder, OURS, *ONE_CORE) as (ours, port), serving(folder, PLAIN) as (plain, other):
        for turn in range(ROUNDS):
            for kind, at, process in ((OURS, port, ours), (PLAIN, other, plain))[:: 1 if turn % 2 == 0 else -1]:
                before = processor(process)
                said = sent_by(start_sending(at, 0, ROUND_SECONDS, f"{kind[:5]}{turn}"))
                spent[kind].append((processor(process) - before) / len(said["taken"]))
                found[kind].append(len(said["taken"]) / said["seconds"])
                assert not said["others"], said["others"]
                taken += said["taken"] if kind == OURS else []
        last = start_sending(port, 0, ROUND_SECONDS, "last")
        time.sleep(ROUND_SECONDS / 2)
        os.killpg(ours.pid, signal.SIGKILL)
        said = sent_by(last)
        taken += said["taken"]
    figures.say(f"{HERE}, {CONNECTIONS} connections, one process of {THREADS} threads each, {ROUNDS} rounds in turns")
    figures.say(
        f"a second: {whole(found[OURS])} against {whole(found[PLAIN])} of a view that inserts its row by itself"
    )
    figures.say(f"processor time a delivery: {ms_of(spent[OURS])} against {ms_of(spent[PLAIN])} ms")
    figures.exactly("answered 2xx and not on the disk after kill -9", len(set(taken) - on_disk()), 0)
    figures.at_least("and some were answered right before it", len(said["taken"]), 1)
    ratios = [ours / plain for ours, plain in zip(found[OURS], found[PLAIN], strict=True)]
    figures.say(f"ratios: {', '.join(f'{ratio:.1f}' for ratio in ratios)}")
    figures.at_least("deliveries a second, against a plain view", median(ratios), LEAST_FASTER)


def burst(
    folder: Path, session: str, figures: measure.Figures, name: str, *,
    kind: str = OURS, together: bool = False, judged: bool = False,
) -> None:  # fmt: skip
    """The orders page at rest and in a burst, in turns; `together`, in one gunicorn."""
    mark = name.replace(" ", "_")
    idle, busy = list[list[float]](), list[list[float]]()
    taken, others, rates, theirs, senders = list[str](), list[int](), list[float](), list[float](), list[float]()
    with serving(folder, OURS) as (_, port), serving(folder, kind, *NICE, *ONE_CORE) as (endpoint, own):
        pages(port, session, PAGES_A_ROUND)
        for turn in range(BURSTS):
            idle.append(pages(port, session, PAGES_A_ROUND))
            before = processor(endpoint)
            sending = start_sending(port if together else own, BURST, BURST_SECONDS, f"{mark}{turn}", *NICE)
            busy.append(pages(port, session, PAGES_A_ROUND, until=BURST_SECONDS))
            said = sent_by(sending)
            taken, others = taken + said["taken"], others + said["others"]
            rates.append(len(said["taken"]) / said["seconds"])
            theirs.append((processor(endpoint) - before) / said["seconds"])
            senders.append(said["processor"] / said["seconds"])
    ratio = cut_of(busy, 18) / cut_of(idle, 18)
    figures.say(f"{name}: {whole(rates)} of {BURST} deliveries a second taken")
    figures.say(
        f"orders page at rest p50 {ms(idle, 9)}, p95 {ms(idle, 18)}; meanwhile {ms(busy, 9)}, {ms(busy, 18)} ms"
    )
    if not together:
        figures.say(f"of a core: {median(theirs):.2f} the gunicorn that took them, {median(senders):.2f} the sender")
    if judged:
        figures.at_most("orders page p95 in the burst, of at rest", ratio, MOST_SLOWER)
    else:
        figures.say(f"{name}: p95 {ratio:.2f} of at rest")
    if kind == OURS:
        figures.exactly(f"{name}: answered 2xx and not on the disk", len(set(taken) - on_disk()), 0)
        figures.exactly(f"{name}: answers that were no 2xx", len(others), 0)


def pages(port: int, session: str, count: int, *, until: float = 60.0) -> list[float]:
    """Seconds that each orders page took, at a person's pace."""
    times, began = list[float](), time.monotonic()
    line = http.client.HTTPConnection(HERE, port, timeout=30)
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
    while len(times) < count and time.monotonic() < began + until:
        asked = time.perf_counter()
        line.request("GET", reverse("orders:index"), headers=headers)
        response = line.getresponse()
        assert response.read() and response.status == http.client.OK, response.status
        times.append(time.perf_counter() - asked)
        time.sleep(0.02)
    line.close()
    return times


@contextmanager
def serving(folder: Path, kind: str, *how: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """One process of gunicorn with these settings, on this measurement's database; and its port. `how` it is run."""
    port = free_port()
    server = "sqlite://" if measure.on_sqlite() else settings.DATABASE_URL.rpartition("/")[0]
    env = os.environ | {
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}", "STATIC_ROOT": str(folder / "static"),
        "NOTPANEL_WEBHOOK_SECRETS": SECRET, "DJANGO_SETTINGS_MODULE": kind,
    }  # fmt: skip
    command = (
        *how, sys.executable, "-m", "gunicorn", APPLICATION[kind], f"--bind={HERE}:{port}", "--worker-class=gthread",
        f"--threads={THREADS}", "--no-control-socket", f"--chdir={settings.BASE_DIR}",
    )  # fmt: skip
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while answer(port, "/healthz") != http.client.OK:
            assert process.poll() is None and time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
        yield process, port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def start_sending(port: int, rate: float, seconds: float, name: str, *how: str) -> "subprocess.Popen[str]":
    command = [*how, sys.executable, "-m", "tests.benchmarks.delivery_sender", str(port), str(rate), str(seconds), name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "sending\n"
    return process


def sent_by(sending: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = sending.communicate()
    assert sending.returncode == 0
    return dict(json.loads(out))


def processor(process: "subprocess.Popen[bytes]") -> float:
    """Seconds of processor that gunicorn's only worker has had."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def on_disk() -> set[str]:
    return set(Delivery.objects.values_list("key", flat=True))


def cut_of(rounds: list[list[float]], cut: int) -> float:
    """The median of the rounds' own, so that one moment in which the machine was busy elsewhere decides nothing."""
    return median(quantiles(times, n=20)[cut] for times in rounds)


def ms(rounds: list[list[float]], cut: int) -> str:
    return f"{cut_of(rounds, cut) * 1000:.1f}"


def ms_of(seconds: list[float]) -> str:
    return f"{median(seconds) * 1000:.2f}"


def whole(rates: list[float]) -> str:
    return f"{median(rates):,.0f}"


if __name__ == "__main__":
    raise SystemExit(main())
