"""Refills: at most so many, one at a time, never sent again by the machine, and no claim that upstream did not make."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import Role
from orders.aftersale import ask as aftersale
from orders.aftersale.settle import presume_settled
from orders.aftersale.submit import submit_refills
from orders.models import Order, Task
from orders.rules.refusal import Refusal
from panel.notpanel.client import Client
from panel.ops import failpoints
from tests.makers import make_order, make_service, make_user, reloaded, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
REFILL, Outcome, Settled = Task.Kind.REFILL, Task.Outcome, Task.Settled
A_DAY = timedelta(days=1)


@pytest.fixture
def order(upstream: Upstream, phone: Client) -> Order:
    """A completed order that upstream has too, of a service with refill."""
    service = sold_by(phone, refill=True)
    upstream_id = upstream.place(service=service.upstream_id)
    upstream.set_status(upstream_id, "completed")
    return make_order("completed", service=service, upstream_id=upstream_id)


def ask(order: Order, **by: object) -> Task:
    task = aftersale.ask(order, REFILL, by=by.get("by") or make_user())
    assert task
    return task


def test_an_accepted_refill_is_pending_and_not_done(order: Order, upstream: Upstream, phone: Client) -> None:
    ana = make_user(name="Ana")
    task = ask(order, by=ana)
    assert reloaded(order).why_no_refill().startswith("1 of 3 used, of which one was asked for by Ana at ")
    assert submit_refills(phone)
    task.refresh_from_db()
    assert (task.outcome, task.over_at) == (Outcome.DONE, None)
    assert task.answer == upstream.books()["refills"][0]["refill"]
    assert "one is pending since" in reloaded(order).why_no_refill()
    assert not submit_refills(phone)


def test_three_and_no_fourth(order: Order, upstream: Upstream, phone: Client) -> None:
    manager = make_user(Role.MANAGER)
    for _ in range(3):
        ask(order)
        submit_refills(phone)
        upstream.advance(days=1)
        aftersale.mark_settled(order, "The customer sees it.", by=manager)
    assert reloaded(order).why_no_refill() == "All 3 refills are used."
    with pytest.raises(Refusal, match="All 3 refills"):
        ask(order)
    assert upstream.calls("refill") == 3


def test_the_database_itself_lets_no_second_and_no_fourth_pass(order: Order) -> None:
    task_fields = {"order": order, "kind": REFILL, "due_at": timezone.now(), "slots": 3}
    Task.objects.create(slot=1, **task_fields)
    for slot in (1, 2):
        with pytest.raises(IntegrityError), transaction.atomic():
            Task.objects.create(slot=slot, **task_fields)
    Task.objects.update(settled_at=timezone.now(), due_at=None, over_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.create(slot=1, **task_fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.create(slot=4, **task_fields)


def test_a_refusal_uses_nothing_up(order: Order, upstream: Upstream, phone: Client) -> None:
    upstream.set_status(order.upstream_id or "", "in_progress")
    task = ask(order)
    submit_refills(phone)
    task.refresh_from_db()
    assert (task.outcome, task.over_how, task.slot) == (Outcome.REFUSED, Settled.REFUSED, None)
    assert task.answer == "Refill only available for completed or partial orders"
    assert reloaded(order).why_no_refill() == ""


@pytest.mark.parametrize("fault", ["lose_answer", "lose_request", "html", "cut", "error_after"])
def test_a_lost_answer_is_never_sent_again_by_the_machine(
    order: Order, upstream: Upstream, phone: Client, fault: str
) -> None:
    upstream.will(fault, "refill")
    task = ask(order)
    submit_refills(phone)
    assert not submit_refills(phone, timezone.now() + A_DAY)
    task.refresh_from_db()
    assert (task.outcome, task.over_at) == (Outcome.UNCLEAR, None)
    assert "without a clear answer" in reloaded(order).why_no_refill()
    assert upstream.calls("refill") == 1


def test_already_pending_after_our_own_lost_answer_is_ours(order: Order, upstream: Upstream, phone: Client) -> None:
    upstream.will("lose_answer", "refill")
    task = ask(order)
    submit_refills(phone)
    aftersale.ask_again(order, REFILL, by=make_user())
    submit_refills(phone)
    task.refresh_from_db()
    assert (task.outcome, task.over_at, task.slot) == (Outcome.DONE, None, 1)
    assert len(upstream.books()["refills"]) == 1


def test_already_pending_without_a_lost_answer_is_somebody_elses(
    order: Order, upstream: Upstream, phone: Client
) -> None:
    upstream.post("refill", order=order.upstream_id)  # in the supplier's own panel, say
    task = ask(order)
    submit_refills(phone)
    task.refresh_from_db()
    assert (task.outcome, task.over_how, task.slot) == (Outcome.REFUSED, Settled.REFUSED, None)
    assert task.answer == "A refill request is already pending for this order"


def test_already_pending_may_be_the_one_before_that_was_only_said_to_be_settled(
    order: Order, upstream: Upstream, phone: Client
) -> None:
    ask(order)
    submit_refills(phone)
    aftersale.mark_settled(order, "The customer sees it.", by=make_user(Role.MANAGER))
    upstream.will("lose_request", "refill")
    second = ask(order)
    submit_refills(phone)
    aftersale.ask_again(order, REFILL, by=make_user())
    submit_refills(phone)
    second.refresh_from_db()
    assert (second.outcome, second.over_at, second.slot) == (Outcome.UNCLEAR, None, 2)
    assert len(upstream.books()["refills"]) == 1


def test_a_no_to_the_second_try_tells_nothing_of_the_first(order: Order, upstream: Upstream, phone: Client) -> None:
    upstream.will("lose_answer", "refill")
    task = ask(order)
    submit_refills(phone)
    aftersale.ask_again(order, REFILL, by=make_user())
    upstream.will("error_200", "refill")
    submit_refills(phone)
    task.refresh_from_db()
    assert (task.outcome, task.answer) == (Outcome.UNCLEAR, "Something went wrong")
    assert (task.over_at, task.slot) == (None, 1), "upstream has a refill of it, so it keeps its place"


def test_the_limit_after_our_own_lost_answer_counts_that_one_too(
    order: Order, upstream: Upstream, phone: Client
) -> None:
    for _ in range(2):
        upstream.post("refill", order=order.upstream_id)
        upstream.advance(days=1)
    upstream.will("lose_answer", "refill")
    ask(order)
    submit_refills(phone)
    upstream.advance(days=1)
    aftersale.ask_again(order, REFILL, by=make_user())
    submit_refills(phone)
    assert reloaded(order).refills.used == 3


def test_a_worker_that_died_in_mid_call_leaves_a_refill_in_doubt(
    order: Order, upstream: Upstream, phone: Client
) -> None:
    task = ask(order)
    Task.objects.claim_together(REFILL, timezone.now(), timedelta(seconds=1), 100)
    submit_refills(phone, timezone.now() + A_DAY)
    task.refresh_from_db()
    assert (task.outcome, task.over_at) == (Outcome.UNCLEAR, None)
    assert upstream.calls("refill") == 0


def test_a_limit_that_upstream_names_corrects_our_count(order: Order, upstream: Upstream, phone: Client) -> None:
    for _ in range(3):
        upstream.post("refill", order=order.upstream_id)
        upstream.advance(days=1)
    ask(order)
    submit_refills(phone)
    assert reloaded(order).refills.used == 3
    assert reloaded(order).why_no_refill() == "All 3 refills are used."


def test_after_long_silence_it_is_presumed_settled_and_says_so(order: Order, phone: Client, settings: Any) -> None:
    settings.REFILL_PRESUMED_SETTLED_AFTER = 72
    task = ask(order)
    submit_refills(phone)
    assert not presume_settled(timezone.now() + timedelta(hours=71))
    assert presume_settled(timezone.now() + timedelta(hours=73))
    task.refresh_from_db()
    assert task.over_how == Settled.PRESUMED
    assert reloaded(order).why_no_refill() == ""
    assert order.events.filter(kind="refill_presumed").exists()


def test_what_is_asked_again_at_the_same_moment_is_not_presumed_settled(
    order: Order, upstream: Upstream, phone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.will("lose_answer", "refill")
    task = ask(order)
    submit_refills(phone)

    def meanwhile(name: str) -> None:
        if name == "presume.found":
            aftersale.ask_again(order, REFILL, by=make_user())

    monkeypatch.setattr(failpoints, "act", meanwhile)
    presume_settled(timezone.now() + timedelta(hours=73))
    task.refresh_from_db()
    assert (task.settled_at, task.over_at) == (None, None)


def test_upstream_that_says_pending_takes_our_presumption_back(order: Order, upstream: Upstream, phone: Client) -> None:
    first = ask(order)
    submit_refills(phone)
    presume_settled(timezone.now() + timedelta(hours=73))
    second = ask(order)
    submit_refills(phone)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.over_at, first.over_how) == (None, "")
    assert second.over_how == Settled.REFUSED
    assert "one is pending" in reloaded(order).why_no_refill()
    assert not presume_settled(timezone.now() + timedelta(hours=71))


@pytest.mark.parametrize("settled", [True, False])
def test_asked_anew_upstream_tells_whether_the_one_before_is_settled(
    order: Order, upstream: Upstream, phone: Client, settled: bool
) -> None:
    first = ask(order)
    submit_refills(phone)
    if settled:
        upstream.advance(days=1)
    aftersale.ask_anew(order, by=make_user(Role.MANAGER))
    submit_refills(phone)
    first.refresh_from_db()
    assert first.over_how == (Settled.FOLLOWED if settled else "")
    assert reloaded(order).refills.used == (2 if settled else 1)


def test_a_hundred_travel_in_one_call_and_each_gets_its_own_answer(upstream: Upstream, phone: Client) -> None:
    service = sold_by(phone, refill=True)
    upstream.set_balance(100_000)
    orders = [make_order("completed", service=service, upstream_id=upstream.place(service=service.upstream_id))
              for _ in range(101)]  # fmt: skip
    for order in orders[1:]:
        upstream.set_status(order.upstream_id or "", "completed")
    for order in orders:
        ask(order)
    while submit_refills(phone):
        pass
    assert upstream.calls("refill") == 2
    assert Task.objects.filter(kind=REFILL, outcome=Outcome.DONE).count() == 100
    assert Task.objects.get(kind=REFILL, outcome=Outcome.REFUSED).order == orders[0]


def test_a_call_that_is_refused_as_a_whole_is_asked_one_by_one(upstream: Upstream, phone: Client) -> None:
    service = sold_by(phone, refill=True)
    for _ in range(3):
        upstream_id = upstream.place(service=service.upstream_id)
        upstream.set_status(upstream_id, "completed")
        ask(make_order("completed", service=service, upstream_id=upstream_id))
    upstream.will("error_200", "refill", text="Order not found")
    while submit_refills(phone):
        pass
    assert Task.objects.filter(kind=REFILL, outcome=Outcome.DONE).count() == 3
    assert upstream.calls("refill") == 4


def test_a_viewer_may_not(order: Order) -> None:
    with pytest.raises(Refusal, match="Only operators"):
        aftersale.ask(order, REFILL, by=make_user(Role.VIEWER))
    assert not make_service().orders.exists()
