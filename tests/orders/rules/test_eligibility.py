"""The whole rule: every status × service flag × pending × count, by the rule, by the verb and by the supplier."""

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
from tests.orders.rules.rule_cases import IDS_PER_CALL, STATUSES, Case, at_the_desk, at_upstream, cases
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL

# Upstream's sentence, and the words, apart by |, of which the desk says some instead of asking.
SAME_REASON = {
    "Refill only available for completed or partial orders": "Only completed or partial orders can be refilled",
    "Service does not support refills": "Its service has no refill.",
    "A refill request is already pending for this order": "one was asked for|one is pending",
    "Refill limit reached (3 per order)": "All 3 refills are used.",
    "Order cannot be cancelled (already completed)": "completed|partial|cancelled|refunded",
    "Service does not support cancellation": "Its service does not allow cancels once the supplier works on it.",
}
WITHDRAWN = (Status.APPROVAL, Status.QUEUED)  # instead of asking upstream to cancel
TABLE = list(cases())


@pytest.fixture
def table(upstream: Upstream) -> list[tuple[Case, Order]]:
    """The same states at the desk and upstream, with one service for each kind and flag."""
    numbers = {("refill", True): 104, ("refill", False): 116, ("cancel", True): 128, ("cancel", False): 140}
    services = {(kind, flag): make_service(upstream_id=number, **{kind: flag})
                for (kind, flag), number in numbers.items()}  # fmt: skip
    upstream.set_balance(1_000_000)
    for number in numbers.values():
        upstream.set_service(number, type="Default", minimum=1, maximum=10_000)
    return at_the_desk(TABLE, make_user(name="Ana"), services, at_upstream(upstream, TABLE, services))


def test_the_table_has_every_status_flag_pending_and_count() -> None:
    assert len(TABLE) == len(set(TABLE))
    refills = {(case.status, case.flag, case.pending, case.settled) for case in TABLE if case.kind == REFILL}
    assert len(refills) == 8 * 2 * (4 + 3 * 3) + 4 * 2
    assert {(case.status, case.flag) for case in TABLE if case.kind == CANCEL and not case.pending} == {
        (status, flag) for status in STATUSES for flag in (True, False)
    }


@pytest.mark.slow
def test_rule_verb_and_supplier_agree(table: list[tuple[Case, Order]], phone: Client) -> None:
    answers = {}
    for kind in (REFILL, CANCEL):
        ids = [order.upstream_id for case, order in table if case.kind == kind and order.upstream_id]
        for start in range(0, len(ids), IDS_PER_CALL):
            answers.update(phone.each(kind, ids[start : start + IDS_PER_CALL]))
    wrong = []
    for case, order in table:
        why = WHY_NOT[case.kind](order)
        if (refusal := refusal_of_the_verb(order, case.kind)) != why:
            wrong.append(f"{case}: the rule says {why!r}, the verb {refusal!r}")
        if why and not (why[0] == why[0].upper() and why.endswith(".")):
            wrong.append(f"{case}: no sentence: {why!r}")
        if case.sent:
            wrong += disagreement(case, why, answers[order.upstream_id or ""])
        elif bool(why) == (case.kind == CANCEL and case.status in WITHDRAWN and not case.pending):
            wrong.append(f"{case}: upstream knows nothing of it, and the desk says {why!r}")
    assert not wrong, "\n".join(wrong)


def refusal_of_the_verb(order: Order, kind: str) -> str:
    """Asks for a refill or a cancel: the sentence of its refusal, or "" when it was asked."""
    try:
        with transaction.atomic():
            ask.ask(order, kind, by=order.placed_by)
    except Refusal as refusal:
        return str(refusal)
    return ""


def disagreement(case: Case, why: str, answer: object) -> list[str]:
    """What is wrong when the rule says `why` and upstream gives this answer; empty when they agree."""
    if isinstance(answer, Refused):
        if not why:
            return [f"{case}: the desk would ask, upstream says {answer.said!r}"]
        desk_knows_more = case.pending == "asked" or (case.kind == CANCEL and case.pending)
        if not desk_knows_more and not any(words in why for words in SAME_REASON[answer.said].split("|")):
            return [f"{case}: upstream says {answer.said!r}, the desk {why!r}"]
    elif isinstance(answer, str):
        # While a task is pending the desk asks for no other, also where the contract leaves open what became of it.
        if why and not case.pending:
            return [f"{case}: upstream takes it, the desk says {why!r}"]
        if not why and case.pending:
            return [f"{case}: the desk would ask twice"]
    else:
        return [f"{case}: {answer}"]
    return []
