"""Whom an order is assigned to: taken, given, let go; with names, and once when two people press at the same time."""

import threading

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client

from accounts.access import Role
from accounts.models import User
from orders.models import Order
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from orders.teamwork import assignment
from tests.makers import make_order, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tomas() -> User:
    """Another operator."""
    return make_user(Role.OPERATOR, username="tomas", name="Tomás")


def assign(by: User, order: Order, to: User | str, saw: User | None = None) -> HttpResponse:
    """Sends the form on the order's page; `saw` is the assignee whom that page showed."""
    form = {"to": to.pk if isinstance(to, User) else to, "saw": saw.pk if saw else ""}
    return as_user(by).post(f"/orders/{order.pk}/assignment/", form, follow=True)  # type: ignore[return-value]


def last_event_text(order: Order) -> str:
    """The sentence of the order's newest event."""
    return order.events.latest("id").sentence.plain


def test_each_way_is_recorded_with_everybodys_name(ana: User, tomas: User, order: Order) -> None:
    steps: list[tuple[User, User | str, User | None, str]] = [
        (ana, ana, None, "Ana assigned this order to themselves."),
        (tomas, tomas, ana, "Tomás took this order over from Ana."),
        (tomas, ana, tomas, "Tomás assigned this order to Ana."),
        (tomas, "nobody", ana, "Tomás took this order from Ana; it is assigned to nobody."),
        (ana, ana, None, "Ana assigned this order to themselves."),
        (ana, "nobody", ana, "Ana gave this order up; it is assigned to nobody."),
    ]
    for by, to, saw, sentence in steps:
        page = assign(by, order, to, saw)
        assert page.status_code == 200
        assert last_event_text(order) == sentence
        order.refresh_from_db()
        assert order.assigned_to == (to if isinstance(to, User) else None)


def test_the_page_shows_it_and_its_version_changes(ana: User, order: Order, viewer: Client) -> None:
    assign(ana, order, ana)
    assert Order.objects.get(pk=order.pk).version == order.version + 1
    page = viewer.get(order.get_absolute_url()).content.decode()
    assert "<b><bdi>Ana</bdi></b>" in page
    assert "Take it" not in page, "who only looks has no buttons"


def test_the_later_of_two_people_gets_a_conflict_and_reads_who_has_it(ana: User, tomas: User, order: Order) -> None:
    assign(tomas, order, tomas)
    page = assign(ana, order, ana)  # on a page from before
    assert page.status_code == 409
    assert "Tomás has this order now: that changed after your page was loaded." in page.content.decode()
    assert Order.objects.get(pk=order.pk).assigned_to == tomas
    assert order.events.filter(kind="taken_on").count() == 1
    assert assign(ana, order, ana, tomas).status_code == 200, "the page that told her knows whom she sees now"


def test_a_double_click_is_no_conflict(ana: User, order: Order) -> None:
    assign(ana, order, ana)
    page = assign(ana, order, ana)
    assert page.status_code == 200
    assert "Ana has this order already." in page.content.decode()
    assert order.events.filter(kind="taken_on").count() == 1


@pytest.mark.parametrize("to", ["", "x", "0", "999999", "9" * 40])
def test_it_is_assigned_to_nobody_who_is_not_on_the_team(ana: User, order: Order, to: str) -> None:
    assign(ana, order, ana)
    assert "Choose whom this order is assigned to." in assign(ana, order, to, ana).content.decode()
    assert Order.objects.get(pk=order.pk).assigned_to == ana


def test_only_active_people_who_may_place_can_have_it(ana: User, order: Order) -> None:
    viewer, gone = make_user(Role.VIEWER, name="Victor"), make_user(name="Gone", is_active=False)
    assert "Victor cannot be assigned an order. Only operators" in assign(ana, order, viewer).content.decode()
    assert (
        "Gone cannot be assigned an order. This account is switched off." in assign(ana, order, gone).content.decode()
    )
    assert "<option" in assign(ana, order, ana).content.decode()
    assert "Victor</option>" not in assign(ana, order, ana).content.decode()


def test_an_assignee_who_has_left_is_still_named(ana: User, tomas: User, order: Order) -> None:
    assign(tomas, order, tomas)
    User.objects.filter(pk=tomas.pk).update(is_active=False)
    page = as_user(ana).get(order.get_absolute_url()).content.decode()
    assert '<option value="" selected>Tomás</option>' in page


def test_a_viewer_may_not_assign(order: Order) -> None:
    with pytest.raises(Refusal, match="Only operators"):
        assignment.assign(order, None, saw=None, by=make_user(Role.VIEWER))


@pytest.mark.django_db(transaction=True)
def test_when_eight_people_take_it_at_once_one_has_it() -> None:
    order, people = make_order(Status.IN_PROGRESS), [make_user() for _ in range(8)]
    gate, done = threading.Barrier(len(people)), list[User]()

    def takes(person: User) -> None:
        try:
            gate.wait()
            assignment.assign(order, person, saw=None, by=person)
            done.append(person)
        except assignment.Overtaken:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=takes, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    order.refresh_from_db()
    assert [order.assigned_to] == done
    assert order.events.filter(kind="taken_on").count() == 1


def test_an_index_leads_to_what_is_assigned_to_somebody(ana: User) -> None:
    assigned = Order.objects.filter(assigned_to=ana).order_by("-id")[:50]
    if connection.vendor == "sqlite":
        assert "order_assigned" in assigned.explain()
