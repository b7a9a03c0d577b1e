"""No answer is taken for another's: interim ones, bytes that nobody asked for, ends in doubt, other orders' names."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from panel.notpanel import transport
from panel.notpanel.client import Client
from panel.notpanel.errors import NeverSent, NotPanelError, Refused, Unclear
from tests.notpanel.scripted_server import End, ScriptedServer, Step, answer, self_signed
from tests.upstream import SERVICE, Upstream

KEY = "np_live_51Hq8vT2"
BALANCE = '{"balance": "47.32", "currency": "USD"}'
PAUSE = 0.05  # seconds in which what was sent arrives on loopback
PATIENT = 10.0


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server without a script yet."""
    with ScriptedServer() as running:
        yield running


def make_client(server: ScriptedServer, seconds: float = PATIENT) -> Client:
    """A client with this deadline for each call."""
    return Client(server.url, KEY, total_seconds=seconds)


def place(client: Client, request_id: str = "r-1") -> str:
    """Places an order with this request_id."""
    return client.place({"service": "1", "link": "https://example.com/p"}, request_id=request_id)


def order(number: int | str) -> str:
    """The body of the answer to an `add`."""
    return f'{{"order": "ord_{number}"}}'


def trouble_of(call: Callable[[], object]) -> NotPanelError:
    """The trouble that a call ends in; fails when it goes well."""
    with pytest.raises(NotPanelError) as caught:
        call()
    return caught.value


def interim(status: int, *headers: str) -> bytes:
    """The head of an interim answer."""
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *headers, "", ""]).encode()


# --- Interim answers ---

INTERIM: dict[str, list[Step]] = {
    "100": [interim(100)],
    "102": [interim(102)],
    "103 with links": [interim(103, "Link: </a.css>; rel=preload", "Link: </b.js>; rel=preload")],
    "110": [interim(110)],
    "199": [interim(199)],
    "one after another": [interim(100), interim(102), interim(103, "Link: </a>"), interim(199)],
    "twenty": [interim(103)] * 20,
    "apart from the answer": [interim(103, "Link: </a>"), PAUSE],
    "in pieces": [interim(102)[:9], PAUSE / 2, interim(102)[9:], PAUSE / 2],
    "with a length": [interim(103, "Content-Length: 0")],
}


@pytest.mark.parametrize("kind", INTERIM)
def test_it_passes_over_interim_answers_and_keeps_no_such_connection(kind: str, server: ScriptedServer) -> None:
    server.play([*INTERIM[kind], *answer(order(1))], answer(order(2)))
    client = make_client(server)
    assert [place(client, "r-1"), place(client, "r-2")] == ["ord_1", "ord_2"]
    server.play([*INTERIM[kind], *answer(BALANCE)])
    before = server.connections
    for _ in range(3):
        client.balance()
    assert server.connections == before + 3, "also not for reads, which otherwise share one"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([interim(101, "Upgrade: h2c", "Connection: Upgrade")], id="101"),
        pytest.param([interim(101), *answer(order(9))], id="101, then an answer"),
        pytest.param(
            [interim(103, "Content-Length: 18"), order("9").encode(), *answer(order(9))], id="one with a body"
        ),
        pytest.param([interim(103)], id="103 and then the end"),
        pytest.param([interim(103)] * 200, id="two hundred"),
        pytest.param([interim(99)], id="99"),
        pytest.param([b"HTTP/1.1 1xx No\r\n\r\n"], id="1xx"),
    ],
)
def test_it_takes_no_broken_interim_answer_for_an_answer(script: list[Step], server: ScriptedServer) -> None:
    server.play([*script, End.CLOSE], answer(order(2)))
    client = make_client(server)
    assert type(trouble_of(lambda: place(client))) is Unclear
    assert place(client, "r-2") == "ord_2"


# --- More bytes than one answer, or no plain end ---

