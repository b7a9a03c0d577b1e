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


def text_for(order: Order, kind: str = "", **fields: object) -> str:
    """The text for the customer, after a task of this kind with these fields was added; no task without a kind."""
    if kind:
        ended = fields.get("outcome") or fields.get("over_how")
        times = {"due_at": None if ended else AT, "settled_at": AT if ended else None,
                "over_at": AT if fields.get("over_how") else None}  # fmt: skip
        Task.objects.create(order=order, kind=kind, asked_by=make_user(), asked_at=AT, **{**times, **fields})
    return for_customer(Order.objects.for_table().get(pk=order.pk))


@pytest.mark.parametrize("status", Status)
def test_each_status_has_its_sentence(status: str) -> None:
    text = text_for(make_order(status, reported_at=AT, remains=350))
    assert text.startswith(STATUS_TEXTS[status].split("{")[0])
    assert "1,000" in text
    assert "{" not in text


def test_figures_are_upstreams_and_dated() -> None:
    order = make_order("in_progress", reported_at=AT, remains=350)
    assert text_for(order) == f"Your order is in progress: 650 of 1,000 delivered, as of {DAY}."


def test_no_figure_is_made_up_where_upstream_gave_none() -> None:
    assert text_for(make_order("partial", reported_at=AT, remains=-4)) == (
        "Your order of 1,000 ended partly delivered, the supplier says."
    )


def test_an_unknown_status_is_quoted() -> None:
    assert "was “in_moderation”" in text_for(make_order("in_moderation", reported_at=AT))


@pytest.mark.parametrize(
    ("fields", "ending"),
    [
        ({}, f"Your cancel was requested at {DAY}; the supplier has not answered yet."),
        ({"outcome": "done"}, "the supplier has taken the request and has not confirmed it yet."),
        ({"outcome": "refused", "over_how": "refused", "answer": "Too late"}, "the supplier refused it: “Too late”"),
        ({"outcome": "done", "over_how": "delivered"}, "it came too late."),
    ],
)
def test_a_cancel_is_described_as_far_as_it_is_known(fields: dict[str, str], ending: str) -> None:
    assert text_for(make_order("in_progress"), "cancel", **fields).endswith(ending)


@pytest.mark.parametrize(
    ("fields", "ending"),
    [
        ({}, f"A refill was requested at {DAY}; the supplier has not answered yet."),
        ({"outcome": "unclear"}, "the supplier has not answered yet."),
        ({"outcome": "done", "known_at": AT}, f"accepted it at {DAY} and has not said that it is done."),
        ({"outcome": "done", "over_how": "presumed"}, "is completed, the supplier says."),
    ],
)
def test_a_refill_is_never_said_to_be_done(fields: dict[str, object], ending: str) -> None:
    assert text_for(make_order("completed"), "refill", **fields).endswith(ending)
