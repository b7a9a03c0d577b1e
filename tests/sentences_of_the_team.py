"""Every sentence that colleagues read of each other: assignments in one press, who is at an order, since when."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

from accounts.models import User
from orders.handover.since import Since, why_not
from orders.models.team import ABOUT, Colleague
from orders.teamwork.assign_many import Assigned

BEN = User(username="ben", name="Ben")
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def team_words() -> Iterator[str]:
    """All of them."""
    for count, had, to in product((0, 1, 2, 1_200), (0, 1, 2), (BEN, None)):
        for moved in ({}, {"taken by Tomás": 1}, {"taken by Tomás": 2, "given up": 1}):
            yield Assigned(to, count, had, dict(moved)).sentence
    yield from (Colleague(1, "Ana", about).sentence for about in ("", *ABOUT))
    for hours in (1, 15, 24 * 40):
        left = NOON - timedelta(hours=hours)
        for since in (Since(left, NOON, left, chosen=False), Since(left, NOON, None, chosen=True),
                      Since(left, NOON, None, chosen=False)):  # fmt: skip
            yield f"{since.words} 5 orders were placed."
    yield from (why_not(at, NOON) for at in (None, NOON + timedelta(hours=1), NOON - timedelta(days=99)))
