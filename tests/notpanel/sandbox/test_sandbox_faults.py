"""Each fault as its caller sees it, and what it leaves behind in the books."""

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from panel.notpanel.sandbox.faults.call_faults import FAULTS
from tests.upstream import SERVICE, Upstream, soon

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ADD = {"service": SERVICE, "link": "https://x.com/a", "quantity": 1000, "request_id": "r-1"}


@contextmanager
def sent(
    upstream: Upstream, action: str = "add", timeout: float = 5, **form: Any
) -> Iterator[http.client.HTTPConnection]:
    """A connection on which an `add` has just been written."""
    connection = http.client.HTTPConnection(urlsplit(upstream.url).netloc, timeout=timeout)
    fields = {"key": upstream.key, "action": action} | (ADD if action == "add" else {}) | form
    connection.request("POST", "/api/v2", urlencode(fields), FORM)
    try:
        yield connection
    finally:
        connection.close()


def answer(upstream: Upstream, action: str = "add", **form: Any) -> tuple[int, bytes, http.client.HTTPMessage]:
    """Makes one call; (status, body, headers) of its answer."""
    with sent(upstream, action, **form) as connection:
        reply = connection.getresponse()
        return reply.status, reply.read(), reply.headers


def orders(upstream: Upstream) -> int:
    """How many orders the supplier has."""
    return len(upstream.orders())


@pytest.mark.parametrize(("fault", "left"), [("lose_answer", 1), ("lose_request", 0)])
def test_a_lost_answer_and_a_lost_request_look_the_same(upstream: Upstream, fault: str, left: int) -> None:
    upstream.will(fault, action="add")
    with sent(upstream) as connection, pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    assert orders(upstream) == left
    assert answer(upstream)[0] == 200
    assert orders(upstream) == 1


def test_a_connection_can_be_reset(upstream: Upstream) -> None:
    upstream.will("lose_answer", reset=True)
    with sent(upstream) as connection, pytest.raises(ConnectionResetError):
        connection.getresponse()
    assert orders(upstream) == 1


def test_a_slow_answer_takes_effect_at_once(upstream: Upstream) -> None:
    upstream.will("slow", seconds=30)
    with sent(upstream, timeout=0.3) as connection, pytest.raises(TimeoutError):
        connection.getresponse()
    assert orders(upstream) == 1


def test_a_slow_answer_comes_after_its_time(upstream: Upstream) -> None:
    upstream.will("slow", seconds=0.2)
    began = time.monotonic()
    assert answer(upstream)[0] == 200
    assert time.monotonic() - began >= 0.2


def test_an_answer_can_drip(upstream: Upstream) -> None:
    upstream.will("drip", seconds=0.02)
    began = time.monotonic()
    status, body, _ = answer(upstream)
    assert status == 200
    assert json.loads(body)["order"] == upstream.orders()[0]["order"]
    assert time.monotonic() - began >= 0.02 * len(body)


def test_a_cut_answer_ends_before_its_length(upstream: Upstream) -> None:
    upstream.will("cut")
    with sent(upstream) as connection, pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    assert orders(upstream) == 1


def test_a_hung_up_connection_had_promised_to_stay(upstream: Upstream) -> None:
    upstream.will("hang_up")
    with sent(upstream) as connection:
        reply = connection.getresponse()
        assert (reply.status, reply.getheader("Connection"), reply.will_close) == (200, None, False)
        reply.read()
        assert connection.sock.recv(1) == b""


@pytest.mark.parametrize(
    ("fault", "details", "status", "body", "left"),
    [
        ("error_before", {}, 500, {"error": "Internal server error"}, 0),
        ("error_before", {"status": 503, "text": "Busy"}, 503, {"error": "Busy"}, 0),
        ("error_after", {}, 500, {"error": "Internal server error"}, 1),
        ("error_200", {"text": "Not enough funds"}, 200, {"error": "Not enough funds"}, 0),
        ("error_200", {"effect": True}, 200, {"error": "Something went wrong"}, 1),
        ("put_off", {}, 200, {"error": "System is under maintenance, try again later"}, 0),
        ("put_off", {"status": 400, "text": "Too many requests"}, 400, {"error": "Too many requests"}, 0),
        ("suspend", {}, 403, {"error": "Account suspended"}, 0),
        ("wrong_key", {}, 401, {"error": "Invalid API key"}, 0),
        ("throttle", {}, 429, {"error": "Rate limit exceeded"}, 0),
        ("say", {"body": '{"order": 17}'}, 200, {"order": 17}, 1),
        ("say", {"body": "[]", "status": 418, "effect": False}, 418, [], 0),
    ],
)
def test_an_answer_can_be_a_lie_in_json(
    upstream: Upstream, fault: str, details: dict[str, Any], status: int, body: object, left: int
) -> None:
    upstream.will(fault, **details)
    got_status, got_body, _ = answer(upstream)
    assert (got_status, json.loads(got_body), orders(upstream)) == (status, body, left)


