"""Managers set what holds for the whole desk; who, when and the value before are kept, and it holds at once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.desk_settings import SETTINGS, ClockTime, Values, current, held, longest_delay, read_clock_time, stored
from accounts.models import BalanceReading, SettingChange, User
from orders.models import Order, Task
from panel.format.locale import written_for
from panel.format.times import took
from tests.makers import make_order, make_user, place_order
from tests.people import as_user

pytestmark = pytest.mark.django_db
PAGE = "/upstream/settings/"
FIRST = {"low_balance": "20", "lasts_until": "06:00 UTC", "price_jump_percent": "20", "send_delay_seconds": "0",
         "late_grace_hours": "0"}  # fmt: skip


@pytest.fixture
def mira() -> User:
    """A manager."""
    return make_user(Role.MANAGER, name="Mira")


def filled(seen: dict[str, str] | None = None, **typed: str) -> dict[str, str]:
    """The page's form as `seen`, with what is typed instead."""
    shown = {**FIRST, **(seen or {})}
    return {**{f"saw_{name}": text for name, text in shown.items()}, **shown, **typed}


def set_to(mira: User, **typed: str) -> Client:
    """Sets this on the page, and gives the browser that did."""
    client = as_user(mira)
    assert client.post(PAGE, filled(dict(stored()), **typed)).status_code == 302
    return client


def test_until_somebody_sets_them_the_environment_says(settings: Any) -> None:
    settings.LOW_BALANCE, settings.BALANCE_LASTS_UNTIL, settings.LATE_GRACE_HOURS = Decimal("12.5"), "", 3.0
    assert current() == Values(Decimal("12.5"), None, Decimal(20), Decimal(0), Decimal(3))
    assert set(SETTINGS) == set(Values._fields)


