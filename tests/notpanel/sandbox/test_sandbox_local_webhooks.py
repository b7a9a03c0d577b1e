"""Where the sandbox delivers to: public https as documented; on loopback for a rehearsal; nowhere else, ever."""

import socket
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from panel.notpanel.sandbox.world.supplier import Patience
from tests.notpanel.endpoint import Endpoint
from tests.notpanel.sandbox.test_sandbox_deliveries import quiet
from tests.upstream import Upstream, soon

LOOPBACK = ["http://127.0.0.1:8000/hook", "http://localhost:8000/", "http://[::1]:8000/", "http://127.8.8.8/"]
NEITHER = [
    "http://10.0.0.8/hook",
    "http://192.168.1.1:8000/",
    "http://169.254.169.254/latest",
    "http://0.0.0.0/",
    "http://[fd00::1]/",
    "http://[::]/",
    "http://example.com/",
    "http://localhost.example.com/",
    "http://127.0.0.1.example.com/",
    "http://127.1/",
    "http://2130706433/",
    "http://me@127.0.0.1/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1\\@example.com/",
    "http://127.0.0.1/a b",
    "http://127.0.0.1/\r\nX: y",
    "ftp://127.0.0.1/",
    "https://127.0.0.1/",
    "//127.0.0.1/",
    "",
]


@pytest.fixture
def rehearsal() -> Iterator[Upstream]:
    """A supplier that also takes endpoints on loopback, and hardly waits between tries."""
    with Upstream(local_webhooks=True, patience=Patience(pauses=0.0001)) as running:
        yield running


@pytest.mark.parametrize("url", LOOPBACK)
def test_loopback_is_taken_only_where_it_was_asked_for(upstream: Upstream, rehearsal: Upstream, url: str) -> None:
    assert upstream.post("webhook.add", url=url).status == 400
    assert rehearsal.post("webhook.add", url=url).content["url"] == url


@pytest.mark.parametrize("url", NEITHER)
def test_no_other_private_address_is_taken_even_so(rehearsal: Upstream, url: str) -> None:
    assert rehearsal.post("webhook.add", url=url).status == 400
    with pytest.raises(ValueError, match="url must be"):
        rehearsal.add_endpoint(url)


def test_public_https_stays_as_it_was_and_so_do_five_a_key(rehearsal: Upstream) -> None:
    assert rehearsal.post("webhook.add", url="https://desk.example.com/hook").status == 200
    for _ in range(4):
        assert rehearsal.post("webhook.add", url=LOOPBACK[0]).status == 200
    assert rehearsal.post("webhook.add", url=LOOPBACK[0]).content == {"error": "Webhook limit reached (5 per key)"}


def test_what_was_added_through_the_api_is_delivered_to(rehearsal: Upstream) -> None:
    with Endpoint() as endpoint:
        endpoint_added = rehearsal.post(
            "webhook.add", url=f"{endpoint.url}hook?desk=1", events="order.completed"
        ).content
        order = rehearsal.place()
        rehearsal.set_status(order, "completed")
        (post,) = endpoint.got(1)
    assert post.is_signed_with(endpoint_added["secret"])
    assert post.path == "/hook?desk=1"


def test_a_stored_address_that_may_not_be_is_never_connected_to(rehearsal: Upstream) -> None:
    rehearsal.supplier.outbox.add_endpoint("wh_1", "", "http://10.0.0.8/", "order.completed", "s")
    rehearsal.supplier.outbox.add_endpoint("wh_2", "", "file:///etc/passwd", "order.completed", "s")
    with patch.object(socket, "create_connection", side_effect=AssertionError) as connected:
        rehearsal.send_event()
        assert soon(lambda: [row["state"] for row in rehearsal.deliveries()] == ["given up"] * 2)
    connected.assert_not_called()
    assert {row["said"] for row in rehearsal.deliveries()} == {"no answer: neither public https nor loopback"}


@pytest.mark.parametrize(("url", "points_to"), [
    ("https://desk.example.com/", "127.0.0.1"),
    ("https://desk.example.com/", "10.0.0.8"),
    ("https://desk.example.com/", "169.254.169.254"),
    ("http://localhost:1/", "10.0.0.8"),
    ("http://localhost:1/", "93.184.216.34"),
])  # fmt: skip
def test_a_name_that_points_elsewhere_is_never_connected_to(rehearsal: Upstream, url: str, points_to: str) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (points_to, port))]

    with (
        patch.object(socket, "getaddrinfo", resolve),
        patch.object(socket, "create_connection", side_effect=AssertionError) as connected,
    ):
        rehearsal.add_endpoint(url)
        rehearsal.send_event()
        assert soon(lambda: rehearsal.deliveries()[0]["state"] == "given up")
    connected.assert_not_called()


def test_public_https_that_cannot_be_reached_fails_and_is_tried_again(rehearsal: Upstream) -> None:
    with patch.object(socket, "getaddrinfo", side_effect=socket.gaierror("no such name")):
        rehearsal.add_endpoint("https://desk.example.com/")
        rehearsal.send_event()
        assert soon(lambda: rehearsal.deliveries()[0]["state"] == "given up")
    assert rehearsal.deliveries()[0]["tries"] == 8


def test_no_proxy_of_the_environment_is_asked(rehearsal: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    with Endpoint() as proxy, Endpoint() as endpoint:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        rehearsal.add_endpoint(endpoint.url)
        rehearsal.send_event()
        endpoint.got(1)
        assert quiet(rehearsal)
        assert proxy.posts == []
