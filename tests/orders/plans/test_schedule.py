"""When parts are due: days by the clock, hours as they pass, and what the clock skips or shows twice."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.preferences import NO_ZONE
from orders.plans.page import future_rows
from orders.plans.schedule import MOST_PARTS, Schedule, ScheduleForm, moment, schedule_of, there, wall_of, why_odd

BERLIN, NEW_YORK, KATHMANDU, LORD_HOWE = "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTES = "%Y-%m-%d %H:%M"

clock = datetime.fromisoformat  # what a clock shows

# What the clock shows, where, and the moment that is meant. In 2026 Berlin's clock goes forward on 29 March, back on
# 25 October; New York's on 8 March and 1 November; Lord Howe's by half an hour.
MEANT = [
    ("2026-03-28 09:00", BERLIN, "2026-03-28 08:00", ""),
    ("2026-03-30 09:00", BERLIN, "2026-03-30 07:00", ""),
    ("2026-03-29 01:59", BERLIN, "2026-03-29 00:59", ""),
    ("2026-03-29 02:00", BERLIN, "2026-03-29 01:00", "02:00 does not come on that day: the clock goes forward."),
    ("2026-03-29 02:30", BERLIN, "2026-03-29 01:30", "02:30 does not come on that day: the clock goes forward."),
    ("2026-03-29 03:00", BERLIN, "2026-03-29 01:00", ""),
    ("2026-10-25 01:59", BERLIN, "2026-10-24 23:59", ""),
    ("2026-10-25 02:30", BERLIN, "2026-10-25 00:30", "02:30 comes twice on that day: the first counts."),
    ("2026-10-25 03:00", BERLIN, "2026-10-25 02:00", ""),
    ("2026-03-08 02:30", NEW_YORK, "2026-03-08 07:30", "02:30 does not come on that day: the clock goes forward."),
    ("2026-11-01 01:30", NEW_YORK, "2026-11-01 05:30", "01:30 comes twice on that day: the first counts."),
    ("2026-10-04 02:10", LORD_HOWE, "2026-10-03 15:40", "02:10 does not come on that day: the clock goes forward."),
    ("2026-11-02 09:00", KATHMANDU, "2026-11-02 03:15", ""),
    ("2026-11-02 09:00", "UTC", "2026-11-02 09:00", ""),
]  # fmt: skip


@pytest.mark.parametrize(("wall", "zone", "at", "odd"), MEANT)
def test_each_time_of_a_clock_means_one_moment(wall: str, zone: str, at: str, odd: str) -> None:
    shown = clock(wall)
    assert moment(shown, zone).strftime(MINUTES) == at
    assert why_odd(shown, zone) == odd


def test_a_part_a_day_keeps_its_hour_when_the_clock_moves() -> None:
    daily = Schedule(clock("2026-03-28 09:00"), BERLIN, 1, 1, "days")
    assert [there(at, BERLIN) for at in daily.times(3)] == [
        "Sat 28 Mar 2026, 09:00 CET", "Sun 29 Mar 2026, 09:00 CEST", "Mon 30 Mar 2026, 09:00 CEST"]  # fmt: skip
    night = Schedule(clock("2026-03-28 02:30"), BERLIN, 1, 1, "days")
    assert [f"{wall_of(at, BERLIN):%H:%M}" for at in night.times(3)] == ["02:30", "03:30", "02:30"]
    assert [row.odd[:5] for row in future_rows(night, 3)] == ["", "02:30", ""]


def test_parts_hours_apart_are_that_far_apart_when_the_clock_moves() -> None:
    hourly = Schedule(clock("2026-10-25 01:00"), BERLIN, 1, 1, "hours")
    times = hourly.times(4)
    assert {after - before for before, after in pairwise(times)} == {timedelta(hours=1)}
    assert [f"{wall_of(at, BERLIN):%H:%M}" for at in times] == ["01:00", "02:00", "02:00", "03:00"]
    assert not any(row.odd for row in future_rows(hourly, 4))


@given(
    first=st.datetimes(clock("2026-01-01 00:00"), clock("2029-01-01 00:00")),
    zone=st.sampled_from([BERLIN, NEW_YORK, KATHMANDU, LORD_HOWE, "UTC"]),
    every=st.integers(1, 60), unit=st.sampled_from(["hours", "days"]), lines=st.integers(1, 90),
    size=st.integers(1, 40),
)  # fmt: skip
def test_parts_come_one_after_the_other_and_hold_each_line_once(
    first: datetime, zone: str, every: int, unit: str, lines: int, size: int
) -> None:
    rows = future_rows(Schedule(first, zone, size, every, unit), lines)
    assert [n for row in rows for n in range(row.first, row.last + 1)] == list(range(1, lines + 1))
    assert all(before.at < after.at for before, after in pairwise(rows))


def form(lines: int = 10, **typed: Any) -> ScheduleForm:
    usual = {"first": "2026-03-02T09:00", "zone": BERLIN, "part_lines": "3", "every": "1", "unit": "days"}
    return ScheduleForm({**usual, **typed}, lines=lines, zone=BERLIN, now=NOW)


def test_a_form_says_what_it_was_told() -> None:
    filled = form(zone="new york")
    assert filled.is_valid()
    assert schedule_of(filled) == Schedule(clock("2026-03-02 09:00"), NEW_YORK, 3, 1, "days")
    empty = ScheduleForm(None, lines=12, zone=BERLIN, now=NOW)
    assert schedule_of(empty) == Schedule(clock("2026-03-02 09:00"), BERLIN, 3, 1, "days")


@pytest.mark.parametrize(("field", "typed", "why"), [
    ("first", "", "Choose a day and a time."),
    ("first", "soon", "Choose a day and a time."),
    ("first", "2026-03-01T13:00", "This time has been already. Choose one to come."),
    ("first", "9999-12-31T23:59", "Choose a day and a time."),
    ("first", "0001-01-01T00:00", "Choose a day and a time."),
    ("zone", "Nowhere", NO_ZONE),
    ("part_lines", "0", "At least 1."),
    ("part_lines", "x", "Write a whole number."),
    ("every", "1001", "At most 1,000."),
    ("every", "", "Write a number."),
    ("every", "200", "The last part would be due in more than a year. Choose larger parts, or less time between them."),
    ("unit", "weeks", "Choose hours or days."),
])  # fmt: skip
def test_what_cannot_be_is_said_beside_its_field(field: str, typed: str, why: str) -> None:
    assert form(10, **{field: typed}).errors == {field: [why]}


def test_a_plan_has_so_many_parts_at_most() -> None:
    assert form(lines=MOST_PARTS, part_lines="1", every="1", unit="hours").is_valid()
    assert form(lines=5_000, part_lines="1").errors == {
        "part_lines": ["These are 5,000 parts; a plan has at most 200. Write at least 25."]}  # fmt: skip
