"""What waits for another try goes at once when upstream answers anybody again, or when a person presses."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from orders.aftersale import ask
from orders.aftersale.submit import submit_cancels
from orders.models import Attempt, Order, Sending, Task, TaskQuerySet
from orders.placing import review, send_switch
from orders.placing.probe import probe
from orders.placing.send_switch import FAILURES_IN_A_ROW, FIRST_PROBE, PROBE_INTERVAL
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.retry import HURRIED_TRIES, LEASE
from orders.rules.statuses import Status
from panel.notpanel.errors import NotPanelError, Refused, Throttled, Unclear
from panel.upstream.client import record_call
from tests.makers import make_order, make_service, make_user, place_order
from tests.people import as_a

pytestmark = pytest.mark.django_db
LOST = Unclear("The connection broke before NotPanel had answered in full.")


class Supplier:
    """A client whose calls end as they are told; each call is recorded as the real client's are."""

    def __init__(self) -> None:
        self.trouble: NotPanelError | None = None
        self.placed: list[str] = []
        self.calls = 0

    def place(self, body: dict[str, str], *, request_id: str) -> str:
        """Takes the order, or raises the trouble that was set."""
        return self._answer("add", f"ord_{request_id[:12]}", request_id)

    def each(self, kind: str, ids: list[str]) -> dict[str, str]:
        """Takes all of these, or raises the trouble that was set."""
        self._answer(kind, "", "")
        return {id: id for id in ids}

    def poll(self) -> None:
        """Some other call than one for orders, which is answered."""
        record_call("status", None)

    def _answer(self, action: str, answer: str, request_id: str) -> str:
        self.calls += 1
        record_call(action, self.trouble)
        if self.trouble:
            raise self.trouble
        self.placed.append(request_id)
        return answer


@pytest.fixture
def supplier() -> Supplier:
    return Supplier()


def submit(supplier: Supplier, at: datetime | None = None) -> bool:
    return submit_one(supplier, at)  # type: ignore[arg-type]


def lose(supplier: Supplier, orders: int = 1, trouble: NotPanelError = LOST) -> list[Order]:
    """New orders, each of which was tried once and got this trouble."""
    supplier.trouble, service = trouble, make_service()
    made = [place_order(service=service) for _ in range(orders)]
    for _ in made:
        assert submit(supplier)
    wait_for_long()
    supplier.trouble = None
    return made


def wait_for_long() -> None:
    """Nothing that waits falls due while a test runs, however slow the machine is."""
    Task.objects.waiting_again(timezone.now() - timedelta(hours=1)).update(due_at=timezone.now() + timedelta(hours=1))


def due_now() -> int:
    return Task.objects.due(timezone.now()).count()


# ── When upstream answers ────────────────────────────────────────────────────────────────────────
def test_an_order_whose_answer_was_lost_goes_at_once_when_anybody_is_answered(supplier: Supplier) -> None:
    (order,) = lose(supplier)
    assert due_now() == 0
    version = Order.objects.get().version
    supplier.poll()
    assert due_now() == 1 and Order.objects.get().version > version, "an open page learns it"
    assert submit(supplier)
    assert supplier.placed == [str(order.request_id)]


def test_the_answer_to_one_order_lets_the_next_one_go_and_no_more(supplier: Supplier) -> None:
    lose(supplier, 3)
    Sending.objects.update(failures=0)
    place_order()
    supplier.calls = 0
    assert submit(supplier)
    assert due_now() == 1, "one answer lets one go, so that hundreds do not go at once"
    while submit(supplier):
        pass
    assert len(supplier.placed) == 4


@pytest.mark.parametrize("no", [Refused("No.", said="No.")])
def test_a_no_is_an_answer_too(supplier: Supplier, no: NotPanelError) -> None:
    lose(supplier)
    supplier.trouble = no
    place_order()
    assert submit(supplier)
    assert due_now() == 1


