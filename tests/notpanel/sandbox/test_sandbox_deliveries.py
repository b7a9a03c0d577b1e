"""Deliveries of the sandbox: each end and each low balance goes once, signed, to each endpoint that chose it."""

import time
from collections import Counter

import pytest

from panel.notpanel.sandbox.api import add_order
from panel.notpanel.sandbox.http.page import page
from tests.notpanel.endpoint import SECRET, Endpoint
from tests.upstream import SERVICE, Upstream, soon

A_WHILE = 60.0  # seconds for a thousand deliveries: one on a quiet machine, more on a busy one
LINK = "https://example.com/p/1?sandbox="
END_OF = {
    "completed": "order.completed",
    "partial": "order.failed",
    "cancelled": "order.failed",
    "refunded": "order.refunded",
}


def quiet(upstream: Upstream) -> bool:
    """Whether nothing is on its way after half a second, ten rounds of the courier."""
    time.sleep(0.5)
    return soon(lambda: all(row["state"] not in ("waiting", "held") for row in upstream.deliveries()))


def test_a_delivery_is_signed_as_documented(upstream: Upstream, endpoint: Endpoint) -> None:
    order = upstream.place(link=LINK + "completed")
    upstream.advance(hours=5)
    (post,) = endpoint.got(1)

    assert post.content.keys() == {"id", "event", "created", "data"}
    assert post.content["data"] == {"order": order, "status": "completed"}
    assert (post.event, post.content["event"]) == ("order.completed", "order.completed")
    assert post.content["id"] == post.id and post.id.startswith("evt_")
    assert isinstance(post.content["created"], int) and abs(post.content["created"] - time.time()) < 60
    assert post.is_signed_with(SECRET) and not post.is_signed_with(SECRET + "x")
    assert abs(post.t - time.time()) < 60
    assert (post.headers["Content-Type"], post.headers["User-Agent"]) == ("application/json", "NotPanel-Webhooks")


@pytest.mark.parametrize(("end", "event"), END_OF.items())
def test_each_end_has_its_event_once(upstream: Upstream, endpoint: Endpoint, end: str, event: str) -> None:
    order = upstream.place(link=LINK + end)
    upstream.advance(days=3)
    (post,) = endpoint.got(1)
    assert (post.event, post.content["data"]) == (event, {"order": order, "status": end})
    upstream.advance(days=3)
    assert quiet(upstream)
    endpoint.got(1)


