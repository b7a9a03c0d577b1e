"""`cancel`: at once while pending, a request in flight, never when it is over."""

from decimal import Decimal

import pytest

from tests.upstream import Upstream

WITHOUT_CANCEL = 107
ORDERS = 40  # orders; enough that both outcomes of a queued cancel occur


def test_a_pending_order_is_refunded_at_once_whatever_the_service_says(upstream: Upstream) -> None:
    order = upstream.place(service=WITHOUT_CANCEL)
    assert upstream.post("cancel", order=order).content == {"cancel": order}
    report = upstream.post("status", order=order).content
    assert (report["status"], report["charge"], upstream.books()["balance"]) == ("cancelled", "0.00", "500.00")


def test_an_order_in_flight_is_queued_and_shows_nothing_yet(upstream: Upstream) -> None:
    order = upstream.place()
    upstream.advance(minutes=25)
    before = upstream.post("status", order=order).content
    assert upstream.post("cancel", order=order).content == {"cancel": order}
    assert upstream.post("status", order=order).content == before
    assert before["status"] == "in_progress"


def test_a_queued_cancel_is_honoured_or_comes_too_late(upstream: Upstream) -> None:
    orders = [upstream.place(link="https://x.com/a?sandbox=completed") for _ in range(ORDERS)]
    upstream.advance(minutes=25)
    upstream.post("cancel", orders=",".join(orders))
    upstream.advance(hours=3)
    statuses = [row["status"] for row in upstream.post("status", orders=",".join(orders)).content.values()]
    assert set(statuses) == {"cancelled", "completed"}
    assert statuses.count("cancelled") > statuses.count("completed")


def test_a_cancelled_delivery_keeps_what_was_delivered(upstream: Upstream) -> None:
    orders = [upstream.place(quantity=1000) for _ in range(ORDERS)]
    upstream.advance(minutes=40)
    upstream.post("cancel", orders=",".join(orders))
    upstream.advance(hours=3)
    cut = [row for row in upstream.orders() if row["status"] == "cancelled" and row["remains"] < 1000]
    assert cut
    for row in cut:
        assert Decimal(row["refunded"]) == Decimal("0.00113") * row["remains"]


def test_a_service_without_cancel_refuses_in_flight(upstream: Upstream) -> None:
    order = upstream.place(service=WITHOUT_CANCEL)
    upstream.advance(minutes=25)
    assert _refusal(upstream, order) == "Service does not support cancellation"


@pytest.mark.parametrize("status", ["completed", "cancelled", "refunded", "partial"])
def test_an_order_that_is_over_cannot_be_cancelled(upstream: Upstream, status: str) -> None:
    order = upstream.place()
    upstream.set_status(order, status)
    assert _refusal(upstream, order) == "Order cannot be cancelled (already completed)"


def test_a_second_cancel_changes_nothing(upstream: Upstream) -> None:
    order = upstream.place()
    upstream.advance(minutes=25)
    upstream.post("cancel", order=order)
    before = upstream.order(order)
    upstream.advance(seconds=10)
    assert upstream.post("cancel", order=order).content == {"cancel": order}
    assert (upstream.order(order)["ends_at"], upstream.order(order)["will_end"]) == (
        before["ends_at"],
        before["will_end"],
    )


@pytest.mark.parametrize("status", ["processing", "in_progress"])
def test_a_cancel_takes_over_an_order_that_was_put_by_hand(upstream: Upstream, status: str) -> None:
    order = upstream.place()
    upstream.advance(days=3)
    upstream.set_status(order, status, remains=600)
    upstream.post("cancel", order=order)
    assert upstream.post("status", order=order).content["status"] == "in_progress"
    upstream.advance(hours=2)
    assert upstream.post("status", order=order).content["status"] in ("cancelled", "completed")


def test_an_order_put_back_to_pending_is_refunded_in_full(upstream: Upstream) -> None:
    order = upstream.place()
    upstream.advance(days=3)
    upstream.set_status(order, "pending")
    upstream.post("cancel", order=order)
    assert upstream.order(order)["refunded"] == "1.13"


def test_many_answer_a_row_each_with_their_own_error(upstream: Upstream) -> None:
    pending, done = upstream.place(), upstream.place()
    upstream.set_status(done, "completed")
    assert upstream.post("cancel", orders=f"{done},{pending},ord_nobody").content == [
        {"order": done, "error": "Order cannot be cancelled (already completed)"},
        {"order": pending, "cancel": pending},
        {"order": "ord_nobody", "error": "Order not found"},
    ]


def _refusal(upstream: Upstream, order: str) -> str:
    reply = upstream.post("cancel", order=order)
    assert reply.status == 400
    return str(reply.content["error"])