def test_what_waits_for_something_else_is_not_hurried(supplier: Supplier) -> None:
    """A limit, money, an undo window, a claim, another try after very many."""
    (limited,) = lose(supplier, trouble=Throttled("Slow down.", pause=60))
    Task.objects.filter(order=limited).update(attempts=1)  # as after an earlier try
    (poor,) = lose(supplier)
    Task.objects.filter(order=poor).update(needs=1)
    undo = place_order()
    Task.objects.filter(order=undo).update(due_at=timezone.now() + timedelta(hours=1))
    (stubborn,) = lose(supplier)
    Task.objects.filter(order=stubborn).update(attempts=HURRIED_TRIES + 1)
    claimed = place_order()
    assert Task.objects.claim(timezone.now(), LEASE)
    Attempt.objects.filter(task__order=claimed).update(ending="")
    before = dict(Task.objects.values_list("pk", "due_at"))
    Task.objects.hurry_placing(timezone.now())
    Task.objects.hurry_aftersale(timezone.now())
    assert dict(Task.objects.values_list("pk", "due_at")) == before


def test_a_claim_that_comes_in_between_keeps_its_task(supplier: Supplier, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(supplier)
    waiting, read = Task.objects.waiting_again(timezone.now()), TaskQuerySet.values_list
    later = Task.objects.get().due_at
    assert later

    def read_and_claim(rows: TaskQuerySet, *names: str) -> list[Any]:
        found = list(read(rows, *names))
        monkeypatch.undo()
        assert Task.objects.claim(later, LEASE)
        return found

    monkeypatch.setattr(TaskQuerySet, "values_list", read_and_claim)
    assert waiting.hurry(timezone.now()) == 0
    assert Task.objects.get().due_at == later + LEASE
    assert not waiting.exists(), "its try is under way"


def test_cancels_whose_answer_was_lost_go_together_when_anybody_is_answered(supplier: Supplier) -> None:
    orders = [make_order(Status.PENDING) for _ in range(3)]
    for order in orders:
        ask.ask(order, Task.Kind.CANCEL, by=order.placed_by)
    supplier.trouble = LOST
    assert submit_cancels(supplier)  # type: ignore[arg-type]
    wait_for_long()
    supplier.trouble = None
    assert not submit_cancels(supplier)  # type: ignore[arg-type]
    supplier.poll()
    assert submit_cancels(supplier)  # type: ignore[arg-type]
    assert supplier.calls == 2
    assert set(Task.objects.filter(kind=Task.Kind.CANCEL).values_list("outcome", flat=True)) == {"done"}


# ── Hundreds of orders and an upstream that is dead ──────────────────────────────────────────────
@pytest.mark.slow
def test_a_dead_upstream_is_not_hammered_by_hundreds_of_orders(supplier: Supplier) -> None:
    service, by = make_service(), make_user()
    for _ in range(200):
        place_order(service=service, by=by)
    supplier.trouble, began, probes = LOST, timezone.now(), 0
    for second in range(600):
        now = began + timedelta(seconds=second)
        while submit(supplier, now):
            pass
        # The probe is not answered either.
        pause = send_switch.probe_pause(now)
        probes += Sending.objects.filter(probe_at__lte=now).update(probe_at=now + pause)
    assert supplier.calls == FAILURES_IN_A_ROW
    assert probes <= 15, "at 5, 10, 20, 40 and 80 s, then once a minute"
    supplier.trouble = None
    supplier.poll()
    while submit(supplier, now):
        pass
    assert len(supplier.placed) == len(set(supplier.placed)) == 200, "all of them, and none twice"


def test_while_only_orders_get_no_answer_others_answers_do_not_start_them_again_and_again(supplier: Supplier) -> None:
    lose(supplier, FAILURES_IN_A_ROW)
    stop, supplier.trouble, supplier.calls = Sending.objects.filter(stopped_at__isnull=False), LOST, 0
    assert stop.exists()
    began = timezone.now()
    for second in range(300):
        supplier.poll()
        now = began + timedelta(seconds=second)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("panel.upstream.client.timezone.now", lambda now=now: now)
            supplier.poll()
            while submit(supplier, now):
                pass
    assert supplier.calls <= 6, "once at first, and then once a minute"


def test_after_lost_answers_the_first_probe_comes_soon_and_after_a_trial_that_failed_once_a_minute(
    supplier: Supplier,
) -> None:
    lose(supplier, FAILURES_IN_A_ROW)
    sending = Sending.objects.get()
    assert sending.probe_at and sending.stopped_at
    assert sending.probe_at - sending.stopped_at == FIRST_PROBE
    send_switch.resume_itself(timezone.now())
    lose(supplier)
    sending.refresh_from_db()
    assert sending.probe_at and sending.stopped_at
    assert sending.probe_at - sending.stopped_at == PROBE_INTERVAL


def test_a_suspended_account_is_asked_once_a_minute_whoever_else_is_answered(supplier: Supplier) -> None:
    send_switch.stop_itself("Account suspended", timezone.now())
    record_call("status", LOST)
    supplier.poll()
    assert Sending.objects.filter(stopped_at__isnull=False).exists()
    assert not probe(supplier, timezone.now() + PROBE_INTERVAL / 2)  # type: ignore[arg-type]


# ── A person ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.MANAGER])
def test_an_operator_asks_again_now(supplier: Supplier, role: Role) -> None:
    (order,) = lose(supplier)
    Task.objects.update(due_at=timezone.now() + timedelta(minutes=1))  # a busy machine takes two seconds for a page
    person = as_a(role)
    for path in ("/orders/", f"/orders/{order.pk}/"):
        assert "Ask again now" in person.get(path).content.decode(), path
    person.post(f"/orders/{order.pk}/tries/")
    assert due_now() == 1
    assert [event.kind for event in order.events.all()] == ["asked_now", "unclear", "placed"]
    person.post(f"/orders/{order.pk}/tries/")
    assert order.events.count() == 3, "a second press changes nothing"
    assert submit(supplier)
    assert supplier.placed == [str(order.request_id)], "with the same request_id"
    assert "Ask again now" not in person.get(f"/orders/{order.pk}/").content.decode()


def test_a_viewer_may_not_and_of_an_order_in_review_only_managers_decide(supplier: Supplier) -> None:
    (order,) = lose(supplier)
    viewer, operator = as_a(Role.VIEWER), as_a(Role.OPERATOR)
    assert viewer.post(f"/orders/{order.pk}/tries/").status_code == 403
    assert "Ask again now" not in viewer.get(f"/orders/{order.pk}/").content.decode()
    Task.objects.update(settled_at=timezone.now(), due_at=None, outcome=Task.Outcome.REVIEW)
    Order.objects.update(status=Status.REVIEW)
    assert operator.post(f"/orders/{order.pk}/tries/").status_code == 403
    assert Order.objects.get().status == Status.REVIEW


def test_nobody_starts_a_second_try_beside_the_one_under_way(supplier: Supplier) -> None:
    (order,) = lose(supplier)
    assert Task.objects.claim(timezone.now() + timedelta(hours=2), LEASE)
    with pytest.raises(Refusal, match="is being sent just now"):
        review.ask_now(Order.objects.get(pk=order.pk), by=make_user())


def test_in_the_table_the_answer_is_the_row(supplier: Supplier) -> None:
    (order,) = lose(supplier)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/"}
    answer = as_a(Role.OPERATOR).post(f"/orders/{order.pk}/tries/", headers=headers)
    assert answer.status_code == 200
    assert f'id="order-{order.pk}"' in answer.content.decode()


@pytest.mark.parametrize("hurry", ["hurry_placing", "hurry_aftersale"])
def test_what_waits_is_found_by_an_index_and_not_by_reading_all_tasks(hurry: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        getattr(Task.objects, hurry)(timezone.now())
    assert len(queries) == (1 if hurry == "hurry_placing" else len(Task.AFTERSALE))
    for query in queries.captured_queries:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")  # a table that is nearly empty is read as a whole
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' * (connection.vendor == 'sqlite')}{query['sql']}")
            plan = "\n".join(str(row) for row in cursor.fetchall())
        assert "task_to_send" in plan or (connection.vendor == "postgresql" and "task_due" in plan), plan
        assert "SCAN orders_task" not in plan and "Seq Scan" not in plan, plan
