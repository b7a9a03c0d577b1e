"""A whole desk in real processes: a supplier, gunicorn, workers that are forked anew, and a browser's form."""

import http.client
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection

from orders.rules import links
from panel.management.commands.demo import HERE, MANAGE, answer, environment
from tests import ROOT
from tests.upstream import free_port

LEASE_SECONDS = 2  # so that the tests need not wait a minute for each dead worker
START_SECONDS = 90.0
ANSWER_SECONDS = 30.0
NO_LIMIT = 1_000_000  # calls a minute
CSRF = "k" * 32


class Desk:
    """Its processes live as long as `with Desk(folder)`; each can be killed, and comes back."""

    def __init__(self, folder: Path, *, web_workers: int = 2, web_failpoint: str = "") -> None:
        self.folder, self._web_workers, self._web_failpoint = folder, web_workers, web_failpoint
        self.port, self.sandbox_port = free_port(), free_port()
        self._log = (folder / "log").open("ab")

    def __enter__(self) -> "Desk":
        with ExitStack() as stack:
            self._env = {
                **environment(self.folder, self.sandbox_port),
                "DATABASE_URL": stack.enter_context(own_database(self.folder)),
                "DEBUG": "true",  # no static files to collect
                "LOG_LEVEL": "WARNING",
                "LEASE_SECONDS": str(LEASE_SECONDS),
                "SEND_DELAY_SECONDS": "0",
                "KEY_CALLS_A_MINUTE": "100000",
                "IP_CALLS_A_MINUTE": "100000",  # the sandbox knows no limit here
            }
            self.query = stack.enter_context(reader(self._env["DATABASE_URL"]))
            options = (f"--port={self.sandbox_port}", f"--store={self.folder / 'sandbox.sqlite3'}", "--balance=1000000")
            self.start(stack, (*MANAGE, "sandbox", *options))
            self._wait(lambda: answer(self.sandbox_port, "/control") == http.client.OK)
            self.control("limits", ip=NO_LIMIT, key=NO_LIMIT, tier=NO_LIMIT)
            furnished = subprocess.run(
                [sys.executable, "-m", "tests.kills.furnish"], cwd=ROOT, env=self._env, stdout=subprocess.PIPE,
                stderr=self._log, check=True,
            )  # fmt: skip
            said = json.loads(furnished.stdout.splitlines()[-1])
            self.service, self._sessions, self._seen, self._about = (
                said["service"],
                said,
                said["seen"],
                said["about"],
            )
            self.web = self.start(
                stack,
                (
                    sys.executable, "-m", "gunicorn", "panel.wsgi", f"--bind={HERE}:{self.port}", "--preload",
                    "--worker-class=gthread", "--threads=4", f"--workers={self._web_workers}", "--no-control-socket",
                    f"--chdir={ROOT}",
                ),
                ORDER_DESK_FAILPOINT=self._web_failpoint,
            )  # fmt: skip
            self._wait(lambda: answer(self.port, "/healthz") == http.client.OK)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._log.close()

    def start(
        self, stack: ExitStack, command: Sequence[str], *, stdout: int | None = None, **env: str
    ) -> "subprocess.Popen[str]":
        """A process of the desk, ended with everything it has started when the stack unwinds."""
        process = subprocess.Popen(
            command, cwd=ROOT, env={**self._env, **env}, stdin=subprocess.DEVNULL, stdout=stdout or self._log,
            stderr=self._log, text=True, start_new_session=True,
        )  # fmt: skip
        stack.callback(end, process)
        return process

    def worker(self, seed: int) -> "Worker":
        return Worker(self.start(self._stack, (sys.executable, "-m", "tests.kills.nursery", str(seed)),
                                 stdout=subprocess.PIPE))  # fmt: skip

    def web_children(self) -> list[int]:
        """The gunicorn processes that answer requests."""
        with suppress(OSError):
            return [int(pid) for pid in Path(f"/proc/{self.web.pid}/task/{self.web.pid}/children").read_text().split()]
        return []

    def wait_for_none(self, sql: str) -> None:
        """Until this question has no rows for an answer."""
        deadline = time.monotonic() + START_SECONDS
        while rows := self.query(sql):
            assert time.monotonic() < deadline, rows
            time.sleep(0.3)

    # ── The supplier's side ──────────────────────────────────────────────────────────────────────
    def books(self) -> dict[str, Any]:
        return dict(self._sandbox("GET", "/control/books"))

    def control(self, thing: str, **fields: object) -> None:
        self._sandbox("POST", f"/control/{thing}", json.dumps(fields))

    def _sandbox(self, method: str, path: str, body: str | None = None) -> Any:
        with closing(http.client.HTTPConnection(HERE, self.sandbox_port, timeout=ANSWER_SECONDS)) as line:
            line.request(method, path, body, {"Content-Type": "application/json"})
            response = line.getresponse()
            said = response.read()
            assert response.status == http.client.OK, said
            return json.loads(said)

    # ── The browser's side ───────────────────────────────────────────────────────────────────────
    def form(self, link: str, token: str) -> tuple[str, Mapping[str, str]]:
        """Body and headers of the order form, filled in and sent."""
        wants = {"profile": links.wants_profile(*self._about), "post": links.wants_post(*self._about)}
        checkup = links.check(link, links.network_of(*self._about), **wants)
        fields = {
            "service": self.service, "link": link, "quantity": 1000, "token": token,
            "seen": self._seen, "despite_doubt": checkup.doubt,  # as on the page that a person would have sent
        }  # fmt: skip
        return self.post(fields)

    def post(self, fields: Mapping[str, object], who: str = "operator", **headers: str) -> tuple[str, dict[str, str]]:
        """Body and headers of what this person sends."""
        cookies = f"sessionid={self._sessions[who]}; csrftoken={CSRF}"
        form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies, **headers}
        return urlencode({"csrfmiddlewaretoken": CSRF, **fields}, doseq=True), form

    def press(self, path: str, fields: Mapping[str, object], who: str = "operator") -> int:
        """One press of a button of the page; the HTTP status of the answer."""
        with closing(http.client.HTTPConnection(HERE, self.port, timeout=ANSWER_SECONDS)) as line:
            line.request("POST", path, *self.post(fields, who))
            return line.getresponse().status

    def submit(self, link: str, token: str) -> str:
        """Sends the form until the desk answers it; where it leads to."""
        body, headers = self.form(link, token)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with (
                suppress(OSError, http.client.HTTPException),
                closing(http.client.HTTPConnection(HERE, self.port, timeout=ANSWER_SECONDS)) as line,
            ):
                line.request("POST", "/orders/new/", body, headers)
                response = line.getresponse()
                said = response.read()
                if response.status == http.client.FOUND:
                    return str(response.headers["Location"])
                assert response.status >= http.client.INTERNAL_SERVER_ERROR, said.decode()[:2000]
            time.sleep(0.05)
        raise AssertionError("the desk does not answer")

    def _wait(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-4000:]
            time.sleep(0.1)


