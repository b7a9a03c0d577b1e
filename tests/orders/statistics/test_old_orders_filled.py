"""Orders of years ago are found by another spelling of their link, and by plain letters, once `migrate` has run."""

import re
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order
from orders.placing.place import similar_orders
from orders.statistics import search_fields
from orders.statistics.search_fields import fill_old_orders
from orders.table.listing import Listing
from tests.makers import make_order, make_service, make_user

pytestmark = pytest.mark.django_db
SERVICE = {"name": "𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 İstanbul", "category": "TG"}


def make_old_order(**fields: object) -> Order:
    """An order as the desk left it before it knew targets: the search text folded as then, the network not known."""
    fields = {"service": make_service(**SERVICE), "link": "https://m.facebook.com/Lumen?locale=de", **fields}
    order = make_order("completed", **fields)
    old = "m.facebook.com/lumen?locale=de 1 instagram i\u0307stanbul tg zoë"
    Order.objects.filter(pk=order.pk).update(target=None, haystack=old, network="")
    return Order.objects.get(pk=order.pk)


def test_an_old_order_is_found_by_another_spelling_and_by_plain_words() -> None:
    """By the warning, by a link and by words; and the words that found it before still do."""
    by = make_user()
    order = make_old_order(by=by)
    assert Listing(by, text="istanbul").page().orders == []
    call_command("migrate", verbosity=0)
    for text in ("https://fb.com/lumen", "istanbul", "zoe", "zoë"):
        assert Listing(by, text=text).page().orders == [order], text
    order.refresh_from_db()
    assert (order.network, order.target) == ("telegram", "facebook.com/lumen")
    Order.objects.update(created_at=timezone.now())
    assert similar_orders(order.service, "http://www.facebook.com/lumen/", timezone.now()) == [order]


def test_what_was_asked_and_what_became_of_it_stay_as_they_were() -> None:
    """Only three columns are written: a page that is open notices nothing."""
    order = make_old_order()
    fill_old_orders()
    now = Order.objects.get()
    written = {field.name for field in Order._meta.fields if getattr(order, field.name) != getattr(now, field.name)}
    assert written == {"network", "haystack", "target"}


def test_a_lone_x_that_was_read_as_a_network_is_none() -> None:
    """A network that a name truly says stays."""
    wrong = make_old_order(service=make_service(name="Likes x Views", category="Mix"))
    right = make_old_order(service=make_service(name="Likes", category="X › Likes"))
    Order.objects.update(network="x")
    fill_old_orders()
    assert dict(Order.objects.values_list("pk", "network")) == {wrong.pk: "", right.pk: "x"}


def test_killed_in_the_middle_it_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is a transaction of its own, the newest orders first."""
    monkeypatch.setattr(search_fields, "ORDERS_AT_ONCE", 2)
    by, service = make_user(), make_service()
    pks = [make_old_order(by=by, service=service).pk for _ in range(5)]
    with patch.object(search_fields, "target_of", side_effect=["a", "b", KeyboardInterrupt]), \
            pytest.raises(KeyboardInterrupt):  # fmt: skip
        fill_old_orders()
    assert list(Order.objects.filter(target=None).order_by("pk").values_list("pk", flat=True)) == pks[:3]
    assert fill_old_orders() == 3
    assert fill_old_orders() == 0


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's plan depends on how full the tables are")
def test_nothing_to_fill_costs_one_step_along_an_index() -> None:
    """As after every `migrate` that brought nothing of this. tests/orders/test_flat_reads.py counts it on both."""
    make_order()
    with CaptureQueriesContext(connection) as queries:
        assert fill_old_orders() == 0
    [asked] = [query["sql"] for query in queries if re.search(r'"target" IS NULL', query["sql"])]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + asked)
        assert "order_target" in str(cursor.fetchall())
