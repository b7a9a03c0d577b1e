"""How orders move with the sandbox's clock: forward only, to an end, and to the cent."""

import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from panel.notpanel.sandbox.world import lives
from panel.notpanel.sandbox.world.lives import HOUR, MINUTE
from tests.upstream import SERVICE, Upstream

RANK = {"pending": 0, "processing": 1, "in_progress": 2} | dict.fromkeys(lives.ENDS, 3)
SEEDS = [f"seed/{number}" for number in range(600)]


def small(seed: str, **changes: Any) -> lives.Life:
    """The life of a small order placed at 0, with ids of its parameters replaced."""
    return lives.plan(seed, at=0.0, **({"quantity": 1000} | changes))


def test_every_order_ends_and_never_goes_back() -> None:
    for seed in SEEDS:
        for shape in ({}, {"quantity": 1}, {"quantity": 300_000}, {"quantity": 100, "runs": 5, "interval_minutes": 20}):
            life = small(seed, **shape)
            moments = [life.end_at * step / 40 for step in range(40)] + [life.end_at]
            states = [lives.state(life, moment) for moment in moments]
            ranks, delivered = [RANK[status] for status, _ in states], [units for _, units in states]
            assert ranks == sorted(ranks)
            assert delivered == sorted(delivered)
            assert 0 <= delivered[0] <= delivered[-1] <= life.total
            assert ranks[-1] == 3


def test_the_same_seed_lives_the_same_life() -> None:
    assert [small(seed) for seed in SEEDS] == [small(seed) for seed in SEEDS]


def test_most_complete_and_some_do_not() -> None:
    ends = Counter(small(seed).end for seed in SEEDS)
    assert set(ends) == set(lives.ENDS)
    assert 0.8 < ends["completed"] / len(SEEDS) < 0.97


def test_a_typical_small_order_is_in_progress_and_done_in_good_time() -> None:
    typical = [life for seed in SEEDS if (life := small(seed, outcome="completed"))]
    assert all(9 * MINUTE <= life.in_progress_at <= 18 * MINUTE for life in typical)
    assert all(HOUR * 0.9 <= life.end_at <= 2 * HOUR for life in typical)


def test_a_slow_order_takes_longer_and_a_large_one_too() -> None:
    for seed in SEEDS[:50]:
        usual = small(seed, outcome="completed").end_at
        assert small(seed, outcome="slow").end_at == pytest.approx(6 * usual)
        assert small(seed, outcome="completed", quantity=100_000).end_at > usual + 4 * HOUR


@pytest.mark.parametrize(
    ("end", "least", "most"), [("completed", 1, 1), ("partial", 0.4, 0.95), ("refunded", 0, 0.2), ("cancelled", 0, 0)]
)
def test_each_end_has_its_share_of_delivery(end: str, least: float, most: float) -> None:
    for seed in SEEDS[:50]:
        life = small(seed, outcome=end)
        assert life.end == end
        assert int(least * life.total) <= life.delivered <= most * life.total


def test_one_package_is_never_half_delivered() -> None:
    assert small("any", quantity=1, outcome="partial").end == "completed"


def test_a_drip_feed_delivers_run_by_run() -> None:
    life = small("any", quantity=100, runs=4, interval_minutes=120, outcome="completed")
    pauses = [life.in_progress_at + run * 2 * HOUR - 1 for run in (1, 2, 3)]
    assert [lives.state(life, pause) for pause in pauses] == [
        ("in_progress", 100),
        ("in_progress", 200),
        ("in_progress", 300),
    ]
    assert lives.state(life, life.end_at) == ("completed", 400)


def test_a_queued_cancel_never_gives_delivered_units_back() -> None:
    for seed in SEEDS:
        life = small(seed, outcome="completed")
        asked_at = life.in_progress_at + 17 * MINUTE
        after = lives.cancel_queued(life, seed, asked_at)
        moments = [asked_at + MINUTE * step for step in range(-10, 120)]
        states = [lives.state(life if moment < asked_at else after, moment) for moment in moments]
        assert [units for _, units in states] == sorted(units for _, units in states)
        assert states[10] == lives.state(life, asked_at)


@pytest.mark.parametrize(("charge", "delivered", "refund"), [(113_000, 1000, 0), (113_000, 0, 113_000), (3, 500, 1)])
def test_what_was_not_delivered_is_given_back(charge: int, delivered: int, refund: int) -> None:
    assert lives.undelivered(charge, delivered, 1000) == refund


def test_orders_and_balance_agree_to_the_cent_at_every_hour(upstream: Upstream) -> None:
    for number in range(120):
        upstream.place(service=SERVICE + 12 * (number % 2), quantity=50 + 37 * number)
    for hour in range(12):
        if hour == 1:
            ids = [row["order"] for row in upstream.orders()[:60]]
            upstream.post("cancel", orders=",".join(ids))
        books = upstream.books()
        charged = sum(Decimal(row["charge"]) - Decimal(row["refunded"]) for row in books["orders"])
        assert Decimal(books["balance"]) + charged == Decimal(books["deposited"]) == 500
        reports = upstream.post("status", orders=",".join(row["order"] for row in books["orders"][:100])).content
        for row in books["orders"][:100]:
            assert Decimal(reports[row["order"]]["charge"]) == Decimal(row["charge"]) - Decimal(row["refunded"])
        upstream.advance(hours=1)
    assert len({row["status"] for row in upstream.orders()}) > 1


def test_the_clock_stands_still_until_it_is_moved(upstream: Upstream) -> None:
    order = upstream.place()
    assert upstream.order(order)["status"] == "pending"
    upstream.advance(minutes=20)
    assert upstream.order(order)["status"] in ("in_progress", "cancelled")
    assert upstream.books()["now"] == upstream.books()["now"]


def test_a_change_of_speed_moves_no_order_back() -> None:
    with Upstream(speed=100_000) as upstream:
        before = upstream.books()["now"]
        time.sleep(0.02)
        for speed in (0, 60, 1, 0):
            upstream.run_at(speed)
            now = upstream.books()["now"]
            assert now >= before
            before = now
        assert upstream.books()["speed"] == 0


def test_the_clock_does_not_go_back(upstream: Upstream) -> None:
    with pytest.raises(ValueError, match="only goes forward"):
        upstream.advance(hours=-1)
