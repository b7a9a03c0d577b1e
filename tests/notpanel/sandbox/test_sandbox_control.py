"""The control page and its commands: for loopback and from our own page only."""

import http.client
import json
from urllib.parse import urlencode, urlsplit

import pytest

from panel.notpanel.sandbox.api.contract import ASSUMED
from panel.notpanel.sandbox.faults.call_faults import FAULTS
from tests.upstream import SERVICE, Upstream

BROWSER = {"Accept": "text/html,*/*", "Content-Type": "application/x-www-form-urlencoded"}


def ask(
    upstream: Upstream, method: str, path: str, fields: object = None, **headers: str
) -> tuple[int, str, http.client.HTTPMessage]:
    """A control request: JSON unless the headers say that a browser sends it."""
    body = urlencode(fields) if "Accept" in headers and isinstance(fields, dict) else json.dumps(fields or {})
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(urlsplit(upstream.url).netloc, timeout=10)
    connection.request(method, f"/control{path}", body if method == "POST" else None, named)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers


def test_the_page_shows_the_books_and_every_fault(upstream: Upstream) -> None:
    order = upstream.place(request_id="<script>alert(1)</script>")
    upstream.will("slow", times=None, seconds=0)
    status, page, headers = ask(upstream, "GET", "")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert order in page
    assert "498.87 USD" in page
    assert "<script" not in page
    assert all(name in page for name in FAULTS)
    assert all(line.split(":")[0][:20] in page for line in ASSUMED)
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_books_are_json(upstream: Upstream) -> None:
    order = upstream.place(request_id="r-1")
    upstream.post("balance", key="wrong")
    books = json.loads(ask(upstream, "GET", "/books")[1])
    assert (books["orders"][0]["order"], books["orders"][0]["request_id"]) == (order, "r-1")
    assert books["calls"] == {"add": 1, "balance": 1}
    assert books["refused"] == {"balance": 1}
    assert upstream.key not in json.dumps(books)


@pytest.mark.parametrize(
    ("command", "fields", "answer"),
    [
        ("balance", {"amount": "12.50"}, {"balance": "12.50"}),
        ("clock", {"speed": 0, "advance": 60}, {"speed": 0}),
        ("suspension", {"on": True}, {"suspended": True}),
        ("prices", {"service": SERVICE, "rate": "3"}, {"service": SERVICE, "rate": "3", "active": True}),
        ("services", {"service": SERVICE, "active": False}, {"service": SERVICE, "active": False}),
        ("catalog", {"keep": 3}, {"keep": "3"}),
        ("limits", {"key": 5}, {"key": 5}),
        ("keys", {"add": "another"}, {"active": 2}),
        ("forgotten", {}, {"forgotten": 0}),
        ("faults", {"fault": "slow", "action": "add", "times": 2, "seconds": 1}, {"fault": "slow", "times": 2}),
        ("faults/lifted", {}, {"lifted": 0}),
        ("webhooks", {"url": "http://[::1]/", "secret": "s", "events": "order.failed"}, {"events": ["order.failed"]}),
        ("webhooks/ring", {}, {"endpoints": 0}),
        ("webhooks/faults", {"fault": "stale", "event": "ping", "times": 2}, {"action": "ping", "times": 2}),
        ("webhooks/faults/lifted", {}, {"lifted": 0}),
        ("webhooks/patience", {"pauses": 0.5, "answer": 2}, {"pauses": 0.5, "answer": 2}),
        ("balance/low", {"amount": "7.5"}, {"low": "7.50"}),
    ],
)
def test_a_control_call_answers_in_json(
    upstream: Upstream, command: str, fields: dict[str, object], answer: dict[str, object]
) -> None:
    status, text, _ = ask(upstream, "POST", f"/{command}", fields)
    assert status == 200
    assert answer.items() <= json.loads(text).items()


