"""How long the balance lasts: in the status bar, on the balance page, and before a dear order is placed."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.desk_settings import held
from accounts.models import BalanceReading
from orders.models import Order, Spending
from orders.rules.statuses import Status
from orders.statistics.runway import runway
from orders.statistics.spending import measure, spending_beside
from panel.notpanel.client import Client
from panel.site.status_bar import StatusBar
from panel.upstream.models import Chore
from panel.worker.recurring import RECURRING_WORK, do_recurring_work
from tests.makers import make_order, make_service, make_user, place_order
from tests.people import as_a
from tests.upstream import Upstream

NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


def pace(spent: str = "24", queued: str = "0", hours: float = 24) -> Spending:
    """A spending, unsaved, measured over so many hours. Amounts in US dollars."""
    return Spending(at=NOW, since=NOW - timedelta(hours=hours), spent=Decimal(spent), queued=Decimal(queued))


# ── The formula ──────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("balance", "currency", "measured", "words"),
    [
        ("9.50", "USD", pace(), "about 9 h at the pace of the last 24 h"),
        ("9.50", "USD", pace(queued="3"), "about 9 h at the pace of the last 24 h, 6 h with what is queued"),
        ("9.50", "", pace(queued="0.10"), "about 9 h at the pace of the last 24 h"),
        ("9.50", "USD", pace(queued="30"), "about 9 h at the pace of the last 24 h, less than 1 h with what is queued"),
        ("47.90", "USD", pace(), "about 47 h at the pace of the last 24 h"),
        ("50", "USD", pace(), "about 2 d at the pace of the last 24 h"),
        ("0.50", "USD", pace(), "less than 1 h at the pace of the last 24 h"),
        ("100000", "USD", pace(), "more than 90 d at the pace of the last 24 h"),
        ("0", "USD", pace(), "nothing is left"),
        ("-3", "USD", pace(), "nothing is left"),
        ("10", "USD", pace(spent="0"), "no spending in the last 24 h"),
        ("10", "USD", pace(spent="-1"), "no spending in the last 24 h"),
        (None, "USD", pace(), "the balance is not known yet"),
        ("10", "EUR", pace(), "the balance is in EUR, and orders are priced in US dollars"),
        ("10", "USD", None, "the pace is not measured yet"),
        # A young desk: what it spent, it spent within less than a day.
        ("10", "USD", pace(spent="10", hours=5), "about 5 h at the pace of the last 5 h"),
        ("10", "USD", pace(spent="10", hours=0), "about 1 h at the pace of the last 1 h"),
    ],
)
def test_the_page_says_how_long_the_balance_lasts_or_why_that_cannot_be_told(
    balance: str | None, currency: str, measured: Spending | None, words: str
) -> None:
    assert runway(Decimal(balance) if balance else None, currency, measured).words == words


def test_the_status_bar_says_it_briefly() -> None:
    assert runway(Decimal("9.50"), "USD", pace(queued="3")).brief == "about 9 h left, 6 h with the queue"
    assert runway(Decimal("9.50"), "USD", pace()).brief == "about 9 h left"
    assert runway(None, "USD", pace()).brief == ""


# ── What is measured ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_the_pace_is_what_upstream_took_within_a_day_by_its_charge_or_our_estimate() -> None:
    now, by, service = timezone.now(), make_user(), make_service()
    made: list[tuple[str, float, dict[str, Any]]] = [
        (Status.IN_PROGRESS, 1, {"charge": Decimal("1.20"), "currency": "USD"}),
        (Status.PENDING, 2, {}),  # 0.90, by our estimate
        (Status.COMPLETED, 25, {"charge": Decimal("50")}),  # longer ago than 24 hours
        (Status.COMPLETED, 3, {"charge": Decimal("70"), "currency": "EUR"}),  # another currency
        (Status.REJECTED, 1, {}),  # nothing was bought
        (Status.QUEUED, 1, {}), (Status.QUEUED, 30, {}),  # waits, however long
    ]  # fmt: skip
    for status, hours, fields in made:
        make_order(status, by=by, service=service, created_at=now - timedelta(hours=hours), **fields)
    measured = measure(now)
    assert (measured.spent, measured.queued) == (Decimal("2.10"), Decimal("1.80"))
    assert timedelta(hours=24) <= now - measured.since < timedelta(hours=24, minutes=15), "from a quarter on"
    measure(now)
    assert Spending.objects.count() == 1


@pytest.mark.django_db
def test_a_young_desk_is_measured_from_its_first_order() -> None:
    now = timezone.now()
    assert measure(now).since == now
    first = make_order(Status.PENDING, created_at=now - timedelta(hours=5))
    assert measure(now).since == first.created_at


@pytest.mark.django_db
def test_the_worker_measures_it_without_a_call(upstream: Upstream, phone: Client) -> None:
    for name in ("spending", "query plans"):
        Chore.objects.create(name=name, due_at=timezone.now())
        assert name in RECURRING_WORK
    assert do_recurring_work(phone) and do_recurring_work(phone)
    assert Spending.objects.exists()
    assert upstream.calls() == 0


# ── On the screen ────────────────────────────────────────────────────────────────────────────────
def write_balance(balance: str, currency: str = "USD") -> None:
    """Writes a reading of the balance, as upstream's answer to a call would."""
    now = timezone.now()
    BalanceReading.objects.create(amount=Decimal(balance), currency=currency, first_asked_at=now, asked_at=now)


