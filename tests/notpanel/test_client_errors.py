"""What each kind of no means, who hears of it, and that the key is never everything to anybody."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial

import pytest

from panel.notpanel.client import Client
from panel.notpanel.errors import (
    NotPanelError,
    Refused,
    ShortOfFunds,
    Suspended,
    Throttled,
    Unclear,
    WrongKey,
)
from tests.notpanel.scripted_server import End, ScriptedServer, answer
from tests.upstream import trouble_of

KEY = "np/live+51Hq8=vT2"
NOW = 1_800_000_000.0
BALANCE = '{"balance": "47.32", "currency": "USD"}'


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers with a balance."""
    with ScriptedServer(answer(BALANCE)) as running:
        yield running


def make_client(server: ScriptedServer, on_call: Callable[[str, NotPanelError | None], None] | None = None) -> Client:
    """A client with KEY, whose clock stands at NOW."""
    return Client(server.url, KEY, on_call=on_call, clock=lambda: NOW)


def place(client: Client) -> str:
    """Places the same order every time."""
    return client.place({"service": "1", "link": "https://example.com/secret-link"}, request_id="r-1")


def error(text: str) -> str:
    """The body of an error with this text."""
    return json.dumps({"error": text})


@pytest.mark.parametrize(
    ("status", "body", "kind", "pause"),
    [
        (400, error("Quantity must be a positive integer"), Refused, None),
        (200, error("Service not found"), Refused, None),
        (404, error("Order not found"), Refused, None),
        (422, error("Link is not valid"), Refused, None),
        (400, error("Insufficient balance"), ShortOfFunds, 300),
        (200, error("Not enough funds on balance"), ShortOfFunds, 300),
        (403, error("Account suspended"), Suspended, 60),
        (200, error("Account suspended"), Suspended, 60),
        (400, error("Target account is suspended"), Refused, None),
        (401, error("Unauthorized"), WrongKey, 60),
        (403, error("Invalid API key"), WrongKey, 60),
        (400, error("Invalid api_key"), WrongKey, 60),
        (200, error("Incorrect key"), WrongKey, 60),
        (400, error("Missing required parameter: key"), WrongKey, 60),
        (400, error("Duplicate idempotency key"), Refused, None),
        (500, error("Invalid API key"), Unclear, 15),
        (500, error("Internal error"), Unclear, 15),
        (503, "<html>maintenance</html>", Unclear, 15),
        (408, error("Request timeout"), Unclear, 15),
        (409, error("A request with this id is in progress"), Unclear, 15),
        (400, "<html>Bad request</html>", Unclear, 15),
        (401, "<html>Sign in</html>", Unclear, 15),
        (403, "<html>Access denied</html>", Unclear, 15),
        (404, "<html>Not found</html>", Unclear, 15),
        (413, "", Unclear, 15),
        (400, '{"order": "ord_1"}', Unclear, 15),
        (400, '{"error": "no", "order": "ord_1"}', Unclear, 15),
        (200, '{"error": "no", "order": "ord_1"}', Unclear, 15),
        (400, '{"error": ""}', Unclear, 15),
        (400, '{"error": {"code": 1}}', Unclear, 15),
        (200, '{"order": null}', Unclear, 15),
    ],
)
def test_it_knows_what_a_refusal_means(
    status: int, body: str, kind: type[NotPanelError], pause: float | None, server: ScriptedServer
) -> None:
    server.play(answer(body, status))
    trouble = trouble_of(lambda: place(make_client(server)))
    assert (type(trouble), trouble.pause, trouble.http_status, trouble.action) == (kind, pause, status, "add")


def test_it_repeats_a_refusal_word_for_word(server: ScriptedServer) -> None:
    server.play(answer(error("Quantity must be between 50 and 10000 — “not” <b>5</b>"), 400))
    trouble = trouble_of(lambda: place(make_client(server)))
    assert str(trouble) == trouble.said == "Quantity must be between 50 and 10000 — “not” <b>5</b>"


