"""The client and the sandbox, which share no code, agree on every action, every documented error and every fault."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from panel.notpanel.client import Client
from panel.notpanel.errors import (
    NeverSent,
    NotPanelError,
    PutOff,
    Refused,
    ShortOfFunds,
    Suspended,
    Throttled,
    Unclear,
    WrongKey,
)
from panel.notpanel.sandbox.faults.call_faults import FAULTS
from panel.notpanel.sandbox.world.limits import Limits
from tests.upstream import SERVICE, Upstream, soon, trouble_of

BODY = {"service": str(SERVICE), "link": "https://instagram.com/p/1", "quantity": "1000"}
NO_REFILLS, NO_CANCELS = "Service does not support refills", "Service does not support cancellation"
TERMINAL = "Order cannot be cancelled (already completed)"


def refill(client: Client, order: str) -> str:
    """Asks for one order alone; the refill's id."""
    return str(client.each("refill", [order])[order])


def cancel(client: Client, order: str) -> str:
    """Asks for one order alone; its id."""
    return str(client.each("cancel", [order])[order])


# --- What goes well ---


def test_it_reads_the_whole_catalog(upstream: Upstream, phone: Client) -> None:
    catalog = phone.services()
    (row,) = [row for row in catalog.rows if row.upstream_id == SERVICE]
    assert len(catalog.rows) > 250 and catalog.bad == ()
    assert (row.rate, row.minimum, row.maximum) == (Decimal("1.13"), 50, 500_000)
    assert (row.type, row.refill, row.cancel, row.dripfeed) == ("Default", True, True, True)


def test_it_places_an_order_once_however_often_it_asks(upstream: Upstream, phone: Client) -> None:
    ids = {phone.place(BODY, request_id="r-1") for _ in range(3)}
    assert [row["order"] for row in upstream.orders()] == list(ids)


def test_it_reports_one_order_and_many(upstream: Upstream, phone: Client) -> None:
    first, second = upstream.place(), upstream.place()
    upstream.set_status(second, "completed")
    alone, together = phone.report(first), phone.reports([first, second, "ord_nobody"])
    assert (alone.status, alone.charge, alone.remains, alone.currency) == ("pending", Decimal("1.13"), 1000, "USD")
    assert {id: report.status for id, report in together.found.items()} == {first: "pending", second: "completed"}
    assert together.odd == {}


def test_it_reports_a_hundred_in_one_call(upstream: Upstream, phone: Client) -> None:
    ids = [upstream.place(quantity=50) for _ in range(100)]
    assert len(phone.reports(ids).found) == 100 and upstream.calls("status") == 1


def test_it_refills_one_order_and_many(upstream: Upstream, phone: Client) -> None:
    done, live = upstream.place(), upstream.place()
    upstream.set_status(done, "completed")
    answers = phone.each("refill", [live, done, "ord_nobody"])
    assert str(answers[done]).startswith("ref_")
    assert {id: str(answers[id]) for id in (live, "ord_nobody")} == {
        live: "Refill only available for completed or partial orders",
        "ord_nobody": "Order not found",
    }
    upstream.advance(hours=13)
    assert refill(phone, done).startswith("ref_")


def test_it_cancels_one_order_and_many(upstream: Upstream, phone: Client) -> None:
    first, second, done = upstream.place(), upstream.place(), upstream.place()
    upstream.set_status(done, "completed")
    answers = phone.each("cancel", [second, done])
    assert answers[second] == second and type(answers[done]) is Refused and str(answers[done]) == TERMINAL
    assert cancel(phone, first) == first and phone.report(first).status == "cancelled"


def test_it_knows_the_balance_and_registers_a_webhook(upstream: Upstream, phone: Client) -> None:
    balance, hook = phone.balance(), phone.add_webhook("https://desk.example.com/hook", ["order.completed"])
    assert (balance.amount, balance.currency) == (Decimal(500), "USD")
    assert str(hook["secret"]).startswith("whsec_")


# --- Every documented error ---


@pytest.mark.parametrize(
    ("change", "request_id", "sentence"),
    [
        ({}, "", "Missing required parameter: request_id"),
        ({"service": ""}, "r-1", "Missing required parameter: service"),
        ({"service": "999999"}, "r-1", "Service not found"),
        ({"quantity": "0"}, "r-1", "Quantity must be a positive integer"),
    ],
)
def test_it_repeats_why_an_order_is_refused(
    change: dict[str, str], request_id: str, sentence: str, upstream: Upstream, phone: Client
) -> None:
    trouble = trouble_of(lambda: phone.place({**BODY, **change}, request_id=request_id))
    assert (type(trouble), str(trouble), trouble.http_status, trouble.pause) == (Refused, sentence, 400, None)


def test_it_repeats_that_the_money_is_short(upstream: Upstream, phone: Client) -> None:
    upstream.set_balance("0.01")
    trouble = trouble_of(lambda: phone.place(BODY, request_id="r-1"))
    assert (type(trouble), str(trouble), trouble.pause) == (ShortOfFunds, "Insufficient balance", 300)


def test_it_repeats_that_an_order_is_unknown(upstream: Upstream, phone: Client) -> None:
    for call in (phone.report, partial(refill, phone), partial(cancel, phone)):
        trouble = trouble_of(partial(call, "ord_nobody"))
        assert (type(trouble), str(trouble)) == (Refused, "Order not found")


