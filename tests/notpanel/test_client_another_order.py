"""An answer that names another order than was asked about is noticed, and nobody acts on it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Unclear
from panel.notpanel.shapes import Reports, row_answers
from tests.notpanel.scripted_server import ScriptedServer, answer

KEY = "np_live_51Hq8vT2"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server without a script yet."""
    with ScriptedServer() as running:
        yield running


def make_client(server: ScriptedServer) -> Client:
    """A client of this server."""
    return Client(server.url, KEY)


def place(client: Client, request_id: str = "r-1") -> str:
    """Places an order with this request_id."""
    return client.place({"service": "1", "link": "https://example.com/p"}, request_id=request_id)


def trouble_of(call: Callable[[], object]) -> NotPanelError:
    """The trouble that a call ends in; fails when it goes well."""
    with pytest.raises(NotPanelError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("cancel", '{"cancel": "ord_2"}'),
        ("cancel", '{"order": "ord_2", "cancel": "ord_1"}'),
        ("cancel", '{"order": "ord_2", "cancel": 1}'),
        ("refill", '{"order": "ord_2", "refill": "ref_1"}'),
        ("refill", '{"refill": "ord_2"}'),
        ("status", '{"order": "ord_2", "status": "completed"}'),
        ("add", '{"order": "ord_2", "request_id": "r-2"}'),
    ],
)
def test_it_notices_an_answer_about_another_order(action: str, body: str, server: ScriptedServer) -> None:
    server.play(answer(body))
    client = make_client(server)
    calls: dict[str, Callable[[], object]] = {
        "add": lambda: place(client, "r-1"), "status": lambda: client.report("ord_1"),
        "refill": lambda: client.each("refill", ["ord_1"]), "cancel": lambda: client.each("cancel", ["ord_1"]),
    }  # fmt: skip
    trouble = trouble_of(calls[action])
    assert type(trouble) is Unclear and "another order" in str(trouble)


@pytest.mark.parametrize(
    ("action", "body", "made"),
    [
        ("cancel", '{"cancel": "ord_1"}', "ord_1"),
        ("cancel", '{"order": "ord_1", "cancel": 1}', "1"),
        ("cancel", '{"cancel": 7}', "7"),
        ("cancel", '{"order": 7, "cancel": "can_2"}', "can_2"),
        ("refill", '{"order": "ord_1", "refill": "ref_1"}', "ref_1"),
        ("refill", '{"order": null, "refill": 5}', "5"),
    ],
)
def test_it_takes_an_answer_that_names_its_own_order_or_none(
    action: str, body: str, made: str, server: ScriptedServer
) -> None:
    server.play(answer(body))
    assert make_client(server).each(action, ["ord_1"]) == {"ord_1": made}


@pytest.mark.parametrize("echo", ['"r-1"', "null", '""'])
def test_it_takes_an_order_whose_answer_repeats_its_request_id(echo: str, server: ScriptedServer) -> None:
    server.play(answer(f'{{"order": "ord_1", "request_id": {echo}}}'))
    assert place(make_client(server), "r-1") == "ord_1"


def test_it_notices_rows_of_other_orders(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"order": "ord_9", "cancel": "ord_9"}, {"order": "ord_1", "cancel": "ord_2"}]
    assert type(row_answers(rows, ["ord_1"], "cancel")["ord_1"]) is Unclear
    assert vars(caplog.records[-1])["orders"] == ["ord_9"]
    table = {"ord_9": {"status": "pending"}, "ord_1": {"order": "ord_2", "status": "completed"}}
    reports = Reports.parse(table, ["ord_1"], NOW)
    assert reports.found == {} and "another order" in reports.odd["ord_1"]
    assert vars(caplog.records[-1])["orders"] == ["ord_9"]


def test_a_table_about_other_orders_alone_is_another_calls() -> None:
    for table in (
        {"ord_8": {"status": "pending"}, "ord_9": {"status": "pending"}},
        [{"order": "ord_9", "status": "x"}],
    ):
        with pytest.raises(Unclear, match="other orders"):
            Reports.parse(table, ["ord_1", "ord_2"], NOW)
    assert Reports.parse({}, ["ord_1"], NOW) == Reports({}, {})
