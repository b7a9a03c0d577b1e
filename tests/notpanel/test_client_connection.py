"""What can go wrong on the way: each fault leads to the right kind of trouble, in time, and spoils nothing after it."""

import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from panel.notpanel.client import BODY_BYTES, Client
from panel.notpanel.errors import NeverSent, Unclear
from tests.notpanel.scripted_server import End, ScriptedServer, Step, answer, drip, self_signed
from tests.upstream import free_port, trouble_of

KEY = "np_live_51Hq8vT2"
ORDER = '{"order": "ord_1"}'
BALANCE = '{"balance": "47.32", "currency": "USD"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n"
LONG_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
LONG_BODY = ORDER.encode().ljust(1000)
SHORT = 0.3  # seconds for a whole call, in tests about its end
PATIENT = 1.0  # …where other things must be done within it, on a busy machine too
GRACE = 5.0  # seconds by which a busy machine may be late; who keeps no deadline is later, or hangs
AGES = 60.0  # seconds, of a server; the end of the test ends them


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server without a script yet."""
    with ScriptedServer() as running:
        yield running


def make_client(server: ScriptedServer, seconds: float = 5.0) -> Client:
    """A client with this deadline for each call."""
    return Client(server.url, KEY, total_seconds=seconds)


def place(client: Client) -> str:
    """Places the same order every time."""
    return client.place({"service": "1", "link": "https://example.com/p"}, request_id="r-1")


# --- Never sent ---


def test_it_never_sent_what_was_refused_at_the_port() -> None:
    client = Client(f"http://127.0.0.1:{free_port()}/", KEY)
    trouble = trouble_of(lambda: place(client))
    assert type(trouble) is NeverSent and trouble.pause == 15 and trouble.http_status is None


def test_it_never_sent_to_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    assert type(trouble_of(lambda: place(Client("https://notpanel.invalid/", KEY)))) is NeverSent


def test_it_does_not_wait_for_a_name_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: over.wait(AGES))
    client, began = Client("https://notpanel.invalid/", KEY, connect_seconds=0.2), time.monotonic()
    trouble = trouble_of(lambda: place(client))
    over.set()
    assert type(trouble) is NeverSent and time.monotonic() - began < 0.2 + GRACE


def test_it_never_sent_when_nobody_takes_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        crowd = [socket.socket() for _ in range(4)]
        for sock in crowd:  # the backlog is full, so the next handshake stays unanswered
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        client = Client(f"http://127.0.0.1:{full.getsockname()[1]}/", KEY, connect_seconds=0.2)
        began = time.monotonic()
        trouble = trouble_of(lambda: place(client))
        for sock in crowd:
            sock.close()
    assert type(trouble) is NeverSent and time.monotonic() - began < 0.2 + GRACE


def test_it_never_sent_to_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    with ScriptedServer(answer(ORDER), certificate=self_signed(tmp_path / "self.pem")) as server:
        trouble = trouble_of(lambda: place(make_client(server)))
        assert type(trouble) is NeverSent and server.heads == [] and "TLS" in str(trouble)


def test_it_never_sent_to_a_certificate_for_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path / "self.pem", "elsewhere.example")
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with ScriptedServer(answer(ORDER), certificate=certificate) as server:
        assert type(trouble_of(lambda: place(make_client(server)))) is NeverSent
        assert server.heads == []


def test_it_never_sent_to_a_server_that_speaks_no_tls(server: ScriptedServer) -> None:
    server.play(answer(ORDER))
    client = Client(server.url.replace("http:", "https:"), KEY, total_seconds=SHORT)
    assert type(trouble_of(lambda: place(client))) is NeverSent


def test_it_does_not_wait_for_a_tls_handshake_that_stalls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client, began = (
            Client(f"https://127.0.0.1:{silent.getsockname()[1]}/", KEY, connect_seconds=0.2),
            time.monotonic(),
        )
        trouble = trouble_of(lambda: place(client))
    assert type(trouble) is NeverSent and time.monotonic() - began < 0.2 + GRACE


# --- Over TLS that holds ---


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A server whose certificate is trusted."""
    certificate = self_signed(tmp_path / "self.pem")
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with ScriptedServer(answer(ORDER), certificate=certificate) as running:
        yield running


def test_it_speaks_tls_on_one_connection(tls: ScriptedServer) -> None:
    client = make_client(tls)
    assert [place(client), place(client)] == ["ord_1", "ord_1"] and tls.connections == 1


def test_it_holds_the_deadline_over_tls(tls: ScriptedServer) -> None:
    tls.play([LONG_HEAD, *drip(LONG_BODY, 0.02)])
    client, began = make_client(tls, PATIENT), time.monotonic()
    assert type(trouble_of(lambda: place(client))) is Unclear and time.monotonic() - began < PATIENT + GRACE


# --- Unclear: upstream may have heard ---