def write_spending(spent: str, queued: str = "0") -> None:
    """Writes what was spent in the last 24 hours and what is queued, as the worker would."""
    now = timezone.now()
    Spending.objects.update_or_create(
        pk=1, defaults={"at": now, "since": now - timedelta(hours=24), "spent": spent, "queued": queued}
    )


@pytest.mark.django_db
def test_the_status_bar_says_it_within_its_one_query_and_links_to_the_formula(viewer: Browser) -> None:
    write_balance("47.50")
    write_spending("120", "18.20")
    with held({}), CaptureQueriesContext(connection) as queries:
        assert StatusBar().runway.brief == "about 9 h left, 5 h with the queue"
    assert len(queries) == 1
    page = viewer.get("/team/").content.decode()
    assert "about 9 h left, 5 h with the queue" in page
    assert 'href="/upstream/balance/" title="about 9 h at the pace of the last 24 h, 5 h with what is queued"' in page
    page = viewer.get("/upstream/balance/").content.decode()
    for part in ("$120.00 ÷ 24 h", "$5.00 an hour", "$47.50 ÷ $5.00", "($47.50 − $18.20) ÷ $5.00", "9.5 h", "5.9 h"):
        assert part in page, part


@pytest.mark.django_db
def test_after_a_top_up_a_queue_that_is_gone_is_no_longer_told_of(viewer: Browser) -> None:
    """What is queued was measured up to a minute ago, while orders still waited for the money that came in since."""
    write_spending("24", "7")
    write_balance("34.50")
    assert StatusBar().runway.brief == "about 34 h left"
    for path in ("/team/", "/upstream/balance/"):
        page = viewer.get(path).content.decode()
        assert "27 h" not in page and "with the queue" not in page and "with what is queued" not in page, path
    waits = make_order(Status.QUEUED)
    Order.objects.filter(pk=waits.pk).update(expected_charge=Decimal(10))
    assert StatusBar().runway.brief == "about 34 h left, 24 h with the queue", "what waits now"
    Order.objects.filter(pk=waits.pk).update(upstream_id="ord_1")
    assert StatusBar().runway.brief == "about 34 h left", "upstream has it"


@pytest.mark.django_db
def test_what_waits_is_found_by_its_status_and_not_among_all_that_were_rejected() -> None:
    write_spending("24", "7")
    write_balance("34.50")
    with held({}), CaptureQueriesContext(connection) as queries:
        StatusBar().runway.brief  # noqa: B018  read for its query
        spending_beside(BalanceReading.objects.first())
    bar, *_, receipt = queries.captured_queries
    with connection.cursor() as cursor:
        for query in (bar, receipt):
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' * (connection.vendor == 'sqlite')}{query['sql']}")
            plan = "\n".join(str(row) for row in cursor.fetchall())
            assert "order_status_newest" in plan or "order_like_under_way" in plan, plan


