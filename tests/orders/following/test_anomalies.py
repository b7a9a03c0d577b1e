"""Anomalies in upstream's reports are flagged and shown, and the report is kept as it came."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from orders.following.anomalies import ANOMALIES, SECOND_REPORT_AFTER, anomalies_of
from orders.following.poll import apply_reports, poll_once
from orders.following.triage import mark_seen
from orders.models import Order
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from orders.table.paging import SORTS
from panel.notpanel.client import Client
from panel.notpanel.shapes import Reports
from tests.makers import make_order, make_report, make_service, make_user, place_order, sold_by
from tests.orders.table.test_listing import listing, scans_or_sorts
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
ANOMALY_LIST = "/orders/?open=doubt"


def report(order: Order, **fields: Any) -> list[str]:
    """Applies a report with these fields, and returns the kinds of its events. A text is an unreadable figure."""
    raw = {name: fields[name] for name in ("remains", "charge") if isinstance(fields.get(name), str)}
    fields |= dict.fromkeys(raw)
    made = make_report(order, **{"raw": {"status": fields.get("status", "in_progress"), **raw}, **fields})
    before = set(order.events.values_list("pk", flat=True))
    apply_reports([made.upstream_id], Reports({made.upstream_id: made}, {}), timezone.now())
    order.refresh_from_db()
    return [event.kind for event in order.events.order_by("pk") if event.pk not in before]


def sentences(order: Order) -> list[str]:
    """What the order's page says about its anomalies."""
    return [anomaly.sentence for anomaly in anomalies_of(order)]


# ── What is an anomaly ───────────────────────────────────────────────────────────────────────────
ANOMALOUS_REPORTS: list[tuple[dict[str, Any], str, str]] = [
    ({"charge": Decimal("1.20")}, "charge",
     "The supplier charged $1.20; the price shown was $0.90 (33 % more)."),
    ({"charge": Decimal("0.60")}, "charge",
     "The supplier charged $0.60; the price shown was $0.90 (33 % less)."),
    ({"charge": Decimal("-1")}, "charge",
     "The supplier charged −$1.00; the price shown was $0.90 (211 % less)."),
    ({"charge": Decimal("0.92")}, "charge",
     "The supplier charged $0.92; the price shown was $0.90 (2.2 % more)."),
    ({"charge": Decimal("0.85"), "currency": "EUR"}, "currency",
     "The supplier charged 0.85 EUR; the price shown was $0.90. The two are not added up."),
    ({"remains": 1001}, "remains", "The supplier says that 1,001 remain, of 1,000 ordered."),
    ({"remains": -5}, "remains", "The supplier says that −5 remain, of 1,000 ordered."),
    ({"remains": "1,234"}, "unread", "The supplier’s answer has a value that makes no sense: its remains, “1,234”."),
    ({"remains": ""}, "unread", "The supplier’s answer has a value that makes no sense: its remains, empty."),
    ({"charge": "$0.50"}, "unread", "The supplier’s answer has a value that makes no sense: its charge, “$0.50”."),
    ({"charge": "1e9"}, "unread", "The supplier’s answer has a value that makes no sense: its charge, “1e9”."),
    ({"status": "paused"}, "word", "The supplier says “paused”, a status that the desk does not know."),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "kind", "sentence"), ANOMALOUS_REPORTS)
def test_an_anomaly_is_flagged_and_recorded_with_both_numbers(fields: dict[str, Any], kind: str, sentence: str) -> None:
    order = make_order(Status.IN_PROGRESS)
    assert report(order, **fields) == ["puzzled" if kind == "word" else "doubted"]
    assert order.doubts == kind
    assert sentences(order) == [sentence]
    if kind != "word":
        event = order.events.get(kind="doubted")
        assert event.sentence.plain == sentence


