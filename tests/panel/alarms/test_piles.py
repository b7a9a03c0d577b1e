"""An alarm about a pile says what stands now, and is not called over while any of it stands."""

from datetime import UTC, datetime

import pytest

from accounts.access import Role
from orders.models import Order
from orders.rules.statuses import Status
from panel.alarms.conditions import PILE_TOLD_EVERY
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm
from panel.alarms.notify import send_due_notice
from panel.ops.database import ONLY_ROW
from panel.site.status_bar import StatusBar
from panel.upstream.models import Upstream
from tests.makers import make_order, minutes
from tests.panel.alarms.receivers import Chat
from tests.people import as_a

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def sentence() -> str:
    """What the open alarm about orders says."""
    return Alarm.objects.open().get(kind="orders").sentence


def in_review() -> int:
    """The number of a new order that needs a look."""
    return make_order(Status.REVIEW).pk


def settle(*orders: int) -> None:
    """These orders need no look any more."""
    Order.objects.filter(pk__in=orders).update(status=Status.REJECTED)


def test_the_open_alarm_names_what_has_come_since_and_not_another_order() -> None:
    first = in_review()
    evaluate(AT)
    second = in_review()
    evaluate(AT + minutes(1))
    assert sentence() == f"2 orders need a look: {second}, {first}."
    evaluate(AT + PILE_TOLD_EVERY)
    assert sentence() == f"1 more order needs a look, 2 in all: {second}."
    third = in_review()
    evaluate(AT + PILE_TOLD_EVERY + minutes(1))
    assert sentence() == f"2 more orders need a look, 3 in all: {third}, {second}."


# What is settled of a first, a second (told in an alarm of its own) and a third that was not told yet → what is said.
SETTLED = {
    (): "2 more orders need a look, 3 in all: {3}, {2}.",
    (1,): "2 orders need a look: {3}, {2}.",
    (2,): "1 more order needs a look, 2 in all: {3}.",
    (3,): "1 more order needs a look, 2 in all: {2}.",
    (1, 2): "1 order needs a look: {3}.",
    (1, 3): "1 order needs a look: {2}.",
    (2, 3): "1 order needs a look: {1}.",
}


@pytest.mark.parametrize("settled", SETTLED)
def test_it_counts_and_names_only_what_stands(settled: tuple[int, ...]) -> None:
    orders = {1: in_review()}
    evaluate(AT)
    orders[2] = in_review()
    evaluate(AT + PILE_TOLD_EVERY)
    orders[3] = in_review()
    settle(*(orders[number] for number in settled))
    evaluate(AT + PILE_TOLD_EVERY + minutes(1))
    assert sentence() == SETTLED[settled].format(0, *orders.values())


def test_an_alarm_that_a_newer_one_follows_is_not_called_over_while_that_stands() -> None:
    viewer = as_a(Role.VIEWER)
    first = in_review()
    evaluate(AT)
    second = in_review()
    evaluate(AT + PILE_TOLD_EVERY)
    page = viewer.get("/alarms/").content.decode()
    assert "1 open alarm" in page and 'id="over"' not in page
    assert f"1 more order needs a look, 2 in all: {second}." in page
    assert "First reported at " in page
    settle(first, second)
    evaluate(AT + PILE_TOLD_EVERY + minutes(1))
    page = viewer.get("/alarms/").content.decode()
    assert "No open alarms" in page and page.count('class="alarm"') == 2, "both are over now"
    third = in_review()
    evaluate(AT + PILE_TOLD_EVERY + minutes(60))
    page = viewer.get("/alarms/").content.decode()
    assert f"1 order needs a look: {third}." in page and page.count("al-over") == 2, "an alarm of its own"
    assert "First reported at" not in page


def test_an_alarm_of_an_older_desk_goes_on() -> None:
    first, second = in_review(), in_review()
    facts = {"new": 1, "all": 2, "some": [first], "told": {str(first): ""}}
    Alarm.objects.create(kind="orders", facts=facts, raised_at=AT)
    evaluate(AT + minutes(1))
    assert sentence() == f"2 orders need a look: {second}, {first}."
    evaluate(AT + PILE_TOLD_EVERY)
    assert sentence() == f"1 more order needs a look, 2 in all: {second}."


def test_what_stands_unchanged_writes_nothing() -> None:
    in_review()
    evaluate(AT)
    facts = Alarm.objects.get().facts
    evaluate(AT + minutes(1))
    assert Alarm.objects.get().facts == facts


# ── Ending ───────────────────────────────────────────────────────────────────────────────────
def test_no_alarm_stands_red_beside_an_upstream_that_answers() -> None:
    viewer, health = as_a(Role.VIEWER), Upstream.objects.filter(pk=ONLY_ROW)
    Upstream.objects.create(pk=ONLY_ROW, trouble="No answer.", trouble_since=AT)
    evaluate(AT + minutes(1))
    assert StatusBar().alarms == 1
    health.update(trouble="", trouble_since=None, spoke_at=AT + minutes(1.1))
    evaluate(AT + minutes(1.2))
    assert StatusBar().alarms == 0
    page = viewer.get("/alarms/").content.decode()
    assert "1 open alarm" not in page and "Nobody has marked it" not in page and "is-bad" not in page
    assert "Ending" in page
    words = "The supplier answers again. Seen at 2 Nov, 12:01 UTC; if it stays so, this alarm ends soon."
    assert words in page
    assert str(Alarm.objects.get()) == f"Supplier failing: {words}"
    health.update(trouble="Again.", trouble_since=AT + minutes(2))
    evaluate(AT + minutes(2.1))
    page = viewer.get("/alarms/").content.decode()
    assert "1 open alarm" in page and "Ending" not in page and StatusBar().alarms == 1
    health.update(trouble="", trouble_since=None)
    for later in (3, 5.1):
        evaluate(AT + minutes(later))
    page = viewer.get("/alarms/").content.decode()
    assert 'id="over"' in page and "Ending" not in page


def test_a_beginning_that_is_told_while_it_is_calm_says_so_too(chat: Chat) -> None:
    Upstream.objects.create(pk=ONLY_ROW, trouble="No answer.", trouble_since=AT)
    evaluate(AT + minutes(1))
    Upstream.objects.update(trouble="", trouble_since=None)
    evaluate(AT + minutes(1.5))
    while send_due_notice(AT + minutes(1.6)):
        pass
    assert ["Since then: The supplier answers again." in text for text in chat.texts()] == [True]
