"""Words for the customer: short, and never more than the supplier said."""

from datetime import UTC, datetime

import pytest

from orders.detail.customer_text import STATUS_TEXTS, for_customer
from orders.models import Order, Task
from orders.rules.statuses import Status
from tests.makers import make_order, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 14, 2, tzinfo=UTC)
DAY = "2 Nov, 14:02 UTC"


def words(order: Order, kind: str = "", **wish: object) -> str:
    if kind:
        ended = wish.get("outcome") or wish.get("over_how")
        said = {"due_at": None if ended else AT, "settled_at": AT if ended else None,
                "over_at": AT if wish.get("over_how") else None}  # fmt: skip
        Task.objects.create(order=order, kind=kind, asked_by=make_user(), asked_at=AT, **{**said, **wish})
    return for_customer(Order.objects.for_table().get(pk=order.pk))


@pytest.mark.parametrize("status", Status)
def test_each_status_has_its_sentence(status: str) -> None:
    said = words(make_order(status, reported_at=AT, remains=350))
    assert said.startswith(STATUS_TEXTS[status].split("{")[0])
    assert "1,000" in said
    assert "{" not in said


def test_figures_are_upstreams_and_dated() -> None:
    order = make_order("in_progress", reported_at=AT, remains=350)
    assert words(order) == f"Your order is in progress: 650 of 1,000 delivered, as of {DAY}."


def test_without_a_figure_none_is_made_up() -> None:
    assert words(make_order("partial", reported_at=AT, remains=-4)) == (
        "Your order of 1,000 ended partly delivered, the supplier says."
    )


def test_an_unknown_word_is_passed_on_as_such() -> None:
    assert "was “in_moderation”" in words(make_order("in_moderation", reported_at=AT))


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, f"Your cancel was requested at {DAY}; the supplier has not answered yet."),
        ({"outcome": "done"}, "the supplier has taken the request and has not confirmed it yet."),
        ({"outcome": "refused", "over_how": "refused", "answer": "Too late"}, "the supplier refused it: “Too late”"),
        ({"outcome": "done", "over_how": "delivered"}, "it came too late."),
    ],
)
def test_a_cancel_is_told_as_far_as_it_is_known(wish: dict[str, str], said: str) -> None:
    assert words(make_order("in_progress"), "cancel", **wish).endswith(said)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, f"A refill was requested at {DAY}; the supplier has not answered yet."),
        ({"outcome": "unclear"}, "the supplier has not answered yet."),
        ({"outcome": "done", "known_at": AT}, f"accepted it at {DAY} and has not said that it is done."),
        ({"outcome": "done", "over_how": "presumed"}, "is completed, the supplier says."),
    ],
)
def test_a_refill_is_never_said_to_be_done(wish: dict[str, object], said: str) -> None:
    assert words(make_order("completed"), "refill", **wish).endswith(said)
