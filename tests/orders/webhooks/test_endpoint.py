"""The door for webhooks: what upstream signed is kept before it is told so; of all else nothing remains but a count."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Delivery, Order, TurnedAway
from orders.rules.statuses import Status
from orders.webhooks import inbox, rejections
from orders.webhooks.endpoint import MOST_BYTES, REJECTIONS
from tests.deliveries import ENDPOINT_PATH, OLDER, SECRET, body_of, deliver, headers_of, stored
from tests.makers import make_order
from tests.people import as_a
from tests.upstream import soon

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET, OLDER]


def counted() -> dict[str, int]:
    return dict(TurnedAway.objects.values_list("reason", "count"))


def test_a_delivery_that_upstream_signed_is_kept_word_for_word() -> None:
    body = body_of("ord_7", id="evt_9")
    answer = deliver(body=body, headers=headers_of(body, delivery="dlv_9"))
    assert (answer.status_code, answer.content) == (200, b"Taken.\n")
    (delivery,) = stored()
    assert (delivery.key, delivery.event, delivery.upstream_id) == ("dlv_9", "order.completed", "ord_7")
    assert delivery.body == body.decode()
    assert delivery.due_at == delivery.received_at
    assert delivery.handled_at is None


def test_it_changes_no_order() -> None:
    order = make_order(Status.IN_PROGRESS)
    before = Order.objects.values().get()
    assert deliver(order.upstream_id or "").status_code == 200
    assert Order.objects.values().get() == before


@pytest.mark.parametrize("times", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_repeat_is_taken_however_often_and_kept_once(times: int) -> None:
    body = body_of("ord_7")
    for turn in range(times):
        headers = headers_of(body, delivery="dlv_1", late=turn % 200)  # signed anew, as for a retry
        assert deliver(body=body, headers=headers).status_code == 200
    assert len(stored()) == 1
    assert counted() == {}


def test_a_recording_played_again_under_another_id_is_a_repeat() -> None:
    """The id stands in a header that nobody signed."""
    body = body_of("ord_7")
    headers = headers_of(body, delivery="dlv_1")
    for id in ("dlv_1", "dlv_2", "dlv_3"):
        assert deliver(body=body, headers={**headers, "X-NotPanel-Delivery": id}).status_code == 200
    assert [delivery.key for delivery in stored()] == ["dlv_1"]


def test_without_an_id_a_repeat_is_known_by_its_body() -> None:
    for body in (b'{"event": "x"}', b'{"event": "y"}', b'{"event": "x"}'):
        headers = headers_of(body, late=len(stored()))
        del headers["X-NotPanel-Delivery"]
        assert deliver(body=body, headers=headers).status_code == 200
    assert len(stored()) == 2


@pytest.mark.parametrize("secret", [SECRET, OLDER])
def test_both_secrets_are_taken_until_the_overlap_ends(secret: str, settings: Any) -> None:
    body = body_of("ord_7")
    assert deliver(body=body, headers=headers_of(body, secret=secret)).status_code == 200
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET]
    body = body_of("ord_8")
    assert deliver(body=body, headers=headers_of(body, secret=secret)).status_code == (200 if secret == SECRET else 401)


def test_an_event_that_nobody_knows_is_kept_too() -> None:
    assert deliver("ord_7", event="order.teleported").status_code == 200
    assert stored()[0].event == "order.teleported"


BAD = b"\xff\xfe" + b"x" * 30
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#    what is wrong with it    status  reason        body, and its headers, made when they are sent
TURNED_AWAY: dict[str, tuple[int, str, bytes, Callable[[], dict[str, str]]]] = {
    "no signature":          (401, "unsigned",  b"{}",  dict),
    "an empty signature":    (401, "unsigned",  b"{}",  lambda: {"X-NotPanel-Signature": ""}),
    "no comma":              (400, "garbled",   b"{}",  lambda: {"X-NotPanel-Signature": "t=1"}),
    "somebody else's":       (401, "forged",    b"{}",  lambda: headers_of(b"{}", secret="guessed")),
    "for another body":      (401, "forged",    b"{} ", lambda: headers_of(b"{}")),
    "six minutes old":       (400, "stale",     b"{}",  lambda: headers_of(b"{}", late=360)),
    "six minutes early":     (400, "early",     b"{}",  lambda: headers_of(b"{}", late=-360)),
    "no JSON":               (400, "malformed", b"{",   lambda: headers_of(b"{")),
    "no object":             (400, "malformed", b"[]",  lambda: headers_of(b"[]")),
    "no UTF-8":              (400, "malformed", BAD,    lambda: headers_of(BAD)),
    "blank":                 (400, "malformed", b" ",   lambda: headers_of(b" ")),
    "a form":                (415, "type",      b"a=b", lambda: headers_of(b"a=b", more=FORM)),
    "no type":               (415, "type",      b"{}",  lambda: headers_of(b"{}", more={"Content-Type": ""})),
    "packed":                (415, "type",      b"{}",  lambda: headers_of(b"{}", more={"Content-Encoding": "gzip"})),
    "a byte too long":       (413, "too long",  b"x" * (MOST_BYTES + 1), dict),
}  # fmt: skip


@pytest.mark.parametrize("what", TURNED_AWAY)
def test_what_is_not_taken_leaves_a_count_and_nothing_else(what: str) -> None:
    status, reason, body, headers = TURNED_AWAY[what]
    for times in (1, 2):
        answer = deliver(body=body, headers=headers())
        assert answer.status_code == status
        assert answer.content.decode() == f"{REJECTIONS[reason][1]}\n"
        assert counted() == {reason: times}
    assert stored() == []


def test_the_largest_body_is_still_taken() -> None:
    body = body_of("ord_7", padding="x" * (MOST_BYTES - 250))
    body += b" " * (MOST_BYTES - len(body))
    assert deliver(body=body).status_code == 200


class Untouched:
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readline = __iter__ = read


@pytest.mark.parametrize(
    ("length", "status"),
    [(None, 411), ("", 411), ("-5", 411), ("abc", 411), ("1e3", 411), ("٣", 411), ("9" * 5000, 411),
     (str(MOST_BYTES + 1), 413), ("10000000", 413), ("999999999999", 413)],
)  # fmt: skip
def test_a_length_that_is_missing_or_too_much_is_refused_before_a_byte_is_read(length: str | None, status: int) -> None:
    told = {} if length is None else {"CONTENT_LENGTH": length}
    assert through_all(Untouched(), told).status_code == status


@pytest.mark.parametrize("difference", [-1, 1, 1000])
def test_a_length_that_lies_is_found_out(difference: int) -> None:
    body = body_of("ord_7")
    answer = through_all(io.BytesIO(body), {"CONTENT_LENGTH": str(len(body) + difference)}, body)
    assert answer.status_code in (400, 401)
    assert stored() == []


class HungUp(Untouched):
    def read(self, *_: object) -> bytes:
        raise OSError("connection reset")


def test_whoever_hangs_up_in_the_middle_leaves_no_error() -> None:
    assert through_all(HungUp(), {"CONTENT_LENGTH": "100"}).status_code == 400


def through_all(stream: Any, told: dict[str, str], body: bytes = b"") -> Any:
    """Past the test client, which would count the body's bytes itself."""
    signed = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers_of(body).items()}
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": ENDPOINT_PATH, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/json", "wsgi.input": stream, "wsgi.url_scheme": "http", **signed, **told,
    }  # fmt: skip
    return WSGIHandler().get_response(WSGIRequest(environ))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_only_a_post_opens_it(method: str) -> None:
    assert Client().generic(method, ENDPOINT_PATH).status_code == 405


