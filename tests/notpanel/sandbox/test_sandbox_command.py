"""`manage.py sandbox`: it says where it listens, logs its calls, and ends cleanly."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests import ROOT
from tests.notpanel.endpoint import SECRET, Endpoint
from tests.upstream import soon

SECONDS = 60.0  # a start takes one or two; only a hang takes this long


@contextmanager
def sandbox(store: Path, *words: str, port: int = 0) -> Iterator[subprocess.Popen[str]]:
    """Runs `manage.py sandbox` in a process of its own, and kills it in the end."""
    command = [sys.executable, "manage.py", "sandbox", "--store", str(store), "--port", str(port), *words]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def address(process: subprocess.Popen[str]) -> str:
    """The address that a sandbox prints when it listens."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line.startswith("Sandbox listening on http://127.0.0.1:")
    return line.rpartition(" ")[2]


def balance(url: str, key: str = "sandbox-key") -> str:
    """The answer to `balance`, as text."""
    with urlopen(url, urlencode({"key": key, "action": "balance"}).encode(), timeout=SECONDS) as answer:
        return str(answer.read().decode())


def call(url: str, /, **form: object) -> dict[str, str]:
    """Makes one call; the answer's JSON, also of a refusal."""
    fields = urlencode({"key": "sandbox-key"} | form).encode()
    try:
        with urlopen(url, fields, timeout=SECONDS) as answer:
            return dict(json.load(answer))
    except HTTPError as refused:
        return dict(json.load(refused))


def control(url: str, command: str, /, **fields: object) -> None:
    """Runs a control command."""
    address = url.replace("/api/v2", f"/control/{command}")
    urlopen(Request(address, json.dumps(fields).encode(), {"Content-Type": "application/json"}), timeout=SECONDS)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_ends_cleanly(tmp_path: Path, end: signal.Signals) -> None:
    with sandbox(tmp_path / "deep" / "s.sqlite3", "--speed", "60", "--balance", "12.5") as process:
        url = address(process)
        assert balance(url) == '{"balance": "12.50", "currency": "USD"}'
        process.send_signal(end)
        _, log = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert "balance 200" in log
    assert "sandbox-key" not in log
    assert "Traceback" not in log


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    for words in (("--balance", "7"), ("--balance", "8")):
        with sandbox(tmp_path / "s.sqlite3", *words) as process:
            assert '"7.00"' in balance(address(process))


def test_it_takes_keys_of_ones_own(tmp_path: Path) -> None:
    with sandbox(tmp_path / "s.sqlite3", "--key", "one", "--key", "two") as process:
        url = address(process)
        assert balance(url, "one") == balance(url, "two")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--speed", "-1"), "Speed must be between 0 and 100000."),
        (("--balance", "much"), "'much' is not an amount of money."),
    ],
)
def test_it_says_which_option_is_wrong(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    with sandbox(tmp_path / "s.sqlite3", *words) as process:
        _, log = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert sentence in log


def test_it_says_in_words_that_the_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with sandbox(tmp_path / "s.sqlite3", port=port) as process:
            _, log = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert f"Port {port} is taken." in log
    assert "Traceback" not in log


@pytest.mark.parametrize("words", [(), ("--local-webhooks",)])
def test_it_takes_endpoints_on_loopback_only_when_asked_to(tmp_path: Path, words: tuple[str, ...]) -> None:
    with sandbox(tmp_path / "s.sqlite3", *words) as process:
        answer = call(address(process), action="webhook.add", url="http://127.0.0.1:8000/")
    assert ("secret" in answer) == bool(words)


@pytest.mark.slow
def test_a_kill_loses_no_delivery_and_repeats_at_most_what_was_under_way(tmp_path: Path) -> None:
    store = tmp_path / "s.sqlite3"
    with Endpoint(seconds=0.01) as endpoint:
        with sandbox(store, "--speed", "0") as process:
            url = address(process)
            control(url, "limits", ip=9999, key=9999, tier=9999)
            control(url, "webhooks", url=endpoint.url, secret=SECRET)
            orders = [
                call(url, action="add", request_id=number, service=104, quantity=50, link="https://example.com/1")[
                    "order"
                ]
                for number in range(60)
            ]
            control(url, "clock", advance=30 * 86400)
            assert soon(lambda: len(endpoint.posts) > 10)
            process.kill()
            process.wait(SECONDS)
        before = len(endpoint.posts)
        with sandbox(store) as process:
            address(process)
            assert soon(lambda: len({post.id for post in endpoint.posts}) == 60)
            assert soon(lambda: len(endpoint.posts) >= 60)
        posts = list(endpoint.posts)
    assert before < 60
    assert {post.content["data"]["order"] for post in posts} == set(orders)
    assert len(posts) <= 61