@pytest.mark.parametrize(
    ("command", "fields", "sentence"),
    [
        ("weather", {}, "There is no 'weather' to control"),
        ("balance", {"amount": "lots"}, "'lots' is not an amount of money"),
        ("balance", {"amount": "NaN"}, "'NaN' is not an amount of money"),
        ("prices", {"service": 1, "rate": "1"}, "There is no service 1"),
        ("prices", {"service": "one", "rate": "1"}, "service must be a whole number"),
        ("prices", {"service": SERVICE, "rate": "-1"}, "A rate cannot be negative"),
        ("orders", {"order": "ord_x", "status": "completed"}, "There is no order 'ord_x'"),
        ("orders", {"order": "ord_x"}, "A status is needed"),
        ("clock", {"speed": -1}, "Speed must be between 0 and 100000"),
        ("clock", {"speed": "fast"}, "speed must be a number"),
        ("clock", {"speed": "nan"}, "Speed must be between 0 and 100000"),
        ("faults", {"fault": "slow", "seconds": "nan"}, "seconds must not be negative or endless"),
        ("webhooks", {"url": "http://10.0.0.1/"}, "url must be a public https address, or http on loopback"),
        ("webhooks", {"url": "http://127.0.0.1/", "events": "order.born"}, "Unknown event: order.born"),
        ("webhooks/removed", {"id": "wh_x"}, "There is no endpoint 'wh_x'"),
        ("webhooks/faults", {"fault": "slow"}, "There is no fault 'slow'; there are duplicate"),
        ("webhooks/faults", {"fault": "stale", "count": 1}, "stale has no 'count'"),
        ("webhooks/faults", {"fault": "forge", "how": "well"}, "how is one of stranger, broken"),
        ("webhooks/patience", {"answer": 0}, "pauses must not be negative"),
        ("webhooks/patience", {"pauses": "nan"}, "pauses must not be negative"),
        ("balance/low", {"amount": "little"}, "'little' is not an amount of money"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(
    upstream: Upstream, command: str, fields: dict[str, object], sentence: str
) -> None:
    status, text, _ = ask(upstream, "POST", f"/{command}", fields)
    assert status == 400
    assert json.loads(text)["error"].startswith(sentence)


def test_a_browser_comes_back_to_the_page(upstream: Upstream) -> None:
    fields = {"fault": "slow", "action": "add", "times": "forever", "details": "seconds=9 effect=no"}
    status, _, headers = ask(upstream, "POST", "/faults", fields, **BROWSER)
    assert (status, headers["Location"]) == (303, "/control")
    rule = upstream.books()["faults"][0]
    assert (rule["times"], rule["effect"], rule["details"]) == (None, False, {"seconds": 9.0})


def test_a_browser_reads_a_refusal_on_the_page(upstream: Upstream) -> None:
    status, page, _ = ask(upstream, "POST", "/prices", {"service": "7", "rate": "1"}, **BROWSER)
    assert status == 400
    assert "There is no service 7" in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_cannot_run_a_command(upstream: Upstream, headers: dict[str, str]) -> None:
    status, text, _ = ask(upstream, "POST", "/balance", {"amount": "1"}, **headers)
    assert (status, json.loads(text)["error"]) == (403, "A control call must come from the control page itself")
    assert upstream.books()["balance"] == "500.00"


def test_our_own_page_can(upstream: Upstream) -> None:
    origin = f"http://{urlsplit(upstream.url).netloc}"
    status, _, _ = ask(upstream, "POST", "/balance", {"amount": "1"}, Origin=origin, Sec_Fetch_Site="same-origin")
    assert (status, upstream.books()["balance"]) == (200, "1.00")


@pytest.mark.parametrize("path", ["", "/books", "/balance"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "0.0.0.0:8701", "[broken"])
def test_a_rebound_name_finds_no_control_page(upstream: Upstream, path: str, host: str) -> None:
    status, text, _ = ask(upstream, "POST" if path == "/balance" else "GET", path, Host=host)
    assert (status, json.loads(text)["error"]) == (403, "The control page answers on loopback only")


@pytest.mark.parametrize("host", ["localhost:8701", "127.0.0.1", "[::1]:8701"])
def test_every_name_of_loopback_finds_it(upstream: Upstream, host: str) -> None:
    assert ask(upstream, "GET", "", Host=host)[0] == 200
