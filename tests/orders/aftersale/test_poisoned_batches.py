"""One bad id must not silence the refills and cancels that travel with it, and nothing is carried out twice."""

from datetime import timedelta
from math import ceil, log2

import pytest
from django.utils import timezone

from orders.aftersale import ask
from orders.aftersale.split import RESENT_WITHIN
from orders.aftersale.submit import submit_cancels, submit_refills
from orders.models import Order, Sending, Task
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.notpanel.errors import NeverSent, NotPanelError, Suspended, Throttled
from tests.makers import make_order, make_service, make_user
from tests.poisoned import FAILURES, PoisonedPhone

pytestmark = pytest.mark.django_db
REFILL, CANCEL, Outcome = Task.Kind.REFILL, Task.Kind.CANCEL, Task.Outcome
SUBMIT = {REFILL: submit_refills, CANCEL: submit_cancels}
STATUS = {REFILL: Status.COMPLETED, CANCEL: Status.IN_PROGRESS}
# Failures after which the machine may send a refill again: upstream's own error about the call as a whole.
OWN_ERRORS = ("500", "503 with an error", "400 not found", "400 for all")


def asked(kind: str, count: int) -> list[Order]:
    """So many orders of each of which a refill or cancel is asked for."""
    by, service = make_user(), make_service(refill=True, cancel=True)
    orders = [make_order(STATUS[Task.Kind(kind)], by=by, service=service) for _ in range(count)]
    for order in orders:
        ask.ask(order, kind, by=by)
    return orders


def run_rounds(phone: PoisonedPhone, kind: str, rounds: int) -> None:
    """Makes every task due and submits until none is, in so many rounds."""
    for _ in range(rounds):
        Task.objects.filter(kind=kind, settled_at=None, due_at__gt=timezone.now()).update(due_at=timezone.now())
        while SUBMIT[Task.Kind(kind)](phone, timezone.now()):  # type: ignore[arg-type]
            pass


def outcomes(kind: str) -> dict[str, str]:
    """Each order's outcome, by upstream's id; "" for a task that waits."""
    tasks = Task.objects.filter(kind=kind).select_related("order")
    return {task.order.upstream_id or "": task.outcome for task in tasks}


@pytest.mark.slow
@pytest.mark.parametrize("effect", [False, True], ids=["no effect", "effect"])
@pytest.mark.parametrize("failure", FAILURES)
def test_of_cancels_only_the_bad_one_has_no_answer(failure: str, effect: bool) -> None:
    orders = asked(CANCEL, 40)
    bad = orders[23].upstream_id or ""
    phone = PoisonedPhone([bad], failure, effect=effect)
    run_rounds(phone, CANCEL, 4)
    without = {upstream_id for upstream_id, outcome in outcomes(CANCEL).items() if outcome != Outcome.DONE}
    assert without == {bad}
    # Besides, the bad one alone is tried again in each later round.
    assert phone.calls["cancel"] <= 2 * (2 * ceil(log2(40)) + 1)


@pytest.mark.slow
@pytest.mark.parametrize("failure", OWN_ERRORS)
@pytest.mark.parametrize(("count", "which"), [(100, 57), (40, 0), (12, 11), (5, 2), (2, 0)])
def test_of_refills_only_the_bad_one_has_no_answer_and_none_is_carried_out_twice(
    failure: str, count: int, which: int
) -> None:
    orders = asked(REFILL, count)
    bad = orders[which].upstream_id or ""
    phone = PoisonedPhone([bad], failure)
    run_rounds(phone, REFILL, 3)
    settled = outcomes(REFILL)
    assert settled.pop(bad) in (Outcome.UNCLEAR, Outcome.REFUSED)
    assert set(settled.values()) == {Outcome.DONE}
    assert phone.done == {("refill", upstream_id): 1 for upstream_id in settled}
    assert phone.calls["refill"] <= 2 * (2 * ceil(log2(count)) + 1)


def test_a_call_that_failed_and_was_carried_out_all_the_same_gives_no_second_refill() -> None:
    orders = asked(REFILL, 40)
    phone = PoisonedPhone([orders[5].upstream_id or ""], effect=True)
    run_rounds(phone, REFILL, 3)
    assert set(phone.done.values()) == {1}
    settled = outcomes(REFILL)
    assert settled.pop(orders[5].upstream_id or "") == Outcome.UNCLEAR
    assert set(settled.values()) == {Outcome.DONE}, "“already pending” is ours"
    assert Task.objects.filter(kind=REFILL, slot=1).count() == 40


@pytest.mark.parametrize("failure", [name for name in FAILURES if name not in OWN_ERRORS])
def test_refills_whose_answer_was_lost_are_never_sent_again_by_the_machine(failure: str) -> None:
    orders = asked(REFILL, 40)
    phone = PoisonedPhone([orders[5].upstream_id or ""], failure)
    run_rounds(phone, REFILL, 5)
    assert phone.calls["refill"] == 1
    assert set(outcomes(REFILL).values()) == {Outcome.UNCLEAR}


