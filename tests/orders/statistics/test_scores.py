"""The scores of services are measured from the sums, and stand in the picker, the list of services and reports."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.access import Role
from catalog.models import Service
from orders.models import SaleSum, ServiceScore
from orders.statistics import sales, scores
from orders.statistics.charge_totals import slot_of
from tests.makers import make_order, make_service
from tests.people import as_a

pytestmark = pytest.mark.django_db


def ended(service: Service, days_ago: int, count: int, **figures: int) -> None:
    """The sums of so many orders of a service that were placed so many days ago and have ended."""
    slot = slot_of(timezone.now() - timedelta(days=days_ago)) // sales.DAY * sales.DAY
    usual = {"orders": count, "ended": count, "ended_units": 10 * count, "delivered": 10 * count}
    SaleSum.objects.create(
        level=scores.DAILY.number, slot=slot, service=service.pk, person=0, customer=0,
        **(dict.fromkeys(sales.FIGURES, 0) | usual | figures),
    )  # fmt: skip


def test_a_score_is_of_the_last_four_weeks_and_its_trend_of_the_four_before() -> None:
    service, few = make_service(), make_service()
    ended(service, 3, 40, late=5, ended_charged=900_000)
    ended(service, 40, 40)
    ended(service, 100, 500, late=500)
    ended(few, 3, 19)
    assert scores.measure(timezone.now()) == 1
    score = ServiceScore.objects.get()
    assert (score.service, score.value, score.before, score.trend) == (service, 85, 100, "−15")
    assert (score.late, score.delivered, score.per_thousand) == (Decimal("12.5"), Decimal(100), Decimal("2.25"))
    assert len(score.weeks) == 12
    assert [week for week in score.weeks if week is not None] == [100, 85]


def test_a_service_of_which_too_few_orders_end_loses_its_score() -> None:
    service = make_service()
    ended(service, 3, 40)
    scores.measure(timezone.now())
    SaleSum.objects.all().delete()
    assert scores.measure(timezone.now()) == 0
    assert not ServiceScore.objects.exists()


def test_the_picker_says_how_good_a_service_is() -> None:
    service = make_service()
    ended(service, 3, 100, delivered=970, late=2)
    scores.measure(timezone.now())
    assert "delivers 97 %, late 2 %" in as_a(Role.OPERATOR).get("/services/found/").content.decode()


def test_the_list_of_services_is_sorted_by_score_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.service_list.ROWS_A_PAGE", 2)
    services = [make_service() for _ in range(5)]
    for late, service in zip((30, 0, 60, 10), services, strict=False):
        ended(service, 3, 100, late=late // 3)
    scores.measure(timezone.now())
    reader, found, address = as_a(Role.VIEWER), [], "/services/?sort=score"
    while address:
        html = reader.get(address).content.decode()
        found += [s.upstream_id for s in services if f'<td class="v-id mono" role="cell">{s.upstream_id}</td>' in html]
        more = html.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        address = more.replace("&amp;", "&") if 'rel="next"' in html else ""
    best_first = [services[n].upstream_id for n in (1, 3, 0, 2)]
    assert sorted(found[:2]) == sorted(best_first[:2])
    assert sorted(found[2:]) == sorted(best_first[2:])
    assert "services without a score are left out" in html


def test_a_report_by_service_shows_scores_and_their_cost_to_who_may_see_money() -> None:
    order = make_order("completed", charge=Decimal("0.90"), currency="USD")
    ended(order.service, 3, 40, delivered=100, ended_charged=900_000)
    scores.measure(timezone.now())
    html = as_a(Role.OWNER).get("/reports/?period=7").content.decode()
    assert "Service scores" in html
    assert "low: look for another service" not in html
    assert "$9.00" in html
