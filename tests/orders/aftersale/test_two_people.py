"""Two people press at the same moment: one task is asked for, and the other person is told who was first."""

import pytest
from django.db import OperationalError

from accounts.models import User
from orders.aftersale import ask
from orders.models import Order, Task
from orders.rules.refusal import Refusal
from tests.makers import make_order, make_user
from tests.orders.models.test_claims import together


def press(order: Order, kind: str, by: User, answers: list[tuple[User, str]]) -> None:
    try:
        ask.ask(order, kind, by=by)
    except (Refusal, OperationalError) as refusal:
        answers.append((by, str(refusal)))
    else:
        answers.append((by, ""))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "status"), [("refill", "completed"), ("cancel", "in_progress")])
def test_of_two_at_once_the_second_is_told_who_was_first(kind: str, status: str) -> None:
    order = make_order(status)
    people = [make_user(name=name) for name in ("Ana", "Ben", "Cleo", "Dora", "Emil", "Finn")]
    shown_order = Order.objects.for_table().get(pk=order.pk)  # as each has it on the screen: nothing is asked for yet
    answers: list[tuple[User, str]] = []
    together(*[lambda by=by: press(shown_order, kind, by, answers) for by in people])
    ((first, _),) = [answer for answer in answers if answer[1] == ""]
    task = Task.objects.get(kind=kind)
    assert task.asked_by == first
    assert len(answers) == len(people)
    for _, why in answers:
        assert why == "" or f"asked for by {first} at " in why
    assert order.events.filter(kind=f"{kind}_asked").count() == 1


@pytest.mark.django_db
def test_a_page_that_is_out_of_date_asks_for_nothing() -> None:
    order = make_order("in_progress")
    shown_order = Order.objects.for_table().get(pk=order.pk)
    Order.objects.filter(pk=order.pk).update(status="completed")
    with pytest.raises(Refusal, match="It is completed; there is nothing left to cancel"):
        ask.ask(shown_order, "cancel", by=make_user())
    assert not Task.objects.filter(kind="cancel").exists()
