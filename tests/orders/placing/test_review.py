"""What no machine can judge stands before a person, with what is known of it and what may be done."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.access import Role
from accounts.balance import read_balance
from accounts.models import BalanceReading, User
from orders.detail.evidence import evidence_context
from orders.following.poll import poll_once
from orders.models import Attempt, Order, Task
from orders.placing.review import adopt, ask_again, close
from orders.placing.submit import apply_answer, submit_one
from orders.rules.refusal import Refusal
from orders.rules.retry import LEASE
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from tests.makers import make_order, make_user, place_order, sold_by
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=10)
Ending = Attempt.Ending


@pytest.fixture
def boss() -> User:
    return make_user(Role.MANAGER, name="Bo")


@pytest.fixture
def order(upstream: Upstream, phone: Client) -> Order:
    """Its answer was lost, the repeat refused: upstream has it and nobody here knows."""
    order = place_order(service=sold_by(phone))
    read_balance(phone)
    upstream.will("lose_answer", action="add")
    submit_one(phone)
    upstream.will("error_200", action="add")
    submit_one(phone, timezone.now() + LATER)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Attempt.objects.update(began_at=an_hour_ago, ended_at=an_hour_ago)
    BalanceReading.objects.update(first_asked_at=an_hour_ago, asked_at=an_hour_ago)
    upstream.advance(minutes=1)
    read_balance(phone)
    order.refresh_from_db()
    assert order.status == Status.REVIEW
    return order


# ── What is known ────────────────────────────────────────────────────────────────────────────────
def test_every_try_stands_on_the_page(order: Order) -> None:
    assert [attempt.ending for attempt in order.tasks.get().tries.all()] == [Ending.UNCLEAR, Ending.REFUSED]
    page = as_a(Role.VIEWER).get(f"/orders/{order.pk}/").content.decode()
    assert "No clear answer" in page and "Refused by the supplier" in page
    assert "Something went wrong" in page, "upstream's own words"


@pytest.mark.parametrize(
    ("fault", "ending"),
    [("throttle", Ending.LIMITED), ("suspend", Ending.HELD), ("lose_answer", Ending.UNCLEAR),
     ("error_200", Ending.REFUSED), ("", Ending.PLACED)],
)  # fmt: skip
def test_each_way_to_end_is_written_down(upstream: Upstream, phone: Client, fault: str, ending: str) -> None:
    place_order(service=sold_by(phone))
    if fault:
        upstream.will(fault, action="add")
    submit_one(phone)
    attempt = Attempt.objects.get()
    assert (attempt.ending, bool(attempt.said)) == (ending, True)
    assert attempt.ended_at and attempt.ended_at >= attempt.began_at


def test_a_try_that_broke_off_is_seen_too() -> None:
    order = place_order()
    Task.objects.claim(timezone.now(), LEASE)
    Task.objects.update(due_at=timezone.now() - LEASE)
    Task.objects.claim(timezone.now(), LEASE)
    page = as_a(Role.VIEWER).get(f"/orders/{order.pk}/").content.decode()
    assert "Broke off in mid-call" in page and "Under way" in page


def test_the_balance_before_and_after_tells_what_may_have_happened(order: Order) -> None:
    evidence = evidence_context(order, order.placed_by)["evidence"]
    assert evidence.moved == evidence.unexplained == order.expected_charge  # type: ignore[attr-defined]
    assert "Spent, and not by other orders" in as_a(Role.VIEWER).get(f"/orders/{order.pk}/").content.decode()


def test_the_list_says_what_it_is_for(order: Order) -> None:
    page = as_a(Role.MANAGER).get("/orders/?status=review").content.decode()
    assert "No machine can tell whether the supplier has these" in page
    assert f'id="order-{order.pk}"' in page


# ── What a person may do ─────────────────────────────────────────────────────────────────────────
def test_asking_again_with_the_same_id_finds_the_same_order(
    upstream: Upstream, phone: Client, order: Order, boss: User
) -> None:
    ask_again(order, by=boss)
    assert submit_one(phone)
    order.refresh_from_db()
    [booked] = upstream.orders()
    assert (order.shown_status, order.upstream_id) == ("taken", booked["order"])
    assert "asked_again" in [event.kind for event in order.events.filter(by=boss)]


def test_a_refusal_to_a_person_s_repeat_comes_back(upstream: Upstream, phone: Client, order: Order, boss: User) -> None:
    ask_again(order, by=boss)
    upstream.will("error_200", action="add")
    submit_one(phone)
    order.refresh_from_db()
    assert order.status == Status.REVIEW


def test_beyond_the_trust_window_nobody_asks_again(order: Order, boss: User) -> None:
    Task.objects.update(unclear_since=timezone.now() - timedelta(hours=settings.TRUST_WINDOW_HOURS))
    order.refresh_from_db()
    with pytest.raises(Refusal, match="could order twice"):
        ask_again(order, by=boss)
    page = as_a(Role.MANAGER).get(f"/orders/{order.pk}/").content.decode()
    assert "could order twice" in page and "Ask again with the same id" not in page


def test_an_adopted_id_is_asked_about_at_once(upstream: Upstream, phone: Client, order: Order, boss: User) -> None:
    [booked] = upstream.orders()
    adopt(order, f" {booked['order']} ", by=boss)
    assert poll_once(phone)
    order.refresh_from_db()
    assert (order.status, order.upstream_id) == (Status.PENDING, booked["order"])
    assert order.tasks.get().outcome == Task.Outcome.ADOPTED
    assert not evidence_context(order, order.placed_by)["undecided"]


def test_an_id_that_another_order_has_is_not_adopted(order: Order, boss: User) -> None:
    other = make_order(Status.IN_PROGRESS)
    with pytest.raises(Refusal, match=f"Order {other.pk} already has {other.upstream_id}"):
        adopt(order, other.upstream_id or "", by=boss)
    order.refresh_from_db()
    assert (order.status, order.upstream_id) == (Status.REVIEW, None)


@pytest.mark.parametrize("nonsense", ["", "<b>", "a b", "0", "x" * 65, "ord_\0"])
def test_what_is_no_id_is_not_adopted(order: Order, boss: User, nonsense: str) -> None:
    with pytest.raises(Refusal, match="Write the supplier’s id"):
        adopt(order, nonsense, by=boss)


def test_a_wrong_id_is_left_out_and_can_be_corrected(
    upstream: Upstream, phone: Client, order: Order, boss: User
) -> None:
    adopt(order, "ord_mistyped", by=boss)
    assert poll_once(phone)
    order.refresh_from_db()
    assert order.left_out == 1
    assert "Adopted, not confirmed yet" in as_a(Role.MANAGER).get(f"/orders/{order.pk}/").content.decode()
    adopt(order, upstream.orders()[0]["order"], by=boss)
    poll_once(phone)
    order.refresh_from_db()
    assert order.status == Status.PENDING


def test_closing_keeps_the_reason_and_who_gave_it(phone: Client, order: Order, boss: User) -> None:
    close(order, "Not in their list of today.", by=boss)
    order.refresh_from_db()
    assert (order.status, order.label) == (Status.REJECTED, "Not placed")
    assert "Bo closed it as not placed: Not in their list of today." in str(order.events.first())
    assert not submit_one(phone, timezone.now() + timedelta(days=1))


def test_closing_without_a_reason_is_refused(order: Order, boss: User) -> None:
    with pytest.raises(Refusal, match="Write how you know"):
        close(order, " ", by=boss)


def test_of_two_deciders_the_second_is_told(order: Order, boss: User) -> None:
    close(order, "Not there.", by=boss)
    with pytest.raises(Refusal, match=r"check (it|the order) again"):
        adopt(order, "ord_1", by=boss)
    with pytest.raises(Refusal, match=r"check (it|the order) again"):
        close(order, "Too.", by=boss)
    order.refresh_from_db()
    assert order.upstream_id is None


def test_upstreams_yes_after_a_closing_is_believed(phone: Client, boss: User) -> None:
    order = place_order()
    slow = Task.objects.claim(timezone.now(), LEASE)
    Task.objects.update(settled_at=timezone.now(), due_at=None, outcome=Task.Outcome.REVIEW)
    Order.objects.update(status=Status.REVIEW)
    close(order, "I see nothing there.", by=boss)
    assert slow
    apply_answer(slow, "ord_late", timezone.now())
    order.refresh_from_db()
    assert (order.upstream_id, order.shown_status) == ("ord_late", "taken")


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.REVIEW}))
def test_only_an_order_in_review_is_decided(status: str, boss: User) -> None:
    order = make_order(status)
    with pytest.raises(Refusal):
        ask_again(order, by=boss)
    with pytest.raises(Refusal):
        adopt(order, "ord_1", by=boss)
    with pytest.raises(Refusal):
        close(order, "No.", by=boss)
    order.refresh_from_db()
    assert order.status == status


def test_operators_view_and_managers_decide(order: Order) -> None:
    assert "Managers and owners decide" in as_a(Role.OPERATOR).get(f"/orders/{order.pk}/").content.decode()
    with pytest.raises(Refusal, match="Only managers and owners"):
        close(order, "No.", by=make_user(Role.OPERATOR))


def test_the_page_s_buttons_do_it(order: Order) -> None:
    boss, here = as_a(Role.MANAGER), f"http://testserver/orders/{order.pk}/"
    page = boss.post(f"/orders/{order.pk}/closing/", {"reason": ""}, headers={"Referer": here}, follow=True)
    assert "Write how you know" in page.content.decode()
    page = boss.post(f"/orders/{order.pk}/closing/", {"reason": "Gone."}, headers={"Referer": here}, follow=True)
    assert "is closed as not placed" in page.content.decode()
    assert order.expected_charge > Decimal(0)