@pytest.mark.django_db
def test_a_long_queue_is_told_of_as_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    write_spending("24", "7")
    write_balance("34.50")
    service = make_service()
    for _ in range(3):
        make_order(Status.QUEUED, service=service)
    for name in ("panel.site.status_bar", "orders.statistics.spending"):
        monkeypatch.setattr(f"{name}.QUEUE_ROWS", 2)
    assert StatusBar().runway.with_queued == Decimal("27.5")
    spending = spending_beside(BalanceReading.objects.first())
    assert spending and spending.queued == 7


@pytest.mark.django_db
def test_the_receipt_of_a_dear_order_counts_the_queue_as_the_bar_does() -> None:
    write_spending("120", "18")
    write_balance("21")
    asked = {"service": make_service().upstream_id, "quantity": 2000, "link": "https://instagram.com/lumen.studio"}
    operator = as_a(Role.OPERATOR)
    page = operator.post("/orders/new/receipt/", asked).content.decode()
    assert "This order leaves $19.20, about 3 h at the pace of the last 24 h." in page
    write_spending("120", "18")
    page = operator.post("/orders/new/receipt/", asked).content.decode()
    assert "3 h at the pace of the last 24 h, less than 1 h with what is queued." in page


@pytest.mark.django_db
def test_a_low_balance_is_marked_and_an_open_page_learns_of_it(viewer: Browser, settings: Any) -> None:
    settings.LOW_BALANCE = Decimal(20)
    write_balance("20")
    assert not StatusBar().low
    settings.LOW_BALANCE = Decimal("20.01")
    before, low = StatusBar().version, StatusBar()
    assert low.low
    settings.LOW_BALANCE = Decimal(20)
    assert StatusBar().version != before, "the mark belongs to what the bar shows"
    settings.LOW_BALANCE = Decimal("20.01")
    assert '<span class="tag-s tag-bad">low</span>' in viewer.get("/team/").content.decode()


@pytest.mark.django_db
def test_a_balance_in_another_currency_is_not_compared_and_every_page_says_so(viewer: Browser) -> None:
    write_spending("10")
    write_balance("30")
    assert "The supplier states the balance in" not in viewer.get("/team/").content.decode()
    write_balance("3", "EUR")
    assert (StatusBar().low, StatusBar().runway.brief) == (False, "")
    assert "The supplier states the balance in EUR:</b> 3.00 EUR" in viewer.get("/team/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("balance", "quantity", "leaves"),
    [
        ("100", 1000, ""),  # $0.90: neither a tenth nor below the threshold
        ("100", 10_000, ""),  # $9.00
        ("100", 11_500, "This order leaves $89.65, about 17 h at the pace of the last 24 h."),
        ("21", 2000, "This order leaves $19.20, about 3 h at the pace of the last 24 h."),
        ("5", 10_000, ""),  # it is not covered at all, and that is said
    ],
)
def test_the_receipt_says_what_a_dear_order_leaves(balance: str, quantity: int, leaves: str) -> None:
    write_balance(balance)
    write_spending("120")
    service = make_service(maximum=100_000)
    asked = {"service": service.upstream_id, "quantity": quantity, "link": "https://instagram.com/lumen.studio"}
    page = as_a(Role.OPERATOR).post("/orders/new/receipt/", asked).content.decode()
    assert ("This order leaves" in page) is bool(leaves)
    assert leaves in page


@pytest.mark.django_db
def test_the_receipt_says_what_is_left_even_before_a_pace_is_known() -> None:
    write_balance("21")
    service = make_service()
    page = as_a(Role.OPERATOR).get(f"/orders/new/?service={service.upstream_id}&quantity=2000").content.decode()
    assert "This order leaves $19.20." in page
    assert place_order(service=service).expected_charge == Decimal("0.90")
    assert Order.objects.count() == 1
