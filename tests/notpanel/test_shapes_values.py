"""How single values are read: tolerant of spelling, never a guess, never an exception but the family's."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from panel.notpanel.errors import Unclear
from panel.notpanel.shapes import Balance, Report, made_id, read_json

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def charge(json_text: str) -> Decimal | None:
    """The charge of a report that has this JSON for it."""
    return Report.parse("ord_1", read_json(f'{{"status": "pending", "charge": {json_text}}}'), NOW).charge


def remains(json_text: str) -> int | None:
    """The remains of a report that has this JSON for it."""
    return Report.parse("ord_1", read_json(f'{{"status": "pending", "remains": {json_text}}}'), NOW).remains


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        *(('"0.50"', "0.50"), ("0.50", "0.50"), ('" 0.5 "', "0.5"), ("1", "1"), ('".5"', ".5"), ('"5."', "5")),
        *(("1e3", "1000"), ('"1e3"', "1000"), ("1e-5", "0.00001"), ('"-0.10"', "-0.10"), ('"+1"', "1"), ('"-0"', "0")),
        *(('"999999999.999999999999"', "999999999.999999999999"), ("0.000000000001", "0.000000000001")),
    ],
)
def test_it_reads_money_exactly(text: str, amount: str) -> None:
    assert charge(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *(
            ("3.0000000000000004", "3.000000"),
            ("0.30000000000000004", "0.300000"),
            ("1234.5600000000002", "1234.560000"),
        ),
        *(
            ("2.9999999999999996", "3.000000"),
            ("0.09999999999999999", "0.100000"),
            ("-0.30000000000000004", "-0.300000"),
        ),
        *(
            ('"0.30000000000000004"', "0.300000"),
            ("1.1300000000000001e2", "113.000000"),
            ('"0.1234567890123"', "0.123457"),
        ),
        *(
            ('"0.' + "3" * 30 + '"', "0.333333"),
            ('"47.' + "0" * 30 + '"', "47.000000"),
            ('"0.0000005000000"', "0.000001"),
        ),
        *(("0.900000000000000022204460492503", "0.900000"), ("0.0000015000000000000001", "0.000002")),
        *(("0.1000000000000000055511151231257827", "0.100000"), ("-2.7755575615628914e-17", "0")),
    ],
)
def test_it_reads_the_noise_of_binary_floats_as_the_amount_that_was_meant(text: str, kept: str) -> None:
    assert str(charge(text)) == kept


@pytest.mark.parametrize("text", ["5.551115123125783e-17", "1e-13", "0.0000001", '"0.0000000000001"'])
def test_it_takes_no_tiny_amount_for_nothing(text: str) -> None:
    read = charge(text)
    assert read is not None and 0 < read < Decimal("0.000001")


def test_it_writes_money_out_with_the_decimals_it_came_with() -> None:
    assert [str(charge(text)) for text in ('"0.50"', "1e3", '"-0"')] == ["0.50", "1000", "0"]


@pytest.mark.parametrize(
    "text",
    [
        *('""', "null", "true", "false", "[]", "{}", '"0,50"', '"$0.50"', '"0.50 USD"', '"NaN"', '"Infinity"', '"1_0"'),
        *("1e400", '"1e400"', '"1e9999"', "1e-400", "1000000000", '"' + "1" * 30 + '"', '"٣"'),
        *('"0x10"', '"--1"', '"1 000"', '"."', '"-"', '"e5"', "1e99999999999999999999", '"0.' + "3" * 50 + '"'),
        *('"-Infinity"', '"nan"', '"1.2.3"', '"0.3e"', "999999999.9999999999999"),
    ],
)
def test_it_reads_no_money_where_there_is_none(text: str) -> None:
    assert charge(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(('"650"', 650), ("650", 650), ("3.0", 3), ('"3.00"', 3), ('" 7 "', 7), ("-5", -5), ('"-5"', -5), ('"0"', 0)),
        *(("9223372036854775807", 2**63 - 1), ('"007"', 7)),
    ],
)
def test_it_reads_counts(text: str, number: int) -> None:
    assert remains(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("null", "true", "false", '""', '"1,234"', '"1e3"', "1e3", "3.5", "9223372036854775808", '"' + "9" * 40 + '"'),
        *('"٣"', '"1_000"', '"many"', "[1]", '{"n": 1}', "1e999999999"),
    ],
)
def test_it_reads_no_count_where_there_is_none(text: str) -> None:
    assert remains(text) is None


@pytest.mark.parametrize(
    ("spelled", "status"),
    [
        *(
            ("pending", "pending"),
            ("In progress", "in_progress"),
            ("IN_PROGRESS", "in_progress"),
            (" Partial ", "partial"),
        ),
        *(("in-progress", "in_progress"), ("Canceled", "cancelled"), ("cancelled", "cancelled"), ("paused", "paused")),
        ("a word that goes on and on and on and on and on", "a_word_that_goes_on_and_on_and_on_and_on"),
    ],
)
def test_it_folds_the_spelling_of_a_status_and_keeps_unknown_words(spelled: str, status: str) -> None:
    assert Report.parse("ord_1", {"status": spelled}, NOW).status == status


@pytest.mark.parametrize("row", [None, [], {}, "pending", {"status": None}, {"status": " "}, {"status": 5}])
def test_it_takes_no_report_without_a_status(row: object) -> None:
    with pytest.raises(Unclear, match="no status"):
        Report.parse("ord_1", row, NOW)


def test_it_keeps_every_field_of_a_report_as_text_that_any_database_takes() -> None:
    row = read_json(
        '{"status": "pending", "charge": 1.50, "x\\u0000": "\\ud800", "more": {"a": [1]}, "on": true, "n": null}'
    )
    raw = Report.parse("ord_1", row, NOW).raw
    assert raw == {
        "status": "pending",
        "charge": "1.50",
        "x\ufffd": "\ufffd",
        "more": '{"a": [1]}',
        "on": True,
        "n": None,
    }


@pytest.mark.parametrize(
    ("value", "made"), [("ord_1", "ord_1"), (12345, "12345"), ("a.b:c-D_9", "a.b:c-D_9"), ("x" * 64, "x" * 64)]
)
def test_it_takes_an_id_as_it_comes(value: object, made: str) -> None:
    assert made_id({"order": value}, "order") == made


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", " ", 0, "0", "000", -1, "-1", True, False, [], {}, ["ord_1"], Decimal("1.5"), Decimal("1e3")),
        *("x" * 65, "a b", "<b>", "ord_1\nord_2", "é", "a/b", "a,b", "ord_1'--", "\x00"),
    ],
)
def test_it_takes_no_id_that_is_none(value: object) -> None:
    with pytest.raises(Unclear, match="holds no order id"):
        made_id({"order": value}, "order")


def test_it_reads_a_balance_with_its_currency_and_time() -> None:
    assert Balance.parse({"balance": "47.32", "currency": "usd"}, NOW) == Balance(Decimal("47.32"), "USD", NOW)


@pytest.mark.parametrize("answer", [None, [], {}, "47.32", {"balance": None}, {"balance": "47,32"}, {"amount": "1"}])
def test_it_takes_no_balance_that_is_not_an_amount(answer: object) -> None:
    with pytest.raises(Unclear, match="not an amount"):
        Balance.parse(answer, NOW)


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": 1, "a": 2}', "\ufeff{}", "[] []", "[" * 10_000, "1" * 5000])
def test_it_reads_json_strictly(text: str) -> None:
    with pytest.raises(ValueError):
        read_json(text)
