"""Every way in which an order comes to be sent, tried by the person who asked for it while it is above their limit."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.utils import timezone

from accounts.access import Role
from accounts.models import BalanceReading, User
from orders.aftersale.withdraw import withdraw
from orders.approvals.current_terms import terms_of
from orders.approvals.decide import approve
from orders.models import Approval, Order, Sending, Task
from orders.placing import old_books, send_switch
from orders.placing.funding import choose_when_funded, fund, send_now
from orders.placing.place import place
from orders.placing.review import adopt, ask_again, ask_now
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from tests.accounts.roles.switched import switch
from tests.makers import make_user, place_order, sold_by
from tests.orders.limits.desk_limits import own, set_limits, sums, sums_of_orders
from tests.orders.placing.test_old_books import restored
from tests.people import as_user
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=4)
OWN = "You asked for this order yourself, so somebody else decides."
A_YEAR = timedelta(days=365)


def approves(order: Order, by: User) -> None:
    approve(order, terms_of(Order.objects.select_related("service__held_over").get(pk=order.pk)).mark, by=by)


def adopts_another_id_and_asks_again(order: Order, by: User) -> None:
    adopt(order, "ord_of_nobody", by=by)
    Order.objects.filter(pk=order.pk).update(status=Status.REVIEW, upstream_id=None)
    ask_again(Order.objects.get(pk=order.pk), by=by)


def releases_all(order: Order, by: User) -> None:
    old_books.release("all", [], rested=False, by=by)


def says_that_nothing_was_sent_meanwhile(order: Order, by: User) -> None:
    old_books.release("some", [0, *Task.objects.values_list("pk", flat=True)], rested=True, by=by)


def resumes_sending(order: Order, by: User) -> None:
    if not Sending.objects.filter(stopped_at__isnull=False).exists():
        send_switch.stop("To start it again.", by=by)
    send_switch.resume(by=by)


def is_covered_by_a_balance(order: Order, by: User) -> None:
    choose_when_funded(order, by_itself=True, by=by)
    now = timezone.now()
    fund(BalanceReading(amount=1_000_000, currency="USD", asked_at=now), now)


def undoes_it(order: Order, by: User) -> None:
    withdraw(order, by=by)


def sends_the_form_again(order: Order, by: User) -> None:
    quantity = order.quantity
    place(by=by, service=order.service, link=order.link, quantity=quantity, token=order.form_token or uuid.uuid4())


class Way(NamedTuple):
    """A way in which an order comes to be sent, and what is said to the person who asked for it."""

    go: Callable[[Order, User], None]
    said_while_it_waits: str  # "" where nothing is refused, and nothing is sent either
    said_in_review: str  # after old books


# Everything that makes a task of placing, or makes one due.
WAYS = {
    "approve": Way(approves, OWN, OWN),
    "ask again": Way(lambda order, by: ask_again(order, by=by), "Only an order that needs a look", OWN),
    "adopt an id, then ask again": Way(adopts_another_id_and_asks_again, "The order has changed meanwhile", OWN),
    "ask now": Way(lambda order, by: ask_now(order, by=by), "It is being sent just now", "It is being sent just now"),
    "send now": Way(lambda order, by: send_now(order, by=by), "does not wait for money", "does not wait for money"),
    "a balance that covers it": Way(is_covered_by_a_balance, "", ""),
    "start sending": Way(resumes_sending, "", "Decide first about what was due"),
    "old books: release all": Way(releases_all, "Somebody else was faster", ""),
    "old books: nothing was sent": Way(says_that_nothing_was_sent_meanwhile, "Somebody else was faster", ""),
    "undo": Way(undoes_it, "", "Too late to undo"),
    "the same form again": Way(sends_the_form_again, "", ""),
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
BOSSES = (Role.MANAGER, Role.OWNER)


@pytest.fixture
def asked(phone: Client) -> Order:
    """An owner's own order, above their limit: nobody has more rights than they."""
    olivia = own(make_user(Role.OWNER, name="Olivia"), order="0.01")
    return place_order(by=olivia, service=sold_by(phone), ask=True, reason="They paid.")


