"""`refill`: who may have one, how many, and when it settles."""

import pytest

from tests.upstream import Upstream

WITHOUT_REFILL = 101


def test_it_takes_a_refill_of_a_completed_order(upstream: Upstream) -> None:
    order = _completed(upstream)
    reply = upstream.post("refill", order=order)
    assert list(reply.content) == ["refill"]
    assert reply.content["refill"].startswith("ref_")


@pytest.mark.parametrize("status", ["pending", "processing", "in_progress", "cancelled", "refunded"])
def test_it_refuses_an_order_that_is_not_done(upstream: Upstream, status: str) -> None:
    order = upstream.place()
    upstream.set_status(order, status)
    assert _refusal(upstream, order) == "Refill only available for completed or partial orders"


def test_it_takes_a_refill_of_a_partial_order(upstream: Upstream) -> None:
    order = upstream.place()
    upstream.set_status(order, "partial")
    assert upstream.post("refill", order=order).status == 200


def test_it_refuses_a_service_without_refills(upstream: Upstream) -> None:
    order = _completed(upstream, service=WITHOUT_REFILL)
    assert _refusal(upstream, order) == "Service does not support refills"


def test_it_refuses_a_second_while_one_is_pending(upstream: Upstream) -> None:
    order = _completed(upstream)
    upstream.post("refill", order=order)
    assert _refusal(upstream, order) == "A refill request is already pending for this order"


def test_it_refuses_a_fourth(upstream: Upstream) -> None:
    order = _completed(upstream)
    for _ in range(3):
        assert upstream.post("refill", order=order).status == 200
        upstream.advance(hours=13)
    assert _refusal(upstream, order) == "Refill limit reached (3 per order)"


def test_a_refill_settles_by_itself(upstream: Upstream) -> None:
    upstream.post("refill", order=_completed(upstream))
    states = [upstream.books()["refills"][0]["state"]]
    upstream.advance(hours=13)
    states.append(upstream.books()["refills"][0]["state"])
    assert states[0] == "pending"
    assert states[1] in ("completed", "rejected")


def test_many_answer_a_row_each_with_their_own_error(upstream: Upstream) -> None:
    good, without = _completed(upstream), _completed(upstream, service=WITHOUT_REFILL)
    rows = upstream.post("refill", orders=f"{without},{good},ord_nobody,{good}").content
    assert [row["order"] for row in rows] == [without, good, "ord_nobody", good]
    assert rows[0]["error"] == "Service does not support refills"
    assert rows[1]["refill"].startswith("ref_")
    assert rows[2]["error"] == "Order not found"
    assert rows[3]["error"] == "A refill request is already pending for this order"


def _completed(upstream: Upstream, **form: object) -> str:
    order = upstream.place(**form)
    upstream.set_status(order, "completed")
    return order


def _refusal(upstream: Upstream, order: str) -> str:
    reply = upstream.post("refill", order=order)
    assert reply.status == 400
    return str(reply.content["error"])