def test_it_keeps_the_beginning_of_a_page_for_a_person_to_read(server: ScriptedServer) -> None:
    server.play(answer("<html>" + "x" * 9000, 502))
    trouble = trouble_of(lambda: place(make_client(server)))
    assert trouble.said.startswith("<html>xxx") and len(trouble.said) == 500 and "502" in str(trouble)


def test_it_reads_no_error_where_the_error_is_empty(server: ScriptedServer) -> None:
    server.play(answer('{"error": null, "order": "ord_1"}'))
    assert place(make_client(server)) == "ord_1"


@pytest.mark.parametrize(
    ("reset", "pause"),
    [
        (f"{NOW + 30:.0f}", 30),
        (f"{NOW + 30.5}", 30.5),
        (f"{NOW - 100:.0f}", 1),
        ("-5", 1),
        ("4070908800", 120),
        ("9" * 400, 120),
        ("soon", 60),
        ("", 60),
        ("nan", 60),
        ("inf", 60),
        ("1e3", 60),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 60),
        (None, 60),
    ],
)
def test_it_waits_until_the_reset_but_neither_hurries_nor_sleeps_for_ever(
    reset: str | None, pause: float, server: ScriptedServer
) -> None:
    server.play(answer(error("Too many requests"), 429, **({} if reset is None else {"X_RateLimit_Reset": reset})))
    trouble = trouble_of(lambda: place(make_client(server)))
    assert isinstance(trouble, Throttled) and trouble.pause == pytest.approx(pause)


@pytest.mark.parametrize(
    ("layer", "denied_by"), [("ip", "ip"), ("KEY", "key"), ("tier", "tier"), ("moon", ""), ("", "")]
)
def test_it_names_the_layer_that_throttled(layer: str, denied_by: str, server: ScriptedServer) -> None:
    server.play(answer(error("no"), 429, X_RateLimit_DeniedBy=layer))
    trouble = trouble_of(lambda: place(make_client(server)))
    assert isinstance(trouble, Throttled) and trouble.denied_by == denied_by


@pytest.mark.parametrize(
    "script",
    [
        answer("<html>slow down</html>", 429),
        answer("", 429),
        answer('{"order": "ord_1"}', 429),
        answer("x" * 2_000_000, 429),
        answer("x", 429, Content_Encoding="gzip"),
        [b"HTTP/1.1 429 Too Many\r\nContent-Length: 90\r\n\r\n{", End.RESET],
    ],
)
def test_it_takes_a_429_for_what_it_is_whatever_its_body(script: list[bytes | End], server: ScriptedServer) -> None:
    server.play(script)
    assert type(trouble_of(lambda: place(make_client(server)))) is Throttled


def test_it_reports_once_how_each_call_went(server: ScriptedServer) -> None:
    book: list[tuple[str, NotPanelError | None]] = []
    server.play(answer(BALANCE), answer(error("no"), 400), answer("[]"), answer(BALANCE), [End.CLOSE], answer(BALANCE))
    client = make_client(server, lambda action, trouble: book.append((action, trouble)))
    client.balance()
    refusal, unreadable = trouble_of(lambda: place(client)), trouble_of(client.balance)
    client.balance()
    client.balance()  # read twice on the server, one call all the same
    assert book == [("balance", None), ("add", refusal), ("balance", unreadable), ("balance", None), ("balance", None)]


def test_it_lets_a_mistake_in_on_call_through(server: ScriptedServer) -> None:
    def on_call(action: str, trouble: NotPanelError | None) -> None:
        raise KeyError(action)

    with pytest.raises(KeyError):
        make_client(server, on_call).balance()


def test_it_lets_on_call_make_another_call(server: ScriptedServer) -> None:
    amounts: list[Decimal] = []

    def on_call(action: str, trouble: NotPanelError | None) -> None:
        if action == "add":
            amounts.append(client.balance().amount)

    server.play(answer('{"order": "ord_1"}'), answer(BALANCE))
    client = make_client(server, on_call)
    place(client)
    assert amounts == [Decimal("47.32")]


