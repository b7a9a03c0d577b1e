"""Five thousand refills in one press: how many calls upstream gets, and whether the pages stay quick meanwhile."""

import http.client
import io
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from orders.aftersale.submit import IDS_PER_CALL
from orders.bulk.dry_run import dry_run
from orders.bulk.job import start_job
from orders.bulk.receipt import ReceiptCounts
from orders.bulk.selection import MOST_ORDERS, Selection
from orders.models import Bulk, Order, Task
from orders.rules.statuses import Status
from panel.demo.processes import Processes
from panel.management.commands.demo import HERE, MANAGE, START_SECONDS, answer, gunicorn
from tests.benchmarks import data, measure
from tests.benchmarks.page import browser_of
from tests.benchmarks.submit import centre, p95
from tests.makers import make_service
from tests.upstream import SERVICE, Upstream, free_port

CALL_SECONDS = 0.05  # that every answer of upstream's takes, as over a real line
ROUNDS = 8  # of each, in turns
PAGES = 40  # a round
MOST = 1.3  # p95 of the orders page while the job runs, against idle
MOST_SECONDS = 3  # of the press, in which nobody else can write on SQLite
LATER = timedelta(days=1)


def main() -> int:
    figures = measure.Figures(f"bulk: {MOST_ORDERS:,} refills in one press; web, worker and upstream are processes")
    with measure.desk(pages=True) as folder:
        owner = data.open_desk()
        store, took = folder / "sandbox.sqlite3", time.perf_counter()
        write_known(store)
        figures.say(f"wrote {MOST_ORDERS:,} orders that upstream knows in {time.perf_counter() - took:.0f} s")
        job = press(owner, figures)
        hold_back(job)
        with running(folder, store) as (web, upstream):
            session = browser_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
            idle, busy, shown = rounds(job, web, session)
            calls = ask_for(upstream, "GET", "/control/books")["calls"].get("refill", 0)
    quick, slow = p95(idle) * 1000, p95(busy) * 1000
    figures.say(f"orders page: p95 {slow:.1f} ms while it runs, {quick:.1f} ms idle; "
                f"medians {centre(busy) * 1000:.1f} and {centre(idle) * 1000:.1f} ms")  # fmt: skip
    figures.say(f"answered, as the receipt showed it: {', '.join(shown)}")
    figures.at_most("p95 of the orders page while it runs, against idle", slow / quick, MOST)
    figures.exactly("upstream calls", calls, MOST_ORDERS // IDS_PER_CALL)
    figures.at_least("different numbers that the receipt showed meanwhile", len(set(shown)), ROUNDS // 2)
    return figures.end()


def write_known(store: Path) -> None:
    """Completed orders that the desk and the sandbox both know; the sandbox's side goes into that file."""
    data.write_orders(1, MOST_ORDERS, (Status.COMPLETED,))
    Order.objects.update(service=make_service(upstream_id=SERVICE, refill=True))
    orders = list(Order.objects.order_by("pk"))
    with Upstream(balance="10000000") as upstream:
        for order in orders:
            order.upstream_id = upstream.place()
            upstream.set_status(order.upstream_id, "completed")
        upstream.copy_to(store)
    Order.objects.bulk_update(orders, ["upstream_id"], batch_size=500)


def press(owner: User, figures: measure.Figures) -> Bulk:
    """The dry run, and the press."""
    picked = Selection.of(Task.Kind.REFILL, Order.objects.values_list("pk", flat=True), "all")
    figures.say(f"dry run in {measure.seconds(lambda: dry_run(picked)):.2f} s")
    began = time.process_time()
    wall = measure.seconds(lambda: start_job(picked, by=owner))
    took = time.process_time() - began
    figures.say(f"pressed in {wall:.2f} s, {took:.2f} of them this process's own")
    figures.at_most("seconds of the press", took if measure.on_sqlite() else wall, MOST_SECONDS)
    return Bulk.objects.get()


@contextmanager
def running(folder: Path, store: Path) -> Iterator[tuple[int, int]]:
    """The desk as `make demo` runs it, on this measurement's database; the ports of its web server and supplier."""
    web, upstream = free_port(), free_port()
    server = "sqlite://" if measure.on_sqlite() else settings.DATABASE_URL.rpartition("/")[0]
    env = os.environ | {
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
        "STATIC_ROOT": str(folder / "static"),
        "NOTPANEL_API_URL": f"http://{HERE}:{upstream}/api/v2",
        "LOG_LEVEL": "WARNING",
    }
    with Processes(env, io.StringIO()) as programs:
        programs.start("sandbox", (*MANAGE, "sandbox", f"--port={upstream}", f"--store={store}"))
        programs.wait_until(lambda: answer(upstream, "/control") == http.client.OK, "The sandbox", START_SECONDS)
        ask_for(upstream, "POST", "/control/faults", fault="slow", times=None, seconds=CALL_SECONDS)
        programs.start("web", (sys.executable, "-m", *gunicorn(web)))
        programs.wait_until(lambda: answer(web, "/healthz") == http.client.OK, "The web server", START_SECONDS)
        programs.start("worker", (*MANAGE, "worker"))
        yield web, upstream


def rounds(job: Bulk, web: int, session: str) -> tuple[list[list[float]], list[list[float]], list[str]]:
    """Seconds of the orders page in turns, with the job held back and let go; and what the receipt said in between."""
    idle: list[list[float]] = []
    busy: list[list[float]] = []
    shown: list[str] = []
    load(web, session, reverse("orders:index"))
    while ReceiptCounts(job.pk).open:
        idle.append(a_round(web, session))
        let_go(job)
        busy.append(a_round(web, session))
        receipt = load(web, session, job.get_absolute_url())
        shown += re.findall(r"([\d,]+) of [\d,]+ answered</b>", receipt)
        if len(busy) < ROUNDS:
            hold_back(job)
    return idle, busy[: len(idle)], shown


def hold_back(job: Bulk) -> None:
    """Nothing of the job is due, and no call of it is under way."""
    waiting(job).update(due_at=timezone.now() + LATER)
    while job.tasks.filter(settled_at=None, unclear_since__isnull=False).exists():
        time.sleep(0.05)


def let_go(job: Bulk) -> None:
    waiting(job).update(due_at=timezone.now())


def waiting(job: Bulk) -> Any:
    return job.tasks.filter(settled_at=None, unclear_since=None)


def a_round(web: int, session: str) -> list[float]:
    url = reverse("orders:index")
    return [measure.seconds(lambda: load(web, session, url)) for _ in range(PAGES)]


def load(web: int, session: str, path: str) -> str:
    """One page over HTTP, to its last byte."""
    with closing(http.client.HTTPConnection(HERE, web, timeout=START_SECONDS)) as line:
        line.request("GET", path, headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"})
        response = line.getresponse()
        said = response.read().decode()
        assert response.status == http.client.OK, said[:500]
        return said


def ask_for(upstream: int, method: str, path: str, **fields: object) -> Any:
    """One call of the sandbox's control."""
    with closing(http.client.HTTPConnection(HERE, upstream, timeout=START_SECONDS)) as line:
        line.request(method, path, json.dumps(fields) if fields else None, {"Content-Type": "application/json"})
        response = line.getresponse()
        said = response.read()
        assert response.status == http.client.OK, said
        return json.loads(said)


if __name__ == "__main__":
    raise SystemExit(main())
