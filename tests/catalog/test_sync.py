"""The catalog says what upstream's does, and only what changed is written."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from catalog.models import RateChange, Service, SetAside, ShrinkAlarm
from catalog.sync import NEVER_DOUBTED_SERVICES, Outcome, apply_catalog, sync
from panel.notpanel.client import Client
from panel.notpanel.shapes import BadRow, Catalog, ServiceRow
from tests.makers import make_row, make_user
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db


def apply(rows: Iterable[ServiceRow], bad: Iterable[BadRow] = ()) -> Outcome:
    """Applies a catalog of these rows, as a sync does."""
    return apply_catalog(Catalog(tuple(rows), tuple(bad)), timezone.now())


def make_rows(number: int) -> list[ServiceRow]:
    """Rows of so many services, with upstream's ids from 1 on."""
    return [make_row(upstream_id=i) for i in range(1, number + 1)]


def test_a_sync_reads_the_whole_catalog(upstream: Upstream, phone: Client) -> None:
    outcome = sync(phone)
    assert outcome.added == outcome.listed == Service.objects.active().count() >= 250
    assert upstream.calls("services") == 1


def test_an_unchanged_catalog_writes_nothing(phone: Client) -> None:
    sync(phone)
    with CaptureQueriesContext(connection) as queries:
        outcome = sync(phone)
    assert (outcome.added, outcome.changed, outcome.switched_off) == (0, 0, 0)
    assert len(queries) <= 3
    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_a_changed_rate_adds_to_the_history(upstream: Upstream, phone: Client) -> None:
    sync(phone)
    service = Service.objects.active()[0]
    upstream.set_price(service.upstream_id, "7.31")
    assert sync(phone).changed == 1
    now, first = service.rate_changes.all()
    assert (first.was, first.now) == (None, service.rate)
    assert (now.was, now.now) == (service.rate, Decimal("7.31"))
    service.refresh_from_db()
    assert service.rate == Decimal("7.31")


def test_a_service_that_vanishes_is_switched_off_and_comes_back(upstream: Upstream, phone: Client) -> None:
    sync(phone)
    service = Service.objects.active()[0]
    upstream.vanish(service.upstream_id)
    assert sync(phone).switched_off == 1
    service.refresh_from_db()
    assert not service.active
    upstream.bring_back(service.upstream_id)
    sync(phone)
    service.refresh_from_db()
    assert service.active


@pytest.mark.parametrize("name", ["name", "type", "category", "minimum", "maximum", "refill", "cancel", "dripfeed"])
def test_every_field_is_followed(name: str) -> None:
    apply([make_row(upstream_id=1)])
    changed = {"minimum": 60, "maximum": 99, "refill": False, "cancel": False, "dripfeed": True}.get(name, "New words")
    apply([make_row(upstream_id=1, **{name: changed})])
    assert getattr(Service.objects.get(), name) == changed
    assert RateChange.objects.count() == 1, "the rate did not move"


def test_a_renamed_service_matches_its_new_name() -> None:
    apply([make_row(upstream_id=1, name="Ελληνικά ΠΟΛΥ")])
    assert Service.objects.all().matching("ελληνικά πολυ 1").exists()
    apply([make_row(upstream_id=1, name="Other")])
    assert not Service.objects.all().matching("πολυ").exists()


@pytest.mark.parametrize("left", [0, 1, 12, 79])
def test_a_list_much_too_short_switches_nothing_off(left: int) -> None:
    apply(make_rows(100))
    outcome = apply(make_rows(left))
    assert outcome.doubted
    assert Service.objects.active().count() == 100
    alarm = ShrinkAlarm.objects.get()
    assert (alarm.listed, alarm.missing, alarm.closed_at) == (left, 100 - left, None)


def test_a_few_missing_services_raise_no_alarm() -> None:
    apply(make_rows(100))
    assert not apply(make_rows(100 - NEVER_DOUBTED_SERVICES)).doubted
    assert not ShrinkAlarm.objects.exists()