def test_a_change_is_stored_with_who_when_and_the_value_before(mira: User) -> None:
    page = set_to(mira, low_balance="$35.50").get(PAGE).content.decode()
    change = SettingChange.objects.get()
    assert (change.name, change.was, change.now, change.changed_by) == ("low_balance", "20", "35.5", mira)
    assert timezone.now() - change.changed_at < timedelta(minutes=1)
    assert stored() == {"low_balance": "35.5"}, "only what was changed"
    assert "Mira set it" in page and "Before: $20.00." in page


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("low_balance", "12,34,5", "Write a number, such as 20"),
        ("low_balance", "-1", "Write a number from 0 to 1,000,000,000."),
        ("low_balance", "1,234", "Write a number, such as 20"),
        ("lasts_until", "tonight", "Write a time such as 06:00"),
        ("lasts_until", "25:00", "Write a time such as 06:00"),
        ("lasts_until", "06:00 Europe/Nowhere", "The desk does not know this time zone."),
        ("price_jump_percent", "0", "Write a number from 1 to 1,000."),
        ("price_jump_percent", "NaN", "Write a number, such as 20"),
        ("send_delay_seconds", "", "Write a number, such as 20"),
        ("send_delay_seconds", "7200", "Write a number from 0 to 3,600."),
        ("late_grace_hours", "x" * 500, "at most 100 characters"),
        ("late_grace_hours", "\0", "Null characters"),
    ],
)
def test_a_bad_value_gets_a_sentence_and_loses_nothing(mira: User, name: str, text: str, sentence: str) -> None:
    other = "late_grace_hours" if name == "low_balance" else "low_balance"
    answer = as_user(mira).post(PAGE, {**filled(), name: text, other: "7"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert f'name="{other}" value="7"' in page
    assert not SettingChange.objects.exists()


def test_who_may_not_decide_reads_it_and_changes_nothing() -> None:
    client = as_user(make_user(Role.OPERATOR))
    assert "Managers and owners change these." in client.get(PAGE).content.decode()
    assert client.post(PAGE, filled(low_balance="1")).status_code == 403
    assert stored() == {}


def test_of_two_managers_the_second_is_told_what_the_first_did(mira: User) -> None:
    """A form that was open meanwhile changes only what was changed in it, and asks before it changes that again."""
    olga = make_user(Role.OWNER, name="Olga")
    set_to(mira, low_balance="30")
    assert as_user(olga).post(PAGE, filled(late_grace_hours="2")).status_code == 302
    assert stored() == {"low_balance": "30", "late_grace_hours": "2"}
    page = as_user(olga).post(PAGE, filled(low_balance="40")).content.decode()
    assert "Mira changed it to $30.00 meanwhile. Nothing was saved." in page
    assert 'name="saw_low_balance" value="30"' in page
    assert stored()["low_balance"] == "30"
    set_to(olga, low_balance="40")
    assert SettingChange.objects.newest("low_balance").was == "30"  # type: ignore[union-attr]


def test_a_form_that_changes_nothing_records_nothing(mira: User) -> None:
    client = as_user(mira)
    assert "Nothing was changed." in client.post(PAGE, filled(), follow=True).content.decode()
    assert not SettingChange.objects.exists()


def test_a_value_that_cannot_be_read_any_more_counts_as_not_set() -> None:
    with held({"low_balance": "lots", "lasts_until": "?", "gone": "1"}):
        assert current().low_balance == 20


# ── They hold at once, and cost nothing ──────────────────────────────────────────────────────────
def test_the_next_request_of_everybody_goes_by_it_without_a_further_statement(mira: User) -> None:
    viewer = as_user(make_user(Role.VIEWER))
    BalanceReading.objects.create(amount=25, first_asked_at=timezone.now(), asked_at=timezone.now())
    with CaptureQueriesContext(connection) as before:
        assert "tag-bad" not in viewer.get("/team/").content.decode()
    set_to(mira, low_balance="26", late_grace_hours="1")
    with CaptureQueriesContext(connection) as after:
        assert '<span class="tag-s tag-bad">low</span>' in viewer.get("/team/").content.decode()
    assert len(after) == len(before)
    assert sum("accounts_desksettings" in query["sql"] for query in after.captured_queries) == 1


def test_a_new_order_can_be_undone_for_the_new_delay(mira: User) -> None:
    set_to(mira, send_delay_seconds="90")
    order = place_order()
    assert Task.objects.get(order=order).due_at == order.created_at + timedelta(seconds=90)


def test_an_undo_window_stays_as_long_as_it_was(mira: User) -> None:
    set_to(mira, send_delay_seconds="1800")
    set_to(mira, send_delay_seconds="5")
    now = timezone.now()
    assert longest_delay(now) == timedelta(seconds=1800)
    assert longest_delay(now + timedelta(hours=2)) == timedelta(seconds=60), "which every person may choose"


@pytest.mark.parametrize(("desk", "own", "holds"), [("5", 0, 5), ("5", 60, 60), ("0", 20, 20), ("90", 5, 90)])
def test_a_person_may_wait_longer_than_the_desk_and_never_less(mira: User, desk: str, own: int, holds: int) -> None:
    """Managers set the least; “As the desk” is 0. The pages on which it is chosen and used say both."""
    set_to(mira, send_delay_seconds=desk)
    ana = make_user(Role.OPERATOR, undo_seconds=own)
    order = place_order(by=ana)
    assert Task.objects.get(order=order).due_at == order.created_at + timedelta(seconds=holds)
    form, preferences = (as_user(ana).get(path).content.decode() for path in ("/orders/new/", "/accounts/preferences/"))
    assert f"You can undo it for {took(timedelta(seconds=holds))}" in form
    assert f"As the desk: {took(timedelta(seconds=int(desk)))}" in preferences
    assert (f"own delay of {took(timedelta(seconds=int(desk)))}" in preferences) is (desk != "0")


def test_late_is_what_takes_so_many_hours_more(mira: User) -> None:
    order = make_order("in_progress", late_from=timezone.now() - timedelta(hours=2))
    client = set_to(mira, late_grace_hours="3")
    assert "Nothing is late" in client.get("/orders/late/").content.decode()
    assert f'id="order-{order.pk}"' not in client.get("/orders/?open=late").content.decode()
    assert "late 2 h" not in client.get("/orders/").content.decode()
    client = set_to(mira, late_grace_hours="0.5")
    assert "and 0.5 h more" in client.get("/orders/late/").content.decode()
    page = client.get("/orders/?open=late").content.decode()
    assert f'id="order-{order.pk}"' in page
    assert "late <time" in page and ">1 h</time>" in page
    assert Order.objects.get().late_from == order.late_from, "nothing is written"


# ── A time of day ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        (datetime(2026, 11, 2, 4, 59, tzinfo=UTC), "Europe/Berlin", datetime(2026, 11, 2, 5, tzinfo=UTC)),
        (datetime(2026, 11, 2, 5, 0, tzinfo=UTC), "Europe/Berlin", datetime(2026, 11, 3, 5, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, 0, tzinfo=UTC), "Europe/Berlin", datetime(2026, 10, 25, 5, tzinfo=UTC)),
        (datetime(2026, 11, 2, 23, 0, tzinfo=UTC), "UTC", datetime(2026, 11, 3, 6, tzinfo=UTC)),
    ],
    ids=["a minute before", "at that time", "the night in which clocks go back", "in UTC"],
)
def test_the_next_time_at_which_a_clock_shows_six(now: datetime, zone: str, expected: datetime) -> None:
    time = read_clock_time(f"6:00 {zone}")
    assert isinstance(time, ClockTime)
    assert time.next(now) == expected


def test_a_time_without_a_zone_is_on_the_clock_of_who_types_it() -> None:
    with written_for("Asia/Tokyo", ""):
        assert str(read_clock_time(" 7.30 ")) == "07:30 Asia/Tokyo"
    assert read_clock_time(" ") is None