BROKEN: dict[str, list[Step]] = {
    "reset after the request": [End.RESET],
    "closed after the request": [End.CLOSE],
    "reset in the head": [b"HTTP/1.1 200 OK\r\nContent-", End.RESET],
    "closed in the head": [b"HTTP/1.1 200 OK\r\n", End.CLOSE],
    "a body shorter than it said": [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + ORDER.encode(), End.CLOSE],
    "a body reset": [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + ORDER.encode(), End.RESET],
    "chunks without an end": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n{}", End.CLOSE],
    "a last chunk missing": [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n{"order": "ord_1"}\r\n',
        End.CLOSE,
    ],
    "a chunk size that is none": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        End.CLOSE,
    ],
    "a negative chunk": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n", End.CLOSE],
    "a length that is none": [b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{", End.CLOSE],
    "two lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 2, 18\r\n\r\n{}", End.CLOSE],
    "a negative length": [b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{", End.CLOSE],
    "a body cut without a length": [b'HTTP/1.1 200 OK\r\n\r\n{"order": "ord_', End.CLOSE],
    "no HTTP at all": [b"SSH-2.0-OpenSSH_9.2\r\n", End.CLOSE],
    "a page without a head": [b"<html>\r\n\r\n</html>", End.CLOSE],
    "a status that is none": [b"HTTP/1.1 OK\r\n\r\n" + ORDER.encode(), End.CLOSE],
    "a status of four digits": [b"HTTP/1.1 2000 OK\r\n\r\n" + ORDER.encode(), End.CLOSE],
    "a status line without end": [b"HTTP/1.1 200 " + b"x" * 70_000, End.CLOSE],
    "a header without end": [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, End.CLOSE],
    "a thousand headers": [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", End.CLOSE],
    "garbage": [bytes(range(256)) * 4, End.CLOSE],
    "a redirect to a page that is none": [b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe://[\r\n\r\n", End.CLOSE],
    "compressed": answer(ORDER, Content_Encoding="gzip"),
    "compressed in a way of its own": answer(ORDER, Content_Encoding="br, x-made-up"),
    "no content": answer("", 204),
    "not modified": answer("", 304),
    "an edge's 502": answer("<html>Bad gateway</html>", 502),
    "an edge's 504": answer("", 504),
    "their own 500": answer('{"error": "Internal error"}', 500),
    "a 500 that swears it is an order": answer(ORDER, 500),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_it_cannot_tell_whether_the_order_exists(fault: str, server: ScriptedServer) -> None:
    server.play(BROKEN[fault], answer('{"order": "ord_2"}'))
    client = make_client(server)
    trouble = trouble_of(lambda: place(client))
    assert type(trouble) is Unclear and trouble.pause == 15 and len(server.forms) == 1
    assert place(client) == "ord_2"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([b"HTTP/1.1 200 OK\r\n", AGES], id="a head that stops"),
        pytest.param([HEAD, AGES], id="a body that never comes"),
        pytest.param([AGES], id="nothing at all"),
        pytest.param([*drip(HEAD.replace(b"OK", b"O" * 1000), 0.02)], id="a head that drips"),
        pytest.param([LONG_HEAD, *drip(LONG_BODY, 0.02)], id="a body that drips"),
        pytest.param([*([b"HTTP/1.1 100 Continue\r\n\r\n", 0.02] * 999)], id="a thousand continues"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *([b"1\r\n \r\n", 0.02] * 999)],
            id="chunks that drip",
        ),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", *([b"X: y\r\n", 0.02] * 999)],
            id="trailers that drip",
        ),
    ],
)
def test_it_holds_the_deadline(script: list[Step], server: ScriptedServer) -> None:
    server.play(script)
    client, began = make_client(server, SHORT), time.monotonic()
    trouble = trouble_of(lambda: place(client))
    assert type(trouble) is Unclear and SHORT <= time.monotonic() - began < SHORT + GRACE
    assert "0.3 seconds" in str(trouble)


@pytest.mark.slow
def test_it_holds_the_deadline_while_it_sends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes the connection and never reads
        # Of these seconds a busy machine takes one to encode so long a form.
        client, began = Client(f"http://127.0.0.1:{deaf.getsockname()[1]}/", KEY, total_seconds=3), time.monotonic()
        trouble = trouble_of(lambda: client.place({"comments": "x" * 8_000_000}, request_id="r-1"))
    assert type(trouble) is Unclear and time.monotonic() - began < 3 + GRACE


def test_it_never_gives_a_late_answer_to_another_call(server: ScriptedServer) -> None:
    server.play([PATIENT + 0.1, *answer('{"order": "ord_late"}')], answer('{"order": "ord_2"}'))
    client = make_client(server, PATIENT)
    assert type(trouble_of(lambda: place(client))) is Unclear
    assert server.finished.wait(AGES)
    assert place(client) == "ord_2" and server.connections == 2


def test_it_throws_away_what_nobody_asked_for(server: ScriptedServer) -> None:
    server.play([*answer('{"order": "ord_1"}'), *answer('{"order": "ord_extra"}')], answer('{"order": "ord_2"}'))
    client = make_client(server)
    assert place(client) == "ord_1"
    assert server.finished.wait(AGES)
    assert place(client) == "ord_2"


def test_it_follows_no_redirect_and_hands_the_key_to_nobody_else(server: ScriptedServer) -> None:
    with ScriptedServer(answer(ORDER)) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            server.play(answer("moved", status, Location=elsewhere.url))
            trouble = trouble_of(lambda: place(make_client(server)))
            assert type(trouble) is Unclear and trouble.http_status == status
        assert elsewhere.connections == 0


def test_it_does_not_read_a_redirect_s_endless_body(server: ScriptedServer) -> None:
    endless: list[Step] = [b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", *([b"x" * 1_000_000] * 20), End.CLOSE]
    server.play(endless)
    trouble = trouble_of(lambda: place(make_client(server)))
    assert type(trouble) is Unclear and f"{BODY_BYTES:,}" in str(trouble)


@pytest.mark.parametrize("chunked", [False, True])
def test_it_stops_reading_at_the_cap_with_flat_memory(chunked: bool, server: ScriptedServer) -> None:
    megabyte = b" " * 1_000_000
    if chunked:
        server.play(
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *([b"f4240\r\n" + megabyte + b"\r\n"] * 1000)]
        )
    else:
        server.play([b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", *([megabyte] * 1000)])
    client = make_client(server)
    tracemalloc.start()
    trouble = trouble_of(lambda: place(client))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert type(trouble) is Unclear and peak < 8 * BODY_BYTES


def test_it_asks_for_no_compression_and_sends_no_cookie(server: ScriptedServer) -> None:
    server.play(answer(BALANCE, Set_Cookie="session=1; Path=/"))
    client = make_client(server)
    client.balance()
    client.balance()
    assert b"Accept-Encoding: identity" in server.heads[1] and b"cookie" not in server.heads[1].lower()


def test_it_ignores_proxies_and_netrc(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine localhost login somebody password something\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    server.play(answer(BALANCE))
    make_client(server).balance()
    assert b"authorization" not in server.heads[0].lower()


# --- A kept connection that upstream has closed ---


def test_it_reads_again_when_the_kept_connection_is_dropped(server: ScriptedServer) -> None:
    server.play(answer(BALANCE), [End.CLOSE], answer(BALANCE))
    client = make_client(server)
    client.balance()
    client.balance()
    assert len(server.forms) == 3 and server.connections == 2


def test_it_reads_again_only_once(server: ScriptedServer) -> None:
    server.play(answer(BALANCE), [End.RESET])
    client = make_client(server)
    client.balance()
    assert type(trouble_of(client.balance)) is Unclear and len(server.forms) == 3


def test_it_does_not_read_again_on_a_fresh_connection(server: ScriptedServer) -> None:
    server.play([End.CLOSE])
    assert type(trouble_of(make_client(server).balance)) is Unclear and len(server.forms) == 1


@pytest.mark.parametrize("action", ["add", "refill", "cancel", "webhook.add"])
def test_it_never_repeats_what_may_have_taken_effect(action: str, server: ScriptedServer) -> None:
    server.play(answer(BALANCE), [End.CLOSE], answer('{"order": "ord_1", "refill": "ref_1", "cancel": "ord_1"}'))
    client = make_client(server)
    client.balance()
    calls: dict[str, Callable[[], object]] = {
        "add": lambda: place(client),
        "refill": lambda: client.each("refill", ["ord_1"]),
        "cancel": lambda: client.each("cancel", ["ord_1"]),
        "webhook.add": lambda: client.add_webhook("https://desk.example/"),
    }
    assert type(trouble_of(calls[action])) is Unclear
    assert [form["action"] for form in server.forms] == ["balance", action]


def test_it_never_repeats_an_order_by_itself_on_the_connection_that_took_it_before(server: ScriptedServer) -> None:
    server.play(answer(ORDER), [End.CLOSE], answer(ORDER))
    client = make_client(server)
    assert place(client) == "ord_1"
    assert type(trouble_of(lambda: place(client))) is Unclear
    assert (len(server.forms), server.connections) == (2, 1)


def test_it_places_on_a_fresh_connection_when_the_kept_one_is_gone_already(server: ScriptedServer) -> None:
    server.play([*answer(BALANCE), End.CLOSE], answer(ORDER))
    client = make_client(server)
    client.balance()
    assert server.finished.wait(AGES), "and the connection has ended"
    assert place(client) == "ord_1" and len(server.forms) == 2


def test_it_lets_threads_take_turns(server: ScriptedServer) -> None:
    server.play([0.05, *answer(BALANCE)])
    client, read = make_client(server), []
    threads = [threading.Thread(target=lambda: read.append(client.balance().currency)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == ["USD"] * 4 and server.connections == 1
