"""The endpoint for webhooks: a signed delivery is stored before it is answered, all else leaves a count only."""

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


def rejection_counts() -> dict[str, int]:
    """Reason → requests rejected for it, as the database has them."""
    return dict(TurnedAway.objects.values_list("reason", "count"))


def test_a_delivery_that_upstream_signed_is_stored_word_for_word() -> None:
    body = body_of("ord_7", id="evt_9")
    answer = deliver(body=body, headers=headers_of(body, delivery="dlv_9"))
    assert (answer.status_code, answer.content) == (200, b"Taken.\n")
    (delivery,) = stored()
    assert (delivery.key, delivery.event, delivery.upstream_id) == ("dlv_9", "order.completed", "ord_7")
    assert delivery.body == body.decode()
    assert delivery.due_at == delivery.received_at
    assert delivery.handled_at is None


def test_a_delivery_changes_no_order() -> None:
    order = make_order(Status.IN_PROGRESS)
    before = Order.objects.values().get()
    assert deliver(order.upstream_id or "").status_code == 200
    assert Order.objects.values().get() == before


@pytest.mark.parametrize("times", [20, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_repeat_is_accepted_however_often_and_stored_once(times: int) -> None:
    body = body_of("ord_7")
    for turn in range(times):
        headers = headers_of(body, delivery="dlv_1", late=turn % 200)  # signed anew, as for a retry
        assert deliver(body=body, headers=headers).status_code == 200
    assert len(stored()) == 1
    assert rejection_counts() == {}


def test_a_recording_played_again_under_another_id_is_a_repeat() -> None:
    """The id is in a header that the signature does not cover."""
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
def test_both_secrets_are_accepted_until_the_overlap_ends(secret: str, settings: Any) -> None:
    body = body_of("ord_7")
    assert deliver(body=body, headers=headers_of(body, secret=secret)).status_code == 200
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET]
    body = body_of("ord_8")
    assert deliver(body=body, headers=headers_of(body, secret=secret)).status_code == (200 if secret == SECRET else 401)


def test_an_unknown_event_is_stored_too() -> None:
    assert deliver("ord_7", event="order.teleported").status_code == 200
    assert stored()[0].event == "order.teleported"


BAD = b"\xff\xfe" + b"x" * 30
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#    what is wrong with it    status  reason        body, and its headers, made when they are sent
REJECTED_REQUESTS: dict[str, tuple[int, str, bytes, Callable[[], dict[str, str]]]] = {
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


@pytest.mark.parametrize("what", REJECTED_REQUESTS)
def test_a_rejected_request_leaves_a_count_and_nothing_else(what: str) -> None:
    status, reason, body, headers = REJECTED_REQUESTS[what]
    for times in (1, 2):
        answer = deliver(body=body, headers=headers())
        assert answer.status_code == status
        assert answer.content.decode() == f"{REJECTIONS[reason][1]}\n"
        assert rejection_counts() == {reason: times}
    assert stored() == []


def test_the_largest_body_is_accepted() -> None:
    body = body_of("ord_7", padding="x" * (MOST_BYTES - 250))
    body += b" " * (MOST_BYTES - len(body))
    assert deliver(body=body).status_code == 200


class UnreadBody:
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        """Fails the test."""
        raise AssertionError("the body was read")

    readline = __iter__ = read


@pytest.mark.parametrize(
    ("length", "status"),
    [(None, 411), ("", 411), ("-5", 411), ("abc", 411), ("1e3", 411), ("٣", 411), ("9" * 5000, 411),
     (str(MOST_BYTES + 1), 413), ("10000000", 413), ("999999999999", 413)],
)  # fmt: skip
def test_a_missing_or_too_large_length_is_rejected_before_a_byte_is_read(length: str | None, status: int) -> None:
    environ = {} if length is None else {"CONTENT_LENGTH": length}
    assert answer_of_django(UnreadBody(), environ).status_code == status


@pytest.mark.parametrize("difference", [-1, 1, 1000])
def test_a_length_that_does_not_fit_the_body_is_rejected(difference: int) -> None:
    body = body_of("ord_7")
    answer = answer_of_django(io.BytesIO(body), {"CONTENT_LENGTH": str(len(body) + difference)}, body)
    assert answer.status_code in (400, 401)
    assert stored() == []


class HungUpBody(UnreadBody):
    """A body whose sender has closed the connection."""

    def read(self, *_: object) -> bytes:
        """Fails as a socket does."""
        raise OSError("connection reset")


def test_a_sender_that_hangs_up_in_the_middle_causes_no_error() -> None:
    assert answer_of_django(HungUpBody(), {"CONTENT_LENGTH": "100"}).status_code == 400


def answer_of_django(stream: Any, more: dict[str, str], body: bytes = b"") -> Any:
    """Django's answer to a signed request, without the test client, which would set the length itself."""
    signed = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers_of(body).items()}
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": ENDPOINT_PATH, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/json", "wsgi.input": stream, "wsgi.url_scheme": "http", **signed, **more,
    }  # fmt: skip
    return WSGIHandler().get_response(WSGIRequest(environ))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_only_a_post_is_a_delivery(method: str) -> None:
    assert Client().generic(method, ENDPOINT_PATH).status_code == 405


