"""A no that passes: the order waits, goes later with the same request_id, and no person has to press anything."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.answers.texts import ENGLISH, Texts
from orders.models import Order, Sending, Task
from orders.placing.submit import RULES, pause_before_next, submit_one
from orders.rules.retry import LONGEST_PAUSE_SECONDS
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.notpanel.errors import PutOff
from panel.upstream.client import paused_until, record_call
from tests.makers import place_order, sold_by
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=10)  # beyond every pause between tries
LIMIT, MAINTENANCE = "Rate limit exceeded", "System is under maintenance, try again later"
PASSING = [(200, LIMIT), (400, LIMIT), (403, LIMIT), (200, "Too many requests"), (200, MAINTENANCE), (400, MAINTENANCE)]


@pytest.fixture
def order(phone: Client) -> Order:
    return place_order(service=sold_by(phone), quantity=1000)


@pytest.mark.parametrize(("status", "words"), PASSING)
def test_it_goes_later_with_the_same_id(
    upstream: Upstream, phone: Client, order: Order, status: int, words: str
) -> None:
    upstream.will("put_off", "add", times=2, status=status, text=words)
    for tries in range(2):
        assert submit_one(phone, timezone.now() + tries * LATER)
        task = Task.objects.get()
        assert (task.settled_at, task.unclear_since, task.attempts) == (None, None, 0)
        assert task.due_at and task.due_at > timezone.now() + timedelta(seconds=30)
        assert not submit_one(phone), "it is not due yet"
    assert submit_one(phone, timezone.now() + 2 * LATER)
    order.refresh_from_db()
    assert order.taken and not Sending.objects.filter(stopped_at__isnull=False).exists()
    assert [booked["request_id"] for booked in upstream.orders()] == [str(order.request_id)]
    assert [attempt.said for attempt in Task.objects.get().tries.all()] == [words, words, order.upstream_id]


@pytest.mark.parametrize(("status", "words"), PASSING)
def test_it_leaves_an_earlier_doubt_and_is_no_refusal_after_it(
    upstream: Upstream, phone: Client, order: Order, status: int, words: str
) -> None:
    upstream.will("lose_answer", "add")
    upstream.will("put_off", "add", status=status, text=words)
    submit_one(phone)
    since = Task.objects.get().unclear_since
    submit_one(phone, timezone.now() + LATER)
    assert since and Task.objects.get().unclear_since == since
    submit_one(phone, timezone.now() + 2 * LATER)
    order.refresh_from_db()
    assert order.taken and len(upstream.orders()) == 1


def test_a_limit_in_words_slows_the_whole_desk_and_a_put_off_order_does_not(upstream: Upstream) -> None:
    client = Client(upstream.url, upstream.key, on_call=record_call)
    service = sold_by(client)
    for words, slowed in ((MAINTENANCE, False), (LIMIT, True)):
        place_order(service=service)
        upstream.will("put_off", "add", text=words)
        assert submit_one(client)
        assert (paused_until(timezone.now()) is not None) == slowed


def test_the_row_says_what_it_waits_for(upstream: Upstream, phone: Client, order: Order) -> None:
    upstream.will("put_off", "add")
    submit_one(phone)
    page = as_a("viewer").get("/orders/").content.decode()
    whole = as_a("viewer").get(f"/orders/{order.pk}/").content.decode()
    assert "The supplier has put it off, and nothing was ordered." in whole and "Not sent yet" not in whole
    assert "it is in preparation" in Texts.load(ENGLISH).answer(Order.objects.get()).text
    assert f"NotPanel puts it off: “{MAINTENANCE}”. Next try" in page and "Queued" in page


def test_the_longer_it_is_put_off_the_less_often_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.placing.submit.LONGEST_JITTER", 1)
    rule = next(rule for rule in RULES if rule.trouble is PutOff)

    def pause(minutes: int) -> float:
        task = Task(asked_at=timezone.now() - timedelta(minutes=minutes))
        return pause_before_next(task, PutOff("Maintenance"), rule)

    assert [round(pause(minutes) / 10) * 10 for minutes in (0, 1, 4, 60)] == [60, 60, 120, LONGEST_PAUSE_SECONDS]


@pytest.mark.parametrize("words", ["Service not found", "Invalid link, please try again", "Order limit reached"])
def test_a_no_that_stays_is_rejected_at_once(upstream: Upstream, phone: Client, order: Order, words: str) -> None:
    upstream.will("error_200", "add", text=words)
    submit_one(phone)
    order.refresh_from_db()
    assert order.status == Status.REJECTED and Task.objects.get().answer == words


@pytest.mark.parametrize(
    ("status", "words"), [(401, "Invalid API key"), (400, "Invalid API key"), (200, "Invalid API key")]
)
def test_the_documented_words_about_the_key_stop_all_sending(
    upstream: Upstream, phone: Client, order: Order, status: int, words: str
) -> None:
    upstream.will("error_before", "add", status=status, text=words)
    submit_one(phone)
    order.refresh_from_db()
    assert order.status == Status.QUEUED and Sending.objects.get().reason == words


def test_a_missing_key_is_told_like_a_wrong_one(upstream: Upstream, order: Order) -> None:
    submit_one(Client(upstream.url, ""))
    order.refresh_from_db()
    assert order.status == Status.QUEUED and Sending.objects.get().reason == "Invalid API key"
