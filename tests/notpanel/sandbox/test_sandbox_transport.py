"""How the sandbox is called: the form, the key, the limits, the error statuses."""

import http.client
import json
import time
from urllib.parse import urlencode, urlsplit

import pytest

from panel.notpanel.sandbox.world.limits import Limits
from tests.upstream import Upstream

FORM = "application/x-www-form-urlencoded"


def raw(upstream: Upstream, method: str, path: str, body: str = "", kind: str = FORM) -> tuple[int, object]:
    """Makes a request without the helpers of Upstream; (status, JSON) of its answer."""
    connection = http.client.HTTPConnection(urlsplit(upstream.url).netloc, timeout=10)
    connection.request(method, path, body, {"Content-Type": kind})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, content


def test_it_takes_a_form_only(upstream: Upstream) -> None:
    body = json.dumps({"key": upstream.key, "action": "balance"})
    status, content = raw(upstream, "POST", "/api/v2", body, "application/json")
    assert (status, content) == (400, {"error": f"The body must be {FORM}"})


def test_it_never_reads_a_key_from_the_address(upstream: Upstream) -> None:
    query = urlencode({"key": upstream.key, "action": "balance"})
    status, content = raw(upstream, "POST", f"/api/v2?{query}", query)
    assert (status, content) == (400, {"error": "Parameters travel in the body only"})


def test_it_answers_no_get(upstream: Upstream) -> None:
    assert raw(upstream, "GET", "/api/v2")[0] == 405


@pytest.mark.parametrize("key", ["", "wrong", "sandbox-key "])
def test_it_refuses_a_key_it_does_not_know(upstream: Upstream, key: str) -> None:
    reply = upstream.post("balance", key=key)
    assert (reply.status, reply.content) == (401, {"error": "Invalid API key"})


def test_a_revoked_key_stops_at_once_and_a_new_one_works(upstream: Upstream) -> None:
    upstream.accept("second")
    upstream.revoke(upstream.key)
    assert upstream.post("balance").status == 401
    assert upstream.post("balance", key="second").status == 200


def test_an_account_has_at_most_ten_keys(upstream: Upstream) -> None:
    for number in range(9):
        upstream.accept(f"key {number}")
    with pytest.raises(ValueError, match="At most 10 keys"):
        upstream.accept("one too many")


def test_it_refuses_an_unknown_action(upstream: Upstream) -> None:
    reply = upstream.post("refill_status", refill="ref_1")
    assert (reply.status, reply.content) == (400, {"error": "Unknown action"})


@pytest.mark.parametrize("action", ["services", "add", "status", "refill", "cancel", "balance", "webhook.add"])
def test_a_suspended_account_is_refused_everything(upstream: Upstream, action: str) -> None:
    upstream.suspended()
    reply = upstream.post(action)
    assert (reply.status, reply.content) == (403, {"error": "Account suspended"})


def test_a_lifted_suspension_is_over(upstream: Upstream) -> None:
    upstream.suspended()
    upstream.behaves()
    assert upstream.post("balance").status == 200


def test_it_keeps_a_connection_open_for_many_calls(upstream: Upstream) -> None:
    connection = http.client.HTTPConnection(urlsplit(upstream.url).netloc, timeout=10)
    body = urlencode({"key": upstream.key, "action": "balance"})
    sockets = set()
    for _ in range(5):
        connection.request("POST", "/api/v2", body, {"Content-Type": FORM})
        connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert None not in sockets


def test_it_refuses_a_body_without_end_and_one_that_is_too_long(upstream: Upstream) -> None:
    for headers, status in (({"Transfer-Encoding": "chunked"}, 411), ({"Content-Length": "99999999"}, 413)):
        connection = http.client.HTTPConnection(urlsplit(upstream.url).netloc, timeout=10)
        connection.putrequest("POST", "/api/v2")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_every_answer_has_the_limits() -> None:
    with Upstream(limits=Limits(ip=300, key=100, tier=200)) as upstream:
        headers = upstream.post("balance").headers
        assert headers["X-RateLimit-Limit"] == "100"
        assert int(headers["X-RateLimit-Remaining"]) == 99
        assert int(headers["X-RateLimit-Tier-Remaining"]) == 199
        assert 0 < int(headers["X-RateLimit-Reset"]) - time.time() <= 60
        assert "X-RateLimit-DeniedBy" not in headers


@pytest.mark.parametrize("layer", ["ip", "key", "tier"])
def test_the_first_layer_that_is_used_up_answers_429(layer: str) -> None:
    with Upstream(limits=Limits(*(3 if layer == each else 9 for each in ("ip", "key", "tier")))) as upstream:
        # Even when the minute turns between them, four of eight calls fall into the same one.
        replies = [upstream.post("balance") for _ in range(8)]
        denied = [reply for reply in replies if reply.status == 429]
        assert denied
        assert all(reply.headers["X-RateLimit-DeniedBy"] == layer for reply in denied)
        assert all(reply.headers["X-RateLimit-Remaining"] == "0" for reply in denied)
        assert denied[0].content == {"error": "Rate limit exceeded"}


def test_the_ip_is_counted_before_the_key_is_checked() -> None:
    with Upstream(limits=Limits(ip=3, key=100, tier=100)) as upstream:
        replies = [upstream.post("balance", key="wrong") for _ in range(8)]
        assert {reply.status for reply in replies} == {401, 429}


def test_keys_share_their_tier() -> None:
    with Upstream(keys=("one", "two"), limits=Limits(ip=99, key=99, tier=5)) as upstream:
        replies = [upstream.post("balance", key=key) for key in ("one", "two") * 6]
        assert "tier" in {reply.headers.get("X-RateLimit-DeniedBy") for reply in replies}


def test_a_batch_of_a_hundred_ids_counts_as_one_request() -> None:
    with Upstream(limits=Limits(ip=9, key=9, tier=9)) as upstream:
        reply = upstream.post("status", orders=",".join(f"ord_{number}" for number in range(100)))
        assert (reply.status, reply.headers["X-RateLimit-Remaining"]) == (200, "8")


def test_a_refused_key_writes_nothing_into_the_log(upstream: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="notpanel.sandbox"):
        upstream.post("balance", key="sk-very-secret")
        upstream.post("balance")
        upstream.post("add", link="https://example.com/private")
    text = caplog.text
    assert "balance 401" in text
    assert not any(word in text for word in ("sk-very-secret", upstream.key, "private"))


def test_the_minutes_of_the_limits_go_by_the_clock_they_are_given() -> None:
    now = [1_800_000_050.0]
    with Upstream(limits=Limits(ip=9, key=2, tier=9, clock=lambda: now[0])) as upstream:
        replies = [upstream.post("balance") for _ in range(3)]
        now[0] += 9.5
        still = upstream.post("balance")
        now[0] += 0.5
        again = upstream.post("balance")
    assert [reply.status for reply in (*replies, still, again)] == [200, 200, 429, 429, 200]
    assert [reply.headers["X-RateLimit-Reset"] for reply in (still, again)] == ["1800000060", "1800000120"]