def in_review(order: Order) -> Order:
    """The same order after the worker has found its books old, by another order that was due in them."""
    withdrawn = place_order(by=make_user(), service=order.service, link="https://instagram.com/another")
    Approval.objects.update(asked_at=timezone.now() - HOURS)
    assert restored()
    withdrawn.tasks.all().delete()  # so that nothing but the order in question can be sent
    return Order.objects.get(pk=order.pk)


def refusal_of(way: Way, order: Order) -> str:
    try:
        way.go(order, order.placed_by)
    except Refusal as refusal:
        return str(refusal)
    return ""


def send_all(phone: Client) -> None:
    for at in (timezone.now(), timezone.now() + A_YEAR):
        while submit_one(phone, at):
            pass


@each_way
def test_who_asked_for_an_order_gets_it_sent_in_no_way(
    upstream: Upstream, phone: Client, asked: Order, way: Way
) -> None:
    assert asked.status == Status.APPROVAL
    assert way.said_while_it_waits in refusal_of(way, asked)
    send_all(phone)
    assert upstream.orders() == []


@each_way
def test_nor_after_old_books_have_ended_the_waiting(upstream: Upstream, phone: Client, asked: Order, way: Way) -> None:
    order = in_review(asked)
    assert order.status == Status.REVIEW
    assert way.said_in_review in refusal_of(way, order)
    Sending.objects.update(stopped_at=None, old_since=None)
    send_all(phone)
    assert upstream.orders() == []
    assert sums(0) == sums_of_orders(0)


def test_a_second_person_sends_it_and_has_approved_it_with_that(
    upstream: Upstream, phone: Client, asked: Order
) -> None:
    order, mira = in_review(asked), make_user(Role.MANAGER, name="Mira")
    ask_again(order, by=mira)
    approval = Approval.objects.get()
    assert (approval.outcome, approval.decided_by, approval.approved_charge) == (
        Approval.Outcome.APPROVED, mira, order.expected_charge,
    )  # fmt: skip
    assert sums(0) == sums_of_orders(0)
    Sending.objects.update(stopped_at=None, old_since=None)
    send_all(phone)
    assert len(upstream.orders()) == 1


def test_who_may_decide_but_not_approve_does_not_send_it(asked: Order) -> None:
    switch(manager_approve=False)
    with pytest.raises(Refusal, match="Only owners may approve orders"):
        ask_again(in_review(asked), by=make_user(Role.MANAGER))


def test_the_page_of_the_order_says_why_there_is_no_button(asked: Order) -> None:
    order = in_review(asked)
    button = "Ask again with the same id"
    page = as_user(order.placed_by).get(f"/orders/{order.pk}/").content.decode()
    assert OWN in page and button not in page
    assert as_user(order.placed_by).post(f"/orders/{order.pk}/tries/", follow=True).status_code == 200
    assert Order.objects.get(pk=order.pk).status == Status.REVIEW
    assert button in as_user(make_user(Role.MANAGER)).get(f"/orders/{order.pk}/").content.decode()


def test_an_order_that_was_approved_is_sent_again_by_who_asked(asked: Order) -> None:
    Approval.objects.update(
        outcome="approved", decided_by=make_user(Role.OWNER), decided_at=timezone.now(), approved_charge=1
    )
    task = asked.tasks.create(kind=Task.Kind.PLACE, asked_by=asked.placed_by, due_at=None, settled_at=timezone.now(),
                              outcome=Task.Outcome.REVIEW, unclear_since=timezone.now())  # fmt: skip
    Order.objects.filter(pk=asked.pk).update(status=Status.REVIEW)
    ask_again(Order.objects.get(pk=asked.pk), by=asked.placed_by)
    assert Task.objects.get(pk=task.pk).due_at


@pytest.mark.parametrize("role", BOSSES)
def test_an_order_below_every_limit_is_sent_again_by_who_placed_it(role: Role, phone: Client) -> None:
    set_limits(manager_approve_from="5000", owner_approve_from="5000")
    order = place_order(by=make_user(role), service=sold_by(phone))
    Task.objects.update(due_at=None, settled_at=timezone.now(), outcome=Task.Outcome.REVIEW,
                        unclear_since=timezone.now())  # fmt: skip
    Order.objects.update(status=Status.REVIEW)
    ask_again(Order.objects.get(pk=order.pk), by=order.placed_by)
    assert Order.objects.get(pk=order.pk).status == Status.QUEUED
