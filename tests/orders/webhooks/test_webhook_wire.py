"""The endpoint over sockets: before Django it answers as the view does, and one request never becomes two."""

import http.client
import io
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.conf import settings as desk
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from orders.models import TurnedAway
from orders.webhooks import endpoint, inbox, rejections
from orders.webhooks.endpoint import MOST_BYTES
from tests.deliveries import ENDPOINT_PATH, OLDER, SECRET, body_of, headers_of, stored
from tests.orders.webhooks.test_endpoint import REJECTED_REQUESTS

HERE = "127.0.0.1"
START_SECONDS = 60.0
MOST_GROWTH = 30_000  # kB of memory, after 600 bodies of 60 kB each


class Received(NamedTuple):
    """An answer: its status, its body, and those of COMPARED_HEADERS that it has."""

    status: int
    body: bytes
    headers: dict[str, str]


COMPARED_HEADERS = ("Content-Type", "X-Content-Type-Options", "Content-Length", "Retry-After")


def send(port: int, body: bytes, headers: dict[str, str], method: str = "POST", length: int | None = None) -> Received:
    """The answer to a request over a connection of its own, which ends after the body, whatever `length` it claims."""
    with socket.create_connection((HERE, port), timeout=20) as line:
        line.sendall(request(body, headers, method, length))
        with suppress(OSError):  # it may be answered and closed by now
            line.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(line, method=method)
        response.begin()
        found = {name: value for name in COMPARED_HEADERS if (value := response.headers.get(name)) is not None}
        return Received(response.status, response.read(), found)


def request(body: bytes, headers: dict[str, str], method: str = "POST", length: int | None = None) -> bytes:
    """The bytes of a request, with the length of its body or the one that is given."""
    fields = {"Host": HERE, "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    fields |= {} if length is None else {"Content-Length": str(length)}
    lines = [f"{method} {ENDPOINT_PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


# ── Both ways in, side by side ───────────────────────────────────────────────────────────────────
class QuietHandler(WSGIRequestHandler):
    """A handler that logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Logs nothing."""


class ClosingServer(WSGIServer):
    """A server whose thread leaves no database connection open."""

    def process_request(self, *args: Any) -> None:
        """Answers, and closes the connections that this took."""
        try:
            super().process_request(*args)
        finally:
            connections.close_all()


@pytest.fixture
def both(transactional_db: None, settings: Any) -> Iterator[tuple[int, int]]:
    """The ports of two servers: with the endpoint before Django, and with Django's view."""
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET, OLDER]
    pages, servers = WSGIHandler(), list[WSGIServer]()
    for application in (endpoint.with_endpoint(pages, ENDPOINT_PATH), pages):
        servers.append(make_server(HERE, 0, application, server_class=ClosingServer, handler_class=QuietHandler))
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in servers]
    for thread in threads:
        thread.start()
    yield servers[0].server_port, servers[1].server_port
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()
    rejections.COUNTS.write()  # or they would be written into a later test's database


def rejection_counts() -> dict[str, int]:
    """Reason → requests rejected for it, with those that were counted in memory."""
    rejections.COUNTS.write()
    return dict(TurnedAway.objects.values_list("reason", "count"))


def test_both_ways_in_reject_the_same_with_the_same_answer(both: tuple[int, int]) -> None:
    for what, (status, reason, body, headers) in REJECTED_REQUESTS.items():
        before = rejection_counts()
        sent = body if len(body) <= MOST_BYTES else b""  # the rest is never read
        early, view = (send(port, sent, headers(), length=len(body)) for port in both)
        assert early == view, what
        assert (early.status, early.headers["X-Content-Type-Options"]) == (status, "nosniff")
        assert early.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert rejection_counts() == {**before, reason: before.get(reason, 0) + 2}, what
    assert stored() == []


LENGTHS: dict[str, tuple[dict[str, str], int | None]] = {
    "a byte less than is there": ({}, -1),
    "a byte more":               ({}, 1),
    "far more":                  ({}, 1000),
    "more than is borne":        ({"Content-Length": str(MOST_BYTES + 1)}, None),
    "no number":                 ({"Content-Length": "abc"}, None),
    "below nought":              ({"Content-Length": "-5"}, None),
    "nothing":                   ({"Content-Length": ""}, None),
    "a longer number than any":  ({"Content-Length": "9" * 400}, None),
    "a form":                    ({"Content-Type": "text/plain"}, None),
    "with a charset":            ({"Content-Type": "Application/JSON ; charset=utf-8"}, None),
}  # fmt: skip