def test_without_a_secret_it_says_what_is_missing_and_upstream_comes_again(settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    answer = deliver("ord_7")
    assert answer.status_code == 503
    assert "NOTPANEL_WEBHOOK_SECRETS is not set" in answer.content.decode()
    assert (stored(), counted()) == ([], {})


def test_what_could_not_be_kept_is_not_told_as_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise inbox.NotKept

    monkeypatch.setattr(inbox.Inbox, "put", refuse)
    answer = deliver("ord_7")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_it_asks_for_no_session_and_no_token_and_leaves_no_cookie() -> None:
    """Nor for anybody's own time: one INSERT is all, though a browser's session came along."""
    browser = as_a("owner")
    body = body_of("ord_7")
    with CaptureQueriesContext(connection) as asked:
        headers = headers_of(body)
        kind = headers.pop("Content-Type")
        stranger = Client(enforce_csrf_checks=True)
        answer = stranger.post(ENDPOINT_PATH, body, content_type=kind, headers=headers)
    assert answer.status_code == 200
    assert [sql["sql"].split()[0] for sql in asked if "SAVEPOINT" not in sql["sql"]] == ["INSERT"]
    assert not answer.cookies
    assert browser.cookies


def test_it_is_answered_through_all_that_stands_around_every_page(settings: Any) -> None:
    """Padding, policy and names of requests do not get in its way; nor does a packed answer."""
    answer = deliver("ord_7", headers=None)
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Request-ID"]
    body = body_of("ord_7")
    assert deliver(body=body, headers=headers_of(body, more={"Accept-Encoding": "gzip"})).status_code == 200
    settings.SECURE_SSL_REDIRECT = True
    assert deliver("ord_7").status_code == 301


def test_a_secret_is_in_no_answer_and_no_row() -> None:
    words = []
    for _, _, body, headers in TURNED_AWAY.values():
        answer = deliver(body=body, headers=headers())
        words.append(f"{answer.headers} {answer.content.decode()}")
    deliver("ord_7")
    words += [str(row) for model in (Delivery, TurnedAway) for row in model.objects.values()]
    assert "order.completed" in "".join(words)
    assert "whsec" not in "".join(words)


def test_a_flood_is_counted_to_the_last_one_in_few_statements(transactional_db: None) -> None:
    """Not in a transaction of a test's own, so it is counted as on a real desk: in memory, once a second."""
    with CaptureQueriesContext(connection) as asked:
        for _ in range(500):
            assert deliver(body=b"{}", headers={}).status_code == 401
    assert len(asked) == 0
    rejections.COUNTS.write()
    assert soon(lambda: counted() == {"unsigned": 500})


def test_what_could_not_be_counted_is_counted_later(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = rejections.RejectionCounts()
    monkeypatch.setattr(rejections, "WRITTEN_EVERY_SECONDS", 600)
    counts.count("forged", timezone.now())
    with monkeypatch.context() as patched:

        def busy(_: object) -> None:
            raise OperationalError("database is locked")

        patched.setattr(rejections, "add_counts", busy)
        counts.write()
    assert counted() == {}
    counts.write()
    assert counted() == {"forged": 1}
