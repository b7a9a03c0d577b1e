"""The score of a service: four shares with named weights, from nothing goes wrong to nothing arrives."""

from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.models.statistics import trend_words
from orders.rules.score import LEAST_ENDED, PARTS, cost_per_thousand, failures, score_of


class Sums(NamedTuple):
    """What a score is made from."""

    ended: int = 100
    ended_units: int = 1_000
    delivered: int = 1_000
    late: int = 0
    refills: int = 0
    refused: int = 0


@pytest.mark.parametrize(
    ("sums", "score"),
    [
        #    what went wrong                                          of 100
        (Sums(), 100),
        (Sums(delivered=900), 80),  # half of what gives none: half of 40 points
        (Sums(delivered=800), 60),
        (Sums(delivered=0), 60),
        (Sums(late=25), 70),
        (Sums(late=10), 88),
        (Sums(late=100), 70),
        (Sums(refills=25), 80),
        (Sums(refills=300), 80),
        (Sums(refused=11), 90),
        (Sums(ended=95, refused=5), 95),
        (Sums(delivered=914, late=10, refills=13, refused=3), 57),
        (Sums(delivered=0, late=100, refills=100, refused=100), 0),
        (Sums(ended_units=0, delivered=0), 100),  # nothing was ordered, so nothing is missing
        (Sums(delivered=1_100), 100),  # more than was ordered is no failure
        # ── Too few ended
        (Sums(ended=LEAST_ENDED), 100),
        (Sums(ended=LEAST_ENDED - 1), None),
        (Sums(ended=0), None),
    ],
)
def test_a_score_is_made_of_four_shares(sums: Sums, score: int | None) -> None:
    assert score_of(sums) == score


def test_the_points_of_all_parts_are_a_hundred() -> None:
    assert sum(part.points for part in PARTS.values()) == 100
    assert list(failures(Sums())) == list(PARTS)


@given(
    better=st.builds(Sums, *(st.integers(0, 200) for _ in Sums._fields)),
    worse=st.sampled_from(["late", "refills", "refused"]),
    by=st.integers(1, 50),
)
def test_a_score_stays_within_its_bounds_and_never_rises_when_more_goes_wrong(
    better: Sums, worse: str, by: int
) -> None:
    before, after = score_of(better, 1), score_of(better._replace(**{worse: getattr(better, worse) + by}), 1)
    if before is None or after is None:
        assert better.ended == 0
    else:
        assert 0 <= after <= before <= 100


@pytest.mark.parametrize(
    ("charged", "delivered", "cost"),
    [(900_000, 1_000, "0.900000"), (1, 3, "0.000333"), (5, 0, None), (0, 10, "0.000000")],
)
def test_what_a_thousand_delivered_units_cost(charged: int, delivered: int, cost: str | None) -> None:
    assert cost_per_thousand(charged, delivered) == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize(
    ("score", "before", "words"), [(74, 83, "−9"), (88, 84, "+4"), (91, 91, "no change"), (5, None, "")]
)
def test_how_a_score_moved_is_told_in_words(score: int, before: int | None, words: str) -> None:
    assert trend_words(score, before) == words
