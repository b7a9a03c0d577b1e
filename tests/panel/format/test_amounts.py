"""Amounts that people type in any number format: read, asked about where two meanings are possible, or refused."""

from decimal import Decimal

import pytest

from panel.format.locale import written_for
from panel.format.numbers import MARKS_OF, amounts_of

ONE_MEANING = [
    ("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("1'234.56", "1234.56"), ("1’234,56", "1234.56"),
    ("1 234,56", "1234.56"), ("1\u202f234,56", "1234.56"), ("1\xa0234.56", "1234.56"), ("1.234.567", "1234567"),
    ("1,234,567", "1234567"), ("1 234", "1234"), ("1'234", "1234"), ("1,5", "1.5"), ("2.5", "2.5"), ("12", "12"),
    ("0,125", "0.125"), ("0.125", "0.125"), (",5", "0.5"), (".5", "0.5"), ("5,", "5"), ("1234,567", "1234.567"),
    ("1234.567", "1234.567"), ("1.2340", "1.2340"), ("１２,５", "12.5"), (" 7 ", "7"), ("1e3", "1000"),
]  # fmt: skip


@pytest.mark.parametrize("numbers", MARKS_OF)
@pytest.mark.parametrize(("typed", "amount"), ONE_MEANING)
def test_an_amount_with_one_meaning_is_read_in_every_readers_format(typed: str, amount: str, numbers: str) -> None:
    """The separator behind which no group of three can stand is the one before decimals."""
    with written_for("", numbers):
        assert amounts_of(typed) == [Decimal(amount)]


@pytest.mark.parametrize(("typed", "numbers", "amounts"), [
    ("1,234", "1,234.56", {"1234", "1.234"}), ("1,234", "1.234,56", {"1234", "1.234"}),
    ("1,234", "1 234,56", {"1234", "1.234"}), ("1,234", "1'234.56", {"1234", "1.234"}),
    ("1.234", "1.234,56", {"1234", "1.234"}), ("1.234", "1 234,56", {"1234", "1.234"}),
    ("12.000", "1.234,56", {"12000", "12"}), ("999,999", "1,234.56", {"999999", "999.999"}),
    ("1.234", "1,234.56", {"1.234"}), ("1.234", "1'234.56", {"1.234"}),
])  # fmt: skip
def test_a_lone_separator_before_three_digits_may_mean_two_amounts(typed: str, numbers: str, amounts: set[str]) -> None:
    """Only a point is certain, and only for readers who write decimals with one."""
    with written_for("", numbers):
        assert set(amounts_of(typed)) == {Decimal(amount) for amount in amounts}


@pytest.mark.parametrize("typed", [
    "", " ", ".", ",", "abc", "12.34.56", "1,23,456", "12 34", "1.234,567,8", "1,234.567,8", "1'234’5", "NaN",
    "Infinity", "--5", "5-", "1" * 61, "1,2345,678",
])  # fmt: skip
def test_nonsense_has_no_meaning(typed: str) -> None:
    """Groups that are not of three digits are no groups."""
    assert amounts_of(typed) == []
