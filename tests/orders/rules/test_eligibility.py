"""The whole rule: every status × service flag × pending × count, in the rule, at the door and against the supplier."""

import pytest
from django.db import transaction

from orders.aftersale import ask
from orders.models import Order, Task
from orders.rules.eligibility import WHY_NOT
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.notpanel.errors import Refused
from tests.makers import make_service, make_user
from tests.orders.rules.rule_cases import STATUSES, Case, at_the_desk, at_upstream, cases
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL

# Upstream's sentence, and what the desk says instead of asking.
SAME_REASON = {
    "Refill only available for completed or partial orders": "Only completed or partial orders can be refilled",
    "Service does not support refills": "Its service has no refill.",
    "A refill request is already pending for this order": "one was asked for|one is pending",
    "Refill limit reached (3 per order)": "All 3 refills are used.",
    "Order cannot be cancelled (already completed)": "completed|partial|cancelled|refunded",
    "Service does not support cancellation": "Its service cannot be cancelled once it is in flight.",
}
TABLE = list(cases())


@pytest.fixture
def table(upstream: Upstream) -> list[tuple[Case, Order]]:
    """The same states here and there: one supplier, one transaction, one service for each kind and flag."""
    numbers = {(REFILL, True): 104, (REFILL, False): 116, (CANCEL, True): 128, (CANCEL, False): 140}
    services = {
        (kind, flag): make_service(upstream_id=number, **{str(kind): flag}) for (kind, flag), number in numbers.items()
    }
    upstream.set_balance(1_000_000)
    for number in numbers.values():
        upstream.set_service(number, type="Default", minimum=1, maximum=10_000)
    keyed = {(str(kind), flag): service for (kind, flag), service in services.items()}
    return at_the_desk(TABLE, make_user(name="Ana"), keyed, at_upstream(upstream, TABLE, keyed))


def test_the_table_has_every_status_flag_pending_and_count() -> None:
    assert len(TABLE) == len(set(TABLE))
    refills = {(case.status, case.flag, case.pending, case.settled) for case in TABLE if case.kind == REFILL}
    assert len(refills) == 8 * 2 * (4 + 3 * 3) + 3 * 2
    assert {(case.status, case.flag) for case in TABLE if case.kind == CANCEL and not case.pending} == {
        (status, flag) for status in STATUSES for flag in (True, False)
    }


def test_rule_door_and_supplier_agree(table: list[tuple[Case, Order]], phone: Client) -> None:
    answers = {}
    for kind in (REFILL, CANCEL):
        ids = [order.upstream_id for case, order in table if case.kind == kind and order.upstream_id]
        for start in range(0, len(ids), 100):
            answers.update(phone.each(kind, ids[start : start + 100]))
    wrong = []
    for case, order in table:
        why = WHY_NOT[case.kind](order)
        if (said := at_the_door(order, case.kind)) != why:
            wrong.append(f"{case}: the rule says {why!r}, the door {said!r}")
        if why and not (why[0] == why[0].upper() and why.endswith(".")):
            wrong.append(f"{case}: no sentence: {why!r}")
        if case.sent:
            wrong += disagreement(case, why, answers[order.upstream_id or ""])
        elif bool(why) == (case.kind == CANCEL and case.status == Status.QUEUED and not case.pending):
            wrong.append(f"{case}: upstream knows nothing of it, and the desk says {why!r}")
    assert not wrong, "\n".join(wrong)


def at_the_door(order: Order, kind: str) -> str:
    """The refusal, or "" with nothing left behind but what was asked."""
    try:
        with transaction.atomic():
            ask.ask(order, kind, by=order.placed_by)
    except Refusal as no:
        return str(no)
    return ""


def disagreement(case: Case, why: str, answer: object) -> list[str]:
    if isinstance(answer, Refused):
        if not why:
            return [f"{case}: the desk would ask, upstream says {answer.said!r}"]
        own = case.pending == "asked" or (case.kind == CANCEL and case.pending)  # then the desk speaks of its own
        if not own and not any(words in why for words in SAME_REASON[answer.said].split("|")):
            return [f"{case}: upstream says {answer.said!r}, the desk {why!r}"]
    elif isinstance(answer, str):
        # While one is pending the desk asks for no second, also where the contract leaves open what came of it.
        if why and not case.pending:
            return [f"{case}: upstream takes it, the desk says {why!r}"]
        if not why and case.pending:
            return [f"{case}: the desk would ask twice"]
    else:
        return [f"{case}: {answer}"]
    return []
