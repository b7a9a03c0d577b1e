"""Webhooks in a burst: what was answered 2xx is on the disk, pages stay quick, and one commit serves many deliveries.

Each against a real gunicorn over loopback: how many deliveries one process takes, beside a view that inserts its row
by itself; then 1,000 a second at a gunicorn for webhooks alone, started `nice`, while the desk's own serves pages.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from django.conf import settings
from django.db import connection
from django.urls import reverse

from orders.deliveries import Delivery
from panel.management.commands.demo import HERE, START_SECONDS, answer
from tests.benchmarks import data, measure
from tests.benchmarks.first_visit import free_port
from tests.benchmarks.page import browser_of
from tests.benchmarks.upstream_rings import CONNECTIONS, SECRET

OURS, PLAIN = "panel.settings", "tests.benchmarks.plain_door"
THREADS = 16
ROUNDS, ROUND_SECONDS = 6, 2.0
BURST, BURST_SECONDS = 1_000, 5.0  # deliveries a second, for so long
BURSTS = 3
PAGES_A_ROUND = 40
MOST_SLOWER = 1.5
LEAST_FASTER = 4.0
NICE = 10  # of the gunicorn that takes webhooks: pages come first


def main() -> int:
    figures = measure.Figures("webhooks: a burst of signed deliveries")
    figures.say(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, which carry all of it")
    with measure.desk(pages=True) as folder:
        owner = data.open_desk()
        data.write_orders(1, data.RECENT)
        session = browser_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
        rates(folder, figures)
        for together in (False, True):
            burst(folder, session, figures, together=together)
    figures.say(f"load of the machine: {os.getloadavg()[0]:.1f}")
    return figures.end()


def rates(folder: Path, figures: measure.Figures) -> None:
    """As many as one process takes, ours and a plain view in turns; ours is killed at the end."""
    found: dict[str, list[float]] = {OURS: [], PLAIN: []}
    taken: list[str] = []
    with serving(folder, OURS) as (ours, port), serving(folder, PLAIN) as (_, other):
        for turn in range(ROUNDS):
            for kind, at in ((OURS, port), (PLAIN, other))[:: 1 if turn % 2 == 0 else -1]:
                said = rung(start_ringing(at, 0, ROUND_SECONDS, f"{kind[:5]}{turn}"))
                found[kind].append(len(said["taken"]) / said["seconds"])
                assert not said["others"], said["others"]
                taken += said["taken"] if kind == OURS else []
        last = start_ringing(port, 0, ROUND_SECONDS, "last")
        time.sleep(ROUND_SECONDS / 2)
        os.killpg(ours.pid, signal.SIGKILL)
        said = rung(last)
        taken += said["taken"]
    figures.say(f"{HERE}, {CONNECTIONS} connections, one process of {THREADS} threads each, {ROUNDS} rounds in turns")
    figures.say(
        f"a second: {whole(found[OURS])} against {whole(found[PLAIN])} of a view that inserts its row by itself"
    )
    figures.exactly("answered 2xx and not on the disk after kill -9", len(set(taken) - on_disk()), 0)
    figures.at_least("and some were answered right before it", len(said["taken"]), 1)
    ratios = [ours / plain for ours, plain in zip(found[OURS], found[PLAIN], strict=True)]
    figures.say(f"ratios: {', '.join(f'{ratio:.1f}' for ratio in ratios)}")
    figures.at_least("deliveries a second, against a plain view", median(ratios), LEAST_FASTER)


def burst(folder: Path, session: str, figures: measure.Figures, *, together: bool) -> None:
    """The orders page at rest and in a burst, in turns; `together`: one gunicorn for both, which is told, not judged."""
    name = "pages and webhooks in one gunicorn" if together else "webhooks in a gunicorn of their own"
    idle, busy, taken, others, rates = list[float](), list[float](), list[str](), list[int](), list[float]()
    with serving(folder, OURS) as (_, port), serving(folder, OURS, nice=NICE) as (_, own):
        pages(port, session, PAGES_A_ROUND)
        for turn in range(BURSTS):
            idle += pages(port, session, PAGES_A_ROUND)
            ringing = start_ringing(port if together else own, BURST, BURST_SECONDS, f"{together}{turn}")
            time.sleep(0.7)  # until it has loaded what it needs
            busy += pages(port, session, PAGES_A_ROUND * 3, until=BURST_SECONDS - 1)
            said = rung(ringing)
            taken, others = taken + said["taken"], others + said["others"]
            rates.append(len(said["taken"]) / said["seconds"])
    ratio = p95(busy) / p95(idle)
    figures.say(f"{name}: {whole(rates)} of {BURST} deliveries a second taken")
    figures.say(
        f"orders page at rest p50 {ms(idle, 9)}, p95 {ms(idle, 18)}; in the burst {ms(busy, 9)}, {ms(busy, 18)} ms"
    )
    figures.exactly(f"{name}: answered 2xx and not on the disk", len(set(taken) - on_disk()), 0)
    figures.exactly(f"{name}: answers that were no 2xx", len(others), 0)
    if together:
        figures.say(f"{name}: p95 {ratio:.2f} of at rest")
    else:
        figures.at_most("orders page p95 in the burst, of at rest", ratio, MOST_SLOWER)


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
def serving(folder: Path, kind: str, *, nice: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """One process of gunicorn with these settings, on this measurement's database; and its port."""
    port = free_port()
    server = "sqlite://" if measure.on_sqlite() else settings.DATABASE_URL.rpartition("/")[0]
    env = os.environ | {
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}", "STATIC_ROOT": str(folder / "static"),
        "NOTPANEL_WEBHOOK_SECRETS": SECRET, "DJANGO_SETTINGS_MODULE": kind,
    }  # fmt: skip
    command = (
        sys.executable, "-m", "gunicorn", "panel.wsgi", f"--bind={HERE}:{port}", "--worker-class=gthread",
        f"--threads={THREADS}", "--no-control-socket", f"--chdir={settings.BASE_DIR}",
    )  # fmt: skip
    process = subprocess.Popen(
        ["nice", "-n", str(nice), *command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
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


def start_ringing(port: int, rate: float, seconds: float, name: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.benchmarks.upstream_rings", str(port), str(rate), str(seconds), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def rung(ringing: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = ringing.communicate()
    assert ringing.returncode == 0
    return dict(json.loads(out))


def on_disk() -> set[str]:
    return set(Delivery.objects.values_list("key", flat=True))


def p95(times: list[float]) -> float:
    return quantiles(times, n=20)[18]


def ms(times: list[float], cut: int) -> str:
    return f"{quantiles(times, n=20)[cut] * 1000:.1f}"


def whole(rates: list[float]) -> str:
    return f"{median(rates):,.0f}"


if __name__ == "__main__":
    raise SystemExit(main())
