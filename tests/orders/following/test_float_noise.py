"""Money that upstream's program has added up as binary floats: read, and kept at six decimals."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.balance import read_balance
from catalog.models import RateChange, Service, SetAside
from catalog.sync import apply_catalog
from orders.following.anomalies import anomalies_of
from orders.following.poll import poll_once
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from tests.makers import make_order
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
ROW = {"service": 1, "name": "Instagram Followers", "type": "Default", "category": "Instagram", "min": "10"} | {
    "max": "100000", "refill": True, "cancel": True, "dripfeed": False,
}  # fmt: skip


def test_a_noisy_rate_is_the_rate_now_and_no_change_of_it(upstream: Upstream, phone: Client) -> None:
    for rate in ("3", 3.0000000000000004, 2.9999999999999996):
        upstream.catalog_is([ROW | {"rate": rate}])
        apply_catalog(phone.services(), timezone.now())
    assert str(Service.objects.get().rate) == "3.000000"
    assert RateChange.objects.count() == 1, "its first; noise is no new price"
    assert not SetAside.objects.exists()


def test_a_noisy_charge_is_the_charge_and_makes_sense(upstream: Upstream, phone: Client) -> None:
    order = make_order(Status.IN_PROGRESS, upstream_id=upstream.place(), expected_charge=Decimal("0.3"))
    upstream.set_status(order.upstream_id or "", "in_progress", charge=0.30000000000000004, remains="5")
    assert poll_once(phone)
    order.refresh_from_db()
    assert str(order.charge) == "0.300000"
    assert anomalies_of(order) == []


def test_a_noisy_balance_is_known_and_stays_one_reading(upstream: Upstream, phone: Client) -> None:
    readings = []
    for amount in ("1234.5600000000002", '"1234.56"', "1234.5599999999999"):
        upstream.will("say", "balance", body=f'{{"balance": {amount}, "currency": "USD"}}')
        readings.append(read_balance(phone))
    assert {(reading.pk, str(reading.amount)) for reading in readings} == {(readings[0].pk, "1234.560000")}