def test_it_refuses_more_ids_than_one_call_takes(server: ScriptedServer) -> None:
    client = make_client(server)
    for ids in ([], [f"ord_{n}" for n in range(101)]):
        for call in (client.reports, partial(client.each, "refill"), partial(client.each, "cancel")):
            with pytest.raises(ValueError, match="1 to 100"):
                call(ids)
    assert server.forms == []


def test_it_sends_what_the_contract_asks_for(server: ScriptedServer) -> None:
    server.play(answer('{"order": "ord_1"}'), answer("[]"), answer('{"secret": "s"}'))
    client = make_client(server)
    client.place({"link": "https://example.com/?a=1&b=ü", "key": "x", "action": "y"}, request_id="r-1")
    client.each("refill", ["ord_1", "ord_2"])
    client.add_webhook("https://desk.example/hook", ["order.completed", "balance.low"])
    assert server.forms == [
        {"link": "https://example.com/?a=1&b=ü", "key": KEY, "action": "add", "request_id": "r-1"},
        {"orders": "ord_1,ord_2", "key": KEY, "action": "refill"},
        {
            "url": "https://desk.example/hook",
            "events": "order.completed,balance.low",
            "key": KEY,
            "action": "webhook.add",
        },
    ]
    assert all(head.startswith(b"POST /api/v2 HTTP/1.1\r\n") and KEY.encode() not in head for head in server.heads)


# --- The key ---

ECHOES = {
    "plain": f"You sent key={KEY} here",
    "with JSON's escaped slash": "You sent " + KEY.replace("/", "\\/"),
    "with JSON's escapes": "".join(f"\\u{ord(c):04X}" for c in KEY),
    "as in a form": "key=np%2Flive%2B51Hq8%3DvT2",
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("frame", ['{"error": "%s"}', "<html>%s", '{"order": ["%s"]}', '{"%s": 1}', '["%s'])
def test_it_never_repeats_the_key(
    echo: str, frame: str, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (200, 400, 403, 429, 500):
        server.play(answer(frame.replace("%s", ECHOES[echo]), status))
        client = make_client(server)
        trouble = trouble_of(lambda client=client: place(client))  # type: ignore[misc]
        report = traceback.TracebackException.from_exception(trouble, capture_locals=True)
        everything = "".join(report.format()) + repr(trouble) + trouble.said + repr(client) + caplog.text
        assert "[key]" in trouble.said and KEY not in everything.replace("%s", "")
        assert trouble.__context__ is None and trouble.__cause__ is None


def test_it_hides_the_key_inside_what_it_takes_for_an_answer(server: ScriptedServer) -> None:
    server.play(
        answer(json.dumps({"status": "pending", "note": f"for {KEY}"})), answer(json.dumps({"ord_1": error(KEY)}))
    )
    client = make_client(server)
    assert client.report("ord_1").raw["note"] == "for [key]"
    assert KEY not in repr(client.reports(["ord_1"]))


@pytest.mark.parametrize("script", [[End.CLOSE], [End.RESET], answer("x", 302, Location="http://[")])
def test_it_hangs_no_exception_that_holds_the_form_on_its_own(
    script: list[bytes | End], server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.play(script)
    trouble = trouble_of(lambda: place(make_client(server)))
    assert trouble.__context__ is None and trouble.__cause__ is None
    assert KEY not in caplog.text and "np%2Flive" not in caplog.text


def test_it_never_repeats_a_webhook_s_secret(server: ScriptedServer) -> None:
    server.play(answer('{"secret": "whsec_1", "cut'))
    assert trouble_of(lambda: make_client(server).add_webhook("https://desk.example/")).said == ""


def test_it_logs_one_line_a_call_without_anything_private(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.play(answer(error("no"), 400))
    trouble_of(lambda: place(make_client(server)))
    (record,) = [each for each in caplog.records if each.name == "notpanel"]
    facts = vars(record)
    assert (facts["action"], facts["outcome"], facts["http_status"], facts["bytes"]) == ("add", "Refused", 400, 15)
    assert 0 <= facts["milliseconds"] < 5000 and "secret-link" not in str(facts) and KEY not in str(facts)
