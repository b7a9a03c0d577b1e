"""An order is written down with its request_id before anything is sent, and sent once."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import Role
from orders.models import Order, Task
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from tests.makers import make_service, make_user, place_order, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db


def order_at(phone: Client) -> Order:
    return place_order(service=sold_by(phone), quantity=1000)


def test_it_is_written_down_with_its_task_and_nothing_is_sent(upstream: Upstream, phone: Client) -> None:
    order = order_at(phone)
    task = order.tasks.get()
    assert (order.status, task.kind, task.due_at) == (Status.QUEUED, "place", order.created_at)
    assert order.request_id.version == 4
    assert upstream.calls("add") == 0


def test_the_same_form_token_is_the_same_order() -> None:
    token, by, service = uuid.uuid4(), make_user(), make_service()
    first = place_order(token=token, by=by, service=service)
    assert place_order(token=token, by=by, service=service) == first
    assert Order.objects.count() == Task.objects.count() == 1


def test_two_forms_are_two_orders_with_two_request_ids() -> None:
    first, second = place_order(), place_order()
    assert first.request_id != second.request_id


def test_a_viewer_may_not() -> None:
    with pytest.raises(Refusal, match="Only operators, managers and owners may place orders"):
        place_order(by=make_user(Role.VIEWER))
    assert not Order.objects.exists()


def test_a_service_that_is_gone_is_not_ordered() -> None:
    with pytest.raises(Refusal, match="no longer sells"):
        place_order(service=make_service(active=False))


def test_the_body_is_frozen_as_it_will_be_sent() -> None:
    service = make_service(upstream_id=77)
    order = place_order(service=service, quantity=500, link="https://instagram.com/a")
    assert order.body == {"service": "77", "link": "https://instagram.com/a", "quantity": "500"}


def test_a_package_goes_without_a_quantity() -> None:
    order = place_order(service=make_service(type="Package", minimum=1), quantity=1)
    assert "quantity" not in order.body
    assert order.expected_charge == order.service.rate


def test_the_worker_sends_it_and_keeps_upstreams_id(upstream: Upstream, phone: Client) -> None:
    order = order_at(phone)
    assert submit_one(phone)
    order.refresh_from_db()
    [booked] = upstream.books()["orders"]
    assert (order.shown_status, order.upstream_id) == ("taken", booked["order"])
    assert booked["request_id"] == str(order.request_id)
    assert order.next_poll_at is not None
    assert not submit_one(phone), "nothing is left to do"


def test_no_transaction_is_open_while_upstream_is_asked(upstream: Upstream, phone: Client) -> None:
    order_at(phone)
    open_during_call = []
    phone_place = phone.place

    def place(*args: object, **kwargs: object) -> str:
        open_during_call.append(len(connection.savepoint_ids))
        return phone_place(*args, **kwargs)  # type: ignore[arg-type]

    phone.place = place  # type: ignore[method-assign]
    before = len(connection.savepoint_ids)
    submit_one(phone)
    assert open_during_call == [before], "the test's own transaction, and none inside it"


def test_the_claim_is_written_before_the_call(upstream: Upstream, phone: Client) -> None:
    """So that a worker that dies in mid-call leaves a task that knows it is in doubt."""
    order_at(phone)
    seen = []

    def die(*args: object, **kwargs: object) -> str:
        seen.append(Task.objects.values("attempts", "unclear_since", "due_at").get())
        raise SystemExit

    phone.place = die  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        submit_one(phone)
    assert seen[0]["attempts"] == 1
    assert seen[0]["unclear_since"] is not None


def test_placing_costs_few_queries() -> None:
    by, service = make_user(), make_service()
    with CaptureQueriesContext(connection) as queries:
        place_order(by=by, service=service)
    inserts = [q for q in queries if q["sql"].startswith("INSERT")]
    assert len(inserts) == 3, "order, task, event"
