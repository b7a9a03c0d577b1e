"""After a refusal that stays a refusal, the button is off; after any other it is on again."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.access import Role
from catalog.models import Service
from orders.aftersale import ask
from orders.models import Order, Task
from orders.rules.eligibility import refused_for_good, why_no_cancel, why_no_refill
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from tests.makers import make_order, make_user
from tests.people import as_a

REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL

# Upstream's words, and whether another refill would be refused too.
REFILLS = [
    ("Service does not support refills", True),
    ("service does not support refill.", True),
    ("This service doesn't support refills", True),
    ("This service doesn’t offer refill", True),
    ("Refill is not available for this service", True),
    ("Refills are not supported", True),
    ("Refill disabled for this service", True),
    ("Refill is disabled", True),
    ("Refill unavailable for this order", True),
    ("No refill for this service", True),
    ("Service has no guarantee", True),
    ("This order is not refillable", True),
    ("Non-refillable service", True),
    ("The refill period has expired", True),
    ("Guarantee expired 5 days ago", True),
    ("This service no longer supports refilling", True),
    ("Order not eligible for refill", True),
    ("Refill not possible", True),
    ("RE-FILL NOT ALLOWED", True),
    # …and what may go another time.
    ("A refill request is already pending for this order", False),
    ("Refill limit reached (3 per order)", False),
    ("Refill only available for completed or partial orders", False),
    ("Refill is not available yet", False),
    ("Refill not available, try again later", False),
    ("Refill not allowed within 24 hours of the last one", False),
    ("Refill is temporarily disabled", False),
    ("Refills are not possible during maintenance", False),
    ("No refill for 3 days after the last", False),
    ("Wait: no refill before the drop is confirmed", False),
    ("Order not found", False),
    ("Service not found", False),
    ("Incorrect order ID", False),
    ("Not enough balance", False),
    ("Rate limit exceeded", False),
    ("The order was not refilled.", False),
    ("", False),
]
CANCELS = [
    ("Service does not support cancellation", True),
    ("Cancellation is not supported by this service", True),
    ("This service can't be cancelled", False),  # perhaps only as it stands now
    ("Cancel not allowed", True),
    ("Order not cancellable", True),
    ("No cancellation for this service", True),
    ("Cancel is disabled for this service", True),
    ("Order cannot be cancelled (already completed)", False),
    ("Cancellation is not available yet", False),
    ("A cancel is already pending", False),
    ("Order not found", False),
]


@pytest.mark.parametrize(("words", "never"), REFILLS)
def test_a_refused_refill_is_over_for_good_only_where_upstream_says_so(words: str, never: bool) -> None:
    assert refused_for_good(REFILL, words) is never


@pytest.mark.parametrize(("words", "never"), CANCELS)
def test_a_refused_cancel_is_over_for_good_only_where_upstream_says_so(words: str, never: bool) -> None:
    assert refused_for_good(CANCEL, words) is never


def refused(order: Order, kind: str, words: str) -> Order:
    """The order, after upstream refused this kind in these words."""
    task = ask.create_task(order, kind, by=order.placed_by, at=timezone.now())
    over = {"due_at": None, "settled_at": timezone.now(), "over_at": timezone.now(), "slot": None, "slots": None}
    Task.objects.filter(pk=task.pk).update(
        outcome=Task.Outcome.REFUSED, over_how=Task.Settled.REFUSED, answer=words, **over
    )
    return Order.objects.for_table().get(pk=order.pk)


@pytest.mark.django_db
def test_after_a_service_that_has_no_refills_no_button_offers_three() -> None:
    order = refused(make_order(Status.COMPLETED), REFILL, "Service does not support refills")
    why = why_no_refill(order)
    assert why.startswith("The supplier refused it for good at ") and "“Service does not support refills”." in why
    page = as_a(Role.OPERATOR).get(f"/orders/{order.pk}/").content.decode()
    assert "refills left. Upstream decides" not in page
    assert why in page
    with pytest.raises(Refusal, match="refused it for good"):
        ask.ask(order, REFILL, by=make_user())
    Service.objects.update(changed_at=timezone.now() + timedelta(minutes=1))
    assert why_no_refill(Order.objects.for_table().get(pk=order.pk)) == "", "the catalog says something new of it"


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["Order not found", "Refill is not available yet"])
def test_after_another_refusal_the_button_is_on_again(words: str) -> None:
    order = refused(make_order(Status.COMPLETED), REFILL, words)
    assert why_no_refill(order) == ""
    assert "3 refills left" in as_a(Role.OPERATOR).get(f"/orders/{order.pk}/").content.decode()


@pytest.mark.django_db
def test_a_cancel_that_the_service_does_not_know_is_off_while_it_is_in_flight() -> None:
    order = refused(make_order(Status.IN_PROGRESS), CANCEL, "Service does not support cancellation")
    assert "“Service does not support cancellation”." in why_no_cancel(order)
    Order.objects.filter(pk=order.pk).update(status=Status.PENDING)
    assert why_no_cancel(Order.objects.for_table().get(pk=order.pk)) == "", "a pending order is refunded at once"


@pytest.mark.django_db
@pytest.mark.parametrize("settled", [0, 1, 2])
def test_the_sentence_counts_a_pending_refill_as_the_meter_does(settled: int, viewer: Browser) -> None:
    order = make_order(Status.COMPLETED)
    for _ in range(settled):
        earlier = ask.create_task(
            Order.objects.for_table().get(pk=order.pk), REFILL, by=order.placed_by, at=timezone.now()
        )
        over = {"due_at": None, "settled_at": timezone.now(), "over_at": timezone.now()}
        Task.objects.filter(pk=earlier.pk).update(outcome=Task.Outcome.DONE, over_how=Task.Settled.MARKED, **over)
    fresh = Order.objects.for_table().get(pk=order.pk)
    ask.create_task(fresh, REFILL, by=order.placed_by, at=timezone.now())
    fresh = Order.objects.for_table().get(pk=order.pk)
    assert why_no_refill(fresh).startswith(f"{settled + 1} of 3 used, of which one was asked for by ")
    page = viewer.get(f"/orders/{order.pk}/").content.decode()
    assert f"Refills: {settled} used, 1 pending, {2 - settled} left" in page
    assert f"Refill {settled + 1} of 3" in page
