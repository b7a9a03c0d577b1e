"""How long an order waits between two tries, and what its row says meanwhile."""

import logging

import pytest
from django.utils import timezone

from orders.models import Order, Task
from orders.placing.submit import RULES, pause_before_next, submit_one
from orders.rules.retry import LONGEST_PAUSE_SECONDS, REPEAT_PAUSES_SECONDS
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Throttled
from tests.makers import make_order, place_order, sold_by
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
COUNTED = [rule for rule in RULES if rule.counts and rule.then == "again"]
MOST_JITTER = 1.25


def pauses(attempt: int, trouble: NotPanelError) -> list[float]:
    rule = next(rule for rule in RULES if isinstance(trouble, rule.trouble))
    return [pause_before_next(Task(attempts=attempt), trouble, rule) for _ in range(50)]


@pytest.mark.parametrize(
    # Each once, and in one order: the processes that share the tests must all count them alike.
    "kind",
    dict.fromkeys(rule.trouble for rule in COUNTED if rule.trouble.pause),
    ids=lambda kind: kind.__name__,
)
def test_the_first_tries_follow_soon_and_later_ones_up_to_a_limit(kind: type[NotPanelError]) -> None:
    for attempt, least in enumerate((2, 5, 15, 30, 60, 120, *[LONGEST_PAUSE_SECONDS] * 8), start=1):
        waits = pauses(attempt, kind("Something."))
        assert all(least <= pause <= least * MOST_JITTER for pause in waits)
        assert len(set(waits)) > 1, "jitter, so that not all workers come back at once"


def test_a_limit_waits_until_its_reset_however_often_it_comes() -> None:
    for attempt in (1, 5):
        assert all(7 <= pause <= 7 * MOST_JITTER for pause in pauses(attempt, Throttled("Slow down.", pause=7)))


def test_a_try_that_failed_is_not_due_before_its_pause_is_over(upstream: Upstream, phone: Client) -> None:
    place_order(service=sold_by(phone))
    upstream.will("lose_answer", action="add")
    began = timezone.now()
    assert submit_one(phone)
    due = Task.objects.get().due_at
    assert due and (due - began).total_seconds() >= REPEAT_PAUSES_SECONDS[0]


def test_the_row_says_how_often_it_was_asked_and_that_the_id_is_the_same() -> None:
    order = make_order()
    order.tasks.update(attempts=2, unclear_since=timezone.now(), answer="No answer within 20 s.")
    page = as_a("viewer").get("/orders/").content.decode()
    assert "Confirming" in page
    assert "Answer lost, asked twice, same request id; next try" in page


def test_one_upstream_id_for_two_orders_raises_the_alarm(
    phone: Client, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    order = place_order(service=sold_by(phone))
    other = make_order(Status.IN_PROGRESS, service=order.service)
    phone.place = lambda *args, **kwargs: other.upstream_id or ""  # type: ignore[method-assign]
    with caplog.at_level(logging.ERROR):
        assert submit_one(phone)
    assert "upstream gave one id to two orders" in caplog.text
    assert Order.objects.get(pk=order.pk).status == Status.REVIEW
    page = as_a("viewer").get(f"/orders/{order.pk}/").content.decode()
    assert f"which order {other.pk} already has" in page
