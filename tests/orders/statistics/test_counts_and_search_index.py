"""The status counts are right whatever wrote the orders, and triggers that a migration loses are installed again."""

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


def counted_orders() -> Counter[str]:
    """Status → how many orders stand there, counted from the orders themselves."""
    return Counter(Order.objects.order_by().values_list("status", flat=True))


def test_the_counts_follow_every_way_in_which_a_status_moves() -> None:
    orders = [make_order(status) for status in (*Status, "in_moderation")]
    assert StatusBar().counts == counted_orders()
    Order.objects.filter(status=Status.PENDING).change(status=Status.PROCESSING)
    orders[0].status = Status.REVIEW
    orders[0].save(update_fields=["status"])
    Order.objects.filter(pk=orders[1].pk).update(status=Status.COMPLETED, remains=0)
    assert StatusBar().counts == counted_orders()


def test_orders_inserted_by_one_statement_are_counted_each() -> None:
    like = make_order(Status.PENDING)
    fields = {"service": like.service, "placed_by": like.placed_by, "link": like.link, "quantity": 100, "body": {},
              "rate_seen": 1, "expected_charge": 1}  # fmt: skip
    statuses = (Status.PENDING, Status.PENDING, Status.COMPLETED)
    Order.objects.bulk_create(
        Order(status=status, request_id=uuid4(), form_token=uuid4(), **fields) for status in statuses
    )
    assert StatusBar().counts == counted_orders() == Counter({Status.PENDING: 3, Status.COMPLETED: 1})


def test_compacting_changes_no_count_and_waits_for_enough_lines() -> None:
    # Numbers go on from test to test on PostgreSQL: without this, every eighth run merged some of the twelve lines.
    with connection.cursor() as cursor:
        on = " ON orders_tally" * (connection.vendor == "postgresql")
        cursor.execute(f"DROP TRIGGER orders_tally_merged{on}")
    by, service = make_user(), make_service()
    for number in range(12):
        make_order(list(Status)[number % 3], by=by, service=service)
    assert status_counts.compact() is False
    before = Tally.objects.count()
    assert status_counts.compact(least=10) is True
    assert Tally.objects.count() == 3 < before
    assert StatusBar().counts == counted_orders()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its triggers")
def test_what_a_migration_loses_comes_back_after_it() -> None:
    order = make_order(Status.COMPLETED, link="https://example.org/lost-and-found")
    with connection.cursor() as cursor:
        for name in ("orders_tally_new", "orders_tally_moved", "orders_words_new", "orders_words_gone"):
            cursor.execute(f"DROP TRIGGER {name}")
    Order.objects.filter(pk=order.pk).update(status=Status.PARTIAL)
    missed = make_order(Status.PENDING, link="https://example.org/lost-too")
    assert StatusBar().counts != counted_orders()
    for module in (status_counts, search_index):
        install(module.TRIGGERS)
    assert StatusBar().counts == counted_orders()
    for sought in (order, missed):
        assert sought in Listing(sought.placed_by, text=sought.link[-6:]).page().orders
    Order.objects.filter(pk=order.pk).update(status=Status.REFUNDED)
    assert StatusBar().counts == counted_orders()


def test_the_tabs_show_the_counts_and_a_poll_updates_them(viewer: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    page = viewer.get("/orders/").content.decode()
    assert '<span class="n" id="n-in_progress">1</span>' in page
    bar = StatusBar()
    poll = f"/orders/changes/?v=&bar={bar.version}&counts={bar.counts_version}"
    assert viewer.get(poll, headers=htmx()).status_code == 204
    Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED)
    changed = viewer.get(poll, headers=htmx()).content.decode()
    assert '<span class="n" id="n-completed" hx-swap-oob="true">1</span>' in changed
    assert '<span class="n" id="n-in_progress" hx-swap-oob="true"></span>' in changed


def test_a_filtered_list_shows_no_counts_of_all_orders(viewer: Client) -> None:
    """Only its own."""
    make_order(Status.COMPLETED)
    make_order(Status.COMPLETED, service=make_service(category="TikTok › Likes"), link="https://tiktok.com/@lumen")
    page = viewer.get("/orders/?network=instagram").content.decode()
    assert 'id="n-completed">1<' in page