OK = "HTTP/1.1 200 OK\r\n"
LENGTH = f"Content-Length: {len(BALANCE)}\r\n"
CHUNKS = f"Transfer-Encoding: chunked\r\n\r\n{len(BALANCE):x}\r\n{BALANCE}\r\n0\r\n\r\n"
# What a balance may be answered with on a connection that must not be used again.
UNFIT: dict[str, list[Step]] = {
    "a second answer": [f"{OK}{LENGTH}\r\n{BALANCE}{OK}{LENGTH}\r\n{BALANCE}".encode()],
    "half a second answer": [f"{OK}{LENGTH}\r\n{BALANCE}HTTP/1.1 200 O".encode()],
    "a line end": [f"{OK}{LENGTH}\r\n{BALANCE}\r\n".encode()],
    "one byte": [f"{OK}{LENGTH}\r\n{BALANCE}0".encode()],
    "a length twice": [f"{OK}{LENGTH}{LENGTH}\r\n{BALANCE}".encode()],
    "a length and chunks": [f"{OK}{LENGTH}{CHUNKS}".encode()],
    "chunks, and bytes after the last": [f"{OK}{CHUNKS}{OK}".encode()],
    "a signed length": [f"{OK}Content-Length: +{len(BALANCE)}\r\n\r\n{BALANCE}".encode()],
    "an old version": [f"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{LENGTH}\r\n{BALANCE}".encode()],
    "a line that is no header": [f"{OK}{LENGTH}no header\r\n\r\n{BALANCE}".encode()],
    "a promise to close": answer(BALANCE, Connection="close"),
    "a page instead": answer("<html>"),
}


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.HTTPWarning")
@pytest.mark.parametrize("kind", UNFIT)
def test_it_never_uses_a_connection_again_that_carried_more_than_one_plain_answer(
    kind: str, server: ScriptedServer
) -> None:
    server.play(UNFIT[kind], answer(BALANCE))
    client = make_client(server)
    try:
        client.balance()
    except Unclear:
        assert kind == "a page instead"
    client.balance()
    assert (len(server.forms), server.connections) == (2, 2)


@pytest.mark.parametrize(
    "script",
    [answer(BALANCE), [f"{OK}{CHUNKS}".encode()],
     answer('{"error": "no"}', 400), answer('{"error": "no"}', 429)],
)  # fmt: skip
def test_it_keeps_a_connection_that_carried_plain_answers(script: list[Step], server: ScriptedServer) -> None:
    server.play(script)
    client = make_client(server)
    for _ in range(5):
        try:
            client.balance()
        except NotPanelError as trouble:
            assert trouble.http_status in (400, 429)
    assert server.connections == 1


# --- An answer that comes late ---


@pytest.mark.parametrize("late", [order(1), order("extra"), '{"error": "no"}', BALANCE, "<html>", ""])
@pytest.mark.parametrize("first", [order(1), '{"error": "no"}', "<html>", "{}"])
def test_no_stray_answer_reaches_the_next_order(first: str, late: str, server: ScriptedServer) -> None:
    """The stray one is sent when the next order is already on its way, so that nobody can see it before."""
    server.play([*answer(first), PAUSE, *answer(late)], answer(order(2)))
    client = make_client(server)
    try:
        assert place(client, "r-1") == "ord_1"
    except NotPanelError as trouble:
        assert first != order(1), trouble
    assert place(client, "r-2") == "ord_2"


@pytest.mark.parametrize("action", ["refill", "cancel", "status"])
def test_no_stray_answer_reaches_the_next_refill_cancel_or_question_about_one(
    action: str, server: ScriptedServer
) -> None:
    def ask(client: Client, upstream_id: str) -> object:
        return client.report(upstream_id).remains if action == "status" else client.each(action, [upstream_id])

    bodies = {
        "refill": ('{"refill": "ref_1"}', '{"refill": "ref_2"}', {"ord_2": "ref_2"}),
        "cancel": ('{"cancel": "1"}', '{"cancel": "2"}', {"ord_2": "2"}),
        "status": ('{"status": "pending", "remains": 1}', '{"status": "pending", "remains": 2}', 2),
    }
    first, second, expected = bodies[action]
    server.play([*answer(first), PAUSE, *answer(first)], answer(second))
    client = make_client(server)
    ask(client, "ord_1")
    assert ask(client, "ord_2") == expected


def test_an_order_shares_its_connection_with_no_read(server: ScriptedServer) -> None:
    server.play(answer(BALANCE), answer(order(1)), answer(BALANCE), answer(BALANCE), answer(order(2)))
    client = make_client(server)
    client.balance()
    place(client, "r-1")
    client.balance()
    client.balance()
    place(client, "r-2")
    assert server.connections == 4, "the two reads in a row share one"


