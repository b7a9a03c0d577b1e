"""`status` and `balance`: one order, many orders, and what they say in strings."""

from decimal import Decimal
from typing import Any

import pytest

from tests.upstream import SERVICE, Upstream


def test_it_reports_one_order_in_strings(upstream: Upstream) -> None:
    order = upstream.place(quantity=1000)
    reply = upstream.post("status", order=order)
    assert reply.content == {
        "status": "pending",
        "charge": "1.13",
        "start_count": "0",
        "remains": "1000",
        "currency": "USD",
    }


def test_it_reports_many_by_their_ids(upstream: Upstream) -> None:
    orders = [upstream.place() for _ in range(3)]
    reply = upstream.post("status", orders=",".join(orders))
    assert list(reply.content) == orders
    assert {row["status"] for row in reply.content.values()} == {"pending"}


def test_it_reports_a_hundred_in_one_call(upstream: Upstream) -> None:
    orders = [upstream.place(quantity=50) for _ in range(100)]
    assert len(upstream.post("status", orders=",".join(orders)).content) == 100


def test_it_silently_leaves_out_ids_that_are_not_ours(upstream: Upstream) -> None:
    order = upstream.place()
    assert list(upstream.post("status", orders=f"ord_nobody, {order} ,").content) == [order]
    assert upstream.post("status", orders="ord_nobody").content == {}


@pytest.mark.parametrize("action", ["status", "refill", "cancel"])
@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Missing parameter: order"),
        ({"order": " "}, "Missing parameter: order"),
        ({"orders": ", ,"}, "Missing parameter: order"),
        ({"order": "ord_nobody"}, "Order not found"),
        ({"order": "ord_a", "orders": "ord_b"}, "Use either order or orders, not both"),
        ({"orders": ",".join("x" * 101)}, "Maximum 100 orders per request"),
    ],
)
def test_it_refuses_with_a_sentence(upstream: Upstream, action: str, form: dict[str, Any], sentence: str) -> None:
    reply = upstream.post(action, **form)
    assert (reply.status, reply.content) == (400, {"error": sentence})


def test_asking_writes_nothing(upstream: Upstream) -> None:
    order = upstream.place()
    upstream.advance(hours=30)
    before = upstream.supplier.store._db.total_changes
    upstream.post("status", order=order)
    upstream.post("status", orders=order)
    upstream.post("services")
    assert upstream.supplier.store._db.total_changes == before


@pytest.mark.parametrize(
    ("status", "values", "charge"),
    [
        ("pending", {}, "1.13"),
        ("in_progress", {"remains": 400}, "1.13"),
        ("completed", {}, "1.13"),
        ("partial", {"remains": 250}, "0.8475"),
        ("cancelled", {"remains": 1000}, "0.00"),
        ("refunded", {"remains": 300}, "0.00"),
    ],
)
def test_an_order_can_be_put_anywhere_and_money_follows(
    upstream: Upstream, status: str, values: dict[str, object], charge: str
) -> None:
    order = upstream.place(quantity=1000)
    upstream.set_status(order, status, **values)
    upstream.advance(days=3)
    report = upstream.post("status", order=order).content
    assert (report["status"], report["charge"]) == (status, charge)
    _books_agree(upstream)


def test_a_report_can_hold_anything(upstream: Upstream) -> None:
    order = upstream.place()
    upstream.set_status(order, "On Hold", remains="1,234", charge=None, start_count=-1, currency="EUR")
    report = upstream.post("status", order=order).content
    assert list(report.values()) == ["On Hold", None, -1, "1,234", "EUR"]


def test_an_order_can_be_moved_backwards_and_its_refund_is_taken_back(upstream: Upstream) -> None:
    order = upstream.place()
    upstream.set_status(order, "refunded")
    upstream.set_status(order, "in_progress", remains=10)
    assert upstream.books()["balance"] == "498.87"
    _books_agree(upstream)


def test_the_balance_is_money_in_strings(upstream: Upstream) -> None:
    upstream.set_balance("47.32")
    assert upstream.post("balance").content == {"balance": "47.32", "currency": "USD"}


def test_the_balance_is_remembered_for_thirty_seconds(upstream: Upstream) -> None:
    balances = [upstream.post("balance").content["balance"]]
    upstream.place(service=SERVICE, quantity=1000)
    balances.append(upstream.post("balance").content["balance"])
    upstream.advance(seconds=31)
    balances.append(upstream.post("balance").content["balance"])
    assert balances == ["500.00", "500.00", "498.87"]


def _books_agree(upstream: Upstream) -> None:
    books = upstream.books()
    charged = sum(Decimal(row["charge"]) - Decimal(row["refunded"]) for row in books["orders"])
    assert Decimal(books["balance"]) + charged == Decimal(books["deposited"])