def test_it_repeats_why_a_refill_is_refused(upstream: Upstream, phone: Client) -> None:
    order = upstream.place()
    refusals = [str(trouble_of(lambda: refill(phone, order)))]
    upstream.set_status(order, "completed")
    refill(phone, order)
    refusals.append(str(trouble_of(lambda: refill(phone, order))))
    for _ in range(2):
        upstream.advance(hours=13)
        refill(phone, order)
    upstream.advance(hours=13)
    refusals.append(str(trouble_of(lambda: refill(phone, order))))
    upstream.set_service(SERVICE, refill=False)
    refusals.append(str(trouble_of(lambda: refill(phone, order))))
    assert refusals == [
        "Refill only available for completed or partial orders",
        "A refill request is already pending for this order",
        "Refill limit reached (3 per order)",
        NO_REFILLS,
    ]


def test_it_repeats_why_a_cancel_is_refused(upstream: Upstream, phone: Client) -> None:
    order = upstream.place()
    upstream.set_status(order, "completed")
    upstream.set_service(SERVICE, cancel=False)
    refusals = [str(trouble_of(lambda: cancel(phone, order)))]
    upstream.set_status(order, "in_progress")
    refusals.append(str(trouble_of(lambda: cancel(phone, order))))
    assert refusals == [TERMINAL, NO_CANCELS]


def test_it_tells_the_account_s_troubles_from_the_order_s(upstream: Upstream, phone: Client) -> None:
    upstream.suspended()
    suspended = trouble_of(lambda: phone.place(BODY, request_id="r-1"))
    wrong = trouble_of(Client(upstream.url, "another-key").balance)
    assert (type(suspended), str(suspended), suspended.pause) == (Suspended, "Account suspended", 60)
    assert (type(wrong), wrong.http_status) == (WrongKey, 401)


@pytest.mark.parametrize(
    ("layer", "limits"), [("ip", Limits(0, 9, 9)), ("key", Limits(9, 0, 9)), ("tier", Limits(9, 9, 0))]
)
def test_it_waits_as_long_as_each_limit_says(layer: str, limits: Limits) -> None:
    with Upstream(limits=limits) as upstream:
        trouble = trouble_of(Client(upstream.url, upstream.key).balance)
    assert isinstance(trouble, Throttled) and trouble.denied_by == layer
    assert trouble.pause is not None and 1 <= trouble.pause <= 60


# --- Every fault, met by an order ---

MEETS: dict[str, tuple[dict[str, Any], type[NotPanelError] | None]] = {
    "lose_answer": ({}, Unclear),
    "lose_request": ({}, Unclear),
    "hang_up": ({}, None),
    "slow": ({"seconds": 60.0}, Unclear),
    "drip": ({"seconds": 1.0}, Unclear),
    "cut": ({}, Unclear),
    "error_before": ({}, Unclear),
    "error_after": ({}, Unclear),
    "error_200": ({}, Refused),
    "throttle": ({}, Throttled),
    "put_off": ({}, PutOff),
    "suspend": ({}, Suspended),
    "wrong_key": ({}, WrongKey),
    "html": ({}, Unclear),
    "html_502": ({}, Unclear),
    "empty": ({}, Unclear),
    "not_json": ({}, Unclear),
    "redirect": ({}, Unclear),
    "huge": ({}, Unclear),
    "omit": ({}, Unclear),
    "say": ({}, Unclear),
}
OF_BATCHES = {
    "shuffle",
    "double",
    "invent",
    "nested",
}  # one order is no batch; tests/orders/aftersale/test_batches.py meets these
ANSWERED_ALL_THE_SAME = {"interim", "twice", "bom"}  # test_client_one_answer.py meets these


def test_it_has_met_every_fault_there_is() -> None:
    assert set(MEETS) == set(FAULTS) - OF_BATCHES - ANSWERED_ALL_THE_SAME


@pytest.mark.parametrize("fault", MEETS)
def test_it_meets_a_fault_and_the_next_try_gives_the_one_order(fault: str, upstream: Upstream) -> None:
    details, kind = MEETS[fault]
    client = Client(upstream.url, upstream.key, total_seconds=1 if fault in ("slow", "drip") else 10)
    upstream.will(fault, **details)
    if kind is None:
        client.place(BODY, request_id="r-1")
        assert soon(lambda: upstream.connections() == 0), "it hangs up a moment after it answered"
    else:
        assert type(trouble_of(lambda: client.place(BODY, request_id="r-1"))) is kind
    assert client.place(BODY, request_id="r-1") == upstream.orders()[0]["order"]
    assert len(upstream.orders()) == 1


@pytest.mark.parametrize("details", [{"reset": True}, {"reset": False}])
def test_it_never_asks_for_a_second_refill_by_itself(
    details: dict[str, bool], upstream: Upstream, phone: Client
) -> None:
    order = upstream.place()
    upstream.set_status(order, "completed")
    phone.balance()
    upstream.will("lose_answer", action="refill", **details)
    assert type(trouble_of(lambda: refill(phone, order))) is Unclear and upstream.calls("refill") == 1


def test_it_refuses_a_huge_zipped_answer(upstream: Upstream, phone: Client) -> None:
    upstream.will("huge", gzip=True)
    assert type(trouble_of(phone.services)) is Unclear


def test_it_reads_what_a_batch_left_out_as_left_out(upstream: Upstream, phone: Client) -> None:
    ids = [upstream.place(), upstream.place()]
    upstream.will("omit", action="status", ids=ids[0])
    reports = phone.reports(ids)
    assert list(reports.found) == ids[1:] and reports.odd == {}


def test_it_never_sent_to_a_supplier_that_is_not_there(upstream: Upstream, phone: Client) -> None:
    phone.balance()
    upstream.stop()
    missing = trouble_of(lambda: phone.place(BODY, request_id="r-1"))
    upstream.start()
    assert type(missing) is NeverSent and phone.place(BODY, request_id="r-1")
