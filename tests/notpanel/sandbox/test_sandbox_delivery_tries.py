"""Tries to deliver: again after growing pauses until the answer is 2xx, eight times at most."""

import socket
import threading
import time
from itertools import pairwise

import pytest

from panel.notpanel.sandbox.webhooks.courier import MOST_TRIES, PAUSE_SECONDS
from panel.notpanel.sandbox.world.supplier import Patience
from tests.notpanel.endpoint import SECRET, Endpoint
from tests.notpanel.sandbox.test_sandbox_deliveries import LINK, quiet
from tests.notpanel.scripted_server import End, Script, ScriptedServer, drip
from tests.upstream import Upstream, soon

HASTY = Patience(pauses=0.0001)  # the longest pause is 0.72 s, the first none to speak of


def test_the_pauses_are_those_of_the_scheme() -> None:
    assert PAUSE_SECONDS[:4] == (5, 30, 120, 600)
    assert MOST_TRIES == len(PAUSE_SECONDS) + 1 == 8


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 413, 429, 500, 503])
def test_whatever_is_not_2xx_is_tried_again(status: int) -> None:
    with Upstream(patience=HASTY) as upstream, Endpoint(status) as endpoint:
        upstream.add_endpoint(endpoint.url, SECRET)
        event_id = upstream.send_event()
        assert soon(lambda: len(endpoint.posts) >= 3)
        endpoint.status = 200
        assert quiet(upstream)
        posts, (row,) = endpoint.posts, upstream.deliveries()
    assert (row["state"], row["said"], row["tries"]) == ("delivered", "200", len(posts))
    assert {post.id for post in posts} == {event_id} and len({post.body for post in posts}) == 1
    assert {post.path for post in posts} == {"/"}  # no redirect is followed


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_will_do(upstream: Upstream, status: int) -> None:
    with Endpoint(status) as endpoint:
        upstream.add_endpoint(endpoint.url)
        upstream.send_event()
        endpoint.got(1)
        assert quiet(upstream)
        assert upstream.deliveries()[0]["state"] == "delivered"


@pytest.mark.slow
def test_it_gives_up_after_eight_tries_with_growing_pauses() -> None:
    with Upstream(patience=Patience(pauses=0.0002)) as upstream, Endpoint(500) as endpoint:
        upstream.add_endpoint(endpoint.url, SECRET)
        upstream.send_event()
        assert soon(lambda: upstream.deliveries()[0]["state"] == "given up")
        posts, (row,) = list(endpoint.posts), upstream.deliveries()
        upstream.send_event(event="another")
        assert soon(lambda: len(endpoint.posts) > MOST_TRIES)
    assert (len(posts), row["tries"], row["said"]) == (MOST_TRIES, MOST_TRIES, "500")
    pauses = [after.at - before.at for before, after in pairwise(posts)]
    assert all(pause >= asked * 0.0002 for pause, asked in zip(pauses, PAUSE_SECONDS, strict=True)), pauses
    assert sum(pauses) < sum(PAUSE_SECONDS) * 0.0002 + 3


def test_each_try_is_signed_anew() -> None:
    with Upstream(patience=Patience(pauses=0.25)) as upstream, Endpoint(500) as endpoint:
        upstream.add_endpoint(endpoint.url, SECRET)
        upstream.send_event()
        first, second = endpoint.got(2)
    assert first.t < second.t
    assert first.is_signed_with(SECRET) and second.is_signed_with(SECRET)


def test_the_first_pause_is_five_seconds_of_the_wall_clock(upstream: Upstream) -> None:
    with Endpoint(500) as endpoint:
        upstream.add_endpoint(endpoint.url)
        upstream.send_event()
        endpoint.got(1)
        assert soon(lambda: upstream.deliveries()[0]["tries"] == 1)
        assert upstream.deliveries()[0]["due_at"] - endpoint.posts[0].at == pytest.approx(5, abs=2)
        upstream.advance(days=30)
        time.sleep(0.3)
        endpoint.got(1)


