"""An upstream that answers well until a call names a bad id: then the whole call fails."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from django.utils import timezone

from panel.notpanel.errors import NotPanelError, Refused, Unclear
from panel.notpanel.shapes import Report, Reports

Trouble = Callable[[], NotPanelError]

# Ways in which a call that names a bad id may fail. Upstream's own 500 with an error is the first.
FAILURES: dict[str, Trouble] = {
    "500": lambda: Unclear("NotPanel answered with HTTP 500.", said="Internal server error", failed=True),
    "503 with an error": lambda: Unclear("NotPanel answered with HTTP 503.", said="Unavailable", failed=True),
    "400 not found": lambda: Refused("Order not found", said="Order not found"),
    "400 for all": lambda: Refused("Bad request", said="Bad request"),
    "502 page": lambda: Unclear("NotPanel answered with HTTP 502.", said="<html>"),
    "404 page": lambda: Unclear("NotPanel's answer (HTTP 404) cannot be read.", said="<html>"),
    "200 garbage": lambda: Unclear("NotPanel's answer (HTTP 200) cannot be read.", said="Warning: Undefined"),
    "no answer": lambda: Unclear("NotPanel did not answer in full within 20 seconds."),
    "broken off": lambda: Unclear("The connection broke before NotPanel had answered in full."),
    "empty": lambda: Unclear("NotPanel's reports are not a table.", said="[]"),
}


class PoisonedPhone:
    """A client whose calls fail while they name a bad id, or all of them while `away`.

    `effect` says that a call that fails is carried out all the same. Upstream lets one refill of an order be pending.
    """

    meter = None

    def __init__(self, bad: Collection[str] = (), failure: str = "500", *, effect: bool = False) -> None:
        self.bad, self.failure, self.effect = set(bad), FAILURES[failure], effect
        self.away = False
        self.calls: Counter[str] = Counter()
        self.done: Counter[tuple[str, str]] = Counter()  # (action, id) → how often upstream carried it out

    def fail(self, action: str, ids: Sequence[str]) -> None:
        """Counts a call, and raises what it fails with."""
        assert len(set(ids)) == len(ids) <= 100
        self.calls[action] += 1
        if self.away or self.bad & set(ids):
            if self.effect and action != "status":
                self.carry_out(action, ids)
            raise self.failure()

    def carry_out(self, action: str, ids: Sequence[str]) -> dict[str, str | Refused | Unclear]:
        """Does what is asked, and answers for each id."""
        answers: dict[str, str | Refused | Unclear] = {}
        for upstream_id in ids:
            if action == "refill" and self.done[action, upstream_id]:
                pending = "A refill request is already pending for this order"
                answers[upstream_id] = Refused(pending, said=pending)
            else:
                self.done[action, upstream_id] += 1
                answers[upstream_id] = f"ref_{upstream_id}" if action == "refill" else upstream_id
        return answers

    def reports(self, upstream_ids: Sequence[str]) -> Reports:
        """A report for each order."""
        self.fail("status", upstream_ids)
        return Reports({upstream_id: a_report(upstream_id) for upstream_id in upstream_ids}, {})

    def report(self, upstream_id: str) -> Report:
        """The report of one order."""
        self.fail("status", [upstream_id])
        return a_report(upstream_id)

    def each(self, action: str, upstream_ids: Sequence[str]) -> dict[str, str | Refused | Unclear]:
        """A refill or cancel of each order; a refusal of a single one is raised, as by the real client."""
        self.fail(action, upstream_ids)
        answers = self.carry_out(action, upstream_ids)
        if len(upstream_ids) == 1 and isinstance(refused := answers[upstream_ids[0]], Refused):
            raise refused
        return answers


def a_report(upstream_id: str, at: datetime | None = None) -> Report:
    """A report that says nothing new of an order in progress."""
    raw: dict[str, object] = {"status": "in_progress"}
    return Report(upstream_id, "in_progress", None, 0, 10, "USD", at or timezone.now(), raw)
