"""The balance's history: what upstream said and when, what was spent and came in, and the chart of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import BalanceReading
from orders.reports import balance
from orders.reports.balance import chart, drawn_readings, fallen_and_risen, steps_of
from panel.format.step_chart import HEIGHT, WIDTH

pytestmark = pytest.mark.django_db


def readings(*amounts: str, every: timedelta = timedelta(hours=1), currency: str = "USD") -> list[BalanceReading]:
    """Saves readings of these amounts, oldest first: the last is of now, and each held until the next."""
    begins = timezone.now() - every * (len(amounts) - 1)
    return [
        BalanceReading.objects.create(
            amount=Decimal(amount), currency=currency, first_asked_at=begins + every * n, asked_at=begins + every * n
        )
        for n, amount in enumerate(amounts)
    ]


def test_each_reading_shows_what_was_spent_or_came_in(viewer: Browser, settings: Any) -> None:
    settings.LOW_BALANCE = Decimal(20)
    readings("50", "12.50", "112.50", "110.25")
    page = viewer.get("/upstream/balance/").content.decode()
    rows = page.partition('id="readings"')[2]
    assert rows.index("−$2.25") < rows.index("+$100.00") < rows.index("−$37.50")
    assert page.count('class="is-odd"') == 1, "the one that was low"
    assert "the first reading" in page
    assert "low below $20.00" in page, "the line in the drawing"
    assert "−$39.75, +$100.00" in page, "of the last day"


def test_another_currency_is_not_subtracted() -> None:
    old = readings("40")
    new = readings("39", "38", currency="EUR")
    changes = [step.change for step in steps_of([*new[::-1], *old])]
    assert changes == [Decimal(-1), None, None]
    assert drawn_readings(timezone.now()) == new


def test_what_moved_long_ago_is_not_counted() -> None:
    three = readings("90", "50", "45", every=timedelta(hours=20))
    assert fallen_and_risen(three, timezone.now() - timedelta(hours=24)) == (Decimal(45), Decimal(0))
    assert fallen_and_risen([], timezone.now()) == (Decimal(0), Decimal(0))


def test_the_line_steps_where_upstream_first_said_so(settings: Any) -> None:
    settings.LOW_BALANCE = Decimal(25)
    drawn = chart(readings("100", "50", "0"), timezone.now())
    assert drawn
    assert drawn.line == f"M0 0H{WIDTH // 2}V{HEIGHT // 2}H{WIDTH}V{HEIGHT}H{WIDTH}"
    assert drawn.low == HEIGHT * 3 // 4
    assert [drawn.first, drawn.last, drawn.least] == [Decimal(100), Decimal(0), Decimal(0)]


@pytest.mark.parametrize("amounts", [("0", "0.000001"), ("-5", "-9"), ("7", "7.5")])
def test_strange_amounts_are_drawn_within_the_box(amounts: tuple[str, ...]) -> None:
    drawn = chart(readings(*amounts), timezone.now())
    assert drawn
    heights = [int(part) for part in drawn.line.replace("H", " ").replace("V", " ").replace("M", " ").split()]
    assert all(0 <= height <= WIDTH for height in heights)


def test_one_reading_draws_nothing(viewer: Browser) -> None:
    assert chart(readings("10"), timezone.now()) is None
    assert '<svg viewBox="0 0 1000' not in viewer.get("/upstream/balance/").content.decode()


def test_an_empty_desk_says_what_will_stand_here(viewer: Browser) -> None:
    assert "The balance is not known yet" in viewer.get("/upstream/balance/").content.decode()


def test_older_readings_follow_by_key(viewer: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance, "READINGS_A_PAGE", 3)
    made = readings(*(str(100 - n) for n in range(7)))
    first = viewer.get("/upstream/balance/").content.decode()
    assert f"?before={made[4].pk}" in first
    second = viewer.get(f"/upstream/balance/?before={made[4].pk}").content.decode()
    assert second.count("−$1.00") == 3, "the last of a page knows the one before it too"
    assert "How long it lasts" not in second
    assert "the first reading" in viewer.get(f"/upstream/balance/?before={made[1].pk}").content.decode()
    assert "Nothing older" in viewer.get(f"/upstream/balance/?before={made[0].pk}").content.decode()


def test_the_queries_do_not_grow(viewer: Browser) -> None:
    counts = []
    for rows in (1, 49):
        readings(*(str(n) for n in range(rows)))
        with CaptureQueriesContext(connection) as queries:
            viewer.get("/upstream/balance/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("hours", "amount"), [(0, None), (1, 10), (2, 10), (3, 10), (4, 20), (9, 30), (20, 30)])
def test_the_balance_of_a_moment_is_the_last_that_was_told_before_it(hours: int, amount: int | None) -> None:
    begin = timezone.now() - timedelta(days=2)
    for value, first, last in ((10, 1, 2), (20, 4, 4), (30, 6, 9)):
        BalanceReading.objects.create(
            amount=value, first_asked_at=begin + timedelta(hours=first), asked_at=begin + timedelta(hours=last)
        )
    found = BalanceReading.objects.at(begin + timedelta(hours=hours))
    assert (found and found.amount) == amount