class Worker:
    """A nursery and the worker it keeps: who lives in it now, and how many were killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process, self.pid, self.killed, self.at_failpoints = process, 0, 0, 0
        threading.Thread(target=self._listen, daemon=True).start()

    def kill(self) -> None:
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _listen(self) -> None:
        ours, pid = 0, 0
        for line in self.process.stdout or ():
            event, pid_said, *rest = line.split()
            pid = int(pid_said)
            if event == "born":
                self.pid, ours = pid, bool(rest)
            else:
                self.pid = 0
                self.killed += rest == [str(int(signal.SIGKILL))]
                self.at_failpoints += ours
        self.pid = 0


def end(process: "subprocess.Popen[str]") -> None:
    """Asked first, then killed with all that it started."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()


@contextmanager
def own_database(folder: Path) -> Iterator[str]:
    """DATABASE_URL of an empty database of the kind that the tests run on, removed afterwards."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{quote(str(folder / 'desk.sqlite3'))}"
        return
    import psycopg

    name, base = f"kills_{secrets.token_hex(6)}", str(settings.DATABASE_URL).rpartition("/")[0]
    with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield f"{base}/{name}"
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def reader(url: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Runs one SELECT at a time on that database, past everything that is the desk's."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        yield lambda sql: _ask_sqlite(path, sql)
        return
    import psycopg

    def ask(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(url, autocommit=True) as line:
            return list(line.execute(sql.encode()).fetchall())

    yield ask


def _ask_sqlite(path: str, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, timeout=30)) as line:
        return list(line.execute(sql).fetchall())
