"""`manage.py demo`, run for real: all programs, a team, two days of orders, its end, and a second start."""

import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orders.rules.statuses import LIVE
from panel.demo.history import STUCK
from panel.demo.team import TEAM
from panel.management.commands.demo import environment, require_free
from tests import ROOT
from tests.upstream import soon

SECONDS = 300.0  # the first start takes about twenty; only a hang takes this long

own_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="the demo brings its own SQLite, once is enough")


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def demo(state: Path, port: int, sandbox_port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo that has printed its welcome, with all that it printed until then. Ended when the test does not end it."""
    options = (f"--port={port}", f"--sandbox-port={sandbox_port}", f"--state={state}")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    alarm = threading.Timer(SECONDS, process.terminate)
    alarm.start()
    output = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            output += line
            if "Ctrl-C ends everything" in line:
                break
        yield process, output
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)
        alarm.cancel()


def get(port: int, path: str) -> tuple[int, str]:
    """The status and the text of a page."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as web:
        web.request("GET", path)
        response = web.getresponse()
        return response.status, response.read().decode()


def statuses(state: Path) -> Counter[str]:
    """How many orders of the demo stand at each status."""
    with closing(sqlite3.connect(state / "desk.sqlite3")) as database:
        return Counter(status for (status,) in database.execute("SELECT status FROM orders_order"))


def late(state: Path) -> int:
    """How many orders of the demo are late now, by the delivery times that the worker has measured."""
    with closing(sqlite3.connect(state / "desk.sqlite3")) as database:
        query = "SELECT count(*) FROM orders_order JOIN orders_poll ON order_id = id WHERE late_from < datetime('now')"
        return int(database.execute(query).fetchone()[0])


def endpoints(state: Path) -> list[str]:
    """The addresses that the demo has registered webhooks for."""
    with closing(sqlite3.connect(state / "desk.sqlite3")) as database:
        return [url for (url,) in database.execute("SELECT url FROM orders_endpoint")]


@own_sqlite
@pytest.mark.slow
def test_it_starts_ends_cleanly_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    state = tmp_path / "a folder + more"  # as people name them; it becomes part of a DATABASE_URL
    port, sandbox_port = free_port(), free_port()

    with demo(state, port, sandbox_port) as (process, output):
        ready, login = get(port, "/healthz/ready"), get(port, "/accounts/login/")
        some_late = soon(lambda: late(state) >= STUCK, seconds=120)
        process.send_signal(signal.SIGINT)
        last_output = process.communicate(timeout=SECONDS)[0]
    first = statuses(state)

    assert (ready[0], login[0], process.returncode) == (200, 200, 0), output + last_output
    assert some_late, f"a newcomer finds the page of late orders empty: {first}\n{last_output}"
    assert f"http://127.0.0.1:{port}/" in output
    assert all(re.search(rf"{member.username} +{member.password} ", output) for member in TEAM)
    assert first.total() == 62 and first["completed"] > 30 and any(first[status] for status in LIVE), first
    assert "ERROR" not in output and " 429 " not in output + last_output and "Traceback" not in output + last_output
    assert last_output.endswith("The demo has ended. The next one goes on from here.\n")
    require_free({"--port": port, "--sandbox-port": sandbox_port})
    assert (state / "secret_key").stat().st_mode & 0o777 == 0o600

    with demo(state, port, sandbox_port) as (process, _output):
        pass

    assert (process.returncode, statuses(state).total()) == (0, 62)
    assert endpoints(state) == [f"http://127.0.0.1:{port}/webhooks/notpanel/"], "registered once"


def test_it_names_all_ports_that_are_taken_at_once_and_how_to_choose_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"--port": one.getsockname()[1], "--sandbox-port": other.getsockname()[1]}

        with pytest.raises(CommandError) as refused:
            require_free(ports)

    words = str(refused.value)
    assert words.startswith(f"Ports {ports['--port']} and {ports['--sandbox-port']} are not free. End what uses them")
    assert (instead := re.search(r"make demo ARGS='--port (\d+) --sandbox-port (\d+)'$", words))
    assert instead[1] != instead[2]


def test_it_names_the_only_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(CommandError) as refused:
        require_free({"--port": other.getsockname()[1], "--sandbox-port": free_port()})

    assert re.fullmatch(
        r"Port \d+ is not free. End what uses it, or choose "
        r"another: make demo ARGS='--port \d+'",
        str(refused.value),
    )


def test_it_prints_the_logins_again_with_the_addresses_of_the_last_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("demo", logins=True, port=8123, state=tmp_path)
    printed = capsys.readouterr().out
    assert "http://127.0.0.1:8123/" in printed
    assert all(re.search(rf"{member.username} +{member.password} ", printed) for member in TEAM)

    (tmp_path / "welcome.txt").write_text("It was elsewhere.")
    call_command("demo", logins=True, port=8123, state=tmp_path)
    assert capsys.readouterr().out == "It was elsewhere.\n"


def test_it_never_passes_on_a_real_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTPANEL_API_KEY", "a-real-one")
    monkeypatch.setenv("NOTPANEL_API_KEY_FILE", os.fspath(tmp_path / "a-real-one"))

    variables = environment(tmp_path, 8702)

    assert (variables["NOTPANEL_API_KEY"], variables["NOTPANEL_API_KEY_FILE"]) == ("", "")
    assert variables["NOTPANEL_API_URL"] == "http://127.0.0.1:8702/api/v2"