def test_without_a_secret_the_answer_says_so_and_upstream_sends_again(settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    answer = deliver("ord_7")
    assert answer.status_code == 503
    assert "NOTPANEL_WEBHOOK_SECRETS is not set" in answer.content.decode()
    assert (stored(), rejection_counts()) == ([], {})


def test_a_delivery_that_could_not_be_stored_is_not_answered_as_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise inbox.NotKept

    monkeypatch.setattr(inbox.Inbox, "put", refuse)
    answer = deliver("ord_7")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_delivery_needs_no_session_and_no_token_and_sets_no_cookie() -> None:
    """It costs one INSERT, though the same process has served a browser with a session."""
    browser = as_a("owner")
    body = body_of("ord_7")
    with CaptureQueriesContext(connection) as queries:
        headers = headers_of(body)
        content_type = headers.pop("Content-Type")
        stranger = Client(enforce_csrf_checks=True)
        answer = stranger.post(ENDPOINT_PATH, body, content_type=content_type, headers=headers)
    assert answer.status_code == 200
    assert [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]] == ["INSERT"]
    assert not answer.cookies
    assert browser.cookies


def test_the_view_works_within_all_middleware(settings: Any) -> None:
    """Its answer carries their headers, may be compressed, and is a no where https is demanded."""
    answer = deliver("ord_7", headers=None)
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Request-ID"]
    body = body_of("ord_7")
    assert deliver(body=body, headers=headers_of(body, more={"Accept-Encoding": "gzip"})).status_code == 200
    settings.SECURE_SSL_REDIRECT = True
    assert deliver("ord_7").status_code == 403


def test_a_secret_is_in_no_answer_and_no_row() -> None:
    texts = []
    for _, _, body, headers in REJECTED_REQUESTS.values():
        answer = deliver(body=body, headers=headers())
        texts.append(f"{answer.headers} {answer.content.decode()}")
    deliver("ord_7")
    texts += [str(row) for model in (Delivery, TurnedAway) for row in model.objects.values()]
    assert "order.completed" in "".join(texts)
    assert "whsec" not in "".join(texts)


def test_a_flood_is_counted_exactly_in_few_statements(transactional_db: None) -> None:
    """Outside a transaction, so that rejections are counted in memory and written once a second, as on a real desk."""
    with CaptureQueriesContext(connection) as queries:
        for _ in range(500):
            assert deliver(body=b"{}", headers={}).status_code == 401
    assert len(queries) == 0
    rejections.COUNTS.write()
    assert soon(lambda: rejection_counts() == {"unsigned": 500})


def test_what_could_not_be_counted_is_counted_later(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = rejections.RejectionCounts()
    monkeypatch.setattr(rejections, "WRITTEN_EVERY_SECONDS", 600)
    counts.count("forged", timezone.now())
    with monkeypatch.context() as patched:

        def busy(_: object) -> None:
            raise OperationalError("database is locked")

        patched.setattr(rejections, "add_counts", busy)
        counts.write()
    assert rejection_counts() == {}
    counts.write()
    assert rejection_counts() == {"forged": 1}
