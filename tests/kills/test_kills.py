"""`kill -9` for gunicorn and workers, at random and at failpoints: nothing twice, nothing lost, nothing stuck."""

import os
import signal
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from tests.campaign.oracle import desk_orders, judge
from tests.kills.desk import LEASE_SECONDS, Desk, Worker

pytestmark = pytest.mark.campaign

KILLS = int(os.environ.get("CAMPAIGN_KILLS") or 110)
SEED = int(os.environ.get("CAMPAIGN_SEED") or 20_261_120)
KILL_EVERY_SECONDS = 0.2
WEB_SHARE = 0.2  # of the kills
MOST_SECONDS = 600.0  # on a machine with other work; usually forty
ROUND_SECONDS = 8.0  # from due to taken up: the rest of a round, and the birth of a worker
DAYS = 30 * 86_400  # seconds after which every order has ended upstream


def overdue(desk: Desk) -> float:
    """Seconds that the oldest due task has waited for a worker; also how far one reaches beyond a lease."""
    rows = desk.query("SELECT due_at FROM orders_task WHERE settled_at IS NULL")
    now = datetime.now(UTC)
    waits = [(now - moment(due)).total_seconds() for (due,) in rows]
    return max([0.0, *waits, *(-wait - LEASE_SECONDS for wait in waits)])


def moment(told: object) -> datetime:
    """A time as PostgreSQL or SQLite give it."""
    return told if isinstance(told, datetime) else datetime.fromisoformat(str(told)).replace(tzinfo=UTC)


def order_until(desk: Desk, done: threading.Event, links: list[str]) -> None:
    """A person who orders and orders, and sends a form again until it is answered."""
    while not done.is_set():
        links.append(f"https://instagram.com/p/{len(links)}")
        desk.submit(links[-1], str(uuid.uuid4()))
        done.wait(0.05)


def kill_something(desk: Desk, workers: list[Worker], dice: Random) -> int:
    """Whether a gunicorn process was killed; the workers count for themselves."""
    if dice.random() >= WEB_SHARE:
        dice.choice(workers).kill()
        return 0
    children = desk.web_children()
    with suppress(ProcessLookupError, IndexError):
        os.kill(dice.choice(children), signal.SIGKILL)
        return 1
    return 0


def test_kill_9_costs_no_order_and_doubles_none(tmp_path: Path) -> None:
    dice, links, web_kills, longest = Random(SEED), list[str](), 0, 0.0
    with Desk(tmp_path, web_failpoint=dice.choice(("order.commit@6", "order.committed@6"))) as desk:
        workers = [desk.worker(SEED + number) for number in range(2)]
        done = threading.Event()
        person = threading.Thread(target=order_until, args=(desk, done, links))
        person.start()
        began = time.monotonic()
        while web_kills + sum(worker.killed for worker in workers) < KILLS:
            assert time.monotonic() - began < MOST_SECONDS, f"only {[worker.killed for worker in workers]}"
            time.sleep(dice.uniform(0.5, 1.5) * KILL_EVERY_SECONDS)
            web_kills += kill_something(desk, workers, dice)
            longest = max(longest, overdue(desk))
        done.set()
        person.join()
        desk.wait_for_none("SELECT id FROM orders_task WHERE settled_at IS NULL")
        desk.control("clock", advance=DAYS)
        desk.wait_for_none("SELECT order_id FROM orders_poll")
        wrong = judge(desk.books(), desk_orders(desk.query), links, [])
    at_failpoints = sum(worker.at_failpoints for worker in workers)
    print(
        f"seed {SEED}: {len(links)} orders, {web_kills} kills of gunicorn's, "
        f"{[worker.killed for worker in workers]} of workers, {at_failpoints} of those armed with a failpoint, "
        f"longest overdue {longest:.1f} s, {time.monotonic() - began:.0f} s"
    )
    assert not wrong, "\n".join(wrong)
    assert len(links) > KILLS / 2, "too few orders were under way to prove anything"
    assert longest <= ROUND_SECONDS
