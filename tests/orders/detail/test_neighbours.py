"""Previous and next within the list that a person came from, and the way back to it."""

from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Role
from accounts.models import User
from orders.detail.neighbours import neighbours
from orders.models import Order
from orders.rules.statuses import Status
from tests.makers import make_order, make_service, make_user
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    """An operator."""
    return make_user(Role.OPERATOR)


@pytest.fixture
def orders(ana: User) -> list[Order]:
    """Completed, partial, completed, partial, completed; oldest first."""
    service = make_service()
    return [make_order(status, by=ana, service=service) for status in ("completed", "partial") * 2 + ("completed",)]


def test_without_a_list_neighbours_are_among_all_orders(ana: User, orders: list[Order]) -> None:
    first, second, third, *_, last = orders
    assert neighbours(ana, "", second.pk) == (third.pk, first.pk)
    assert neighbours(ana, "", first.pk) == (second.pk, None)
    assert neighbours(ana, "", last.pk)[0] is None


def test_within_a_list_neighbours_are_of_that_list(ana: User, orders: list[Order]) -> None:
    first, second, third, *_, last = orders
    assert neighbours(ana, "status=completed&before=999", third.pk) == (last.pk, first.pk)
    assert neighbours(ana, "status=completed", second.pk) == (third.pk, first.pk), "it has left the list meanwhile"
    assert neighbours(ana, "status=refunded", second.pk) == (None, None)


def test_neighbours_cost_two_queries(ana: User, orders: list[Order]) -> None:
    with CaptureQueriesContext(connection) as queries:
        neighbours(ana, "status=completed", orders[2].pk)
    assert len(queries) == 2


def test_the_page_leads_on_and_back_and_keeps_the_list(viewer: Client, orders: list[Order]) -> None:
    first, _, third, *_, last = orders
    came = quote("status=completed", safe="")
    page = viewer.get(f"/orders/{third.pk}/?from={came}").content.decode()
    assert f'href="/orders/{last.pk}/?from={came}" rel="prev"' in page
    assert f'href="/orders/{first.pk}/?from={came}" rel="next"' in page
    assert '<a href="/orders/?status=completed">Back to your list</a>' in page
    assert f'hx-get="/orders/{third.pk}/?from={came}"' in page, "so does its poll"
    newest = viewer.get(f"/orders/{last.pk}/").content.decode()
    assert 'rel="prev"' not in newest
    assert 'aria-disabled="true">Previous</span>' in newest
    assert "Back to your list" not in newest


def test_a_row_leads_to_its_order_with_the_list(viewer: Client, orders: list[Order]) -> None:
    first = orders[0]
    assert (
        f'href="/orders/{first.pk}/?from=status%3Dcompleted"'
        in viewer.get("/orders/?status=completed").content.decode()
    )
    assert f'href="/orders/{first.pk}/"' in viewer.get("/orders/").content.decode()


def test_forms_lead_back_to_the_page_and_its_list(orders: list[Order], ana: User) -> None:
    order, client, came = orders[0], as_user(ana), "status=completed"
    here = f"/orders/{order.pk}/?from=status%3Dcompleted"
    note = client.post(f"/orders/{order.pk}/notes/", {"text": "Hello.", "from": came})
    assert note["Location"].startswith(f"{here}#note-")
    assert client.post(f"/orders/{order.pk}/assignment/", {"to": ana.pk, "from": came})["Location"] == here
    refused = client.post(f"/orders/{order.pk}/notes/", {"text": "", "from": came}).content.decode()
    assert 'name="from" value="status=completed"' in refused
    page = {"Referer": f"http://testserver{here}"}
    assert client.post(f"/orders/{order.pk}/cancellation/", headers=page)["Location"] == here


@pytest.mark.parametrize(
    "came", ["status=nothing", "%00", "a&&==;", '"><script>alert(1)</script>', "before=x" * 9999, "⚡=1"]
)
def test_nonsense_for_a_list_is_the_whole_list(orders: list[Order], came: str) -> None:
    answer = as_a(Role.VIEWER).get(f"/orders/{orders[2].pk}/", {"from": came})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert f'rel="prev" title="Order {orders[3].pk}"' in page
    assert f'rel="next" title="Order {orders[1].pk}"' in page
    assert "<script>alert" not in page


def test_a_page_costs_the_same_with_one_event_and_with_two_hundred(viewer: Client) -> None:
    order, counts = make_order(Status.IN_PROGRESS), []
    for number in (0, 200):
        for _ in range(number):
            order.record("moved", was="Pending", to="In progress")
        viewer.get(order.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            viewer.get(order.get_absolute_url())
        counts.append(len(queries))
    assert counts[0] == counts[1]