def test_a_try_that_finds_no_server_counts_like_any_other() -> None:
    with Endpoint() as gone:
        pass
    with Upstream(patience=HASTY) as upstream:
        upstream.add_endpoint(gone.url)
        upstream.send_event()
        assert soon(lambda: upstream.deliveries()[0]["state"] == "given up")
        assert upstream.deliveries()[0]["said"].startswith("no answer: ")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([30.0], id="silence"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 600, 0.05), id="a head without end"),
        pytest.param([End.CLOSE], id="closed"),
        pytest.param([End.RESET], id="reset"),
        pytest.param([b"hello\r\n\r\n", End.CLOSE], id="not HTTP"),
        pytest.param([b"HTTP/1.1 200 OK\r\n", End.CLOSE], id="half a head"),
    ],
)
def test_an_answer_that_does_not_come_in_time_is_none(script: Script) -> None:
    with Upstream(patience=Patience(answer=0.5)) as upstream, ScriptedServer(script) as server:
        began = time.monotonic()
        upstream.add_endpoint(f"http://127.0.0.1:{server.port}/")
        upstream.send_event()
        assert soon(lambda: upstream.deliveries()[0]["tries"] == 1)
        assert upstream.deliveries()[0]["state"] == "waiting"
        assert upstream.deliveries()[0]["said"].startswith("no answer: ")
        assert time.monotonic() - began < 3


def test_an_answer_without_a_length_is_an_answer(upstream: Upstream) -> None:
    with ScriptedServer([b"HTTP/1.0 200 OK\r\n\r\nthank you", End.CLOSE]) as server:
        upstream.add_endpoint(f"http://localhost:{server.port}/")
        upstream.send_event()
        assert soon(lambda: upstream.deliveries()[0]["state"] == "delivered")


def test_an_answer_before_all_was_read_is_an_answer(upstream: Upstream) -> None:
    """An endpoint that takes no ten megabytes says so and hangs up."""

    def refuse(server: socket.socket) -> None:
        connection, _ = server.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.5)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=refuse, args=(server,), daemon=True).start()
        upstream.add_endpoint(f"http://127.0.0.1:{server.getsockname()[1]}/")
        upstream.will_deliver("oversized")
        upstream.send_event()
        assert soon(lambda: upstream.deliveries()[0]["tries"] == 1)
    assert upstream.deliveries()[0]["said"] == "413"


def test_a_slow_endpoint_delays_no_other(upstream: Upstream) -> None:
    with Endpoint(seconds=4) as slow, Endpoint() as quick:
        upstream.add_endpoint(slow.url)
        upstream.add_endpoint(quick.url)
        for _ in range(20):
            upstream.send_event()
        began = time.monotonic()
        quick.got(20)
        assert time.monotonic() - began < 3
        assert len(slow.posts) == 1


def test_what_one_endpoint_refuses_does_not_reach_the_other_twice() -> None:
    with Upstream(patience=HASTY) as upstream, Endpoint(500) as refusing, Endpoint() as accepting:
        upstream.add_endpoint(refusing.url)
        upstream.add_endpoint(accepting.url)
        upstream.set_status(upstream.place(), "completed")
        assert soon(lambda: len(refusing.posts) == MOST_TRIES)
        assert soon(lambda: {row["state"] for row in upstream.deliveries()} == {"delivered", "given up"})
        accepting.got(1)


def test_a_removal_during_a_try_is_the_end_of_it() -> None:
    with Upstream(patience=HASTY) as upstream, Endpoint(500, seconds=0.5) as endpoint:
        webhook = upstream.add_endpoint(endpoint.url)["webhook"]
        upstream.send_event()
        endpoint.got(1)
        upstream.remove_endpoint(webhook)
        time.sleep(1)
        endpoint.got(1)
        (row,) = upstream.deliveries()
    assert (row["state"], row["said"]) == ("given up", "the endpoint was removed")


@pytest.mark.slow
def test_a_restart_remembers_its_tries() -> None:
    with Upstream(patience=Patience(pauses=0.05)) as upstream, Endpoint(500) as endpoint:
        upstream.add_endpoint(endpoint.url, SECRET)
        order = upstream.place(link=LINK + "completed")
        upstream.advance(days=1)
        assert soon(lambda: upstream.deliveries() != [] and upstream.deliveries()[0]["tries"] == 2)
        upstream.restart()
        assert upstream.deliveries()[0]["tries"] == 2
        endpoint.status = 204
        posts = endpoint.got(3)
        assert quiet(upstream)
    assert {post.content["data"]["order"] for post in posts} == {order}
    assert len({post.id for post in posts}) == 1


def test_it_ends_at_once_though_an_endpoint_hangs() -> None:
    with Upstream() as upstream, ScriptedServer([30.0]) as hanging:
        upstream.add_endpoint(f"http://127.0.0.1:{hanging.port}/")
        upstream.send_event()
        assert soon(lambda: hanging.heads != [])
        began = time.monotonic()
        upstream.restart()
        assert time.monotonic() - began < 2
        assert upstream.deliveries()[0]["tries"] == 0  # it was not the endpoint's fault
        assert soon(lambda: hanging.connections == 2)
