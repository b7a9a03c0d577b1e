"""Jobs for many orders: the dry run adds up, pressing it twice starts one job, and the receipt stays."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from catalog.models import Service
from orders.aftersale import ask as aftersale
from orders.aftersale.submit import submit_cancels, submit_refills
from orders.bulk.dry_run import OTHERWISE, dry_run
from orders.bulk.job import retry_unclear, start_job
from orders.bulk.receipt import ReceiptCounts
from orders.bulk.selection import Selection
from orders.models import Bulk, Order, Task
from orders.rules.eligibility import WHY_NOT
from orders.rules.refusal import Refusal
from panel.notpanel.client import Client as Phone
from tests.makers import make_order, make_service, make_user, place_order, sold_by
from tests.orders.bulk.conftest import CANCEL, REFILL, every_kind, selected, signed_selection
from tests.orders.models.test_claims import together
from tests.people import as_a, as_user
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
Outcome = Task.Outcome


@pytest.mark.parametrize("kind", Task.AFTERSALE)
def test_the_dry_run_agrees_with_the_rule_and_adds_up(kind: str, ana: User) -> None:
    """Each order is in one group, with the rule's reason, and no reason is without a group."""
    orders = every_kind(ana)
    run = dry_run(selected(kind, orders))
    lines = {order.pk: (group.is_asked, why) for group in run.groups for order, why in group.lines}
    assert sum(len(group.lines) for group in run.groups) == run.picked == len(lines) == len(orders)
    for order in Order.objects.for_table():
        why = WHY_NOT[kind](order)
        assert lines[order.pk] == (not why, why), order.status
    assert not [group for group in run.groups if group.words == OTHERWISE]


@pytest.mark.parametrize("kind", Task.AFTERSALE)
def test_the_job_does_what_the_dry_run_showed(kind: str, ana: User) -> None:
    """The same orders are asked of, withdrawn, and left out with the same reasons."""
    orders = every_kind(ana)
    run = dry_run(selected(kind, orders))
    job = start_job(selected(kind, orders), by=ana)
    asked = {group.words: {order.pk for order, _ in group.lines} for group in run.groups if group.is_asked}
    withdrawn = asked.get("withdrawn at once: they were never sent", set())
    assert set(job.tasks.filter(kind=kind).values_list("order", flat=True)) == asked["will be asked"]
    assert set(job.tasks.filter(outcome=Outcome.WITHDRAWN).values_list("order", flat=True)) == withdrawn
    assert bool(withdrawn) == (kind == CANCEL)
    assert job.left_out == {str(o.pk): why for group in run.groups for o, why in group.lines if not group.is_asked}
    assert (job.picked, job.asked, job.left) == (run.picked, run.asked, run.picked - run.asked)


def test_a_job_is_recorded_on_each_of_its_orders(ana: User) -> None:
    """Each order gets an event and a new version for open pages, and the rule sees its pending refill."""
    orders = [make_order("completed", by=ana, service=make_service()) for _ in range(2)]
    start_job(selected(REFILL, orders), by=ana)
    for order in orders:
        before, order = order.version, Order.objects.for_table().get(pk=order.pk)
        assert order.version == before + 1
        assert str(order.events.all()[0]) == "Ana asked for refill 1 of 3."
        assert "one was asked for by Ana" in order.why_no_refill()


def test_one_dry_run_is_one_job(ana: User) -> None:
    """The second press returns the first job."""
    orders = selected(REFILL, [make_order("completed", by=ana)])
    assert start_job(orders, by=ana) == start_job(orders, by=ana)
    assert Task.objects.filter(kind=REFILL).count() == Bulk.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_pressed_at_the_same_moment_is_one_job(ana: User) -> None:
    """Four threads press together; a constraint decides which is first."""
    orders = selected(REFILL, [make_order("completed", by=ana) for _ in range(3)])
    together(*[lambda: start_job(orders, by=ana)] * 4)
    assert Bulk.objects.count() == 1
    assert Task.objects.filter(kind=REFILL).count() == 3


@pytest.mark.django_db(transaction=True)
def test_jobs_for_the_same_orders_at_once_ask_of_each_order_once(ana: User) -> None:
    """Four threads with a dry run each; three of the jobs ask nothing."""
    orders = [make_order("completed", by=ana) for _ in range(5)]
    together(*[lambda: start_job(selected(REFILL, orders), by=ana)] * 4)
    assert Task.objects.filter(kind=REFILL).count() == len(orders)
    assert sorted(Bulk.objects.values_list("asked", flat=True)) == [0, 0, 0, len(orders)]


def test_a_task_asked_for_between_dry_run_and_press_is_named_as_the_reason(ana: User) -> None:
    """The rule is asked once more when the job starts, and names the teammate."""
    first, second = (make_order("completed", by=ana) for _ in range(2))
    orders = selected(REFILL, [first, second])
    assert dry_run(orders).asked == 2
    aftersale.ask(first, REFILL, by=make_user(name="Bo"))
    job = start_job(orders, by=ana)
    assert job.asked == 1
    assert "asked for by Bo" in job.left_out[str(first.pk)]


