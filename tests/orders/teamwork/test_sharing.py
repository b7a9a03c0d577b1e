"""Work that is shared: many orders assigned in one press, and the next one taken; each once, whoever presses."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from orders.models import Event, Handed, Order
from orders.models.order import NEEDS_A_PERSON
from orders.rules.refusal import Refusal
from orders.teamwork.assign_many import NOBODY, assign_many
from orders.teamwork.assignment import assign
from orders.teamwork.take_next import candidates, take_next
from tests.makers import make_order, make_service, make_user
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tomas() -> User:
    return make_user(Role.OPERATOR, username="tomas", name="Tomás")


def some_orders(count: int, **fields: object) -> list[Order]:
    by, service = make_user(), make_service()
    return [make_order("in_progress", by=by, service=service, **fields) for _ in range(count)]


def at_once(acts: list[Callable[[], object]]) -> None:
    """Does all of these at the same moment."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            gate.wait()
            act()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# ── Many ─────────────────────────────────────────────────────────────────────────────────────────
def test_each_order_is_assigned_with_an_event_and_the_person_is_told(ana: User, tomas: User) -> None:
    orders = some_orders(5)
    assign(orders[0], ana, saw=None, by=ana)
    saw = {order.pk: NOBODY for order in orders} | {orders[0].pk: ana.pk}
    done = assign_many(saw, tomas, by=ana)
    assert done.sentence == "5 orders assigned to Tomás."
    assert Order.objects.filter(assigned_to=tomas).count() == 5
    sentences = {event.sentence.plain for event in Event.objects.filter(kind="given")}
    assert sentences == {"Ana assigned this order to Tomás."}
    assert Event.objects.filter(kind="given").count() == 5
    assert Handed.objects.filter(user=tomas, by=ana, read_at=None).count() == 5


def test_what_others_did_meanwhile_is_left_alone_and_told(ana: User, tomas: User) -> None:
    orders, ben = some_orders(4), make_user(name="Ben")
    saw = {order.pk: NOBODY for order in orders}
    assign(orders[0], tomas, saw=None, by=tomas)
    assign(orders[1], tomas, saw=None, by=tomas)
    assign(orders[2], ben, saw=None, by=tomas)
    done = assign_many(saw, ben, by=ana)
    assert done.sentence == (
        "1 order assigned to Ben; 2 were taken by Tomás meanwhile and left alone; 1 Ben has already."
    )
    assert Order.objects.filter(assigned_to=tomas).count() == 2
    assert assign_many(saw, ben, by=ana).assigned == 0, "a second press changes nothing"


def test_what_was_given_up_meanwhile_is_left_alone(ana: User, tomas: User) -> None:
    [order] = some_orders(1)
    saw = {order.pk: tomas.pk}
    assert assign_many(saw, ana, by=ana).sentence == (
        "0 orders assigned to Ana; 1 was given up meanwhile and left alone."
    )


def test_only_who_may_note_can_assign_or_have_them(ana: User) -> None:
    [order] = some_orders(1)
    victor = make_user(Role.VIEWER, name="Victor")
    with pytest.raises(Refusal, match="Only operators"):
        assign_many({order.pk: NOBODY}, ana, by=victor)
    with pytest.raises(Refusal, match="Victor cannot be assigned an order"):
        assign_many({order.pk: NOBODY}, victor, by=ana)
    assert not Event.objects.filter(kind="given").exists()


@pytest.mark.parametrize("count", [10, 60])
def test_many_cost_as_few_statements_as_few(ana: User, tomas: User, count: int) -> None:
    orders = some_orders(count)
    with CaptureQueriesContext(connection) as queries:
        assign_many({order.pk: NOBODY for order in orders}, tomas, by=ana)
    assert len(queries) <= 9


@pytest.mark.django_db(transaction=True)
def test_of_two_presses_at_once_each_order_has_one_event_and_one_owner() -> None:
    people, orders = [make_user() for _ in range(2)], some_orders(30)
    saw, done = {order.pk: NOBODY for order in orders}, list[int]()
    at_once([lambda one=one: done.append(assign_many(saw, one, by=one).assigned) for one in people])  # type: ignore[misc]
    assert sum(done) == 30
    assert Event.objects.filter(kind="taken_on").count() == 30
    assert not Order.objects.filter(pk__in=saw, assigned_to=None).exists()