def test_nothing_is_delivered_before_it_has_come_to_pass(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.place(link=LINK + "completed")
    upstream.advance(minutes=50)
    assert quiet(upstream)
    assert upstream.deliveries() == [] and endpoint.posts == []


@pytest.mark.parametrize(("end", "event"), END_OF.items())
def test_an_end_by_hand_is_delivered_once(upstream: Upstream, endpoint: Endpoint, end: str, event: str) -> None:
    order = upstream.place()
    upstream.set_status(order, end)
    assert endpoint.got(1)[0].event == event
    upstream.set_status(order, end, remains=1)
    upstream.advance(days=3)
    assert quiet(upstream)
    endpoint.got(1)


def test_another_end_by_hand_is_delivered_again(upstream: Upstream, endpoint: Endpoint) -> None:
    order = upstream.place(link=LINK + "completed")
    upstream.advance(hours=5)
    endpoint.got(1)
    upstream.set_status(order, "refunded")
    endpoint.got(2)
    upstream.set_status(order, "in_progress")
    upstream.set_status(order, "completed")
    endpoint.got(3)
    assert endpoint.events() == ["order.completed", "order.refunded", "order.completed"]


def test_a_second_end_by_its_life_is_delivered_again(upstream: Upstream, endpoint: Endpoint) -> None:
    order = upstream.place(link=LINK + "completed")
    upstream.advance(hours=5)
    upstream.set_status(order, "in_progress")
    upstream.post("cancel", order=order)
    upstream.advance(hours=2)
    assert [post.content["data"]["order"] for post in endpoint.got(2)] == [order, order]
    assert endpoint.events() == [
        "order.completed",
        {"completed": "order.completed", "cancelled": "order.failed"}[upstream.order(order)["status"]],
    ]


def test_an_end_that_was_not_announced_yet_is_delivered_before_it_is_changed(
    upstream: Upstream, endpoint: Endpoint
) -> None:
    order = upstream.place(link=LINK + "completed")
    with upstream.supplier.store.writing():  # the courier must wait
        upstream.advance(hours=5)
        upstream.set_status(order, "refunded")
    endpoint.got(2)
    assert endpoint.events() == ["order.completed", "order.refunded"]


def test_a_cancel_at_once_and_a_queued_cancel_are_delivered(upstream: Upstream, endpoint: Endpoint) -> None:
    waiting = upstream.place()
    upstream.post("cancel", order=waiting)
    assert endpoint.got(1)[0].content["data"] == {"order": waiting, "status": "cancelled"}

    moving = [upstream.place(link=LINK + "slow") for _ in range(12)]
    upstream.advance(hours=2)
    upstream.post("cancel", orders=",".join(moving))
    assert quiet(upstream)
    endpoint.got(1)
    upstream.advance(minutes=21)
    honoured = [row["order"] for row in upstream.orders() if row["status"] == "cancelled" and row["order"] != waiting]
    assert {post.content["data"]["order"] for post in endpoint.got(1 + len(honoured))[1:]} == set(honoured)
    assert 0 < len(honoured) < 12


def test_a_clock_that_runs_is_followed(upstream: Upstream, endpoint: Endpoint) -> None:
    order = upstream.place(link=LINK + "completed")
    upstream.advance(seconds=upstream.order(order)["ends_at"] - upstream.books()["now"] - 30)
    upstream.run_at(60)
    began = time.monotonic()
    endpoint.got(1)
    assert time.monotonic() - began > 0.3
    upstream.run_at(100_000)
    assert quiet(upstream)
    endpoint.got(1)


@pytest.mark.slow
def test_a_thousand_orders_that_end_in_one_jump_are_all_delivered_once(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.set_balance(100_000)
    with upstream.supplier.store.writing():
        form = {"service": str(SERVICE), "quantity": "1000", "link": LINK + "completed"}
        orders = [add_order.add(upstream.supplier, form | {"request_id": f"r-{number}"}) for number in range(1000)]
    upstream.advance(days=30)
    posts = endpoint.got(1000, A_WHILE)
    assert Counter(post.content["data"]["order"] for post in posts) == Counter(orders)
    assert len({post.id for post in posts}) == 1000
    assert quiet(upstream)
    endpoint.got(1000)


def test_every_endpoint_gets_the_events_it_chose(upstream: Upstream) -> None:
    with Endpoint() as all_of_it, Endpoint() as failures:
        upstream.add_endpoint(all_of_it.url, "one")
        upstream.add_endpoint(failures.url, "two", events="order.failed, order.refunded")
        good, bad = upstream.place(link=LINK + "completed"), upstream.place(link=LINK + "partial")
        upstream.advance(days=1)
        both, one = all_of_it.got(2), failures.got(1)
        upstream.send_event()
        assert (all_of_it.got(3)[-1].event, failures.got(2)[-1].event) == ("ping", "ping")
    assert {post.content["data"]["order"] for post in both} == {good, bad}
    assert one[0].content == next(post.content for post in both if post.event == "order.failed")
    assert one[0].is_signed_with("two") and all(post.is_signed_with("one") for post in both)


def test_an_endpoint_gets_only_what_happens_after_it_was_added(upstream: Upstream) -> None:
    ended, forced, moving = (upstream.place(link=LINK + "completed") for _ in range(3))
    upstream.set_status(forced, "refunded")
    upstream.set_status(moving, "in_progress")
    upstream.advance(days=1)
    with Endpoint() as first, Endpoint() as second:
        upstream.add_endpoint(first.url)
        assert quiet(upstream)
        assert first.posts == []
        late = upstream.place(link=LINK + "completed")
        with upstream.supplier.store.writing():  # ended, and not announced yet, when the second comes
            upstream.advance(days=1)
            upstream.add_endpoint(second.url)
        assert first.got(1)[0].content["data"]["order"] == late
        upstream.set_status(moving, "completed")
        assert second.got(1)[0].content["data"]["order"] == moving
        first.got(2)
    assert ended not in str([post.content for post in first.posts])


def test_a_removed_endpoint_gets_nothing_more(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.send_event()
    endpoint.got(1)
    upstream.remove_endpoint(upstream.books()["webhooks"][0]["webhook"])
    upstream.send_event()
    upstream.set_status(upstream.place(), "completed")
    assert quiet(upstream)
    endpoint.got(1)
    with pytest.raises(LookupError, match="There is no endpoint 'wh_unknown'"):
        upstream.remove_endpoint("wh_unknown")


# -- a balance that becomes low


def test_a_low_balance_is_delivered_once_per_crossing(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.set_balance("20.50")
    upstream.place(quantity=50)  # 0.0565 USD
    assert quiet(upstream) and endpoint.posts == []
    upstream.place(quantity=1000)  # 1.13 USD
    upstream.place(quantity=1000)
    upstream.set_balance("3")
    (post,) = endpoint.got(1)
    assert (post.event, post.content["data"]) == ("balance.low", {"balance": "19.3135", "currency": "USD"})
    assert upstream.deliveries()[0]["order"] == ""

    upstream.set_balance("20")
    assert quiet(upstream)
    endpoint.got(1)
    upstream.set_balance("19.99")
    assert endpoint.got(2)[1].content["data"]["balance"] == "19.99"


def test_what_is_low_can_be_set_and_outlives_a_restart(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.low_balance_is("499")
    upstream.restart()
    assert upstream.books()["low_balance"] == "499.00"
    upstream.place()
    assert endpoint.got(1)[0].content["data"]["balance"] == "498.87"


def test_a_refund_lifts_the_balance_over_the_threshold_without_an_event(upstream: Upstream, endpoint: Endpoint) -> None:
    upstream.set_balance("20")
    order = upstream.place()
    endpoint.got(1)
    upstream.post("cancel", order=order)
    endpoint.got(2)
    assert upstream.books()["balance"] == "20.00"
    upstream.place()
    assert [post.event for post in endpoint.got(3)] == ["balance.low", "order.failed", "balance.low"]


# -- starts and ends


def test_a_restart_goes_on(upstream: Upstream) -> None:
    with Endpoint() as endpoint:
        upstream.add_endpoint(endpoint.url, SECRET)
        delivered, missed, moving = (upstream.place(link=LINK + "completed") for _ in range(3))
        upstream.set_status(delivered, "completed")
        endpoint.got(1)  # which is not to say that its answer has come
        upstream._sandbox.close()  # nobody delivers any more, and things go on happening
        upstream.set_status(missed, "completed")
        upstream.advance(days=1)
        time.sleep(0.2)
        endpoint.got(1)
        upstream.restart()
        endpoint.got(3)
        upstream.restart()
        assert quiet(upstream)
        upstream.restart()
        assert quiet(upstream)
        assert Counter(post.content["data"]["order"] for post in endpoint.got(3)) == Counter(
            [delivered, missed, moving]
        )
        assert all(post.is_signed_with(SECRET) for post in endpoint.posts)


def test_a_store_from_before_webhooks_goes_on(upstream: Upstream, endpoint: Endpoint) -> None:
    """Such a store does not note which ends were announced."""
    past, coming = upstream.place(link=LINK + "cancelled"), upstream.place(link=LINK + "completed")
    for webhook in upstream.books()["webhooks"]:
        upstream.remove_endpoint(webhook["webhook"])
    upstream.advance(minutes=20)
    with upstream.supplier.store.writing():
        for statement in ("DROP INDEX orders_untold", "ALTER TABLE orders DROP COLUMN told", "DROP TABLE deliveries"):
            upstream.supplier.store.write(statement)
    upstream.restart()
    assert upstream.order(past)["status"] == "cancelled"
    upstream.add_endpoint(endpoint.url, SECRET)
    upstream.advance(days=1)
    assert endpoint.got(1)[0].content["data"]["order"] == coming


def test_secrets_are_in_no_book_page_or_log(
    upstream: Upstream, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="notpanel.sandbox"):
        secret = upstream.add_endpoint(endpoint.url)["secret"]
        upstream.set_status(upstream.place(), "completed")
        endpoint.got(2)
        assert quiet(upstream)
    assert secret.startswith("whsec_")
    shown_text = str(upstream.books()) + page(upstream.supplier, upstream.url) + caplog.text
    assert "order.completed" in caplog.text
    assert not any(text in shown_text for text in (secret, SECRET, "whsec_"))
