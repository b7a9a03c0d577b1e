"""Reads the sums of a report in one statement, so that all its numbers are of the same moment and add up."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise, zip_longest
from typing import NamedTuple

from django.db import connection

from orders.reports.figures import NOTHING, Totals
from orders.statistics.charge_totals import slot_of
from orders.statistics.sales import DAY, DAYS, FIGURES, HOUR, HOURS, QUARTERS, Level, levels_of
from panel.format.times import starts

SUMS = ", ".join(f"SUM({name}) AS {name}" for name in FIGURES)
NOW, BEFORE, SPLIT, SPLIT_BEFORE = range(4)  # the parts of the statement


class Sums(NamedTuple):
    """The figures of each day of two periods, and of each key of the split within them."""

    days: list[Totals]
    before: list[Totals]
    split: dict[int, Totals]
    split_before: dict[int, Totals]


def read_sums(first: date, last: date, shift: int, key: str) -> Sums:
    """The sums of these days and of those `shift` days earlier (0: of none), split by `key` of sales.KEYS."""
    number = (last - first).days + 1
    days = day_slots(first, number)
    earlier = day_slots(first - timedelta(days=shift), number) if shift else []
    statements = [*by_day(NOW, days), *by_key(SPLIT, days[0], days[-1], key)]
    if shift:
        statements += [*by_day(BEFORE, earlier), *by_key(SPLIT_BEFORE, earlier[0], earlier[-1], key)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT part, value, {SUMS} FROM ({' UNION ALL '.join(statements)}) AS parts GROUP BY 1, 2")  # noqa: S608
        totals = {(part, int(value)): Totals(*map(int, figures)) for part, value, *figures in cursor.fetchall()}

    def of_days(part: int, count: int) -> list[Totals]:
        return [totals.get((part, n), NOTHING) for n in range(count)]

    def of_keys(wanted: int) -> dict[int, Totals]:
        return {value: figures for (part, value), figures in totals.items() if part == wanted and figures.any}

    return Sums(of_days(NOW, number), of_days(BEFORE, number if shift else 0), of_keys(SPLIT), of_keys(SPLIT_BEFORE))


def day_slots(first: date, number: int) -> list[int]:
    """The slot in which each of so many days begins on the reader's clock, and the slot after the last."""
    return [slot_of(starts(first + timedelta(days=n))) for n in range(number + 1)]


def by_day(part: int, slots: list[int]) -> Iterator[str]:
    """The SELECTs of the days' sums: of whole days where they begin as in UTC, else of hours.

    Where a day begins within an hour, the quarters of that hour of every day stand in for it. They are looked up one by
    one: nine of ten rows of all quarters would be read for nothing.
    """
    split_hours = sorted({slot // HOUR * HOUR % DAY for slot in slots if slot % HOUR})
    level = DAYS if all(slot % DAY == 0 for slot in slots) else HOURS
    tables = [f"orders_salesum WHERE level = {level.number}"]
    if split_hours:
        tables[0] += f" AND slot % {DAY} NOT IN ({', '.join(map(str, split_hours))})"
        quarters = quarters_of(split_hours, slots[0], slots[-1])
        tables.append(f"orders_salesum WHERE level = {QUARTERS.number} AND slot IN ({', '.join(map(str, quarters))})")
    day = day_of_slot(slots)
    for table in (*tables, "orders_saleline WHERE TRUE"):
        within = f"{table} AND slot >= {slots[0]} AND slot < {slots[-1]}"
        yield f"SELECT {part} AS part, {day} AS value, {SUMS} FROM {within} GROUP BY 2"  # noqa: S608  numbers


def quarters_of(hours: list[int], first: int, end: int) -> list[int]:
    """The quarters of these hours of every day, given as slots of a day, from the slot `first` up to `end`."""
    days = range(first // DAY * DAY, end, DAY)
    found = [day + hour + quarter for day in days for hour in hours for quarter in range(HOUR)]
    return [slot for slot in found if first <= slot < end]


def day_of_slot(slots: list[int]) -> str:
    """The SQL of the number of a slot's day. A clock that is set forward or back makes a day shorter or longer."""
    runs = [(slots[0], 0, False)]  # from this slot on it is this day, and unless the day is odd each 96 slots another
    for number, (slot, following) in enumerate(pairwise(slots)):
        if following - slot != DAY:
            runs += [(slot, number, True), (following, number + 1, False)]
    # Of those that begin at the same slot the last counts.
    runs = [run for run, following in zip_longest(runs, runs[1:]) if following is None or following[0] > run[0]]
    days = [f"{number}" if is_odd else f"{number} + (slot - {slot}) / {DAY}" for slot, number, is_odd in runs]
    cases = [f"WHEN slot < {end} THEN {day}" for day, (end, *_) in zip(days, runs[1:], strict=False)]
    return f"CASE {' '.join(cases)} ELSE {days[-1]} END" if cases else days[-1]


def by_key(part: int, first: int, end: int, key: str) -> Iterator[str]:
    """The SELECTs of the sums of a split: of the longest blocks that lie within, and at the edges of shorter ones."""
    ranges = [(f"orders_salesum WHERE level = {level.number} AND", a, b) for level, a, b in cover(first, end, key)]
    for table, begin, until in (*ranges, ("orders_saleline WHERE", first, end)):
        within = f"slot >= {begin} AND slot < {until}"
        yield f"SELECT {part} AS part, {key} AS value, {SUMS} FROM {table} {within} GROUP BY {key}"  # noqa: S608  numbers and our names


def cover(first: int, end: int, key: str) -> Iterator[tuple[Level, int, int]]:
    """The ranges of each level of a split that together are the slots from `first` up to `end`, none of them twice."""
    left = [(first, end)]
    for level in levels_of(key):
        rest = []
        for begin, until in left:
            low, high = -(-begin // level.block) * level.block, until // level.block * level.block
            if low < high:
                yield level, low, high
                rest += [(begin, low), (high, until)]
            else:
                rest.append((begin, until))
        left = [(begin, until) for begin, until in rest if begin < until]
