"""Faults of deliveries: each is met as often as the rule says, and the next delivery goes well."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from panel.notpanel.sandbox.faults.delivery_faults import DELIVERY_FAULTS, FORGERIES
from panel.notpanel.sandbox.world.supplier import Patience
from tests.notpanel.endpoint import SECRET, Endpoint
from tests.notpanel.sandbox.test_sandbox_control import BROWSER, ask
from tests.notpanel.sandbox.test_sandbox_deliveries import A_WHILE, quiet
from tests.upstream import Upstream, soon


def test_an_event_is_well_signed_and_true(upstream: Upstream, endpoint: Endpoint) -> None:
    order = upstream.place()
    upstream.set_status(order, "refunded")
    event_id = upstream.send_event(order)
    _, about_it = endpoint.got(2)
    assert about_it.is_signed_with(SECRET)
    assert (about_it.id, about_it.event) == (event_id, "order.refunded")
    assert about_it.content["data"] == {"order": order, "status": "refunded"}
    upstream.send_event()
    ping = endpoint.got(3)[-1]
    assert (ping.event, ping.content["data"], ping.is_signed_with(SECRET)) == ("ping", {}, True)


def test_an_event_can_lie_and_name_an_unknown_order(upstream: Upstream, endpoint: Endpoint) -> None:
    order = upstream.place()
    upstream.send_event(order, status="completed")
    upstream.send_event("ord_nobody_has", event="order.born")
    lie, stranger = endpoint.got(2)
    assert (lie.event, lie.content["data"]) == ("order.completed", {"order": order, "status": "completed"})
    assert upstream.order(order)["status"] == "pending"
    assert (stranger.event, stranger.content["data"]["order"]) == ("order.born", "ord_nobody_has")
    with pytest.raises(ValueError, match="one word"):
        upstream.send_event(event="two\r\nwords")


def test_duplicates_have_one_id(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.will_deliver("duplicate", times=2, count=3)
    doubled = [upstream.send_event(), upstream.send_event()]
    single = upstream.send_event()
    posts = endpoint.got(9)
    assert quiet(upstream)
    endpoint.got(9)
    assert Counter(post.id for post in posts) == {doubled[0]: 4, doubled[1]: 4, single: 1}
    assert all(post.is_signed_with(SECRET) for post in posts)
    assert len({post.body for post in posts if post.id == doubled[0]}) == 1


@pytest.mark.slow
def test_a_thousand_duplicates_come(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.will_deliver("duplicate", count=999)
    event_id = upstream.send_event()
    assert {post.id for post in endpoint.got(1000, A_WHILE)} == {event_id}


def test_duplicates_for_ever_are_not_duplicated_themselves() -> None:
    with Upstream(patience=Patience(pauses=0.0001)) as upstream, Endpoint(500) as endpoint:
        upstream.add_endpoint(endpoint.url)
        upstream.will_deliver("duplicate", times=None)
        upstream.send_event()
        assert soon(lambda: [row["state"] for row in upstream.deliveries()] == ["given up"] * 2)
        endpoint.got(16)


def test_a_reorder_holds_back_and_sends_in_reverse(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.will_deliver("reorder", times=3)
    event_ids = [upstream.send_event() for _ in range(2)]
    time.sleep(0.3)
    assert endpoint.posts == [] and [row["state"] for row in upstream.deliveries()] == ["held", "held"]
    event_ids.append(upstream.send_event())
    assert [post.id for post in endpoint.got(3)] == event_ids[::-1]
    later = [upstream.send_event() for _ in range(3)]
    assert [post.id for post in endpoint.got(6)][3:] == later


def test_a_lift_lets_go_of_what_is_held(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.will_deliver("reorder", times=None)
    event_ids = [upstream.send_event() for _ in range(5)]
    assert soon(lambda: all(row["state"] == "held" for row in upstream.deliveries()))
    assert endpoint.posts == []
    upstream.delivers_well()
    assert [post.id for post in endpoint.got(5)] == event_ids[::-1]


def test_a_restart_lets_go_of_what_is_held(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.will_deliver("reorder", times=None)
    upstream.send_event()
    assert soon(lambda: upstream.deliveries()[0]["state"] == "held")
    upstream.restart()
    endpoint.got(1)


def test_a_drop_is_never_delivered(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.will_deliver("drop", "order.completed", times=2)
    orders = [upstream.place() for _ in range(3)]
    upstream.send_event()
    for order in orders:
        upstream.set_status(order, "completed")
    assert [post.content["data"].get("order") for post in endpoint.got(2)] == [None, orders[2]]
    assert quiet(upstream)
    assert Counter(row["state"] for row in upstream.deliveries()) == {"delivered": 2, "dropped": 2}


@pytest.fixture
def strict() -> Iterator[tuple[Upstream, Endpoint]]:
    """A supplier that hardly waits between tries, and an endpoint that refuses them all."""
    with Upstream(patience=Patience(pauses=0.02)) as upstream, Endpoint(401) as endpoint:
        upstream.add_endpoint(endpoint.url, SECRET)
        yield upstream, endpoint


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forgery_is_not_signed_with_the_secret_and_the_next_try_is(
    strict: tuple[Upstream, Endpoint], how: str
) -> None:
    upstream, endpoint = strict
    upstream.will_deliver("forge", how=how)
    upstream.send_event()
    forged, good = endpoint.got(2)
    header = forged.headers["X-NotPanel-Signature"]
    if how == "missing":
        assert header is None
    elif how == "bare":
        assert "," not in header and "v1=" in header
    else:
        assert not forged.is_signed_with(SECRET) and abs(forged.t - time.time()) < 60
        assert len(header) == len(good.headers["X-NotPanel-Signature"])
    assert good.is_signed_with(SECRET) and (forged.id, forged.body) == (good.id, good.body)


@pytest.mark.parametrize(("fault", "seconds"), [("stale", -360), ("future", 360)])
def test_a_moment_outside_the_window_is_signed_well(
    strict: tuple[Upstream, Endpoint], fault: str, seconds: int
) -> None:
    upstream, endpoint = strict
    upstream.will_deliver(fault)
    upstream.send_event()
    off, good = endpoint.got(2)
    assert off.t - off.at == pytest.approx(seconds, abs=5) and off.is_signed_with(SECRET)
    assert good.t - good.at == pytest.approx(0, abs=5)


def test_a_malformed_body_is_signed_well(strict: tuple[Upstream, Endpoint]) -> None:
    upstream, endpoint = strict
    upstream.will_deliver("malformed", body="{ÿ")
    upstream.send_event()
    torn, good = endpoint.got(2)
    assert torn.body == b"{\xff" and torn.is_signed_with(SECRET)
    assert good.content["event"] == "ping"


def test_an_oversized_body_is_json_of_ten_megabytes_signed_well(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.will_deliver("oversized")
    upstream.send_event()
    (large,) = endpoint.got(1)
    assert len(large.body) == 10 * 1024 * 1024 and large.is_signed_with(SECRET)
    assert large.content["event"] == "ping"


def test_a_fault_for_ever_is_met_by_every_try_until_it_is_lifted(strict: tuple[Upstream, Endpoint]) -> None:
    upstream, endpoint = strict
    upstream.will_deliver("stale", times=None, seconds=1000)
    upstream.send_event()
    assert soon(lambda: len(endpoint.posts) == 3)
    assert all(post.t < post.at - 900 for post in endpoint.posts)
    upstream.delivers_well()
    assert upstream.books()["webhook_faults"] == []


def test_a_fault_of_the_api_is_none_of_deliveries(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.will("lose_answer", times=None)
    upstream.send_event()
    assert endpoint.got(1)[0].is_signed_with(SECRET)


# -- from the control page


def test_the_page_shows_endpoints_deliveries_and_every_fault(upstream: Upstream, endpoint: Endpoint) -> None:
    order = upstream.place()
    upstream.set_status(order, "completed")
    endpoint.got(1)
    assert quiet(upstream)
    upstream.will_deliver("forge", times=None, how="broken")
    upstream.send_event("<script>alert(1)</script>")
    status, page, _ = ask(upstream, "GET", "")
    assert status == 200
    assert all(name in page for name in DELIVERY_FAULTS)
    assert endpoint.url in page and "how=broken" in page
    assert page.count(f"<code>{order}</code>") == 2 and "<td>order.completed</td>" in page  # its row, its delivery's
    assert "<script" not in page and SECRET not in page


def test_a_browser_adds_an_endpoint_a_fault_and_an_event_and_removes_the_endpoint(upstream: Upstream) -> None:
    with Endpoint() as endpoint:
        for command, fields in (
            ("webhooks", {"url": endpoint.url, "secret": SECRET, "events": ""}),
            ("webhooks/faults", {"fault": "duplicate", "event": "*", "times": "1", "details": "count=2"}),
            ("webhooks/ring", {"order": ""}),
        ):
            status, _, headers = ask(upstream, "POST", f"/{command}", fields, **BROWSER)
            assert (status, headers["Location"]) == (303, "/control")
        assert all(post.is_signed_with(SECRET) for post in endpoint.got(3))
        id = upstream.books()["webhooks"][0]["webhook"]
        assert ask(upstream, "POST", "/webhooks/removed", {"id": id}, **BROWSER)[0] == 303
    assert upstream.books()["webhooks"] == []