def test_a_copy_of_the_process_shares_no_connection_with_it(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play(answer(BALANCE))
    client = make_client(server)
    client.balance()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    client.balance()
    assert server.connections == 2


# --- Bytes before a request ---


def greeting_server(greetings: list[bytes]) -> tuple[socket.socket, list[bytes]]:
    """A listener that greets each connection before anything was asked, and keeps what it was sent all the same."""
    listener, heard = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if greeting := greetings.pop(0) if greetings else b"":
                    connection.sendall(greeting)
                    try:
                        heard.append(connection.recv(10))
                    except ConnectionResetError:  # it hung up without reading what it was told
                        heard.append(b"")
                    continue
                connection.recv(65536)
                connection.sendall(b"".join(map(bytes, answer(order(2)))))  # type: ignore[arg-type]

    threading.Thread(target=serve, daemon=True).start()
    return listener, heard


@pytest.mark.parametrize("greeting", [b"".join(map(bytes, answer(order(9)))), b"\r\n", b"220 mail.example ESMTP\r\n"])  # type: ignore[arg-type]
def test_it_sends_nothing_to_who_speaks_first(greeting: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    listener, heard = greeting_server([greeting])
    with listener:
        client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}/", KEY)
        slow_to_ask(monkeypatch)
        assert type(trouble_of(lambda: place(client))) is NeverSent
        assert place(client, "r-2") == "ord_2"
    assert heard == [b""]


def slow_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """The greeting has arrived by the time that the client asks."""
    connect = transport._Connection._new_conn

    def slow(self: Any) -> socket.socket:
        sock = connect(self)
        time.sleep(PAUSE)
        return sock

    monkeypatch.setattr(transport._Connection, "_new_conn", slow)


@pytest.mark.parametrize("stray", [b"\r\n", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", b"0"])
def test_it_asks_on_a_new_connection_when_the_kept_one_has_spoken_meanwhile(
    stray: bytes, server: ScriptedServer
) -> None:
    server.play([*answer(BALANCE), PAUSE, stray], answer(BALANCE))
    client = make_client(server)
    client.balance()
    time.sleep(3 * PAUSE)
    assert client.balance().currency == "USD"
    assert (len(server.forms), server.connections) == (2, 2)


def test_it_hears_bytes_before_a_request_over_tls_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path / "self.pem")
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with ScriptedServer([*answer(BALANCE), PAUSE, b"0"], answer(BALANCE), certificate=certificate) as tls:
        client = make_client(tls)
        client.balance()
        time.sleep(3 * PAUSE)
        client.balance()
        client.balance()
        assert (len(tls.forms), tls.connections) == (3, 2)


# --- Whole answers behind something harmless ---


@pytest.mark.parametrize(
    "before", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b"\r\n\xef\xbb\xbf", b"\xef\xbb\xbf\n ", b"\n\n"]
)
@pytest.mark.parametrize("status", [200, 400])
def test_it_takes_byte_order_marks_off_before_json(before: bytes, status: int, server: ScriptedServer) -> None:
    server.play(answer(before + (order(1) if status == 200 else '{"error": "no"}').encode(), status))
    client = make_client(server)
    if status == 200:
        assert place(client) == "ord_1"
    else:
        assert type(trouble_of(lambda: place(client))) is Refused


@pytest.mark.parametrize(
    "body",
    [
        b'{"order":\xef\xbb\xbf"ord_1"}',
        b'{"order": "ord_1"}\xef\xbb\xbf',
        b'{"order": "\xef\xbb\xbford_1"}',
        b"\xef\xbb\xbf",
    ],
)
def test_it_takes_none_off_elsewhere(body: bytes, server: ScriptedServer) -> None:
    server.play(answer(body))
    assert type(trouble_of(lambda: place(make_client(server)))) is Unclear


@pytest.mark.parametrize("fault", ["interim", "twice", "bom"])
def test_the_sandbox_gives_each_order_its_own_id_all_the_same(fault: str, upstream: Upstream, phone: Client) -> None:
    upstream.will(fault, "add", times=None)
    form = {"service": str(SERVICE), "link": "https://instagram.com/p/1", "quantity": "1000"}
    ids = [phone.place(form, request_id=f"r-{number}") for number in range(5)]
    assert {row["request_id"]: row["order"] for row in upstream.orders()} == {f"r-{n}": id for n, id in enumerate(ids)}