@pytest.mark.parametrize(
    "fields",
    [{}, {"charge": Decimal("0.905")}, {"charge": Decimal("0.8955")}, {"charge": None}, {"remains": None},
     {"remains": 1000}, {"remains": 0}, {"currency": ""},
     {"status": "cancelled", "charge": Decimal(0)}, {"status": "partial", "charge": Decimal("0.40")},
     {"status": "refunded", "charge": Decimal(0)}],
)  # fmt: skip
def test_what_can_be_expected_is_no_anomaly(fields: dict[str, Any]) -> None:
    order = make_order(Status.IN_PROGRESS)
    assert "doubted" not in report(order, **fields)
    assert (order.doubts, sentences(order)) == (None, [])


def test_more_than_expected_is_an_anomaly_even_for_an_order_that_ended_short() -> None:
    order = make_order(Status.IN_PROGRESS)
    report(order, status="cancelled", charge=Decimal("1.00"))
    assert order.doubts == "charge"


def test_a_coupon_explains_less_and_not_more() -> None:
    less, more = (place_order(coupon="TEN") for _ in range(2))
    for order, charge in ((less, "0.81"), (more, "0.99")):
        Order.objects.filter(pk=order.pk).update(upstream_id=f"ord_{order.pk}", status="pending")
        order.refresh_from_db()
        report(order, status="pending", charge=Decimal(charge))
    assert (less.doubts, more.doubts) == (None, "charge")


def test_a_drip_feed_is_expected_to_cost_and_to_remain_all_its_runs() -> None:
    order = place_order(service=make_service(dripfeed=True), runs=3, interval=60)
    Order.objects.filter(pk=order.pk).update(upstream_id="ord_drip", status="pending")
    order.refresh_from_db()
    report(order, status="pending", charge=Decimal("2.70"), remains=3000)
    assert order.doubts is None
    report(order, status="pending", charge=Decimal("0.90"), remains=3001)
    assert order.doubts == "charge remains"


def test_no_charge_is_expected_of_an_unknown_service_type() -> None:
    order = make_order(Status.PENDING, service=make_service(type="Live Stream"))
    report(order, status="pending", charge=Decimal("5"))
    assert order.doubts is None


def test_remains_of_a_package_are_compared_with_no_quantity() -> None:
    order = make_order(Status.PENDING, service=make_service(type="Package", rate=Decimal("0.90"), minimum=1))
    Order.objects.filter(pk=order.pk).update(quantity=1, body={"service": "1", "link": order.link})
    order.refresh_from_db()
    report(order, status="pending", charge=order.expected_charge, remains=900)
    assert order.doubts is None


# Of 100 units for $0.10: status, remains, charge → the kinds that are flagged.
CONTRADICTIONS: list[tuple[str, int | None, str | None, str | None]] = [
    ("completed", 100, "0.10", "undelivered"),
    ("completed", 1, "0.10", "undelivered"),
    ("completed", 101, "0.10", "remains undelivered"),
    ("partial", 0, "0.10", "delivered"),
    ("partial", 0, "0.04", "delivered"),
    ("cancelled", 100, "0.10", "kept"),
    ("cancelled", 0, "0.10", "kept"),
    ("cancelled", None, "0.101", "kept"),
    ("refunded", 100, "0.10", "kept"),
    ("refunded", 40, "0.0995", "kept"),
    ("canceled", 100, "0.20", "charge"),  # more than the full price is flagged as a charge
    # What does not contradict itself.
    ("completed", 0, "0.10", None),
    ("completed", None, "0.10", None),
    ("partial", 60, "0.10", None),
    ("partial", 60, "0.04", None),
    ("partial", None, "0.10", None),
    ("cancelled", 100, "0", None),
    ("cancelled", 100, None, None),
    ("cancelled", 40, "0.06", None),
    ("refunded", 100, "0.00", None),
    ("in_progress", 0, "0.10", None),
    ("in_progress", 100, "0.10", None),
    ("pending", 100, "0.10", None),
]