def test_a_single_refill_that_fails_is_never_sent_again_by_the_machine() -> None:
    [order] = asked(REFILL, 1)
    phone = PoisonedPhone([order.upstream_id or ""])
    run_rounds(phone, REFILL, 5)
    assert (phone.calls["refill"], outcomes(REFILL)) == (1, {order.upstream_id: Outcome.UNCLEAR})


def test_a_worker_that_comes_too_late_to_ask_again_leaves_the_refills_to_a_person() -> None:
    orders = asked(REFILL, 5)
    phone = PoisonedPhone([orders[2].upstream_id or ""], effect=True)
    submit_refills(phone)  # type: ignore[arg-type]
    later = timezone.now() + RESENT_WITHIN + timedelta(minutes=1)
    while submit_refills(phone, later):  # type: ignore[arg-type]
        pass
    assert phone.calls["refill"] == 1, "meanwhile upstream may have settled what it took, and would take another"
    assert set(outcomes(REFILL).values()) == {Outcome.UNCLEAR}


def test_when_every_refill_call_fails_the_machine_gives_up_after_a_few() -> None:
    asked(REFILL, 100)
    phone = PoisonedPhone()
    phone.away = True
    run_rounds(phone, REFILL, 5)
    assert phone.calls["refill"] == 4, "all, a scout, and two halves"
    assert set(outcomes(REFILL).values()) == {Outcome.UNCLEAR}


def test_refills_that_people_send_again_after_a_bad_call_are_not_silenced_by_the_bad_one() -> None:
    orders = asked(REFILL, 40)
    phone = PoisonedPhone([orders[5].upstream_id or ""], "no answer")
    for _ in range(3):
        run_rounds(phone, REFILL, 1)
        ask.resend(Task.objects.filter(kind=REFILL), by=make_user())
    run_rounds(phone, REFILL, 1)
    settled = outcomes(REFILL)
    assert settled.pop(orders[5].upstream_id or "") == Outcome.UNCLEAR
    assert set(settled.values()) == {Outcome.DONE}


def test_while_upstream_is_away_cancels_cost_at_most_twice_the_calls() -> None:
    asked(CANCEL, 100)
    phone = PoisonedPhone()
    phone.away = True
    run_rounds(phone, CANCEL, 6)
    assert phone.calls["cancel"] <= 2 * 6
    phone.away = False
    run_rounds(phone, CANCEL, 2)
    assert set(outcomes(CANCEL).values()) == {Outcome.DONE}
    assert set(phone.done.values()) == {1}


@pytest.mark.parametrize("kind", [REFILL, CANCEL])
@pytest.mark.parametrize("trouble", [NeverSent("No connection."), Throttled("Slow."), Suspended("Suspended.")])
def test_what_no_order_can_be_to_blame_for_makes_no_call_smaller(kind: str, trouble: NotPanelError) -> None:
    asked(kind, 12)
    phone = PoisonedPhone()
    phone.failure, phone.away = (lambda: trouble), True
    run_rounds(phone, kind, 3)
    assert phone.calls[kind] == 3
    assert not Task.objects.exclude(share=None, failing_since=None).exists()


def test_a_cancel_that_upstream_left_out_of_a_good_answer_goes_with_the_others_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first goes ahead, which is not the bad one: with the bad one ahead it would take a round more.
    monkeypatch.setattr("orders.aftersale.split.shuffled", list)
    orders = asked(CANCEL, 12)
    bad = orders[3].upstream_id or ""
    phone = PoisonedPhone([bad])
    run_rounds(phone, CANCEL, 3)
    task = Task.objects.get(kind=CANCEL, order=orders[3])
    assert (task.share, task.settled_at) == (1, None)
    phone.bad = set()
    run_rounds(phone, CANCEL, 1)
    task.refresh_from_db()
    assert task.outcome == Outcome.DONE


def test_an_answer_is_remembered_by_what_was_asked() -> None:
    asked(CANCEL, 2)
    before = timezone.now()
    run_rounds(PoisonedPhone(), CANCEL, 1)
    assert Sending.answered_since(CANCEL, before)
    assert not Sending.answered_since(REFILL, before)


def test_the_client_tells_upstreams_own_failure_from_any_other(phone: Client) -> None:
    said = {
        b'{"error": "Internal server error"}': (500, True), b'{"error": "Unavailable"}': (503, True),
        b"<html>502</html>": (502, False), b"": (500, False), b"upstream connect error": (503, False),
        b'{"message": "oops"}': (500, False), b'{"error": ""}': (500, False), b'{"error": {"code": 1}}': (500, False),
        b'["error"]': (500, False), b'{"error": "torn': (500, False),
    }  # fmt: skip
    for body, (status, failed) in said.items():
        phone._current_call.begin()
        with pytest.raises(NotPanelError) as caught:
            phone._read_answer("refill", status, body)
        assert (caught.value.failed, body) == (failed, body)