@pytest.mark.parametrize("what", LENGTHS)
def test_both_ways_in_judge_lengths_and_types_alike(both: tuple[int, int], what: str) -> None:
    """Lengths that do not fit the body, missing lengths, and content types."""
    more, difference = LENGTHS[what]
    body = body_of("ord_7")
    length = None if difference is None else len(body) + difference
    early, view = (send(port, body, headers_of(body, more=more), length=length) for port in both)
    assert early == view
    assert (early.status == 200) == (what == "with a charset")


def test_both_ways_in_store_a_delivery_and_accept_it_again(both: tuple[int, int]) -> None:
    body = body_of("ord_7")
    headers = headers_of(body, delivery="dlv_1")
    answers = [send(port, body, headers) for port in (*both, *both)]
    assert answers == [answers[0]] * 4
    assert (answers[0].status, answers[0].body) == (200, b"Taken.\n")
    (delivery,) = stored()
    assert (delivery.key, delivery.upstream_id, delivery.how) == ("dlv_1", "ord_7", "came")
    assert (delivery.due_at, delivery.handled_at) == (delivery.received_at, None)
    assert delivery.body == body.decode()


def test_both_ways_in_say_so_when_it_cannot_be_stored(both: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise inbox.NotKept

    monkeypatch.setattr(inbox.Inbox, "put", refuse)
    body = body_of("ord_7")
    early, view = (send(port, body, headers_of(body)) for port in both)
    assert early == view
    assert (early.status, early.headers["Retry-After"]) == (503, "5")


def test_both_ways_in_say_so_when_no_secret_is_set(both: tuple[int, int], settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    body = body_of("ord_7")
    early, view = (send(port, body, headers_of(body)) for port in both)
    assert early == view
    assert (early.status, b"is not set" in early.body) == (503, True)


# ── What is left to Django ───────────────────────────────────────────────────────────────────────
LEFT_TO_DJANGO: dict[str, dict[str, Any]] = {
    "another method": {"REQUEST_METHOD": "GET"},
    "no slash":       {"PATH_INFO": ENDPOINT_PATH.rstrip("/")},
    "a path below":   {"PATH_INFO": f"{ENDPOINT_PATH}x"},
    "capitals":       {"PATH_INFO": ENDPOINT_PATH.upper()},
}  # fmt: skip


def answered_by(environ: dict[str, Any]) -> str:
    """Which of the two answers a request like this: `Django` or `the endpoint`."""

    def pages(*_: object) -> list[bytes]:
        return [b"Django"]

    usual = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": ENDPOINT_PATH,
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }
    (body,) = endpoint.with_endpoint(pages, ENDPOINT_PATH)({**usual, **environ}, lambda *_: None)
    return "Django" if body == b"Django" else "the endpoint"


@pytest.mark.parametrize("what", LEFT_TO_DJANGO)
def test_other_methods_and_paths_are_left_to_django(what: str, settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    assert answered_by({}) == "the endpoint"
    assert answered_by(LEFT_TO_DJANGO[what]) == "Django"


PROXY = ("HTTP_X_FORWARDED_PROTO", "https")
#   proxy's header   what the request says                                                    who answers
HTTPS: list[tuple[tuple[str, str] | None, dict[str, str], str]] = [
    (None,  {"wsgi.url_scheme": "http"},                                    "Django"),
    (None,  {"wsgi.url_scheme": "https"},                                   "the endpoint"),
    (None,  {"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": "https"}, "Django"),
    (PROXY, {"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": "https"}, "the endpoint"),
    (PROXY, {"wsgi.url_scheme": "https", "HTTP_X_FORWARDED_PROTO": "http"}, "Django"),
    (PROXY, {"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": ""},      "Django"),
    (PROXY, {"wsgi.url_scheme": "http"},                                    "Django"),
]  # fmt: skip


@pytest.mark.parametrize(("proxy", "request_says", "who"), HTTPS)
def test_a_request_that_must_go_to_https_is_left_to_django(
    proxy: tuple[str, str] | None, request_says: dict[str, str], who: str, settings: Any
) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS, settings.SECURE_SSL_REDIRECT = [], True
    settings.SECURE_PROXY_SSL_HEADER = proxy
    assert answered_by(request_says) == who


# ── A real gunicorn ──────────────────────────────────────────────────────────────────────────────
class Gunicorn(NamedTuple):
    """A running gunicorn."""

    port: int
    pid: int  # of the process that answers


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """The desk as it is served, on a database without tables, so that no delivery can be stored."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
    env = os.environ | {
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('door') / 'empty.sqlite3'}", "DEBUG": "true",
        "NOTPANEL_WEBHOOK_SECRETS": SECRET, "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    process = subprocess.Popen(
        (sys.executable, "-m", "gunicorn", "panel.wsgi", f"--bind={HERE}:{port}", "--worker-class=gthread",
         "--threads=4", "--no-control-socket", f"--chdir={desk.BASE_DIR}"),
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_up(port):
            assert process.poll() is None and time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield Gunicorn(port, int(child))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_up(port: int) -> bool:
    """Whether the desk answers there."""
    try:
        return send(port, b"{}", {}).status == 401
    except OSError:
        return False


def statuses_of(port: int, sent: bytes) -> list[int]:
    """The statuses of all answers that come over one connection for these bytes."""
    with socket.create_connection((HERE, port), timeout=20) as line:
        with suppress(ConnectionError):
            line.sendall(sent)
        with suppress(OSError):
            line.shutdown(socket.SHUT_WR)
        answered = b"".join(iter(lambda: next_bytes(line), b""))
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answered)]


def next_bytes(line: socket.socket) -> bytes:
    """The next bytes of the connection, none once it is closed."""
    try:
        return line.recv(65536)
    except ConnectionResetError:  # it was closed with bytes unread
        return b""


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
UNREAD: dict[str, Callable[[], bytes]] = {
    "of another type": lambda: request(SMUGGLED, {"Content-Type": "text/plain"}),
    "packed":          lambda: request(SMUGGLED, {"Content-Encoding": "gzip"}),
    "too long":        lambda: request(SMUGGLED * 3000, {}),
}  # fmt: skip


@pytest.mark.parametrize("what", UNREAD)
def test_an_unread_body_is_never_answered_as_a_request(gunicorn: Gunicorn, what: str) -> None:
    """The next one is answered as itself, or the connection is closed before it."""
    statuses = statuses_of(gunicorn.port, UNREAD[what]() + request(b"{}", {}))
    assert statuses in ([415, 401], [413, 401], [413], [])
    assert statuses or what == "too long"  # a reset may overtake the answer


def test_a_connection_is_kept_for_the_next_delivery(gunicorn: Gunicorn) -> None:
    line = http.client.HTTPConnection(HERE, gunicorn.port, timeout=20)
    line.connect()
    first = line.sock
    for _ in range(5):
        line.request("POST", ENDPOINT_PATH, b"{}", {"Content-Type": "application/json"})
        response = line.getresponse()
        assert (response.status, response.read()) == (401, b"The delivery carries no signature.\n")
    assert line.sock is first
    line.close()


def test_when_the_database_fails_upstream_is_told_to_send_again(gunicorn: Gunicorn) -> None:
    body = body_of("ord_7")
    answer = send(gunicorn.port, body, headers_of(body))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


def test_no_bytes_cause_an_error_of_ours(gunicorn: Gunicorn) -> None:
    chance = random.Random(20_261_127)
    for number in range(300):
        body = body_of(f"ord_{number}")
        sent = bytearray(request(body, headers_of(body, secret="guessed")))
        for _ in range(chance.randrange(1, 6)):
            sent[chance.randrange(len(sent))] = chance.randrange(256)
        assert all(status < 500 or status == 505 for status in statuses_of(gunicorn.port, bytes(sent))), bytes(sent)


def test_large_bodies_leave_no_memory_behind(gunicorn: Gunicorn) -> None:
    def memory() -> int:
        lines = Path(f"/proc/{gunicorn.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    body = b"x" * 60_000
    for _ in range(20):
        send(gunicorn.port, body, headers_of(b"{}"))
    before = memory()
    for _ in range(600):
        assert send(gunicorn.port, body, headers_of(b"{}")).status == 401
    assert memory() - before < MOST_GROWTH