def order_of_a_hundred(**fields: Any) -> Order:
    """An order of 100 units for $0.10, which upstream has taken."""
    return make_order(Status.PENDING, service=make_service(rate=Decimal(1), **fields), quantity=100)


def report_as_answered(order: Order, **answer: Any) -> list[str]:
    """Applies an answer as upstream words it, and returns the kinds of its events."""
    upstream_id = order.upstream_id or ""
    before = set(order.events.values_list("pk", flat=True))
    reports = Reports.parse({upstream_id: answer}, [upstream_id], timezone.now())
    apply_reports([upstream_id], reports, timezone.now())
    order.refresh_from_db()
    return [event.kind for event in order.events.order_by("pk") if event.pk not in before]


@pytest.mark.parametrize(("status", "remains", "charge", "kinds"), CONTRADICTIONS)
def test_facts_that_contradict_each_other_are_flagged(
    status: str, remains: int | None, charge: str | None, kinds: str | None
) -> None:
    order = order_of_a_hundred()
    figures = {"remains": remains, "charge": charge}
    answer = {name: str(value) for name, value in figures.items() if value is not None}
    events = report_as_answered(order, status=status, currency="USD", start_count="0", **answer)
    assert order.doubts == kinds
    assert events.count("doubted") == len((kinds or "").split())
    assert order.status == status.replace("canceled", "cancelled"), "what upstream says is kept as it is"


def test_a_contradiction_says_both_facts_and_one_that_is_mended_stands_no_more() -> None:
    orders = {status: order_of_a_hundred() for status in ("completed", "partial", "refunded")}
    for status, order in orders.items():
        report_as_answered(order, status=status, remains="0" if status == "partial" else "1", charge="0.10")
    assert [sentence for order in orders.values() for sentence in sentences(order)] == [
        "The supplier says “Completed”, and that 1 remains, of 100 ordered.",
        "The supplier says “Partial”, and that nothing remains.",
        "The supplier says “Refunded”, and charged the full $0.10: nothing was given back.",
    ]
    report_as_answered(orders["refunded"], status="refunded", remains="100", charge="0")
    [anomaly] = anomalies_of(orders["refunded"])
    assert (anomaly.stands, anomaly.unseen) == (False, True)


@pytest.mark.parametrize(("expected", "charge", "kind"), [("0.004", "0.001", None), ("0.004", "0.004", "kept")])
def test_of_a_small_price_a_part_is_not_all(expected: str, charge: str, kind: str | None) -> None:
    order = order_of_a_hundred()
    Order.objects.filter(pk=order.pk).update(expected_charge=Decimal(expected))
    order.refresh_from_db()
    report_as_answered(order, status="cancelled", remains="100", charge=charge)
    assert order.doubts == kind


def test_a_charge_that_nobody_can_compare_is_not_called_full() -> None:
    foreign, strange = order_of_a_hundred(), order_of_a_hundred(type="Live Stream")
    report_as_answered(foreign, status="cancelled", charge="0.10", currency="EUR")
    report_as_answered(strange, status="cancelled", charge="0.10")
    assert (foreign.doubts, strange.doubts) == ("currency", None)


def test_a_live_status_that_goes_back_is_applied_and_flagged() -> None:
    order = make_order(Status.IN_PROGRESS)
    assert report(order, status="pending") == ["surprised"]
    assert (order.status, order.doubts) == ("pending", "back")
    report(order, status="in_progress")
    assert order.doubts == "back", "until somebody has seen it"


def test_it_is_recorded_once_and_stays_until_it_is_seen_though_it_stands_no_more() -> None:
    order = make_order(Status.IN_PROGRESS)
    assert report(order, remains=1001) == ["doubted"]
    assert report(order, remains=1002) == []
    assert report(order, remains=650) == []
    assert order.doubts == "remains"
    assert sentences(order) == [ANOMALIES["remains"].past_sentence]


