"""A rate's last 90 days as a small line of steps, in one query for a page."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import RateChange, Service
from catalog.rate_charts import STEPS_DRAWN, RateChart, rate_charts
from tests.makers import make_service
from tests.people import as_a

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def add_move(service: Service, was: str | None, now: str, days_ago: float) -> None:
    """Records that the rate changed so many days ago."""
    RateChange.objects.create(
        service=service, was=was and Decimal(was), now=Decimal(now), at=NOW - timedelta(days=days_ago)
    )


def chart_of(service: Service) -> RateChart:
    """The chart of this service's rate."""
    return rate_charts([service], NOW)[service.pk]


def test_a_rate_that_never_moved_is_flat_and_grey() -> None:
    service = make_service(rate=Decimal("0.90"))
    add_move(service, None, "0.90", 400)
    assert chart_of(service)[:3] == ("M1 10.0H71", 71, 10.0)
    assert (chart_of(service).way, chart_of(service).move) == ("", None)


def test_the_line_goes_in_steps_and_ends_today() -> None:
    service = make_service(rate=Decimal("2"))
    add_move(service, "1", "2", 45)
    assert chart_of(service).path == "M1 18.0H36.0V2.0H71"


def test_a_small_move_looks_small() -> None:
    service = make_service(rate=Decimal("1.02"))
    add_move(service, "1", "1.02", 45)
    heights = [float(y) for y in re.findall(r"(?:V|M1 )([\d.]+)", chart_of(service).path)]
    assert max(heights) - min(heights) < 2


@pytest.mark.parametrize(("was", "way", "share"), [("1", "up", "0.12"), ("1.40", "down", "-0.2")])
def test_a_move_of_the_last_days_is_named_and_coloured(was: str, way: str, share: str) -> None:
    service = make_service(rate=Decimal("1.12"))
    add_move(service, was, "1.12", 2)
    chart = chart_of(service)
    assert chart.way == way
    assert chart.move and chart.move.share == Decimal(share)
    page = as_a("viewer").get("/services/").content.decode()
    assert f"spark is-{way}" in page
    assert f"{abs(Decimal(share)) * 100:.0f} %" in page
    assert f"was ${Decimal(was):.2f}" in page


def test_an_older_move_is_only_in_the_line() -> None:
    service = make_service(rate=Decimal("1.12"))
    add_move(service, "1", "1.12", 8)
    assert (chart_of(service).way, chart_of(service).move) == ("", None)


@pytest.mark.parametrize(("was", "now"), [("0", "1"), ("1", "0"), ("0", "0")])
def test_a_rate_of_zero_breaks_nothing(was: str, now: str) -> None:
    service = make_service(rate=Decimal(now))
    add_move(service, was, now, 1)
    assert chart_of(service).path
    assert as_a("viewer").get("/services/").status_code == 200


def test_a_hundred_lines_are_one_query_and_each_is_bounded() -> None:
    services = [make_service() for _ in range(100)]
    for step in range(STEPS_DRAWN + 20):
        add_move(services[0], "1", str(step), 40 - step / 10)
    with CaptureQueriesContext(connection) as captured:
        charts = rate_charts(services, NOW)
    assert len(captured) == 1
    assert len(charts) == 100
    assert charts[services[0].pk].path.count("V") == STEPS_DRAWN
