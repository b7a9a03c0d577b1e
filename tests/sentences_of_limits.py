"""What is said of an order that is above a limit, and to people who decide about one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from unittest.mock import patch

from orders.approvals.decide import OWN_ORDER, hours_words
from orders.limits.check import WORDS, Over
from orders.limits.form import PersonLimitsForm

TOMORROW = datetime.now(UTC) + timedelta(days=1)


def limits() -> Iterator[str]:
    """Each limit with and without sums, with much, little and nothing left."""
    for why, shows, used in product(WORDS, (True, False), ("0", "38.2", "50")):
        above = Over(why, Decimal(34), Decimal(40), Decimal(used), TOMORROW)
        with patch("orders.limits.check.may", return_value=shows):
            yield above.sentence(None)
    yield OWN_ORDER
    yield from (f"It expires within {hours_words(timedelta(hours=hours))}." for hours in (0.5, 1, 2, 36))
    for text in ("", "lots", "-1"):
        form = PersonLimitsForm(
            {"order": "own", "order_sum": text, "day": "role"}, kept={}, usual={"order": None, "day": None}
        )
        yield str(form.errors["order_sum"][0])