# ── On and off after the end ─────────────────────────────────────────────────────────────────────
def test_an_order_that_goes_on_after_its_end_waits_for_a_second_report() -> None:
    order = make_order(Status.COMPLETED, charge=Decimal("0.90"), remains=0)
    first = timezone.now()
    assert report(order, status="in_progress", remains=400, asked_at=first) == ["revived"]
    assert (order.status, order.remains, order.doubts) == ("completed", 0, "back")
    assert order.next_poll_at == first + SECOND_REPORT_AFTER, "soon"
    assert "had said “Completed”" in sentences(order)[0]
    second = first + SECOND_REPORT_AFTER
    assert report(order, status="in_progress", remains=390, asked_at=second) == ["surprised"]
    assert (order.status, order.remains, order.doubts) == ("in_progress", 390, "back")
    assert order.next_poll_at


def test_the_same_answer_twice_is_not_two_reports() -> None:
    order, at = make_order(Status.COMPLETED), timezone.now()
    report(order, status="in_progress", asked_at=at)
    assert report(order, status="in_progress", asked_at=at) == []
    assert order.status == "completed"


def test_a_second_report_that_disagrees_leaves_the_order_ended_and_flagged() -> None:
    order, at = make_order(Status.COMPLETED, charge=Decimal("0.90"), remains=0), timezone.now()
    report(order, status="in_progress", asked_at=at)
    version = order.version
    same = {"status": "completed", "remains": 0, "start_count": order.start_count}
    assert report(order, **same, asked_at=at + SECOND_REPORT_AFTER) == ["stood"]
    assert (order.status, order.next_poll_at, order.doubts) == ("completed", None, "back")
    assert order.version > version, "pages notice"
    assert order.said == {"status": "completed"}
    assert report(order, status="in_progress", asked_at=at + 2 * SECOND_REPORT_AFTER) == ["revived"]
    assert order.status == "completed", "it takes two anew"


@pytest.mark.parametrize("end", ["refunded", "partial", "cancelled"])
def test_another_end_is_applied_at_once_and_recorded(end: str) -> None:
    order = make_order(Status.COMPLETED)
    assert report(order, status=end, charge=Decimal("0.10")) == ["surprised"]
    assert (order.status, order.charge, order.doubts) == (end, Decimal("0.10"), None)


def test_an_unknown_status_does_not_revive_an_ended_order_at_once_either() -> None:
    order, at = make_order(Status.COMPLETED), timezone.now()
    assert report(order, status="paused", asked_at=at) == ["revived"]
    assert order.status == "completed"
    report(order, status="paused", asked_at=at + SECOND_REPORT_AFTER)
    assert order.status == "paused"


def test_the_whole_way_over_http(upstream: Upstream, phone: Client) -> None:
    order = place_order(service=sold_by(phone), quantity=1000)
    submit_one(phone)
    upstream.advance(hours=240)
    poll_once(phone)
    order.refresh_from_db()
    ended = order.status
    for expected in (ended, "in_progress"):
        upstream.set_status(order.upstream_id or "", "in_progress", remains="1e9", charge="99.50")
        Order.objects.filter(pk=order.pk).poll_now(timezone.now())
        assert poll_once(phone)
        order.refresh_from_db()
        assert order.status == expected
    assert set((order.doubts or "").split()) == {"back", "unread", "charge"}
    assert (order.charge, order.remains) == (Decimal("99.50"), None)
    assert any("“1e9”" in sentence for sentence in sentences(order))


# ── On the screen ────────────────────────────────────────────────────────────────────────────────
def flagged() -> Order:
    """A live order whose charge is a third above its price."""
    order = make_order(Status.IN_PROGRESS)
    report(order, charge=Decimal("1.20"))
    return order


