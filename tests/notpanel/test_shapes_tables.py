"""How catalogs and batches are read: row by row, each by its own id, the bad ones set aside."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from panel.notpanel.errors import Refused, Unclear
from panel.notpanel.shapes import CATALOG_ROWS, Catalog, Reports, ServiceRow, row_answers

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROW = {
    "service": 1,
    "name": "Instagram Likes",
    "type": "Default",
    "category": "Instagram",
    "rate": "0.90",
    "min": "50",
    "max": "10000",
    "refill": True,
    "cancel": "1",
    "dripfeed": False,
}


def test_it_reads_a_service() -> None:
    (row,) = Catalog.parse([ROW]).rows
    assert row == ServiceRow(
        1,
        "Instagram Likes",
        "Default",
        "Instagram",
        Decimal("0.90"),
        50,
        10000,
        refill=True,
        cancel=True,
        dripfeed=False,
    )


@pytest.mark.parametrize(
    ("spelled", "flag"),
    [
        *((True, True), ("true", True), ("TRUE", True), (1, True), ("1", True), ("yes", True), ("on", True)),
        *((False, False), ("false", False), (0, False), ("0", False), ("", False), (None, False), ("no", False)),
        *(([], False), ({}, False), ("maybe", False)),
    ],
)
def test_it_reads_flags_in_any_spelling(spelled: object, flag: bool) -> None:
    (row,) = Catalog.parse([{**ROW, "refill": spelled}]).rows
    assert row.refill is flag


def test_it_takes_a_missing_flag_for_no_and_a_missing_type_for_the_usual() -> None:
    (row,) = Catalog.parse([{"service": "7", "name": "Views", "rate": 1, "min": 1, "max": 2}]).rows
    assert (row.upstream_id, row.type, row.category, row.refill, row.cancel) == (7, "Default", "", False, False)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"service": None}, "id"),
        ({"service": "abc"}, "id"),
        ({"service": True}, "id"),
        ({"service": 0}, "id"),
        ({"service": -3}, "id"),
        ({"service": 2**63}, "id"),
        ({"name": ""}, "no name"),
        ({"name": None}, "no name"),
        ({"name": ["x"]}, "no name"),
        ({"name": "x" * 501}, "too long"),
        ({"category": "x" * 301}, "too long"),
        ({"type": "x" * 61}, "too long"),
        ({"rate": None}, "rate"),
        ({"rate": "-0.1"}, "rate"),
        ({"rate": "NaN"}, "rate"),
        ({"rate": "free"}, "rate"),
        ({"min": None}, "whole number"),
        ({"min": "-1"}, "whole number"),
        ({"max": "1,000"}, "whole number"),
        ({"min": 11, "max": 10}, "above"),
    ],
)
def test_it_sets_a_bad_row_aside_with_its_reason_and_takes_the_rest(change: dict[str, object], why: str) -> None:
    catalog = Catalog.parse([{**ROW, **change}, {**ROW, "service": 2}])
    assert [row.upstream_id for row in catalog.rows] == [2]
    assert why in catalog.bad[0].why and 0 < len(catalog.bad[0].raw) <= 500


def test_it_keeps_the_first_of_two_rows_with_one_id() -> None:
    catalog = Catalog.parse([ROW, {**ROW, "service": "1", "rate": "9"}])
    assert [row.rate for row in catalog.rows] == [Decimal("0.90")] and "taken" in catalog.bad[0].why


def test_it_leaves_out_what_upstream_calls_inactive() -> None:
    catalog = Catalog.parse([{**ROW, "active": "0"}, {**ROW, "service": 2, "active": True}])
    assert [row.upstream_id for row in catalog.rows] == [2] and catalog.bad == ()


@pytest.mark.parametrize("answer", [None, {}, {"services": []}, "[]", 1, [ROW] * (CATALOG_ROWS + 1)])
def test_it_takes_no_catalog_that_is_not_a_list(answer: object) -> None:
    with pytest.raises(Unclear):
        Catalog.parse(answer)


def test_it_reads_reports_by_their_ids_and_ignores_strangers() -> None:
    answer = {
        "ord_1": {"status": "completed", "charge": "0.50"},
        "ord_2": {"error": "Order not answers"},
        "ord_3": {"charge": "1"},
        "ord_9": {"status": "pending"},
    }
    reports = Reports.parse(answer, ["ord_1", "ord_2", "ord_3", "ord_4"], NOW)
    assert list(reports.found) == ["ord_1"] and reports.found["ord_1"].charge == Decimal("0.50")
    assert reports.odd == {"ord_2": "Order not answers", "ord_3": "NotPanel's report names no status."}


def test_it_reads_reports_that_come_as_a_list() -> None:
    reports = Reports.parse([{"order": "ord_1", "status": "pending"}, None, {"status": "x"}], ["ord_1"], NOW)
    assert list(reports.found) == ["ord_1"] and reports.odd == {}


@pytest.mark.parametrize("answer", [{}, []])
def test_it_reads_an_empty_table_as_all_left_out(answer: object) -> None:
    assert Reports.parse(answer, ["ord_1"], NOW) == Reports({}, {})


@pytest.mark.parametrize("answer", [None, "x", 1, True])
def test_it_takes_no_reports_that_are_no_table(answer: object) -> None:
    with pytest.raises(Unclear):
        Reports.parse(answer, ["ord_1"], NOW)


def test_it_matches_batch_answers_by_order_alone() -> None:
    answer = [
        {"order": "ord_3", "error": "Refill limit reached (3 per order)"},
        {"order": "ord_9", "refill": "ref_9"},
        {"order": "ord_1", "refill": "ref_1"},
        {"refill": "ref_7"},
        {"order": "ord_4", "refill": None},
    ]
    answers = row_answers(answer, ["ord_1", "ord_2", "ord_3", "ord_4"], "refill")
    assert answers["ord_1"] == "ref_1" and list(answers) == ["ord_1", "ord_2", "ord_3", "ord_4"]
    assert type(answers["ord_3"]) is Refused and answers["ord_3"].said == "Refill limit reached (3 per order)"
    assert type(answers["ord_2"]) is Unclear and "left" in str(answers["ord_2"])
    assert type(answers["ord_4"]) is Unclear


def test_it_believes_neither_of_two_answers_about_one_order() -> None:
    twice = [{"order": "ord_1", "cancel": "ord_1"}, {"order": "ord_1", "error": "no"}]
    both = [{"order": "ord_2", "cancel": "ord_2", "error": "no"}]
    assert type(row_answers(twice, ["ord_1"], "cancel")["ord_1"]) is Unclear
    assert type(row_answers(both, ["ord_2"], "cancel")["ord_2"]) is Unclear


@pytest.mark.parametrize("answer", [None, {}, {"ord_1": {"refill": "ref_1"}}, "x"])
def test_it_takes_no_batch_that_is_not_a_list(answer: object) -> None:
    with pytest.raises(Unclear):
        row_answers(answer, ["ord_1"], "refill")
