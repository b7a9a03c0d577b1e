"""`webhook.add`: public https addresses, five a key, a secret of their own each."""

import pytest

from tests.upstream import Upstream


def test_it_gives_a_secret_of_its_own_to_each(upstream: Upstream) -> None:
    first = upstream.post("webhook.add", url="https://desk.example.com/hook").content
    second = upstream.post("webhook.add", url="https://desk.example.com/hook").content
    assert first["events"] == ["order.completed", "order.failed", "order.refunded", "balance.low"]
    assert first["secret"] != second["secret"]


def test_it_takes_chosen_events(upstream: Upstream) -> None:
    added = upstream.post("webhook.add", url="https://a.example.com/", events="order.failed, balance.low").content
    assert added["events"] == ["order.failed", "balance.low"]


def test_it_shows_a_secret_only_once(upstream: Upstream) -> None:
    secret = upstream.post("webhook.add", url="https://a.example.com/").content["secret"]
    assert secret not in str(upstream.books())


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://10.0.0.8/hook",
        "https://192.168.1.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://desk.local/",
        "https://desk.internal./",
        "https://intranet/",
        "https://2130706433/",
        "https://127.1/",
        "https://[broken",
        "https://a.example.com:99999/",
        "desk.example.com",
    ],
)
def test_it_refuses_what_is_not_public_https(upstream: Upstream, url: str) -> None:
    reply = upstream.post("webhook.add", url=url)
    assert (reply.status, reply.content) == (400, {"error": "Webhook URL must be a public https address"})


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Missing required parameter: url"),
        ({"url": "https://a.example.com/", "events": "order.born"}, "Unknown event: order.born"),
    ],
)
def test_it_refuses_with_a_sentence(upstream: Upstream, form: dict[str, str], sentence: str) -> None:
    assert upstream.post("webhook.add", **form).content == {"error": sentence}


def test_it_takes_five_a_key() -> None:
    with Upstream(keys=("sandbox-key", "second")) as upstream:
        for _ in range(5):
            assert upstream.post("webhook.add", url="https://a.example.com/").status == 200
        reply = upstream.post("webhook.add", url="https://a.example.com/")
        assert (reply.status, reply.content) == (400, {"error": "Webhook limit reached (5 per key)"})
        assert upstream.post("webhook.add", key="second", url="https://a.example.com/").status == 200
