"""Whatever comes back, over real HTTP: each action ends in a sound shape or in one of the family, never otherwise."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal

import pytest

from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Refused, Unclear
from panel.notpanel.shapes import Catalog, Report
from tests.notpanel.answers import BODIES
from tests.notpanel.scripted_server import ScriptedServer, answer

IDS = ["ord_1", "ord_2"]
ALL = [(kind, body) for kind, bodies in BODIES.items() for body in bodies]
ACTIONS: dict[str, Callable[[Client], object]] = {
    "services": lambda client: client.services(),
    "place": lambda client: client.place({"service": "1"}, request_id="r-1"),
    "report": lambda client: client.report("ord_1"),
    "reports": lambda client: client.reports(IDS),
    "refill": lambda client: client.each("refill", ["ord_1"]),
    "refills": lambda client: client.each("refill", IDS),
    "cancel": lambda client: client.each("cancel", ["ord_1"]),
    "cancels": lambda client: client.each("cancel", IDS),
    "balance": lambda client: client.balance(),
    "add_webhook": lambda client: client.add_webhook("https://desk.example/hook"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """A server without a script yet, for all tests of this file."""
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def client(server: ScriptedServer) -> Client:
    """A client with a key that is long enough to be hidden in bodies."""
    return Client(server.url, "a-key-of-some-length")


def storable(text: str) -> bool:
    """Whether any database takes this text."""
    return not re.search("[\x00\ud800-\udfff]", text)


def check_sound(value: object) -> None:
    """Every value inside is one that a database takes and a page shows."""
    if is_dataclass(value):
        for field in fields(value):
            check_sound(getattr(value, field.name))
    elif isinstance(value, dict):
        check_sound(tuple(value.items()))
    elif isinstance(value, tuple):
        for inner in value:
            check_sound(inner)
    elif isinstance(value, NotPanelError):
        assert isinstance(value, Refused | Unclear)
        assert len(value.said) <= 500 and storable(value.said) and str(value)
    elif isinstance(value, str):
        assert len(value) <= 500 and storable(value)
    elif isinstance(value, Decimal):
        assert value.is_finite() and abs(value) < 10**12
    elif isinstance(value, int):
        assert abs(value) < 2**63
    else:
        assert value is None or isinstance(value, datetime)


def outcome(call: Callable[[Client], object], client: Client) -> object:
    """What a call returns, or the trouble that it ends in."""
    try:
        return call(client)
    except NotPanelError as trouble:
        return trouble


def test_it_has_at_least_200_distinct_bodies() -> None:
    assert len({body for _, body in ALL}) >= 200
    assert len({body for kind, body in ALL if kind != "an odd value"}) >= 150


@pytest.mark.slow
@pytest.mark.parametrize("action", [action for action in ACTIONS if action not in ("place", "add_webhook")])
def test_it_never_ends_outside_the_family(action: str, server: ScriptedServer, client: Client) -> None:
    for kind, body in ALL:
        server.play(answer(body))
        result = outcome(ACTIONS[action], client)
        try:
            check_sound(result)
        except AssertionError as wrong:
            raise AssertionError(f"{action}, {kind}: {body[:200]!r} gave {result!r}") from wrong


def test_it_registers_a_webhook_or_says_why_not(server: ScriptedServer, client: Client) -> None:
    for _, body in ALL:
        server.play(answer(body))
        result = outcome(ACTIONS["add_webhook"], client)
        assert isinstance(result, Refused | Unclear) or (isinstance(result, dict) and result), body[:200]


@pytest.mark.parametrize("status", [200, 400, 500])
def test_it_never_mistakes_anything_for_an_order(status: int, server: ScriptedServer, client: Client) -> None:
    for kind, body in ALL:
        if status != 200 and kind == "an odd value" and not body.startswith(b'{"error"'):
            continue
        server.play(answer(body, status))
        result = outcome(ACTIONS["place"], client)
        check_sound(result)
        if isinstance(result, str):
            assert status < 300 and re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", result), body[:200]
        elif status >= 500:
            assert type(result) is Unclear, body[:200]
        else:
            assert isinstance(result, Unclear | Refused), body[:200]
            assert not isinstance(result, Refused) or b'"error"' in body, body[:200]


@pytest.mark.parametrize(
    "kind", ["a page", "cut", "trailing or not quite JSON", "a constant", "a key twice", "an encoding", "empty"]
)
def test_it_calls_an_order_unclear_when_the_answer_is_no_answer(
    kind: str, server: ScriptedServer, client: Client
) -> None:
    for body in BODIES[kind]:
        server.play(answer(body))
        assert type(outcome(ACTIONS["place"], client)) is Unclear, body[:200]


@pytest.mark.parametrize("kind", ["nested", "a number"])
def test_it_is_not_worn_out_by_an_order_s_answer(kind: str, server: ScriptedServer, client: Client) -> None:
    for body in BODIES[kind]:
        server.play(answer(body))
        assert type(outcome(ACTIONS["place"], client)) is Unclear, body[:200]


def test_it_keeps_one_connection_through_all_of_it(server: ScriptedServer) -> None:
    client, before = Client(server.url, "a-key-of-some-length"), server.connections
    for _, body in ALL[:50]:
        server.play(answer(body))
        outcome(ACTIONS["balance"], client)
    assert server.connections == before + 1


def test_it_still_reads_the_good_rows_around_a_bad_one(server: ScriptedServer, client: Client) -> None:
    server.play(answer('[{"service": 1, "name": "Likes", "rate": "0.90", "min": "50", "max": "100"}, {"service": 2}]'))
    catalog = client.services()
    assert isinstance(catalog, Catalog)
    assert [row.name for row in catalog.rows] == ["Likes"] and [row.why for row in catalog.bad] == ["it has no name"]


def test_it_reads_a_report_with_odd_numbers(server: ScriptedServer, client: Client) -> None:
    server.play(answer('{"status": "In progress", "charge": "0,50", "start_count": null, "remains": 650}'))
    report = client.report("ord_1")
    assert isinstance(report, Report)
    assert (report.status, report.charge, report.start_count, report.remains) == ("in_progress", None, None, 650)
