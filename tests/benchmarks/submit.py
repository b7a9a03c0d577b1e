"""Sending the order form while upstream is slow: the web never waits for it."""

import random
import tempfile
import time
import uuid
from pathlib import Path
from statistics import median, quantiles

from tests.benchmarks import measure
from tests.kills.desk import Desk

ROUNDS = 8  # of each, in turns
FORMS = 50  # a round
SLOW, QUICK = 5.0, 0.05  # seconds that every answer of upstream's takes
MOST = 1.1


def main() -> int:
    figures = measure.Figures("submit: the order form over HTTP, upstream slow against quick")
    with tempfile.TemporaryDirectory(prefix="desk-benchmark-") as folder, Desk(Path(folder)) as desk:
        desk.worker(measure.SEED)
        send(desk, FORMS)
        found: dict[float, list[list[float]]] = {SLOW: [], QUICK: []}
        for turn in range(ROUNDS):
            for seconds in (SLOW, QUICK)[:: 1 if turn % 2 == 0 else -1]:
                desk.control("faults/lifted")
                desk.control("faults", fault="slow", times=None, seconds=seconds)
                time.sleep(SLOW)  # until no call of the other kind is under way
                found[seconds].append(send(desk, FORMS))
        calls = desk.books()["calls"].get("add", 0)
    slow, quick = found[SLOW], found[QUICK]
    chance = random.Random(measure.SEED)
    ratios = sorted(
        p95(chance.choices(slow, k=ROUNDS)) / p95(chance.choices(quick, k=ROUNDS)) for _ in range(measure.BOOTSTRAPS)
    )
    figures.say(f"p95 {p95(slow) * 1000:.1f} ms with upstream at {SLOW:g} s, {p95(quick) * 1000:.1f} ms at {QUICK:g} s")
    figures.say(f"medians {centre(slow) * 1000:.1f} and {centre(quick) * 1000:.1f} ms, {ROUNDS} rounds of {FORMS} each")
    figures.say(f"ratio 95 % below {ratios[int(len(ratios) * measure.SURE)]:.3f}")
    figures.at_least("orders that went upstream meanwhile", calls, 1)
    figures.at_most("p95 with a slow upstream against a quick one", p95(slow) / p95(quick), MOST)
    return figures.end()


def send(desk: Desk, forms: int) -> list[float]:
    """Seconds of each submission."""
    return [
        measure.seconds(lambda: desk.submit(f"https://instagram.com/p/{uuid.uuid4()}", str(uuid.uuid4())))
        for _ in range(forms)
    ]


def p95(rounds: list[list[float]]) -> float:
    """The median of the rounds' own, so that one moment in which the machine was busy elsewhere decides nothing."""
    return median(quantiles(times, n=20)[-1] for times in rounds)


def centre(rounds: list[list[float]]) -> float:
    return median(seconds for times in rounds for seconds in times)


if __name__ == "__main__":
    raise SystemExit(main())