def test_the_last_service_of_a_small_catalog_is_doubted_too() -> None:
    apply(make_rows(3))
    assert apply([]).doubted
    assert Service.objects.active().count() == 3


def test_the_alarm_closes_when_the_list_is_whole_again() -> None:
    apply(make_rows(100))
    apply([])
    apply([])
    assert ShrinkAlarm.objects.count() == 1
    apply(make_rows(100))
    assert ShrinkAlarm.objects.get().closed_at


def test_a_list_that_a_manager_accepted_is_obeyed() -> None:
    apply(make_rows(100))
    apply(make_rows(12))
    ShrinkAlarm.objects.update(accepted_by=make_user(Role.MANAGER), accepted_at=timezone.now())
    assert apply(make_rows(12)).switched_off == 88
    assert ShrinkAlarm.objects.get().closed_at


def test_a_list_that_shrank_further_must_be_accepted_anew() -> None:
    apply(make_rows(100))
    apply(make_rows(12))
    ShrinkAlarm.objects.update(accepted_by=make_user(Role.MANAGER), accepted_at=timezone.now())
    assert apply([]).doubted
    assert Service.objects.active().count() == 100
    assert ShrinkAlarm.objects.get().accepted_at is None


def test_new_services_are_added_even_while_the_list_is_doubted() -> None:
    apply(make_rows(100))
    apply([make_row(upstream_id=900)])
    assert Service.objects.filter(upstream_id=900, active=True).exists()


def test_a_bad_row_is_set_aside_and_the_rest_is_applied(upstream: Upstream, phone: Client) -> None:
    good = {"service": 1, "name": "Likes", "type": "Default", "category": "A", "rate": "1", "min": "1", "max": "9"}
    upstream.catalog_is([good, {**good, "service": 2, "rate": "cheap"}, "what?"])
    outcome = sync(phone)
    assert (outcome.added, outcome.set_aside) == (1, 2)
    assert SetAside.objects.count() == 2
    sync(phone)
    assert SetAside.objects.count() == 2
    upstream.catalog_is([good])
    sync(phone)
    assert not SetAside.objects.exists()


def test_a_row_that_turned_bad_does_not_switch_its_service_off(upstream: Upstream, phone: Client) -> None:
    good = {"service": 1, "name": "Likes", "type": "Default", "category": "A", "rate": "1", "min": "1", "max": "9"}
    upstream.catalog_is([good, {**good, "service": 2}])
    sync(phone)
    upstream.catalog_is([good, {**good, "service": 2, "rate": "cheap"}])
    sync(phone)
    assert Service.objects.get(upstream_id=2).active, "upstream lists it; we only cannot read it"


def test_a_sync_that_is_killed_halfway_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    apply(make_rows(600))
    dearer = [make_row(upstream_id=i, rate=Decimal("2")) for i in range(1, 601)]
    change, calls = apply_catalog.__globals__["change_services"], []

    def killed(*args: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit
        change(*args)

    monkeypatch.setattr("catalog.sync.change_services", killed)
    with pytest.raises(SystemExit):
        apply(dearer)
    monkeypatch.undo()
    half = Service.objects.filter(rate=2).count()
    assert 0 < half < 600
    assert RateChange.objects.filter(now=2).count() == half, "no price without its history"
    assert apply(dearer).changed == 600 - half


def test_a_rate_with_more_digits_than_the_column_does_not_change_every_time() -> None:
    apply([make_row(upstream_id=1, rate=Decimal("0.123456789"))])
    assert apply([make_row(upstream_id=1, rate=Decimal("0.123456789"))]).changed == 0


def test_two_syncs_at_once_make_no_service_twice() -> None:
    apply(make_rows(10))
    assert apply(make_rows(10)).added == 0
    assert Service.objects.count() == 10
