"""How orders and refills move with time: planned once from a seed, then a pure function of the clock."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

MINUTE, HOUR = 60.0, 3600.0  # in seconds of the sandbox's own clock

# A small order is in progress after 9..18 minutes and done after one to two hours: at --speed 60, a minute or two.
PENDING_MINUTES = (4, 8)
PROCESSING_MINUTES = (5, 10)
DELIVERY_MINUTES = (45, 90)
UNITS_PER_HOUR = 20_000  # what a large order adds to that
LONGEST_DELIVERY_HOURS = 24
SLOW_FACTOR = 6  # a slow order takes this many times as long at every stage

# How orders turn out, with their chances out of one; "slow" completes too, late.
OUTCOMES = {"completed": 0.84, "slow": 0.06, "partial": 0.06, "refunded": 0.025, "cancelled": 0.015}
# What is delivered by the end, at least and at most, as a part of the order.
DELIVERED_SHARES = {"completed": (1, 1), "partial": (0.4, 0.95), "refunded": (0.0, 0.2), "cancelled": (0, 0)}
LARGEST_START_COUNT = 250_000

CANCEL_CHANCE = 0.75  # the other queued cancels come too late: the order is delivered anyway
CANCEL_MINUTES = (5, 20)
REFILL_HOURS = (2, 12)
REFILL_REJECTION_CHANCE = 0.1

LIVE = ("pending", "processing", "in_progress")
ENDS = ("completed", "partial", "cancelled", "refunded")


class Life(NamedTuple):
    """One order's plan. Times are seconds of the sandbox's clock; a cancel changes `end_at`, `end` and `delivered`."""

    total: int  # units over all runs
    runs: int
    interval: float  # seconds between the starts of two runs
    run_time: float  # seconds one run takes
    processing_at: float
    in_progress_at: float
    curve_delivered: int  # the most the delivery curve reaches; stays when the order is cut short,
    curve_end_at: float  # so that `remains` never jumps back
    end_at: float
    end: str
    delivered: int
    start_count: int


def plan(seed: str, *, at: float, quantity: int, runs: int = 1, interval_minutes: int = 0, outcome: str = "") -> Life:
    """The whole life of an order placed `at`; `outcome`, a name in OUTCOMES, overrules chance."""
    draw = _draws(seed)
    outcome = outcome or _outcome(draw[0])
    total = quantity * runs
    if total < 2 and outcome == "partial":
        outcome = "completed"  # one package cannot be half delivered
    slower = SLOW_FACTOR if outcome == "slow" else 1
    processing_at = at + _between(PENDING_MINUTES, draw[1]) * MINUTE * slower
    in_progress_at = processing_at + _between(PROCESSING_MINUTES, draw[2]) * MINUTE * slower
    run_time = _between(DELIVERY_MINUTES, draw[3]) * MINUTE + quantity / UNITS_PER_HOUR * HOUR
    run_time = min(run_time, LONGEST_DELIVERY_HOURS * HOUR) * slower
    interval = interval_minutes * MINUTE * slower
    if runs > 1:
        run_time = min(run_time, interval)
    end = "completed" if outcome == "slow" else outcome
    share = _between(DELIVERED_SHARES[end], draw[4])
    delivered = min(max(int(total * share), 1), total - 1) if end == "partial" else int(total * share)
    # Upstream cancels by itself before anything is delivered; everything else uses its whole time.
    curve_end_at = in_progress_at + interval * (runs - 1) + run_time
    return Life(
        total=total,
        runs=runs,
        interval=interval,
        run_time=run_time,
        processing_at=processing_at,
        in_progress_at=in_progress_at,
        curve_delivered=delivered,
        curve_end_at=curve_end_at,
        end_at=in_progress_at if end == "cancelled" else curve_end_at,
        end=end,
        delivered=delivered,
        start_count=int(draw[5] * LARGEST_START_COUNT),
    )


def state(life: Life, now: float) -> tuple[str, int]:
    """(status, units delivered) at `now`."""
    if now >= life.end_at:
        return life.end, life.delivered
    if now < life.processing_at:
        return "pending", 0
    if now < life.in_progress_at:
        return "processing", 0
    return "in_progress", min(_curve(life, now), life.delivered)


def cancelled_now(life: Life, now: float) -> Life:
    """The same life ended by a cancel that takes effect at once."""
    return life._replace(end="cancelled", end_at=now, delivered=state(life, now)[1])


def cancel_queued(life: Life, seed: str, now: float) -> Life:
    """The same life after a cancel was queued: cut short some minutes on, or unchanged when it comes too late."""
    draw = _draws(f"{seed}:cancel")
    when = now + _between(CANCEL_MINUTES, draw[1]) * MINUTE
    return cancelled_now(life, when) if draw[0] < CANCEL_CHANCE and when < life.end_at else life


def resumed(life: Life, delivered: int, now: float) -> Life:
    """A life that goes on from where a person put the order: in progress at `delivered`, done in an hour."""
    return life._replace(
        runs=1,
        processing_at=now - 1,
        in_progress_at=now - 1,
        curve_delivered=delivered,
        curve_end_at=now,
        end_at=now + HOUR,
        end="completed",
        delivered=life.total,
    )


def refund_due(life: Life, charge: int) -> int:
    """Units of money given back at the end: all after a failed delivery, else what was not delivered cost."""
    if life.end == "refunded":
        return charge
    return 0 if life.end == "completed" else undelivered(charge, life.delivered, life.total)


def undelivered(charge: int, delivered: int, total: int) -> int:
    """The part of `charge` that `total - delivered` units cost; half a unit of money stays with the supplier."""
    return charge - (charge * delivered * 2 + total) // (total * 2)


def refill_plan(seed: str, asked_at: float) -> tuple[float, str]:
    """(when it settles, as what) for a refill: `completed` or `rejected`."""
    draw = _draws(f"{seed}:refill")
    settles_as = "rejected" if draw[1] < REFILL_REJECTION_CHANCE else "completed"
    return asked_at + _between(REFILL_HOURS, draw[0]) * HOUR, settles_as


def _curve(life: Life, now: float) -> int:
    """Units delivered by `now`: evenly in one go, or run after run for a drip-feed."""
    elapsed = now - life.in_progress_at
    if life.runs == 1:
        share = min(1.0, elapsed / (life.curve_end_at - life.in_progress_at))
        return int(life.curve_delivered * share)
    started = min(life.runs, int(elapsed // life.interval) + 1)
    running = min(1.0, (elapsed - (started - 1) * life.interval) / life.run_time)
    return int(life.total * (started - 1 + running) / life.runs)


def _outcome(draw: float) -> str:
    for outcome, chance in OUTCOMES.items():
        draw -= chance
        if draw < 0:
            return outcome
    return "completed"


def _between(bounds: Sequence[float], draw: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * draw


def _draws(seed: str) -> list[float]:
    """Eight numbers in [0, 1) that depend on nothing but the seed, on every machine and Python."""
    digest = hashlib.blake2b(seed.encode(), digest_size=32).digest()
    return [int.from_bytes(digest[i : i + 4], "big") / 2**32 for i in range(0, 32, 4)]
