"""Log lines are JSON, name the request or the task that they belong to, and show nothing of customers."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.access import Role
from orders.models import Order
from panel.notpanel.client import Client as Phone
from panel.ops.logs import Context, Json, Text, about
from panel.worker.loop import work_round
from tests.makers import PASSWORD, make_order, make_user, place_order, sold_by
from tests.people import as_a, as_user
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
LINK = "https://instagram.com/a.customer.of.ours"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """All lines that are logged from here on, down to DEBUG, read back from what a server writes."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(Json())
    handler.addFilter(Context())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]
    root.removeHandler(handler)
    root.setLevel(level)


def broken(*args: object, **kwargs: object) -> None:
    """In place of a function of ours that has a mistake."""
    raise RuntimeError("our own mistake")


@pytest.mark.parametrize("path", ["/nothing/", "/orders/999999/", "/admin/nothing/", "/healthz?%00"])
def test_a_line_carries_the_id_that_the_answer_has(lines: Lines, path: str) -> None:
    answer = as_a(Role.OWNER).post(path)
    assert answer.status_code >= 400
    assert {line["request"] for line in lines() if line["level"] == "warning"} == {answer["X-Request-ID"]}


def test_a_line_about_a_crash_carries_the_id_and_the_trace(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.table.views.Listing.read", broken)
    client = as_a(Role.VIEWER)
    client.raise_request_exception = False
    answer = client.get("/orders/")
    [line] = [line for line in lines() if line["level"] == "error"]
    assert line["request"] == answer["X-Request-ID"]
    assert "RuntimeError: our own mistake" in line["trace"]


def test_a_post_without_a_csrf_token_is_logged_with_its_request(lines: Lines) -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/")
    assert {line["request"] for line in lines() if "CSRF" in line["message"]} == {answer["X-Request-ID"]}


def test_two_requests_do_not_mix(lines: Lines) -> None:
    answers = [Client().post("/healthz") for _ in range(2)]
    ids = [line["request"] for line in lines() if line["logger"] == "django.request"]
    assert ids == [answer["X-Request-ID"] for answer in answers]


def test_a_workers_lines_name_task_order_and_request_id(lines: Lines, upstream: Upstream, phone: Phone) -> None:
    order = place_order(service=sold_by(phone), quantity=1000)
    work_round(phone)
    [line] = [line for line in lines() if line["message"] == "placed"]
    facts = {"order": order.pk, "task": order.tasks.get().pk, "request_id": str(order.request_id)}
    assert facts.items() <= line.items()
    assert line["upstream_id"].startswith("ord_")
    assert line["at"].endswith("+00:00")


def test_the_call_itself_is_a_line_of_the_task(lines: Lines, upstream: Upstream, phone: Phone) -> None:
    order = place_order(service=sold_by(phone), quantity=1000)
    work_round(phone)
    [line] = [line for line in lines() if line["logger"] == "notpanel" and line["action"] == "add"]
    assert (line["order"], line["outcome"], line["http_status"]) == (order.pk, "ok", 200)
    assert line["milliseconds"] >= 0


@pytest.mark.parametrize("fault", ["lose_answer", "html", "error_200", "suspend", "throttle", "empty", "not_json"])
def test_trouble_with_a_call_is_a_line_of_the_task(lines: Lines, upstream: Upstream, phone: Phone, fault: str) -> None:
    order = place_order(service=sold_by(phone), quantity=1000)
    upstream.will(fault, action="add")
    work_round(phone)
    [line] = [line for line in lines() if line["message"].startswith("not placed")]
    assert line["request_id"] == str(order.request_id)


def test_no_line_shows_what_a_customer_asked_for(
    lines: Lines, upstream: Upstream, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, client = sold_by(phone), as_a(Role.OWNER)
    typed = {"service": str(service.upstream_id), "link": LINK}
    client.raise_request_exception = False
    for fault in ("lose_answer", "html", "error_200", "error_after"):
        place_order(service=service, link=LINK)
        upstream.will(fault, action="add")
        work_round(phone)
    monkeypatch.setattr("panel.notpanel.shapes.made_id", broken)
    place_order(service=service, link=LINK)
    work_round(phone)
    monkeypatch.setattr("orders.placing.views.picker", broken)
    client.get("/orders/new/", typed)
    client.post("/orders/new/", {**typed, "quantity": "x"})
    client.get("/nothing/", {"link": LINK})
    assert Order.objects.filter(link=LINK).count() == 5
    assert {line["level"] for line in lines()} >= {"warning", "error"}
    assert "a.customer.of.ours" not in json.dumps(lines())


@pytest.mark.parametrize("text", ["two\nlines", "\r\u2028\u0085", "\x1b[31mred", '"}{"', "🦩", "\x00"])
def test_any_text_stays_one_line(lines: Lines, text: str) -> None:
    logging.getLogger("orders").info("text: %s", text, extra={"text": text, "order": make_order})
    [line] = lines()
    assert (line["message"], line["text"]) == (f"text: {text}", text)


def test_facts_are_logged_only_inside_their_block(lines: Lines) -> None:
    log = logging.getLogger("orders")
    with about(task=1), about(order=2):
        log.info("inside")
    log.info("outside")
    inside, outside = lines()
    assert {"task": 1, "order": 2}.items() <= inside.items()
    assert not {"task", "order"} & set(outside)


def test_the_text_format_has_the_same_facts() -> None:
    record = logging.makeLogRecord({"msg": "placed", "levelname": "INFO", "name": "orders", "created": 0, "attempt": 2})
    with about(order=17):
        Context().filter(record)
    assert Text().format(record) == "00:00:00 info    orders: placed order=17 attempt=2"


def test_no_line_is_written_twice_or_in_another_format() -> None:
    """Django hangs handlers of its own on its loggers; with DEBUG on they would write plain text beside ours."""
    loggers = [log for log in logging.root.manager.loggerDict.values() if isinstance(log, logging.Logger)]
    handlers = {f"{log.name}: {handler!r}" for log in loggers for handler in log.handlers}
    assert {line for line in handlers if "NullHandler" not in line and "django.server" not in line} == set()


# ── Who asks, and what cannot be forged ──────────────────────────────────────────────────────────
FORGED = "00:00:00 info    accounts.sign_in.record: door: Signed in person=1"


def request_lines(lines: Lines) -> list[dict[str, Any]]:
    """The lines that say how each request was answered."""
    return [line for line in lines() if line["logger"] == "panel.site.middleware"]


def test_every_requests_line_names_the_person_and_the_address(lines: Lines) -> None:
    user = make_user(Role.VIEWER, username="ana")
    stranger, client = Client(REMOTE_ADDR="192.0.2.7"), as_user(user)
    stranger.get("/accounts/login/")
    stranger.post("/accounts/login/", {"login": "ana", "password": PASSWORD})
    for path in ("/orders/", "/team/security/", "/nothing/", "/healthz"):
        client.get(path, REMOTE_ADDR="2001:DB8::1")
    client.post("/accounts/logout/")
    told = [(line["message"], line.get("person"), line["address"]) for line in request_lines(lines)]
    assert told == [
        ("GET /accounts/login/", None, "192.0.2.7"),
        ("POST /accounts/login/", user.pk, "192.0.2.7"),
        ("GET /orders/", user.pk, "2001:db8::1"),
        ("GET /team/security/", user.pk, "2001:db8::1"),
        ("GET /nothing/", user.pk, "2001:db8::1"),
        ("GET /healthz", user.pk, "2001:db8::1"),
        ("POST /accounts/logout/", user.pk, "127.0.0.1"),
    ]


def test_the_next_request_of_the_same_thread_is_nobodys(lines: Lines) -> None:
    as_a(Role.VIEWER).get("/keys/")
    Client().get("/healthz")
    assert [line.get("person") is None for line in request_lines(lines)] == [False, True]


def test_a_forbidden_request_has_one_line_and_no_trace(lines: Lines) -> None:
    as_a(Role.VIEWER).get("/team/security/")
    about_it = [line for line in lines() if "Forbidden" in line["message"]]
    assert [line["level"] for line in about_it if line["logger"] == "django.request"] == ["warning"]
    assert all("trace" not in line and line["person"] for line in about_it)


@pytest.mark.parametrize(
    "planted", ["\n", "\r\n", "\r", "\x1b[2K", "\x85", "\u2028", "\u202e", "\x00", "\x7f", "\udc80"]
)
def test_no_path_and_no_exception_forges_a_line_of_text(planted: str) -> None:
    record = logging.makeLogRecord({"msg": "GET %s", "args": (f"/x{planted}{FORGED}",), "created": 0, "name": "orders",
                                    "levelname": "INFO", "why": f"{planted}{FORGED}"})  # fmt: skip
    line = Text().format(record)
    assert planted not in line and line.splitlines() == [line]
    try:
        raise ValueError(f"no{planted}{FORGED}")
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    head, *trace = Text().format(record).splitlines()
    assert head == line
    assert trace and all(part.startswith("  ") for part in trace)


def test_a_line_of_text_keeps_letters_of_every_script() -> None:
    record = logging.makeLogRecord({"msg": "Ünïcode 🦩 نص", "levelname": "INFO", "name": "orders", "created": 0})
    assert Text().format(record).endswith("Ünïcode 🦩 نص")