@pytest.mark.parametrize(
    ("fault", "status", "start", "left"),
    [
        ("html", 200, b"<!doctype html>", 1),
        ("html_502", 502, b"<html>", 0),
        ("empty", 200, b"", 1),
        ("not_json", 200, b"order accepted", 1),
        ("redirect", 302, b"", 0),
    ],
)
def test_an_answer_can_be_no_json_at_all(upstream: Upstream, fault: str, status: int, start: bytes, left: int) -> None:
    upstream.will(fault)
    got_status, got_body, _ = answer(upstream)
    assert (got_status, got_body[: len(start)], orders(upstream)) == (status, start, left)
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(got_body)


@pytest.mark.parametrize("layer", ["ip", "key", "tier"])
def test_a_throttle_names_its_layer(upstream: Upstream, layer: str) -> None:
    upstream.will("throttle", by=layer, seconds=7)
    began = time.time()
    _, _, headers = answer(upstream)
    assert headers["X-RateLimit-DeniedBy"] == layer
    assert began + 6 <= int(headers["X-RateLimit-Reset"]) <= time.time() + 8


def test_a_throttle_can_be_silent_or_odd(upstream: Upstream) -> None:
    upstream.will("throttle", headers=False)
    upstream.will("throttle", reset="tomorrow")
    assert answer(upstream)[2]["X-RateLimit-Reset"] is None
    assert answer(upstream)[2]["X-RateLimit-Reset"] == "tomorrow"


def test_whoever_follows_a_redirect_is_seen(upstream: Upstream) -> None:
    upstream.will("redirect")
    _, _, headers = answer(upstream)
    connection = http.client.HTTPConnection(urlsplit(upstream.url).netloc, timeout=5)
    connection.request("GET", headers["Location"])
    assert connection.getresponse().status == 404
    connection.close()
    assert upstream.books()["elsewhere"] == 1


def test_a_huge_answer_has_the_size_that_the_rule_sets(upstream: Upstream) -> None:
    upstream.will("huge", bytes=1_000_000)
    status, body, _ = answer(upstream)
    assert (status, len(body), orders(upstream)) == (200, 1_000_000, 1)
    assert set(json.loads(body)["order"]) == {"x"}


def test_a_huge_answer_can_be_packed_small(upstream: Upstream) -> None:
    upstream.will("huge", bytes=50_000_000, gzip=True)
    _, body, headers = answer(upstream)
    assert headers["Content-Encoding"] == "gzip"
    assert len(body) < 200_000
    assert len(gzip.decompress(body)) == 50_000_000


def test_a_huge_answer_ends_when_the_caller_hangs_up(upstream: Upstream) -> None:
    upstream.will("huge", bytes=10**12)
    threads = threading.active_count()
    with sent(upstream) as connection:
        connection.getresponse().read(1000)
    assert soon(lambda: threading.active_count() == threads)


def test_ids_can_be_left_out_of_a_batch(upstream: Upstream) -> None:
    ids = [upstream.place() for _ in range(4)]
    for action in ("status", "cancel"):
        upstream.will("omit", action=action, ids=[ids[2]])
        upstream.will("omit", action=action, count=3)
        rows = [json.loads(answer(upstream, action, orders=",".join(ids))[1]) for _ in range(2)]
        named = [list(row) if action == "status" else [each["order"] for each in row] for row in rows]
        assert named == [[ids[0], ids[1], ids[3]], [ids[3]]]


@pytest.mark.parametrize(
    ("fault", "details", "orders_of_rows"),
    [
        ("shuffle", {}, [2, 1, 0]),
        ("double", {"count": 2}, [0, 1, 0, 1, 2]),
        ("invent", {}, ["ord_stranger0", 0, 1, 2]),
        ("omit", {"count": 2}, [2]),
    ],
)
def test_rows_of_a_batch_can_come_in_any_number_and_order(
    upstream: Upstream, fault: str, details: dict[str, Any], orders_of_rows: list[object]
) -> None:
    ids = [upstream.place() for _ in range(3)]
    upstream.will(fault, "cancel", **details)
    upstream.will(fault, "cancel", **details)
    rows = json.loads(answer(upstream, "cancel", orders=",".join(ids))[1])
    assert [row["order"] for row in rows] == [
        ids[place] if isinstance(place, int) else place for place in orders_of_rows
    ]
    assert {upstream.order(id)["status"] for id in ids} == {"cancelled"}
    if fault != "omit":  # which has something to leave out of an answer about one, too
        assert upstream.post("cancel", order=upstream.place()).status == 200


@pytest.mark.parametrize(
    ("fault", "details", "counted"),
    [
        ("lose_answer", {}, 1), ("lose_request", {}, 1), ("error_before", {}, 1), ("html", {}, 1),
        ("throttle", {}, 0), ("put_off", {}, 0), ("suspend", {}, 0), ("error_200", {}, 0),
        ("error_200", {"effect": True}, 1),
    ],
)  # fmt: skip
def test_the_books_count_how_often_a_cancel_came_through_to_its_orders(
    upstream: Upstream, fault: str, details: dict[str, Any], counted: int
) -> None:
    id = upstream.place()
    upstream.post("cancel", orders=f"{id},ord_nobody")
    upstream.will(fault, "cancel", **details)
    with sent(upstream, "cancel", orders=id) as connection, suppress(http.client.HTTPException, ConnectionError):
        connection.getresponse()
    assert upstream.books()["named"] == {"cancel": {id: 1 + counted, "ord_nobody": 1}}