def test_from_the_list_by_ticks_and_by_filter(ana: User, tomas: User) -> None:
    orders = some_orders(3)
    client = as_user(ana)
    asked = client.post("/orders/assignments/", {"which": "ticked", "order": [order.pk for order in orders[:2]]})
    html = asked.content.decode()
    assert "Assign 2 orders" in html
    assert "<b>2</b> assigned to nobody" in html
    picked = html.split('name="picked" value="')[1].split('"')[0]
    assign(orders[0], ana, saw=None, by=ana)
    done = client.post("/orders/assignments/confirmation/", {"picked": picked, "to": tomas.pk}, follow=True)
    assert "1 order assigned to Tomás; 1 was taken by Ana meanwhile and left alone." in done.content.decode()
    asked = client.post("/orders/assignments/", {"which": "all", "match": "status=in_progress"})
    assert "Assign 3 orders" in asked.content.decode()


@pytest.mark.parametrize("form", [{}, {"picked": "x", "to": "1"}, {"picked": ""}])
def test_a_form_that_is_not_ours_does_nothing_and_says_so(ana: User, form: dict[str, str]) -> None:
    client = as_user(ana)
    answer = client.post("/orders/assignments/confirmation/", form)
    assert answer.status_code == 422
    assert "Nothing was assigned" in answer.content.decode()
    assert client.post("/orders/assignments/", form).status_code == 422


def test_whom_they_go_to_must_be_chosen_and_nothing_is_lost(ana: User) -> None:
    [order] = some_orders(1)
    client = as_user(ana)
    html = client.post("/orders/assignments/", {"order": order.pk}).content.decode()
    picked = html.split('name="picked" value="')[1].split('"')[0]
    answer = client.post("/orders/assignments/confirmation/", {"picked": picked, "to": "99999"})
    assert answer.status_code == 422
    assert "Choose whom they are assigned to." in answer.content.decode()
    assert picked in answer.content.decode()


# ── Take next ────────────────────────────────────────────────────────────────────────────────────
def test_the_oldest_that_needs_a_person_and_that_nobody_has_goes_first(ana: User, tomas: User) -> None:
    late = make_order("in_progress", late_from=timezone.now() - timedelta(hours=5))
    longer_late = make_order("in_progress", late_from=timezone.now() - timedelta(hours=9))
    taken, odd, missing, in_review = (
        make_order("review", assigned_to=tomas), make_order("completed", doubts="charge"),
        make_order("in_progress", missing_since=timezone.now()), make_order("review"),
    )  # fmt: skip
    got = [take_next(by=ana) for _ in range(6)]
    assert got == [odd, missing, in_review, longer_late, late, None]
    assert Order.objects.get(pk=taken.pk).assigned_to == tomas
    assert odd.events.latest("pk").sentence.plain == "Ana assigned this order to themselves."


def test_it_opens_or_says_that_there_is_none(ana: User) -> None:
    order = make_order("review")
    client = as_user(ana)
    asks = client.get("/orders/next/").content.decode()
    assert f"Order <b>{order.pk}</b>" in asks
    assert Order.objects.get(pk=order.pk).assigned_to is None, "to look changes nothing"
    assert client.post("/orders/next/")["Location"] == order.get_absolute_url()
    assert "Nothing waits to be taken" in client.post("/orders/next/", follow=True).content.decode()
    assert as_a(Role.VIEWER).post("/orders/next/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_eight_people_at_once_get_eight_different_orders() -> None:
    by, service = make_user(), make_service()
    orders = [make_order("review", by=by, service=service) for _ in range(9)]
    people, got = [make_user() for _ in range(8)], list[Order | None]()
    at_once([lambda one=one: got.append(take_next(by=one)) for one in people])  # type: ignore[misc]
    assert None not in got
    assert len({order.pk for order in got if order}) == 8
    assert Event.objects.filter(kind="taken_on").count() == 8
    assert Order.objects.filter(pk__in=[order.pk for order in orders], assigned_to=None).count() == 1


def test_an_order_that_was_decided_meanwhile_is_not_taken(ana: User) -> None:
    order = make_order("review")
    found = list(candidates())
    Order.objects.filter(pk=order.pk).update(status="rejected")
    [(pk, still)] = found
    assert not Order.objects.filter(still, pk=pk, assigned_to=None).exists()
    assert take_next(by=ana) is None


def test_an_index_leads_to_it() -> None:
    if connection.vendor == "sqlite":
        plan = Order.objects.filter(NEEDS_A_PERSON).order_by("pk").values_list("pk", flat=True)[:20].explain()
        assert "order_to_take" in plan
