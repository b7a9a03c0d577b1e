"""Five thousand orders from one list: how long check and press take, and whether the pages stay quick meanwhile."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.access import Role
from accounts.models import User
from orders.mass.check import Preview
from orders.mass.place import place_list
from orders.mass.receipt import Counts
from orders.mass.text import MOST_LINES
from orders.models import MassDraft, MassJob
from panel.demo.processes import Processes
from panel.management.commands.demo import START_SECONDS, answer, gunicorn
from tests.benchmarks import data, measure
from tests.benchmarks.bulk import load
from tests.benchmarks.page import browser_of
from tests.benchmarks.submit import centre, p95
from tests.makers import make_service, make_user
from tests.orders.mass.lists import pasted
from tests.upstream import free_port

EARLIER = 10_000  # orders that are there before
SERVICES = 40
PREVIEW_SECONDS, WRITE_SECONDS, RECEIPT_SECONDS = 3, 5, 1
ROUNDS, PAGES = 5, 40
MOST = 1.2  # p95 of the orders page while lists are checked and placed, against idle


def main() -> int:
    figures = measure.Figures(f"mass: a list of {MOST_LINES:,} lines; web and whoever places it are processes")
    with measure.desk(pages=True) as folder:
        owner = data.open_desk()
        data.write_orders(1, EARLIER)
        person = make_user(Role.OWNER)
        services = [make_service(upstream_id=900_000 + n).upstream_id for n in range(SERVICES)]
        browser = browser_of(person)
        text = list_of(services, 0)
        paste = clocked(lambda: browser.post(reverse("orders:mass_new"), {"text": text}))
        draft = MassDraft.objects.get()
        show = clocked(lambda: opened(browser, draft))
        figures.at_most("seconds from the paste to the check on screen", paste.own + show.own, PREVIEW_SECONDS)
        figures.say(f"pasted in {paste}, shown in {show}")
        queries = measure.queries_of(lambda: Preview(draft, person))
        figures.at_most("queries of a check", len(queries), 60)
        mark = Preview(draft, person).mark
        press = clocked(lambda: place_list(draft.pk, mark, by=person))
        figures.say(f"written in {press}")
        figures.at_most("seconds of the press, all orders written", press.own, WRITE_SECONDS)
        job = MassJob.objects.get()
        figures.exactly("orders written", job.ordered, MOST_LINES)
        count = clocked(lambda: Counts(job.pk).version)
        figures.at_most("seconds to count the receipt", count.own, RECEIPT_SECONDS)
        with web_server(folder) as web:
            session = browser_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
            idle, busy = rounds(web, session, services, person)
    quick, slow = p95(idle) * 1000, p95(busy) * 1000
    figures.say(f"orders page: p95 {slow:.1f} ms while lists are checked and placed, {quick:.1f} ms idle; "
                f"medians {centre(busy) * 1000:.1f} and {centre(idle) * 1000:.1f} ms")  # fmt: skip
    figures.at_most("p95 of the orders page meanwhile, against idle", slow / quick, MOST)
    return figures.end()


class Clocked(NamedTuple):
    """How long a piece of work took, and how much of that it was at work itself."""

    wall: float
    cpu: float

    @property
    def own(self) -> float:
        """What is judged: on SQLite this process does all of the work, and what else runs here does not count."""
        return self.cpu if measure.on_sqlite() else self.wall

    def __str__(self) -> str:
        return f"{self.wall:.2f} s, {self.cpu:.2f} of them this process's own"


def clocked(work: Callable[[], object]) -> Clocked:
    began = time.process_time()
    wall = measure.seconds(work)
    return Clocked(wall, time.process_time() - began)


def list_of(services: list[int], batch: int) -> str:
    """A list of lines that can all go."""
    return "\n".join(
        f"{services[n % len(services)]} | https://www.instagram.com/a{batch}x{n}.studio/?igsh=MzRl | {1000 + n}"
        for n in range(MOST_LINES)
    )


def opened(browser: Client, draft: MassDraft) -> None:
    assert browser.get(draft.get_absolute_url()).status_code == 200


@contextmanager
def web_server(folder: Path) -> Iterator[int]:
    """The desk's web server on this measurement's database; its port."""
    web = free_port()
    server = "sqlite://" if measure.on_sqlite() else settings.DATABASE_URL.rpartition("/")[0]
    env = os.environ | {
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}", "STATIC_ROOT": str(folder / "static"),
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    with Processes(env, io.StringIO()) as programs:
        programs.start("web", (sys.executable, "-m", *gunicorn(web)))
        programs.wait_until(lambda: answer(web, "/healthz") == 200, "The web server", START_SECONDS)
        yield web


def rounds(web: int, session: str, services: list[int], person: User) -> tuple[list[list[float]], list[list[float]]]:
    """Seconds of the orders page in turns: while nothing happens, and while this process checks and places a list."""
    idle: list[list[float]] = []
    busy: list[list[float]] = []
    url = reverse("orders:index")
    load(web, session, url)

    def a_round() -> list[float]:
        return [measure.seconds(lambda: load(web, session, url)) for _ in range(PAGES)]

    for batch in range(1, ROUNDS + 1):
        idle.append(a_round())
        child = os.fork()
        if not child:
            connection.close()
            place_one(list_of(services, batch), person)
            os._exit(0)
        times = []
        while not os.waitpid(child, os.WNOHANG)[0]:
            times.append(measure.seconds(lambda: load(web, session, url)))
        busy.append(times)
    return idle, busy


def place_one(text: str, person: User) -> None:
    """One person's list, from the paste to the orders."""
    draft = pasted(text, person)
    place_list(draft.pk, Preview(draft, person).mark, by=person)


if __name__ == "__main__":
    raise SystemExit(main())
