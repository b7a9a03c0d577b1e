"""The table of tests/orders/rules/rule_cases.py as people meet it: the buttons of a row, and the dry run of many."""

import re
from html import unescape

import pytest

from accounts.access import Role
from accounts.models import User
from orders.bulk.dry_run import dry_run
from orders.bulk.selection import Selection
from orders.models import Order, Task
from orders.rules.eligibility import WHY_NOT
from tests.makers import make_service, make_user
from tests.orders.rules.rule_cases import Case, at_the_desk, cases
from tests.people import as_user

pytestmark = pytest.mark.django_db
BUTTON = re.compile(
    r'<button class="btn" type="(\w+)" id="o(\d+)-([rk])"(.*?)</button>(?:<span class="tip"[^>]*>(.*?)<)?'
)
KINDS = {"r": Task.Kind.REFILL, "k": Task.Kind.CANCEL}


@pytest.fixture
def ana() -> User:
    return make_user(Role.OPERATOR, name="Ana")


@pytest.fixture
def table(ana: User) -> list[tuple[Case, Order]]:
    services = {(str(kind), flag): make_service(**{kind: flag}) for kind in KINDS.values() for flag in (True, False)}
    table = list(cases())
    return at_the_desk(table, ana, services, {case: f"ord_{number}" for number, case in enumerate(table) if case.sent})


def buttons(by: User) -> dict[tuple[str, int], str]:
    """(kind, order) → why its button is off, or "" when it may be pressed; of every row on every page of the list."""
    reasons, path, client = dict[tuple[str, int], str](), "/orders/", as_user(by)
    while path:
        page = client.get(path).content.decode()
        for type, pk, letter, rest, why in BUTTON.findall(page):
            assert (type == "submit") == (not why) == ("aria-disabled" not in rest), rest
            reasons[KINDS[letter], int(pk)] = unescape(why)
        older = re.search(r'href="([^"]*before=[^"]*)"', page)
        path = unescape(older[1]) if older else ""
    return reasons


def test_every_row_says_what_the_rule_says(table: list[tuple[Case, Order]], ana: User) -> None:
    reasons = buttons(ana)
    wrong = []
    for case, order in table:
        if order.unsent and case.kind == Task.Kind.CANCEL:
            assert (case.kind, order.pk) not in reasons, "what was not sent is undone or withdrawn"
        elif (why := WHY_NOT[case.kind](order)) != (shown := reasons.get((case.kind, order.pk), "no button")):
            wrong.append(f"{case}: the rule says {why!r}, the row {shown!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", KINDS.values())
def test_the_dry_run_says_what_the_rule_says(table: list[tuple[Case, Order]], kind: str) -> None:
    mine = {order.pk: (case, WHY_NOT[kind](order)) for case, order in table if case.kind == kind}
    run = dry_run(Selection.of(kind, mine, "the whole table"))
    lines = {order.pk: (group.is_asked, why) for group in run.groups for order, why in group.lines}
    wrong = [
        f"{case}: the rule says {why!r}, the dry run {lines.get(pk)}"
        for pk, (case, why) in mine.items()
        if lines.get(pk) != (not why, why)
    ]
    assert not wrong, "\n".join(wrong)
    assert len(lines) == run.picked == len(mine)
