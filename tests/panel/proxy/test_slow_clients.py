"""Visitors who are slow or greedy keep nobody else waiting: the desk hears of a request when all of it is there."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.nginx import ANSWER_SECONDS, ELSEWHERE
from tests.panel.proxy.conftest import Fronted
from tests.slow_clients import HALF_A_BODY, HALF_BODIES, HALF_HEADERS, IDLE, NO_ANSWER, attack, waits

pytestmark = pytest.mark.slow
MOST_SECONDS = 1.0  # that anybody waits: a figure that the desk is held to
ROUNDS, TRIES = 25, 3  # a machine that is busy elsewhere for a moment decides nothing
DRIPS = 24  # bodies at once, three for each thread of the desk
READERS = 10  # of an answer that is larger than what the kernel takes for a connection


def test_half_sent_requests_and_idle_connections_keep_nobody_waiting(fronted: Fronted) -> None:
    _, cookies = fronted.sign_in()
    paths: dict[str, dict[str, str]] = {"/healthz": {}, "/orders/": {"Cookie": cookies}}
    for _ in range(TRIES):
        with attack(fronted.proxy.line) as (idle, halves):
            found = waits(fronted.proxy.connect, paths, ROUNDS)
            assert (len(idle), len(halves)) == (IDLE, HALF_HEADERS + HALF_BODIES)
        longest = max(waited.seconds[-1] for waited in found.values())
        assert longest != NO_ANSWER
        if longest < MOST_SECONDS:
            return
    pytest.fail(str(found))


def test_a_body_in_drips_is_not_heard_of_until_it_is_whole(fronted: Fronted) -> None:
    before = forms_seen(fronted)
    with ExitStack() as stack:
        lines = [stack.enter_context(fronted.proxy.line()) for _ in range(DRIPS)]
        for piece in (HALF_A_BODY, b"b", b"b"):
            for line in lines:
                line.sendall(piece)
            fronted.ask("/healthz")
        assert forms_seen(fronted) == before
        lines[0].sendall(b"c" * 1000)
        assert lines[0].recv(65536).startswith(b"HTTP/1.1 403 ")  # of a form without a token: the desk's own answer
        assert forms_seen(fronted) == before + 1


def forms_seen(fronted: Fronted) -> int:
    """How many requests with a body the desk has begun with."""
    return int(json.loads(fronted.ask("/seen").body)["forms"])


def test_a_slow_reader_takes_no_thread(fronted: Fronted) -> None:
    """The desk is done with an answer when nginx has it, and serves others."""
    with ExitStack() as stack:
        lines = [stack.enter_context(fronted.proxy.line()) for _ in range(READERS)]
        for line in lines:
            line.sendall(b"GET /seen?bytes=12000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert line.recv(64).startswith(b"HTTP/1.1 200 ")  # and no more of it
        assert fronted.ask("/healthz").status == 200
        until(lambda: json.loads(fronted.ask("/seen").body)["at_work"] == 1)  # which is this request


def test_one_address_cannot_fill_nginx_with_half_sent_bodies(fronted: Fronted) -> None:
    """Beyond a hundred it is told so. A visitor from elsewhere is served."""
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(fronted.proxy.line()).sendall(HALF_A_BODY)
        until(lambda: fronted.ask("/healthz").status == 429)
        refused = fronted.ask("/orders/")
        assert refused.status == 429 and "Nothing was done." in refused.body and len(refused.headers["server"]) == 1
        assert fronted.ask("/healthz", source=ELSEWHERE).status == 200
    until(lambda: fronted.ask("/healthz").status == 200)


def until(true: Callable[[], bool]) -> None:
    """Waits for what nginx does when it comes to it."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
