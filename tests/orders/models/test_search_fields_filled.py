"""Migrations fill the search fields of orders that were there before the search was, and as it reads them now."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from orders.models import Order
from orders.statistics.search_fields import fill_old_orders
from tests.makers import make_service, make_user, place_order

pytestmark = pytest.mark.django_db
migration = import_module("orders.migrations.0006_find_orders")
FIELDS = ("network", "category", "host", "haystack", "target")


@pytest.mark.parametrize(
    "link",
    [
        "https://www.Instagram.com/lumen.studio/p/CxYz81?igsh=1",
        "https://me:secret@x.com:443/lumen",
        "https://[2001:db8::1]:8443/x",
        "https://bücher.example\\..@evil.example/x",
        "@lumen.studio",
        "https://",
    ],
)
def test_an_old_order_is_found_like_a_new_one(link: str) -> None:
    service = make_service(name="𝗥𝗲𝗮𝗹 Likes ★", category="IG › Likes")
    order = place_order(service=service, by=make_user(name="Zoë"), link=link)
    filled_when_placed = [getattr(order, field) for field in FIELDS]
    Order.objects.update(**{**dict.fromkeys(FIELDS, ""), "target": None})
    migration.fill(apps, SimpleNamespace(connection=connection))
    fill_old_orders()
    order.refresh_from_db()
    assert [getattr(order, field) for field in FIELDS] == filled_when_placed