def test_an_order_that_a_constraint_refuses_is_left_out_alone(ana: User) -> None:
    """A refill's slot is taken although the rule saw no refill: the other orders are asked of all the same."""
    orders = [make_order("completed", by=ana) for _ in range(3)]
    settled = {"settled_at": timezone.now(), "over_at": timezone.now()}
    Task.objects.create(order=orders[1], kind=REFILL, slot=2, slots=3, **settled)
    job = start_job(selected(REFILL, orders), by=ana)
    assert set(job.tasks.values_list("order", flat=True)) == {orders[0].pk, orders[2].pk}
    assert job.left_out == {str(orders[1].pk): "Somebody else was faster: check the order again."}


def test_a_selection_has_at_least_one_order_and_at_most_five_thousand() -> None:
    """A selection is of refills or of cancels; other kinds are refused too."""
    with pytest.raises(Refusal, match="No order is picked"):
        Selection.of(REFILL, [], "")
    with pytest.raises(Refusal, match="5,001 orders were picked; at most 5,000"):
        Selection.of(REFILL, range(1, 5_002), "")
    assert len(Selection.of(REFILL, range(1, 5_001), "").orders) == 5_000
    with pytest.raises(Refusal, match="Choose"):
        Selection.of("place", [1], "")


def test_a_viewer_and_a_stranger_start_no_job(ana: User) -> None:
    """The page and the function behind it both refuse them."""
    orders = selected(REFILL, [make_order("completed", by=ana)])
    for person in ("viewer", "stranger"):
        as_a(person).post("/orders/bulks/new/confirmation/", {"picked": orders.signed()})
    with pytest.raises(Refusal, match="Only operators"):
        start_job(orders, by=make_user(Role.VIEWER))
    assert not Bulk.objects.exists()


# ── Upstream ─────────────────────────────────────────────────────────────────────────────────────
Place = Callable[..., Order]


@pytest.fixture
def place_upstream(upstream: Upstream, phone: Phone, ana: User) -> Place:
    """Makes an order of Ana's that upstream has too, at the same status, with a service that allows both tasks."""
    service = sold_by(phone, refill=True, cancel=True)
    upstream.set_balance(1_000_000)

    def make(status: str = "completed", service: Service = service) -> Order:
        upstream_id = upstream.place(service=service.upstream_id)
        upstream.set_status(upstream_id, status)
        return make_order(status, service=service, upstream_id=upstream_id, by=ana)

    return make


@pytest.mark.slow
def test_250_orders_are_three_calls(place_upstream: Place, upstream: Upstream, phone: Phone, ana: User) -> None:
    """A call has up to a hundred ids."""
    job = start_job(selected(REFILL, [place_upstream() for _ in range(250)]), by=ana)
    while submit_refills(phone):
        pass
    assert upstream.calls("refill") == 3
    assert ReceiptCounts(job.pk).by_result == {"accepted": 250}


def test_refused_orders_go_into_a_dry_run_of_their_own(
    place_upstream: Place, upstream: Upstream, phone: Phone, ana: User
) -> None:
    """The receipt's button selects the refused orders alone."""
    accepted, refused = place_upstream(), place_upstream()
    upstream.set_status(str(refused.upstream_id), "in_progress")
    job = start_job(selected(REFILL, [accepted, refused]), by=ana)
    submit_refills(phone)
    assert ReceiptCounts(job.pk).by_result == {"accepted": 1, "refused": 1}
    page = as_user(ana).post("/orders/bulks/new/", {"again": job.pk}).content.decode()
    assert Selection.read(signed_selection(page)).orders == [refused.pk]
    assert f"refused in job {job.pk}" in page


def test_what_got_no_clear_answer_is_sent_again_only_when_a_person_asks(
    place_upstream: Place, upstream: Upstream, phone: Phone, ana: User
) -> None:
    """The first try had gone through, so upstream has each refill once."""
    job = start_job(selected(REFILL, [place_upstream(), place_upstream()]), by=ana)
    upstream.will("lose_answer", "refill")
    submit_refills(phone)
    assert not submit_refills(phone)
    assert ReceiptCounts(job.pk).by_result == {"unclear": 2}
    as_user(ana).post(f"/orders/bulks/{job.pk}/tries/")
    assert ReceiptCounts(job.pk).by_result == {"waiting": 2}
    submit_refills(phone)
    assert ReceiptCounts(job.pk).by_result == {"accepted": 2}, "already pending: the first try had gone through"
    assert len(upstream.books()["refills"]) == 2
    with pytest.raises(Refusal, match="without a clear answer"):
        retry_unclear(job, by=ana)


def test_a_taken_cancel_is_not_shown_as_agreed(place_upstream: Place, phone: Phone, ana: User) -> None:
    """Only a later status tells; an unsent order of the same job is withdrawn at once."""
    unsent, moving = place_order(by=ana), place_upstream("in_progress")
    job = start_job(selected(CANCEL, [unsent, moving]), by=ana)
    submit_cancels(phone)
    assert ReceiptCounts(job.pk).by_result == {"taken": 1, "withdrawn": 1}
    page = as_user(ana).get(f"/orders/bulks/{job.pk}/").content.decode()
    assert "2 of 2 answered" in page
    assert "Request taken" in page
    assert "The supplier cancelled" not in page and "Cancelled" not in page
