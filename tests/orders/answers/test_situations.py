"""What a customer is told: one situation for every state, from facts alone; never a supplier, a price or a promise."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from orders.answers.facts import situation_of
from orders.answers.situations import SITUATIONS, UNKNOWN, WHICH
from orders.answers.template import SUPPLIER, mistakes
from orders.answers.texts import ENGLISH, Texts
from orders.models import Order, Task
from orders.rules.statuses import Status
from tests.makers import make_order, make_service, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 14, 2, tzinfo=UTC)
LINK = "https://instagram.com/lumen.studio"
REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL
PROMISES = re.compile(
    r"\b(hours?|days?|minutes?|weeks?|today|tomorrow|soon|within|shortly|by (monday|friday))\b|[$€£]", re.I
)


def told(order: Order, asked: str = "") -> tuple[str, str]:
    """The situation and the text for an order’s customer now."""
    answer = Texts.load(ENGLISH).answer(Order.objects.for_table().get(pk=order.pk), asked)
    return answer.situation, answer.text


def with_task(status: str, kind: str, **fields: object) -> Order:
    """An order of this status after a refill or cancel with these fields."""
    order, ended = make_order(status), fields.get("outcome") or fields.get("over_how")
    times = {"due_at": None if ended else AT, "settled_at": AT if ended else None,
             "over_at": AT if fields.get("over_how") else None}  # fmt: skip
    Task.objects.create(order=order, kind=kind, asked_by=make_user(), asked_at=AT, **{**times, **fields})
    return order


@pytest.mark.parametrize("status", Status)
def test_each_status_says_which_order_it_is_and_how_it_stands(status: str) -> None:
    order = make_order(status, reported_at=AT, remains=350)
    situation, text = told(order)
    assert situation == status
    assert text.startswith(f"Order {order.pk} (1,000 × {order.service.name}, {LINK}): ")
    assert not re.search(r"[{}\[\]]|None", text.replace(order.service.name, ""))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_text_that_comes_with_the_desk_tells_of_a_supplier_a_price_or_a_time(situation: str) -> None:
    text = SITUATIONS[situation].text
    assert not SUPPLIER.search(text) and not PROMISES.search(text)
    assert not mistakes(situation, text)
    assert situation in (WHICH, UNKNOWN) or text.startswith("{which}: ")


def test_supplier_words_answers_and_money_never_get_into_a_text() -> None:
    for kind, status in ((REFILL, "completed"), (CANCEL, "in_progress")):
        words = "Provider says: order ord_x cost $0.90, ask our supplier"
        order = with_task(status, kind, outcome="refused", over_how="refused", answer=words)
        text = told(order)[1].replace(order.service.name, "")
        assert not SUPPLIER.search(text) and str(order.upstream_id) not in text and "0.9" not in text


def test_figures_are_dated_and_none_is_made_up() -> None:
    text = told(make_order("in_progress", reported_at=AT, remains=350))[1]
    assert text.endswith("): it is being delivered, 650 so far, as of 2026-11-02 14:02 UTC. The rest follows.")
    assert told(make_order("in_progress", remains=-4))[1].endswith("): it is being delivered. The rest follows.")
    assert told(make_order("partial", remains=None))[1].endswith("): it ended partly delivered.")


def test_an_unknown_word_of_upstreams_is_not_passed_on() -> None:
    situation, text = told(make_order("sent_to_provider", reported_at=AT))
    assert situation == "other" and "provider" not in text


@pytest.mark.parametrize("fields, situation", [
    ({}, "queued"), ({"needs": 1, "attempts": 1}, "unfunded"), ({"unclear_since": AT, "attempts": 1}, "confirming"),
    ({"unclear_since": AT, "attempts": 0}, "review"),
])  # fmt: skip
def test_before_upstream_has_it(fields: dict[str, object], situation: str) -> None:
    order = make_order()
    order.tasks.update(**fields)
    assert told(order)[0] == situation
    assert "money" not in told(order)[1] and "balance" not in told(order)[1]


def test_a_late_order_is_late_only_while_it_runs() -> None:
    past = timezone.now() - timedelta(hours=1)
    assert told(make_order("in_progress", late_from=past))[0] == "late"
    assert told(make_order("completed", late_from=past))[0] == "completed"


@pytest.mark.parametrize("fields, situation", [
    ({}, "refill_asked"), ({"outcome": "unclear"}, "refill_asked"),
    ({"outcome": "done", "known_at": AT}, "refill_pending"),
    ({"outcome": "refused", "over_how": "refused", "answer": "No"}, "refill_refused"),
    ({"outcome": "done", "over_how": "presumed"}, "completed"),
    ({"outcome": "done", "over_how": "marked"}, "completed"),
])  # fmt: skip
@pytest.mark.parametrize("asked", ["", REFILL])
def test_a_refill_is_told_as_far_as_it_is_known_and_never_as_done(
    fields: dict[str, object], situation: str, asked: str
) -> None:
    found, text = told(with_task("completed", REFILL, **fields), asked)
    assert found == situation
    assert ("asked for on 2026-11-02 14:02 UTC" in text) == (situation in ("refill_asked", "refill_pending"))


@pytest.mark.parametrize("status, fields, situation", [
    ("in_progress", {}, "cancel_asked"), ("in_progress", {"outcome": "done"}, "cancel_asked"),
    ("in_progress", {"outcome": "unclear"}, "cancel_asked"),
    ("in_progress", {"outcome": "refused", "over_how": "refused", "answer": "No"}, "cancel_refused"),
    ("cancelled", {"outcome": "done", "over_how": "agreed"}, "cancel_agreed"),
    ("completed", {"outcome": "done", "over_how": "delivered"}, "cancel_too_late"),
    ("partial", {"outcome": "done", "over_how": "otherwise"}, "partial"),
])  # fmt: skip
@pytest.mark.parametrize("asked", ["", CANCEL])
def test_a_cancel_is_told_as_far_as_it_is_known(
    status: str, fields: dict[str, object], situation: str, asked: str
) -> None:
    assert told(with_task(status, CANCEL, **fields), asked)[0] == situation


def test_a_customer_who_wants_a_refill_is_told_why_there_is_none(settings: object) -> None:
    none = make_service(refill=False)
    assert told(make_order("completed", service=none), REFILL)[0] == "no_refill_service"
    assert told(make_order("completed", refills_elsewhere=3), REFILL)[0] == "no_refill_left"
    assert told(make_order("in_progress"), REFILL)[0] == "no_refill_unfinished"
    assert told(make_order("completed"), REFILL)[0] == "left_out"
    assert told(make_order("rejected"), REFILL)[0] == "rejected"
    settings.REFILLS_PER_ORDER = 0  # type: ignore[attr-defined]
    assert told(make_order("completed"), REFILL)[0] == "no_refill_service"


def test_a_customer_who_wants_a_cancel_is_told_why_there_is_none() -> None:
    assert told(make_order("in_progress", service=make_service(cancel=False)), CANCEL)[0] == "cancel_refused"
    assert told(make_order("in_progress"), CANCEL)[0] == "left_out"
    assert told(make_order("completed"), CANCEL)[0] == "cancel_too_late"
    assert told(make_order("cancelled"), CANCEL)[0] == "cancel_agreed"


@pytest.mark.parametrize("status", ["refunded", "cancelled", "in_progress"])
def test_a_refill_under_way_says_nothing_of_an_order_that_is_not_delivered_any_more(status: str) -> None:
    assert told(with_task(status, REFILL, outcome="done", known_at=AT))[0] == status


def test_a_cancel_of_long_ago_says_nothing_about_a_completed_order() -> None:
    order = with_task("completed", CANCEL, outcome="refused", over_how="refused", answer="No")
    assert told(order)[0] == "completed"


def test_every_situation_can_come() -> None:
    """The tests above name each, but for those that placing alone brings."""
    order = make_order("rejected")
    for outcome in ("withdrawn", "closed"):
        order.tasks.update(outcome=outcome)
        assert situation_of(Order.objects.get(pk=order.pk)) == outcome
    taken = make_order(upstream_id="ord_new")
    assert situation_of(Order.objects.get(pk=taken.pk)) == "taken"
