"""Pages write a moment by each reader's own clock; records are in UTC."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.access import Role
from orders.bulk.receipt import as_csv
from orders.bulk.selection import Selection
from orders.models import Bulk, Event, Order
from orders.placing.form_fields import read_day
from orders.rules.statuses import Status
from panel.format.locale import written_for
from panel.format.times import ago_words, clock, day, exact, machine, time_tag, zone_at
from tests.makers import make_order, make_user, place_order
from tests.orders.table.test_poll import poll
from tests.people import as_user, htmx
from tests.tampering import past_the_desk

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 2, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("UTC", "2026-11-02 12:00:05 UTC"), ("Europe/Berlin", "2026-11-02 13:00:05 CET"),
        ("Asia/Kathmandu", "2026-11-02 17:45:05 UTC+5:45"), ("America/Sao_Paulo", "2026-11-02 09:00:05 UTC−3"),
        ("Asia/Dubai", "2026-11-02 16:00:05 UTC+4"), ("Pacific/Kiritimati", "2026-11-03 02:00:05 UTC+14"),
        ("America/St_Johns", "2026-11-02 08:30:05 NST"), ("Nowhere/At_all", "2026-11-02 12:00:05 UTC"),
    ],
)  # fmt: skip
def test_a_moment_is_written_by_the_readers_clock_and_its_name(zone: str, written: str) -> None:
    with written_for(zone, ""):
        assert exact(NOON) == written
        assert f'title="{written}" data-when>' in time_tag(NOON)
        assert datetime.fromisoformat(machine(NOON)) == NOON, "a script reads the same moment"


def test_the_hour_that_comes_twice_is_distinguished() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # Berlin's clocks go back at 01:00 UTC
    with written_for("Europe/Berlin", ""):
        assert exact(first) == "2026-10-25 02:30:00 CEST"
        assert exact(first + timedelta(hours=1)) == "2026-10-25 02:30:00 CET"
        assert zone_at(first + timedelta(minutes=30)) == "CET"


def test_the_day_changes_at_the_readers_midnight() -> None:
    late = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    now = datetime(2026, 11, 3, 0, 30, tzinfo=UTC)
    assert clock(late, now) == "2 Nov, 23:30 UTC"
    with written_for("Europe/Berlin", ""):
        assert clock(late, now) == "00:30 CET", "today already"
        assert day(late).day == 3
    with written_for("America/New_York", ""):
        assert clock(late, now) == "18:30 EST", "today still"


def test_a_date_of_long_ago_is_the_readers_day() -> None:
    late, now = datetime(2026, 9, 30, 23, 30, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
    assert ago_words(late, now) == "30 Sep 2026"
    with written_for("Asia/Tokyo", ""):
        assert ago_words(late, now) == "1 Oct 2026"


def test_the_order_form_reads_dates_by_the_readers_clock() -> None:
    with written_for("Pacific/Kiritimati", ""):
        ahead = day(timezone.now())
        assert read_day(f"{ahead:%Y-%m-%d}") == f"{ahead:%d/%m/%Y}"
    with written_for("Pacific/Pago_Pago", ""):
        behind = day(timezone.now())
        assert read_day(f"{behind:%Y-%m-%d}") == f"{behind:%d/%m/%Y}"


def test_threads_do_not_share_a_reader() -> None:
    both, times_read = threading.Barrier(2, timeout=10), {}

    def read(zone: str) -> None:
        with written_for(zone, ""):
            both.wait()
            times_read[zone] = exact(NOON)
            both.wait()

    threads = [threading.Thread(target=read, args=[zone]) for zone in ("Asia/Tokyo", "Europe/Berlin")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert times_read == {"Asia/Tokyo": "2026-11-02 21:00:05 JST", "Europe/Berlin": "2026-11-02 13:00:05 CET"}


def test_after_a_page_that_fails_no_clock_stays_behind() -> None:
    with pytest.raises(ZeroDivisionError), written_for("Asia/Tokyo", "1.234,56"):
        _ = 1 / 0
    assert exact(NOON) == "2026-11-02 12:00:05 UTC"
    assert timezone.get_current_timezone_name() == "UTC"


# ── On pages ─────────────────────────────────────────────────────────────────────────────────────
def test_two_people_see_the_same_order_each_at_their_own_time() -> None:
    order = make_order(Status.IN_PROGRESS, reported_at=NOON)
    with past_the_desk():
        Event.objects.filter(order=order).update(at=NOON)
    tokyo = as_user(make_user(time_zone="Asia/Tokyo"))
    home, york = as_user(make_user()), as_user(make_user(time_zone="America/New_York"))
    for _ in range(2):
        for who, hour, title, zone in (
            (tokyo, "21:00", "21:00:05 JST", "Asia/Tokyo"), (home, "12:00", "12:00:05 UTC", "UTC"),
            (york, "07:00", "07:00:05 EST", "America/New_York"),
        ):  # fmt: skip
            page = who.get(f"/orders/{order.pk}/").content.decode()
            assert f'title="2026-11-02 {title}">{hour}</time>' in page
            assert f"as of 2026-11-02 {title.replace(':05', '')}." in page, "the words for the customer"
            assert f"times in {zone}" in page
            assert f'title="2026-11-02 {title}"' in who.get("/orders/").content.decode()


def test_the_timeline_has_the_readers_days() -> None:
    order = make_order(Status.IN_PROGRESS)
    with past_the_desk():
        Event.objects.filter(order=order).update(at=datetime(2026, 11, 2, 23, 30, tzinfo=UTC))
    tokyo = as_user(make_user(time_zone="Asia/Tokyo"))
    for address in (f"/orders/{order.pk}/", "/activity/?who=all"):
        assert ">Tuesday, 3 November 2026</" in tokyo.get(address).content.decode()
        assert ">Monday, 2 November 2026</" in as_user(make_user()).get(address).content.decode()


def test_a_poll_brings_times_on_the_readers_clock() -> None:
    order = make_order(Status.IN_PROGRESS, reported_at=NOON)
    tokyo = as_user(make_user(time_zone="Asia/Tokyo"))
    answer = tokyo.get("/orders/changes/", {"v": f"{order.pk}:{order.version}"}, headers=htmx())
    assert json.loads(answer["HX-Trigger"])["desk:looked"][str(order.pk)] == "2026-11-02T21:00:05+09:00"


def test_a_readers_own_clock_changes_no_row() -> None:
    order = make_order(Status.IN_PROGRESS, reported_at=NOON)
    tokyo = as_user(make_user(time_zone="Asia/Tokyo", numbers="1.234,56"))
    assert tokyo.get(poll(tokyo, order), headers=htmx()).status_code == 204


def test_records_are_in_utc_for_every_reader() -> None:
    waits = make_order("completed")
    waits.tasks.create(kind="refill", asked_by=make_user(), asked_at=NOON, slot=1, settled_at=NOON, outcome="done")
    user = make_user(Role.OPERATOR, time_zone="Asia/Tokyo", numbers="1.234,56")
    picked = Selection.of("refill", [waits.pk], "ticked on the orders page").signed()
    page = as_user(user).post("/orders/bulks/new/confirmation/", {"picked": picked}, follow=True)
    bulk = Bulk.objects.get()
    assert "2 Nov, 12:00 UTC" in bulk.left_out[str(waits.pk)]
    assert "2 Nov, 12:00 UTC" in page.content.decode(), "which is what the receipt says"
    with written_for("Asia/Tokyo", "1.234,56"):
        order = place_order(by=user, quantity=12_345)
        line = list(as_csv(bulk))[-1]
    assert f"{bulk.asked_at:%Y-%m-%d %H:%M:%S}" in line
    facts = Event.objects.get(order=order).facts
    assert (facts["quantity"], facts["expected"]) == ("12,345", "$11.11")
    assert Order.objects.get(pk=order.pk).body["quantity"] == "12345"
