"""One bad id must not silence the orders polled with it, and polls must not multiply while upstream is away."""

from datetime import datetime, timedelta
from math import ceil, log2

import pytest
from django.utils import timezone

from orders.following.anomalies import anomalies_of
from orders.following.poll import poll_alone, poll_once
from orders.models import Order, Poll
from orders.rules.poll_schedule import POLLED_ALONE_FROM
from orders.rules.retry import FEW_IDS, LEASE, smaller_share
from orders.rules.statuses import Status
from panel.notpanel.errors import NeverSent, NotPanelError, Suspended, Throttled
from tests.makers import make_order, make_service, make_user
from tests.poisoned import FAILURES, PoisonedPhone

pytestmark = pytest.mark.django_db
MOST_ROUNDS = 6  # of which most need two: the call fails, and fails again


def make_orders(count: int) -> list[Order]:
    """So many orders that are due, and so old that after a report none is due for long."""
    by, service, placed_at = make_user(), make_service(), timezone.now() - timedelta(days=30)
    return [make_order(Status.IN_PROGRESS, by=by, service=service, created_at=placed_at) for _ in range(count)]


def run_round(phone: PoisonedPhone) -> None:
    """Makes every order due that is polled with others, and polls until none is."""
    Poll.objects.together().filter(next_poll_at__gt=timezone.now()).update(next_poll_at=timezone.now())
    while poll_once(phone, timezone.now()):  # type: ignore[arg-type]
        pass


def without_news(since: datetime) -> set[str]:
    """The ids of the orders that no report came of since then."""
    rows = Order.objects.exclude(reported_at__gte=since)
    return {upstream_id or "" for upstream_id in rows.values_list("upstream_id", flat=True)}


def rounds_until_only(bad: set[str], phone: PoisonedPhone, since: datetime) -> int:
    """How many rounds pass until only the bad ids are without news, and each of them is polled by itself."""
    for number in range(1, MOST_ROUNDS + 10):
        run_round(phone)
        alone = set(Order.objects.filter(left_out__gte=POLLED_ALONE_FROM).values_list("upstream_id", flat=True))
        if without_news(since) == bad == alone:
            return number
    raise AssertionError(f"still without news: {without_news(since)}")


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(("count", "which"), [(100, [57]), (30, [0]), (12, [11])])
def test_a_bad_id_is_alone_after_a_few_rounds(failure: str, count: int, which: list[int]) -> None:
    orders, since = make_orders(count), timezone.now()
    bad = {orders[number].upstream_id or "" for number in which}
    phone = PoisonedPhone(bad, failure)
    rounds = rounds_until_only(bad, phone, since)
    assert rounds <= MOST_ROUNDS
    theoretical = 2 * ceil(log2(count)) + 1  # to halve a call until one is alone
    assert phone.calls["status"] <= 2 * theoretical


@pytest.mark.slow
@pytest.mark.parametrize("which", [[0, 1], [0, 99], [10, 30, 60, 90], [*range(0, 100, 12)]])
def test_several_bad_ids_are_each_alone(which: list[int]) -> None:
    orders, since = make_orders(100), timezone.now()
    bad = {orders[number].upstream_id or "" for number in which}
    phone = PoisonedPhone(bad)
    rounds_until_only(bad, phone, since)
    assert phone.calls["status"] <= 2 * (2 * len(bad) * ceil(log2(100)) + 1)


@pytest.mark.slow
def test_afterwards_the_rest_costs_one_call_a_hundred_and_the_bad_one_is_polled_by_itself() -> None:
    orders, since = make_orders(250), timezone.now()
    bad = orders[120]
    phone = PoisonedPhone([bad.upstream_id or ""])
    rounds_until_only({bad.upstream_id or ""}, phone, since)
    phone.calls.clear()
    for _ in range(4):
        run_round(phone)
    assert phone.calls["status"] == 4 * 3
    bad.refresh_from_db()
    assert bad.doubts == "silent"
    assert bad.events.filter(kind="silent").count() == 1
    assert "Every call that names this order has failed" in anomalies_of(bad)[0].sentence


def test_the_bad_one_is_followed_again_when_upstream_has_mended_it() -> None:
    orders, since = make_orders(20), timezone.now()
    bad = orders[7]
    phone = PoisonedPhone([bad.upstream_id or ""])
    rounds_until_only({bad.upstream_id or ""}, phone, since)
    poll_alone(phone, timezone.now() + timedelta(hours=1))  # type: ignore[arg-type]
    bad.refresh_from_db()
    assert bad.silent
    assert bad.next_poll_at and bad.next_poll_at > timezone.now() + timedelta(minutes=50)
    phone.bad = set()
    poll_alone(phone, timezone.now() + timedelta(hours=2))  # type: ignore[arg-type]
    bad.refresh_from_db()
    assert (bad.left_out, bad.failing_since, bad.poll.share) == (0, None, None)
    assert bad.reported_at


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["500", "400 for all", "no answer"])
def test_while_upstream_is_away_polls_cost_at_most_twice_the_calls_and_no_order_is_blamed(failure: str) -> None:
    make_orders(250)
    phone = PoisonedPhone(failure=failure)
    run_round(phone)
    phone.away = True
    phone.calls.clear()
    for _ in range(6):
        run_round(phone)
    assert phone.calls["status"] <= 2 * 6 * 3
    assert not Order.objects.filter(left_out__gt=0).exists()
    phone.away, since = False, timezone.now()
    phone.calls.clear()
    run_round(phone)
    assert without_news(since) == set()
    assert phone.calls["status"] <= 2 * 3
    assert not Order.objects.exclude(failing_since=None, poll__share=None).exists()


@pytest.mark.parametrize("trouble", [NeverSent("No connection."), Throttled("Slow."), Suspended("Suspended.")])
def test_what_no_order_can_be_to_blame_for_makes_no_call_smaller(trouble: NotPanelError) -> None:
    make_orders(12)
    phone = PoisonedPhone()
    phone.failure, phone.away = (lambda: trouble), True
    for _ in range(4):
        run_round(phone)
    assert phone.calls["status"] == 4
    assert not Order.objects.exclude(failing_since=None, poll__share=None).exists()


def test_a_call_that_fails_once_is_made_again_as_a_whole() -> None:
    orders, since = make_orders(40), timezone.now()
    phone = PoisonedPhone()
    phone.away = True
    poll_once(phone)  # type: ignore[arg-type]
    assert not Poll.objects.due(timezone.now()).exists(), "nothing is due before the lease ends"
    phone.away = False
    poll_once(phone, timezone.now() + LEASE)  # type: ignore[arg-type]
    assert (phone.calls["status"], without_news(since)) == (2, set())
    assert len(orders) == 40


@pytest.mark.parametrize(
    ("ids", "share"),
    [(1, 1), (2, 1), (3, 1), (FEW_IDS, 1), (5, 3), (6, 3), (7, 4), (50, 25), (99, 50), (100, 50)],
)
def test_a_smaller_call_names_half_and_of_a_few_one(ids: int, share: int) -> None:
    assert smaller_share(ids) == share


def test_an_order_that_ended_meanwhile_is_left_alone() -> None:
    [ended, *others] = make_orders(6)
    phone = PoisonedPhone([ended.upstream_id or ""])
    run_round(phone)
    Order.objects.filter(pk=ended.pk).update(status=Status.COMPLETED)
    Poll.objects.filter(order=ended).delete()
    run_round(phone)
    ended.refresh_from_db()
    assert (ended.next_poll_at, ended.left_out) == (None, 0)
    assert others
