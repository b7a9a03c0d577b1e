"""`add`: every rule of the form, the charge, and the promise that one request_id is one order."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.upstream import SERVICE, Reply, Upstream

PLAIN = 101  # Default without refill and drip-feed, 0.60
PACKAGE = 605  # 9.30 each
COMMENTS = 185  # 7.67, 5 to 5,000
MENTIONS = 206  # 100 to 25,000
POLL = 479  # 50 to 10,000
SUBSCRIPTION = 227  # 0.73, 50 to 5,000
TIKTOK = 275  # 0.28, 20 to 500,000
LINK = "https://instagram.com/p/1"


def add(upstream: Upstream, **form: Any) -> Reply:
    """`add` with a believable form; a field that is None is left out."""
    usual: dict[str, Any] = {"service": SERVICE, "link": LINK, "quantity": 1000, "request_id": "r-1"}
    return upstream.post("add", **{name: value for name, value in (usual | form).items() if value is not None})


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"request_id": None}, "Missing required parameter: request_id"),
        ({"request_id": ""}, "Missing required parameter: request_id"),
        ({"request_id": "x" * 129}, "request_id must be at most 128 characters"),
        ({"service": None}, "Missing required parameter: service"),
        ({"service": "99999"}, "Service not found"),
        ({"service": "abc"}, "Service not found"),
        ({"service": "9" * 40}, "Service not found"),
        ({"link": None}, "Missing required parameter: link"),
        ({"link": "instagram.com/p/1"}, "Link must be a valid http(s) URL"),
        ({"link": "javascript:alert(1)"}, "Link must be a valid http(s) URL"),
        ({"link": "ftp://example.com/a"}, "Link must be a valid http(s) URL"),
        ({"link": "https://exa mple.com"}, "Link must be a valid http(s) URL"),
        ({"link": "https://[broken"}, "Link must be a valid http(s) URL"),
        ({"link": "https://example.com/" + "a" * 981}, "Link must be at most 1000 characters"),
        ({"quantity": None}, "Quantity must be a positive integer"),
        ({"quantity": "0"}, "Quantity must be a positive integer"),
        ({"quantity": "-5"}, "Quantity must be a positive integer"),
        ({"quantity": "1.5"}, "Quantity must be a positive integer"),
        ({"quantity": "1e3"}, "Quantity must be a positive integer"),
        ({"quantity": "١٠٠"}, "Quantity must be a positive integer"),
        ({"quantity": "49"}, "Quantity must be between 50 and 500000"),
        ({"quantity": "500001"}, "Quantity must be between 50 and 500000"),
        ({"service": PLAIN, "runs": 2, "interval": 10}, "Service does not support drip-feed"),
        ({"runs": 0}, "Runs must be between 1 and 1000"),
        ({"runs": 2}, "Missing required parameter: interval"),
        ({"runs": 2, "interval": 0}, "Interval must be between 1 and 10080 minutes"),
        ({"interval": 10}, "Interval is only allowed with more than one run"),
        ({"coupon": "NOPE"}, "Coupon not found"),
        ({"coupon": "TIKTOK15"}, "Coupon is not valid for this service"),
        ({"service": COMMENTS, "comments": " \n "}, "Missing required parameter: comments"),
        ({"service": COMMENTS, "comments": "one\ntwo"}, "Quantity must be between 5 and 5000"),
        ({"service": MENTIONS}, "Missing required parameter: usernames"),
        ({"service": POLL}, "Missing required parameter: answer_number"),
        ({"service": POLL, "answer_number": "blue"}, "answer_number must be a positive integer"),
        ({"service": SUBSCRIPTION, "min": 50, "max": 60}, "Missing required parameter: username"),
        ({"service": SUBSCRIPTION, "username": "a", "max": 60}, "Missing required parameter: min"),
        (
            {"service": SUBSCRIPTION, "username": "a", "min": 60, "max": 50},
            "min and max must be between 50 and 5000",
        ),
        (
            {"service": SUBSCRIPTION, "username": "a", "min": 50, "max": 60, "delay": "soon"},
            "delay must be a whole number",
        ),
        ({"quantity": 500_000}, "Insufficient balance"),
    ],
)
def test_it_refuses_with_a_sentence_and_does_nothing(upstream: Upstream, form: dict[str, Any], sentence: str) -> None:
    reply = add(upstream, **form)
    assert (reply.status, reply.content) == (400, {"error": sentence})
    assert (upstream.orders(), upstream.books()["balance"]) == ([], "500.00")


@pytest.mark.parametrize(
    ("form", "charge", "total"),
    [
        ({"quantity": 1000}, "1.13", 1000),
        ({"quantity": 50}, "0.0565", 50),
        ({"quantity": 50, "runs": 4, "interval": 30}, "0.226", 200),
        ({"quantity": 1000, "runs": 1}, "1.13", 1000),
        ({"quantity": 1000, "coupon": "sandbox10"}, "1.017", 1000),
        ({"service": TIKTOK, "quantity": 1000, "coupon": "TIKTOK15"}, "0.238", 1000),
        ({"service": PACKAGE, "quantity": 77}, "9.30", 1),
        ({"service": PACKAGE, "quantity": None}, "9.30", 1),
        ({"service": COMMENTS, "quantity": None, "comments": "a\r\nb\n\nc\nd\ne"}, "0.03835", 5),
        ({"service": MENTIONS, "quantity": 100, "usernames": "anna\nben"}, "0.634", 100),
        ({"service": POLL, "quantity": 50, "answer_number": 2}, "0.7085", 50),
        (
            {"service": SUBSCRIPTION, "link": None, "quantity": 9999, "username": "anna", "min": 60, "max": 90},
            "0.0365",
            50,
        ),
    ],
)
def test_it_charges_by_the_rule_of_the_type(upstream: Upstream, form: dict[str, Any], charge: str, total: int) -> None:
    reply = add(upstream, **form)
    assert reply.status == 200, reply.content
    order = upstream.order(reply.content["order"])
    assert (order["charge"], order["quantity"]) == (charge, total)
    assert Decimal(upstream.books()["balance"]) == 500 - Decimal(charge)


def test_it_answers_the_order_and_nothing_else(upstream: Upstream) -> None:
    reply = add(upstream)
    assert list(reply.content) == ["order"]
    assert reply.content["order"].startswith("ord_")


def test_a_coupon_can_be_used_up(upstream: Upstream) -> None:
    assert add(upstream, coupon="ONCE25").status == 200
    assert add(upstream, coupon="ONCE25", request_id="r-2").content == {"error": "Coupon usage limit reached"}


def test_the_same_request_id_gives_the_same_order(upstream: Upstream) -> None:
    first, second = add(upstream), add(upstream)
    assert first.content == second.content
    assert len(upstream.orders()) == 1


def test_the_same_request_id_gives_the_same_order_whatever_has_changed_since(upstream: Upstream) -> None:
    first = add(upstream)
    upstream.vanish(SERVICE)
    upstream.set_balance(0)
    upstream.accept("new-key")
    assert add(upstream, key="new-key").content == first.content


def test_the_same_request_id_with_another_body_is_refused(upstream: Upstream) -> None:
    add(upstream)
    reply = add(upstream, quantity=2000)
    assert (reply.status, reply.content) == (400, {"error": "request_id was already used with other parameters"})
    assert len(upstream.orders()) == 1


def test_a_refused_request_id_may_try_again(upstream: Upstream) -> None:
    upstream.set_balance(0)
    assert add(upstream).content == {"error": "Insufficient balance"}
    upstream.set_balance(5)
    assert add(upstream).status == 200


def test_twenty_of_the_same_at_once_are_one_order(upstream: Upstream) -> None:
    with ThreadPoolExecutor(20) as crowd:
        replies = list(crowd.map(lambda _: add(upstream), range(20)))
    assert len({reply.content["order"] for reply in replies}) == 1
    assert len(upstream.orders()) == 1
    assert upstream.books()["balance"] == "498.87"


def test_a_balance_is_never_overdrawn_by_a_crowd(upstream: Upstream) -> None:
    upstream.set_balance("5.65")  # five orders' worth
    with ThreadPoolExecutor(20) as crowd:
        statuses = list(crowd.map(lambda n: add(upstream, request_id=f"r-{n}").status, range(20)))
    assert (statuses.count(200), statuses.count(400)) == (5, 15)
    assert upstream.books()["balance"] == "0.00"


def test_a_supplier_that_forgot_makes_a_second_order(upstream: Upstream) -> None:
    first = add(upstream)
    upstream.forget("r-1")
    assert add(upstream).content != first.content
    assert [order["request_id"] for order in upstream.orders()] == ["r-1", "r-1"]


def test_a_link_may_choose_how_its_order_ends(upstream: Upstream) -> None:
    orders = {
        outcome: add(upstream, link=f"{LINK}?sandbox={outcome}", request_id=outcome).content["order"]
        for outcome in ("completed", "partial", "refunded", "cancelled")
    }
    upstream.advance(days=2)
    assert {upstream.order(order)["status"]: order for order in orders.values()} == orders
