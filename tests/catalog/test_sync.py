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


def says(rows: Iterable[ServiceRow], bad: Iterable[BadRow] = ()) -> Outcome:
    return apply_catalog(Catalog(tuple(rows), tuple(bad)), timezone.now())


def rows(number: int) -> list[ServiceRow]:
    return [make_row(upstream_id=i) for i in range(1, number + 1)]


def test_the_whole_catalog_comes_over_the_wire(upstream: Upstream, phone: Client) -> None:
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


def test_a_price_that_moves_keeps_its_history(upstream: Upstream, phone: Client) -> None:
    sync(phone)
    service = Service.objects.active()[0]
    upstream.set_price(service.upstream_id, "7.31")
    assert sync(phone).changed == 1
    now, first = service.rate_changes.all()
    assert (first.was, first.now) == (None, service.rate)
    assert (now.was, now.now) == (service.rate, Decimal("7.31"))
    service.refresh_from_db()
    assert service.rate == Decimal("7.31")


def test_what_vanishes_is_switched_off_and_comes_back(upstream: Upstream, phone: Client) -> None:
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
def test_every_term_is_followed(name: str) -> None:
    says([make_row(upstream_id=1)])
    changed = {"minimum": 60, "maximum": 99, "refill": False, "cancel": False, "dripfeed": True}.get(name, "New words")
    says([make_row(upstream_id=1, **{name: changed})])
    assert getattr(Service.objects.get(), name) == changed
    assert RateChange.objects.count() == 1, "the rate did not move"


def test_a_renamed_service_is_found_by_its_new_name() -> None:
    says([make_row(upstream_id=1, name="Ελληνικά ΠΟΛΥ")])
    assert Service.objects.all().matching("ελληνικά πολυ 1").exists()
    says([make_row(upstream_id=1, name="Other")])
    assert not Service.objects.all().matching("πολυ").exists()


@pytest.mark.parametrize("left", [0, 1, 12, 79])
def test_a_list_much_too_short_switches_nothing_off(left: int) -> None:
    says(rows(100))
    outcome = says(rows(left))
    assert outcome.doubted
    assert Service.objects.active().count() == 100
    alarm = ShrinkAlarm.objects.get()
    assert (alarm.listed, alarm.missing, alarm.closed_at) == (left, 100 - left, None)


def test_a_few_that_vanish_are_no_alarm() -> None:
    says(rows(100))
    assert not says(rows(100 - NEVER_DOUBTED_SERVICES)).doubted
    assert not ShrinkAlarm.objects.exists()


def test_the_last_service_of_a_small_catalog_is_doubted_too() -> None:
    says(rows(3))
    assert says([]).doubted
    assert Service.objects.active().count() == 3


def test_the_alarm_closes_when_the_list_is_whole_again() -> None:
    says(rows(100))
    says([])
    says([])
    assert ShrinkAlarm.objects.count() == 1
    says(rows(100))
    assert ShrinkAlarm.objects.get().closed_at


def test_a_manager_may_say_that_it_is_true() -> None:
    says(rows(100))
    says(rows(12))
    ShrinkAlarm.objects.update(accepted_by=make_user(Role.MANAGER), accepted_at=timezone.now())
    assert says(rows(12)).switched_off == 88
    assert ShrinkAlarm.objects.get().closed_at


def test_a_yes_is_not_a_yes_to_a_list_that_shrank_further() -> None:
    says(rows(100))
    says(rows(12))
    ShrinkAlarm.objects.update(accepted_by=make_user(Role.MANAGER), accepted_at=timezone.now())
    assert says([]).doubted
    assert Service.objects.active().count() == 100
    assert ShrinkAlarm.objects.get().accepted_at is None


def test_what_is_new_comes_in_even_while_the_list_is_doubted() -> None:
    says(rows(100))
    says([make_row(upstream_id=900)])
    assert Service.objects.filter(upstream_id=900, active=True).exists()


def test_a_bad_row_is_set_aside_and_the_rest_goes_in(upstream: Upstream, phone: Client) -> None:
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
    says(rows(600))
    dearer = [make_row(upstream_id=i, rate=Decimal("2")) for i in range(1, 601)]
    change, calls = apply_catalog.__globals__["change_services"], []

    def killed(*args: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit
        change(*args)

    monkeypatch.setattr("catalog.sync.change_services", killed)
    with pytest.raises(SystemExit):
        says(dearer)
    monkeypatch.undo()
    half = Service.objects.filter(rate=2).count()
    assert 0 < half < 600
    assert RateChange.objects.filter(now=2).count() == half, "no price without its history"
    assert says(dearer).changed == 600 - half


def test_a_rate_with_more_digits_than_we_keep_does_not_change_every_time() -> None:
    says([make_row(upstream_id=1, rate=Decimal("0.123456789"))])
    assert says([make_row(upstream_id=1, rate=Decimal("0.123456789"))]).changed == 0


def test_two_syncs_at_once_make_no_service_twice() -> None:
    says(rows(10))
    assert says(rows(10)).added == 0
    assert Service.objects.count() == 10
