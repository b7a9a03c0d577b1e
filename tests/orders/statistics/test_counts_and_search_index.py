"""The tally is right at any moment whoever wrote, and the triggers come back when a migration loses them."""

from collections import Counter
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from orders.models import Order, Tally
from orders.rules.statuses import Status
from orders.statistics import search_index, status_counts
from orders.statistics.triggers import install
from orders.table.listing import Listing
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_service, make_user
from tests.people import htmx

pytestmark = pytest.mark.django_db


def truth() -> Counter[str]:
    return Counter(Order.objects.order_by().values_list("status", flat=True))


def test_it_follows_every_way_in_which_a_status_moves() -> None:
    orders = [make_order(status) for status in (*Status, "in_moderation")]
    assert StatusBar().counts == truth()
    Order.objects.filter(status=Status.PENDING).change(status=Status.PROCESSING)
    orders[0].status = Status.REVIEW
    orders[0].save(update_fields=["status"])
    Order.objects.filter(pk=orders[1].pk).update(status=Status.COMPLETED, remains=0)
    assert StatusBar().counts == truth()


def test_many_that_come_at_once_are_counted_each() -> None:
    like = make_order(Status.PENDING)
    fields = {"service": like.service, "placed_by": like.placed_by, "link": like.link, "quantity": 100, "body": {},
              "rate_seen": 1, "expected_charge": 1}  # fmt: skip
    statuses = (Status.PENDING, Status.PENDING, Status.COMPLETED)
    Order.objects.bulk_create(
        Order(status=status, request_id=uuid4(), form_token=uuid4(), **fields) for status in statuses
    )
    assert StatusBar().counts == truth() == Counter({Status.PENDING: 3, Status.COMPLETED: 1})


def test_making_it_short_changes_no_count_and_is_done_only_when_it_pays() -> None:
    by, service = make_user(), make_service()
    for number in range(12):
        make_order(list(Status)[number % 3], by=by, service=service)
    assert status_counts.compact() is False
    before = Tally.objects.count()
    assert status_counts.compact(least=10) is True
    assert Tally.objects.count() == 3 < before
    assert StatusBar().counts == truth()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its triggers")
def test_what_a_migration_loses_comes_back_after_it() -> None:
    order = make_order(Status.COMPLETED, link="https://example.org/lost-and-found")
    with connection.cursor() as cursor:
        for name in ("orders_tally_new", "orders_tally_moved", "orders_words_new", "orders_words_gone"):
            cursor.execute(f"DROP TRIGGER {name}")
    Order.objects.filter(pk=order.pk).update(status=Status.PARTIAL)
    missed = make_order(Status.PENDING, link="https://example.org/lost-too")
    assert StatusBar().counts != truth()
    for kept in (status_counts, search_index):
        install(kept.TRIGGERS)
    assert StatusBar().counts == truth()
    for found in (order, missed):
        assert found in Listing(found.placed_by, text=found.link[-6:]).page().rows
    Order.objects.filter(pk=order.pk).update(status=Status.REFUNDED)
    assert StatusBar().counts == truth()


def test_the_tabs_tell_the_counts_and_a_poll_moves_them(viewer: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    page = viewer.get("/orders/").content.decode()
    assert '<span class="n" id="n-in_progress"> 1</span>' in page
    bar = StatusBar()
    poll = f"/orders/changes/?v=&bar={bar.version}&counts={bar.counts_version}"
    assert viewer.get(poll, headers=htmx()).status_code == 204
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED)
    changed = viewer.get(poll, headers=htmx()).content.decode()
    assert '<span class="n" id="n-completed" hx-swap-oob="true"> 1</span>' in changed
    assert '<span class="n" id="n-in_progress" hx-swap-oob="true"></span>' in changed


def test_a_narrowed_list_tells_no_counts_that_are_not_its_own(viewer: Client) -> None:
    make_order(Status.COMPLETED)
    page = viewer.get("/orders/?network=instagram").content.decode()
    assert 'id="n-completed"' not in page
    assert 'id="counts"' not in page