def test_the_row_and_the_page_show_an_anomaly_and_the_list_finds_it() -> None:
    order, other = flagged(), make_order(Status.IN_PROGRESS)
    viewer = as_a(Role.VIEWER)
    page = viewer.get(ANOMALY_LIST).content.decode()
    assert f'id="order-{order.pk}"' in page and f'id="order-{other.pk}"' not in page
    assert "Unusual values: charge" in page
    assert "Unusual values" in page
    detail = viewer.get(order.get_absolute_url()).content.decode()
    assert "the price shown was $0.90 (33 % more)" in detail
    assert "I have seen it" not in detail, "managers say that"
    assert "expected $0.90, $0.30 more" in detail


def test_flagged_rows_cost_no_query(viewer: Browser) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            viewer.get(ANOMALY_LIST)
        counts.append(len(queries))
        for _ in range(10):
            flagged()
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get(ANOMALY_LIST).content.decode().count("odd-m") == 20
    assert len(queries) == counts[1]


def test_a_manager_marks_it_as_seen_until_another_kind_comes() -> None:
    order = flagged()
    manager = as_a(Role.MANAGER)
    answer = manager.post(f"/orders/{order.pk}/sighting/", {"doubts": "charge"}, follow=True)
    assert "marked as reviewed" in answer.content.decode()
    order.refresh_from_db()
    assert order.doubts is None
    event = order.events.get(kind="seen")
    assert event.by and event.facts == {"what": "charge"}
    assert f'id="order-{order.pk}"' not in manager.get(ANOMALY_LIST).content.decode()
    assert "Unusual values, reviewed" in manager.get(order.get_absolute_url()).content.decode()
    assert report(order, charge=Decimal("1.30")) == []
    assert order.doubts is None, "the same kind"
    assert report(order, charge=Decimal("1.30"), remains=5000) == ["doubted"]
    assert order.doubts == "remains"


def test_what_came_after_the_page_was_loaded_is_not_marked_as_seen() -> None:
    order, boss = flagged(), make_user(Role.MANAGER)
    report(order, charge=Decimal("1.20"), remains=5000)
    with pytest.raises(Refusal, match="check again"):
        mark_seen(order, "charge", by=boss)
    order.refresh_from_db()
    assert order.doubts == "charge remains"


@pytest.mark.parametrize("kinds", ["", "charge"])
def test_nothing_is_marked_as_seen_where_no_anomaly_is(kinds: str) -> None:
    order = make_order(Status.IN_PROGRESS)
    with pytest.raises(Refusal):
        mark_seen(order, kinds, by=make_user(Role.MANAGER))
    assert not order.events.filter(kind="seen").exists()


def test_an_operator_may_not_mark_it_as_seen() -> None:
    order = flagged()
    with pytest.raises(Refusal, match="Only managers"):
        mark_seen(order, "charge", by=make_user(Role.OPERATOR))


def test_an_older_answer_raises_no_anomaly() -> None:
    order, now = make_order(Status.IN_PROGRESS), timezone.now()
    report(order, asked_at=now)
    assert report(order, charge=Decimal("5"), asked_at=now - timedelta(seconds=1)) == []
    assert order.doubts is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite for its plans")
@pytest.mark.parametrize("query", [{"open": "doubt"}, {"status": "review"}, {"open": "doubt", "status": "completed"}])
def test_the_lists_of_flagged_orders_scan_and_sort_nothing(query: dict[str, str]) -> None:
    reader = make_user()
    for number in range(6):
        make_order(Status.REVIEW if number % 2 else Status.COMPLETED, doubts="charge" if number % 3 else None)
    for sort in SORTS:
        flagged_list = listing(reader, **query, sort=sort)
        expected = set(Order.objects.filter(flagged_list.where).values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as queries:
            assert {order.pk for order in flagged_list.page().orders} == expected != set()
        for sql in [query["sql"] for query in queries if '"doubts"' in query["sql"] or "missing_since" in query["sql"]]:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"), [])
                assert not [step for *_, step in cursor.fetchall() if scans_or_sorts(step)], sql
