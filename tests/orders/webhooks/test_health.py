"""Whether webhooks are reliable, judged by the orders that ended most recently."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.following import poll
from orders.models import Delivery, Reading
from orders.models.statistics import IS_AN_END
from orders.rules.statuses import FINAL
from orders.webhooks import health
from orders.webhooks.health import JUDGED_SPAN, MATCH_WITHIN, health_of, judge_health, reliable
from tests.makers import make_order, minutes

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _secret_and_no_memory(settings: Any) -> Iterator[None]:
    settings.NOTPANEL_WEBHOOK_SECRETS = ["whsec"]
    health._LastJudgement.at = None
    yield
    health._LastJudgement.at = None


def ended(minutes_ago: float, delivered_after: float | None = None, status: str = "completed") -> None:
    """An order that a poll found ended so long ago, with a delivery so many minutes after that poll, or without any."""
    at, order = NOW - minutes(minutes_ago), make_order("completed")
    Reading.objects.create(order=order, at=at, status=status)
    if delivered_after is not None:
        key = str(Delivery.objects.count())
        Delivery.objects.create(key=key, digest=key, upstream_id=order.upstream_id or "", body="{}", mark="",
                                received_at=at + minutes(delivered_after))  # fmt: skip


#    the newest ends, newest first: + with a delivery, - without    healthy
ENDS_AND_HEALTH = [
    ("",            False),
    ("++",          False),
    ("+++",         True),
    ("++-",         True),
    ("+--",         False),
    ("-++",         True),
    ("--+",         False),
    ("---",         False),
    ("--+++",       True),
    ("---+++++++",  False),
    ("--++++++++",  True),
    ("+-+-+-+-+-",  False),
    ("+-+-+-+-++",  True),
    ("+++------+",  False),
]  # fmt: skip


@pytest.mark.parametrize(("delivered", "healthy"), ENDS_AND_HEALTH)
def test_deliveries_must_have_come_for_most_of_the_newest_ends(delivered: str, healthy: bool) -> None:
    assert health_of([mark == "+" for mark in delivered]).reliable is healthy
    for number, mark in enumerate(delivered):
        ended(10 + number, 0 if mark == "+" else None)
    assert judge_health(NOW).reliable is healthy
    assert reliable(NOW) is healthy
    assert poll.reliable is reliable  # type: ignore[attr-defined]


def test_the_health_has_a_reason() -> None:
    assert judge_health(NOW).why == "No order ended in the last 6 hours; 3 are needed to judge."
    ended(8, 0)
    assert judge_health(NOW).why == "Only one order ended in the last 6 hours; 3 are needed to judge."
    ended(9, 0)
    ended(10)
    assert judge_health(NOW).why == "2 of the last 3 orders that ended were announced by a webhook."
    ended(7)
    ended(6.5)
    assert judge_health(NOW).why == "Only 2 of the last 5 orders that ended were announced by a webhook."
    ended(6)
    assert judge_health(NOW).why == "None of the last 3 orders that ended was announced by a webhook."


def test_without_a_secret_webhooks_are_not_reliable(settings: Any) -> None:
    for _ in range(3):
        ended(10, 0)
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    with CaptureQueriesContext(connection) as queries:
        assert not judge_health(NOW).reliable
    assert len(queries) == 0


@pytest.mark.parametrize(("after", "counts"), [(-4.9, True), (4.9, True), (-5.1, False), (5.1, False), (-60, False)])
def test_a_delivery_counts_within_five_minutes_of_the_poll_that_found_the_end(after: float, counts: bool) -> None:
    for _ in range(3):
        ended(30, delivered_after=after)
    assert judge_health(NOW).reliable is counts


def test_the_delivery_for_an_end_found_just_now_may_still_come() -> None:
    for _ in range(3):
        ended(10, 0)
        ended(MATCH_WITHIN / timedelta(minutes=1) - 0.1)
    assert judge_health(NOW).reliable
    assert not judge_health(NOW + minutes(1)).reliable


def test_ends_of_long_ago_are_not_judged() -> None:
    for _ in range(3):
        ended(JUDGED_SPAN / timedelta(minutes=1) - 1, 0)
    assert judge_health(NOW).reliable
    assert not judge_health(NOW + minutes(2)).reliable


def test_an_order_that_moved_without_ending_is_not_judged() -> None:
    for _ in range(3):
        ended(10, 0)
        ended(9, None, status="in_progress")
    assert judge_health(NOW).reliable


def test_the_final_statuses_in_the_index_are_those_of_the_life_table() -> None:
    assert str(IS_AN_END.extra["template"] if hasattr(IS_AN_END, "extra") else IS_AN_END).count("'") == 2 * len(FINAL)
    for status in FINAL:
        assert f"'{status}'" in str(IS_AN_END.extra["template"])


def test_a_judgement_costs_one_query_and_is_reused_for_a_few_seconds() -> None:
    for _ in range(12):
        ended(10, 0)
    with CaptureQueriesContext(connection) as queries:
        assert [reliable(NOW + timedelta(seconds=second)) for second in range(5)] == [True] * 5
    assert len(queries) == 1
    Delivery.objects.all().delete()
    assert reliable(NOW + timedelta(seconds=4))
    assert not reliable(NOW + timedelta(seconds=5))


def test_indexes_lead_to_the_ends_and_to_their_deliveries() -> None:
    with CaptureQueriesContext(connection) as queries:
        judge_health(NOW)
    (query,) = (captured["sql"] for captured in queries)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + query)
        plan = str(cursor.fetchall())
    assert "reading_ends" in plan
    assert "delivery_of_order" in plan