def test_a_refusal_of_one_order_came_through_to_it(upstream: Upstream) -> None:
    id = upstream.place()
    upstream.post("refill", order=id)
    upstream.post("refill", order=id, key="wrong")
    assert upstream.books()["named"] == {"refill": {id: 1}}


def test_a_fault_is_over_after_its_times(upstream: Upstream) -> None:
    upstream.will("error_before", action="balance", times=2)
    assert [upstream.post("balance").status for _ in range(3)] == [500, 500, 200]


def test_a_fault_without_end_ends_when_it_is_lifted(upstream: Upstream) -> None:
    upstream.will("error_before", times=None)
    assert {upstream.post("balance").status for _ in range(5)} == {500}
    upstream.behaves()
    assert upstream.post("balance").status == 200


def test_a_fault_can_wait_and_can_be_choosy(upstream: Upstream) -> None:
    upstream.will("error_before", action="balance", skip=1)
    assert upstream.post("services").status == 200
    assert [upstream.post("balance").status for _ in range(3)] == [200, 500, 200]


def test_a_fault_can_flap(upstream: Upstream) -> None:
    upstream.will("error_before", times=None, chance=0.5)
    failed = [upstream.post("balance").status for _ in range(60)].count(500)
    assert 15 < failed < 45


def test_faults_are_met_in_the_order_they_were_added(upstream: Upstream) -> None:
    upstream.will("error_before", action="balance")
    upstream.will("suspend")
    assert [upstream.post("balance").status for _ in range(3)] == [500, 403, 200]


def test_every_fault_is_written_into_the_books(upstream: Upstream) -> None:
    upstream.will("error_before")
    upstream.post("balance")
    books = upstream.books()
    assert (books["calls"], books["refused"], books["recent"][0]["fault"]) == (
        {"balance": 1},
        {"balance": 1},
        "error_before",
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"fault": "gremlins"}, "There is no fault 'gremlins'"),
        ({"fault": "slow", "reset": True}, "slow has no 'reset'"),
        ({"fault": "slow", "seconds": "long"}, "seconds must be a number"),
        ({"fault": "slow", "seconds": -1}, "seconds must not be negative"),
        ({"fault": "slow", "times": 0}, "times must be at least 1"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(upstream: Upstream, fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        upstream.will(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [102, 103, 199])
def test_an_interim_answer_comes_before_the_answer(upstream: Upstream, status: int) -> None:
    upstream.will("interim", status=status, count=2)
    with sent(upstream) as connection:
        heads = b""
        while b'{"order"' not in heads:
            heads += connection.sock.recv(1000)
    assert heads.count(f"HTTP/1.1 {status} ".encode()) == 2
    assert b"HTTP/1.1 200 OK" in heads and orders(upstream) == 1


def test_an_answer_can_come_twice(upstream: Upstream) -> None:
    upstream.will("twice", seconds=0.05)
    with sent(upstream) as connection:
        first = connection.getresponse().read()
        second = http.client.HTTPResponse(connection.sock)
        second.begin()
        assert first == second.read()
    assert orders(upstream) == 1


def test_an_error_can_stand_where_the_id_belongs(upstream: Upstream) -> None:
    orders_of_both = f"{upstream.place()},ord_nobody"
    upstream.will("nested", "cancel", times=3, field="cancel")
    rows = json.loads(answer(upstream, "cancel", orders=orders_of_both)[1])
    assert [type(row["cancel"]) for row in rows] == [str, dict] and "error" not in rows[1]
    status, body, _ = answer(upstream, "cancel", order="ord_nobody")
    assert (status, json.loads(body)) == (200, {"cancel": {"error": "Order not found"}})
    upstream.behaves()
    upstream.will("nested", "cancel", field="cancel", text="Incorrect order ID")
    rows = json.loads(answer(upstream, "cancel", orders=orders_of_both)[1])
    assert [row["cancel"] for row in rows] == [{"error": "Incorrect order ID"}] * 2


def test_a_byte_order_mark_can_come_before_the_answer(upstream: Upstream) -> None:
    upstream.will("bom")
    assert answer(upstream)[1].startswith(b'\xef\xbb\xbf{"order"')


def test_no_fault_is_without_a_test() -> None:
    source = Path(__file__).read_text()
    assert [name for name in FAULTS if f'"{name}"' not in source] == []


def test_a_sandbox_that_stops_keeps_nobody_waiting(upstream: Upstream) -> None:
    upstream.will("slow", seconds=600)
    with sent(upstream) as connection:
        assert soon(lambda: orders(upstream) == 1)
        began = time.monotonic()
        upstream.stop()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
        assert time.monotonic() - began < 60, "ten times sooner than it would have answered"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(urlsplit(upstream.url).port or 0)), timeout=10)
    upstream.start()
    assert orders(upstream) == 1
