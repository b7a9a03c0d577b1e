"""What `add` may come back with, and what each answer means for the order."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from accounts.access import Role
from orders.following.anomalies import anomalies_of
from orders.following.triage import mark_seen
from orders.models import Order, Sending, Task
from orders.placing import send_switch
from orders.placing.submit import RULES, Rule, apply_answer, submit_one, to_review
from orders.rules.retry import LEASE
from orders.rules.statuses import Status
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError
from tests.makers import make_order, make_user, place_order, sold_by
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=10)  # beyond every pause between tries


@pytest.fixture
def order(phone: Client) -> Order:
    return place_order(service=sold_by(phone), quantity=1000)


def submit(phone: Client, order: Order, *, later: timedelta = timedelta()) -> Task:
    """Makes one try, and returns the task as it stands then. The order is refreshed."""
    assert submit_one(phone, timezone.now() + later)
    order.refresh_from_db()
    return order.tasks.get()


@pytest.mark.parametrize(
    "fault", ["lose_answer", "lose_request", "error_before", "error_after", "html", "cut", "empty", "not_json"]
)
def test_an_answer_that_tells_nothing_is_asked_for_again_with_the_same_id(
    upstream: Upstream, phone: Client, order: Order, fault: str
) -> None:
    upstream.will(fault, action="add", times=2)
    assert submit(phone, order).unclear_since
    assert order.confirming
    assert order.label == "Confirming"
    submit(phone, order, later=LATER)
    task = submit(phone, order, later=2 * LATER)
    assert (order.shown_status, task.attempts, task.outcome) == ("taken", 3, Task.Outcome.DONE)
    assert [booked["request_id"] for booked in upstream.books()["orders"]] == [str(order.request_id)]


def test_what_never_left_is_tried_again_and_in_no_doubt(order: Order) -> None:
    task = submit(Client("http://127.0.0.1:9/api/v2", "k", connect_seconds=1), order)
    assert (order.status, task.unclear_since, task.settled_at) == (Status.QUEUED, None, None)
    assert not order.confirming
    assert [event.kind for event in order.events.all()] == ["unsent", "placed"]


def test_a_definite_no_is_told_in_upstreams_words(upstream: Upstream, phone: Client, order: Order) -> None:
    upstream.vanish(order.service.upstream_id)
    task = submit(phone, order)
    assert (order.status, task.outcome, task.answer) == (Status.REJECTED, Task.Outcome.REFUSED, "Service not found")
    assert upstream.books()["orders"] == []
    assert order.events.first().sentence.said == "Service not found"  # type: ignore[union-attr]


def test_a_no_after_a_lost_answer_is_for_a_person(upstream: Upstream, phone: Client, order: Order) -> None:
    upstream.will("lose_answer", action="add", times=1)
    submit(phone, order)
    upstream.will("error_200", action="add", times=1)
    task = submit(phone, order, later=LATER)
    assert (order.status, task.outcome) == (Status.REVIEW, Task.Outcome.REVIEW)
    assert not submit_one(phone, timezone.now() + 10 * LATER), "no machine sends it again"


def test_a_limit_costs_no_try_and_begins_no_doubt(upstream: Upstream, phone: Client, order: Order) -> None:
    upstream.will("throttle", action="add", times=1)
    task = submit(phone, order)
    assert (order.status, task.attempts, task.unclear_since) == (Status.QUEUED, 0, None)
    assert order.events.count() == 1, "nothing that a person needs to read"


def test_a_limit_leaves_an_earlier_doubt(upstream: Upstream, phone: Client, order: Order) -> None:
    upstream.will("lose_answer", action="add", times=1)
    since = submit(phone, order).unclear_since
    upstream.will("throttle", action="add", times=1)
    task = submit(phone, order, later=LATER)
    assert (task.unclear_since, task.attempts) == (since, 1)


@pytest.mark.parametrize("fault", ["suspend", "wrong_key"])
def test_trouble_with_the_account_keeps_the_order(upstream: Upstream, phone: Client, order: Order, fault: str) -> None:
    upstream.will(fault, action="add", times=1)
    task = submit(phone, order)
    assert (order.status, task.attempts, task.settled_at) == (Status.QUEUED, 0, None)
    assert not submit_one(phone, timezone.now() + timedelta(hours=1)), "sending is stopped"
    send_switch.resume_itself(timezone.now())
    submit(phone, order)
    assert order.taken


def test_doubt_beyond_the_trust_window_is_for_a_person(upstream: Upstream, phone: Client, order: Order) -> None:
    upstream.will("lose_answer", action="add", times=1)
    submit(phone, order)
    Task.objects.update(unclear_since=timezone.now() - timedelta(hours=settings.TRUST_WINDOW_HOURS))
    upstream.will("lose_answer", action="add", times=1)
    submit(phone, order, later=LATER)
    assert order.status == Status.REVIEW


def test_what_is_in_doubt_for_too_long_is_not_sent_even_once_more(
    upstream: Upstream, phone: Client, order: Order
) -> None:
    """The worker was killed in mid-call on Friday and starts again on Monday."""
    upstream.will("lose_answer", action="add", times=1)
    submit(phone, order)
    Task.objects.update(unclear_since=timezone.now() - timedelta(hours=settings.TRUST_WINDOW_HOURS + 1))
    submit(phone, order, later=LATER)
    assert order.status == Status.REVIEW
    assert upstream.calls("add") == 1


def test_an_answer_that_comes_after_all_finds_its_order_in_review(phone: Client, order: Order) -> None:
    slow = Task.objects.claim(timezone.now(), LEASE)
    quick = Task.objects.claim(timezone.now() + 2 * LEASE, LEASE)
    assert slow and quick
    to_review(quick, "upstream refused a repeat", "No")
    apply_answer(slow, "ord_1", timezone.now())
    order.refresh_from_db()
    assert (order.upstream_id, order.shown_status) == ("ord_1", "taken")


def test_a_database_that_is_away_does_not_turn_a_yes_into_a_question(
    upstream: Upstream, phone: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> None:
        raise DatabaseError("locked")

    monkeypatch.setattr("orders.placing.submit.apply_answer", away)
    with pytest.raises(DatabaseError):
        submit_one(phone)
    monkeypatch.undo()
    submit(phone, order, later=LEASE + timedelta(seconds=1))
    assert order.taken
    assert len(upstream.books()["orders"]) == 1


def test_a_try_in_hand_moves_the_row(phone: Client, order: Order) -> None:
    Task.objects.claim(timezone.now(), LEASE)
    assert Order.objects.get(pk=order.pk).version > order.version


def test_a_new_try_forgets_what_was_wrong_before_it(order: Order) -> None:
    submit(Client("http://127.0.0.1:9/api/v2", "k", connect_seconds=1), order)
    task = Task.objects.claim(timezone.now() + LATER, LEASE)
    assert task
    assert task.answer == "", "nothing was lost, so the row must not say so"


def test_one_upstream_id_for_two_orders_is_for_a_person(upstream: Upstream, phone: Client, order: Order) -> None:
    other = make_order(Status.IN_PROGRESS)
    phone.place = lambda *args, **kwargs: other.upstream_id or ""  # type: ignore[method-assign]
    submit(phone, order)
    other.refresh_from_db()
    assert (order.status, order.upstream_id) == (Status.REVIEW, None)
    assert other.status == Status.IN_PROGRESS


def test_a_worker_that_died_in_mid_call_leaves_the_order_in_doubt(
    upstream: Upstream, phone: Client, order: Order
) -> None:
    upstream.will("lose_answer", action="add", times=1)
    task = Task.objects.claim(timezone.now(), LEASE)  # …and was killed before it could write what came back
    assert task
    with pytest.raises(NotPanelError):
        phone.place(order.body, request_id=str(order.request_id))
    order.refresh_from_db()
    assert order.confirming
    assert not submit_one(phone, timezone.now()), "the claim still holds"
    submit(phone, order, later=LEASE + timedelta(seconds=1))
    assert order.taken
    assert len(upstream.books()["orders"]) == 1


def test_a_late_writer_loses(phone: Client, order: Order) -> None:
    """A worker that was suspended for longer than its claim does not overwrite what its successor wrote."""
    slow = Task.objects.claim(timezone.now(), LEASE)
    quick = Task.objects.claim(timezone.now() + 2 * LEASE, LEASE)
    assert slow and quick
    assert not slow.settle(Task.Outcome.REFUSED, "too late", at=timezone.now())
    assert quick.settle(Task.Outcome.DONE, "ord_1", at=timezone.now())


def submit_with(order: Order, trouble: NotPanelError, *, after_doubt: bool) -> tuple[Order, Task]:
    """Makes one try that ends in this trouble, perhaps after a try whose answer was lost."""

    class Phone:
        def place(self, *args: object, **kwargs: object) -> str:
            raise trouble

    if after_doubt:
        Task.objects.update(unclear_since=timezone.now() - LATER, attempts=1)
    assert submit_one(Phone(), timezone.now())  # type: ignore[arg-type]
    return Order.objects.get(pk=order.pk), Task.objects.get()


@pytest.mark.parametrize("rule", RULES, ids=[rule.trouble.__name__ for rule in RULES])
def test_each_row_of_the_table_holds(rule: Rule) -> None:
    order, task = submit_with(place_order(), rule.trouble("Something."), after_doubt=False)
    assert task.tries.get().ending == rule.ending
    assert (task.unclear_since is not None) == (rule.doubt == "begins" or rule.then == "over")
    assert task.attempts == int(rule.counts)
    assert (order.status, bool(task.settled_at)) == (
        (Status.REJECTED, True) if rule.then == "over" else (Status.QUEUED, False)
    )
    assert (task.needs is not None) == (rule.then == "money")
    assert Sending.objects.filter(stopped_at__isnull=False).exists() == (rule.then == "held")


@pytest.mark.parametrize("rule", RULES, ids=[rule.trouble.__name__ for rule in RULES])
def test_each_row_of_the_table_holds_after_a_lost_answer(rule: Rule) -> None:
    order, task = submit_with(place_order(), rule.trouble("Something."), after_doubt=True)
    a_no = rule.then in ("over", "money")
    assert (order.status, bool(task.settled_at)) == ((Status.REVIEW, True) if a_no else (Status.QUEUED, False))
    assert task.unclear_since, "the doubt stays"
    assert task.needs is None


def test_every_kind_of_trouble_has_a_rule() -> None:
    def family(kind: type[NotPanelError]) -> set[type[NotPanelError]]:
        return {kind}.union(*(family(child) for child in kind.__subclasses__()))

    assert all(any(issubclass(kind, rule.trouble) for rule in RULES) for kind in family(NotPanelError))


def test_a_mistake_of_our_own_is_for_a_person_and_not_repeated(phone: Client, order: Order) -> None:
    def mistaken(*args: object, **kwargs: object) -> str:
        raise ZeroDivisionError

    phone.place = mistaken  # type: ignore[method-assign]
    submit(phone, order)
    assert order.status == Status.REVIEW
    assert not submit_one(phone, timezone.now() + LATER)


# What happens to three claims of one placement, in turn: claim 0 is answered with ord_a, and so on. → the order's own
# id, and the others that upstream gave it. The claim before has always run out when the next is taken.
ANSWERS: list[tuple[list[tuple[int, str]], str, str | None]] = [
    ([(1, "ord_b"), (0, "ord_a")], "ord_b", "ord_a"),  # the first answer was slow
    ([(0, "ord_a"), (1, "ord_b")], "ord_b", "ord_a"),  # it came while the second call was under way
    ([(2, "ord_c"), (0, "ord_a"), (1, "ord_b")], "ord_c", "ord_a ord_b"),
    ([(0, "ord_a"), (1, "ord_b"), (2, "ord_c")], "ord_c", "ord_a ord_b"),
    ([(2, "ord_c"), (1, "ord_a"), (0, "ord_a")], "ord_c", "ord_a"),
    ([(2, "ord_a"), (1, "ord_b"), (0, "ord_a")], "ord_a", "ord_b"),
    ([(2, "ord_a"), (0, "ORD_A")], "ord_a", "ORD_A"),  # ids are told apart by their letters
    # One id, however often it is heard.
    ([(2, "ord_a")], "ord_a", None),
    ([(2, "ord_a"), (0, "ord_a")], "ord_a", None),
    ([(0, "ord_a"), (1, "ord_a"), (2, "ord_a")], "ord_a", None),
    ([(0, "ord_a"), (2, "ord_a")], "ord_a", None),
]


def three_claims(order: Order) -> list[Task]:
    """The task as three workers have it, each of which claimed it when the claim before had run out."""
    claims = []
    for number in range(3):
        claims.append(Task.objects.claim(timezone.now() + number * 2 * LEASE, LEASE))
    return [task for task in claims if task]


@pytest.mark.parametrize(("answers", "own", "others"), ANSWERS)
def test_two_ids_for_one_request_id_are_a_possible_duplicate(
    answers: list[tuple[int, str]], own: str, others: str | None
) -> None:
    order = place_order()
    claims = three_claims(order)[: max(claim for claim, _ in answers) + 1]
    if len(claims) < 3:  # the last claim of this case holds, so that its answer is taken
        Task.objects.update(attempts=claims[-1].attempts, due_at=claims[-1].claimed_until)
    for claim, upstream_id in answers:
        apply_answer(claims[claim], upstream_id, timezone.now())
    order.refresh_from_db()
    assert (order.upstream_id, order.other_ids) == (own, others)
    assert (order.doubts == "duplicate") == (others is not None)
    assert order.events.filter(kind="duplicate").exists() == (others is not None)


def test_a_possible_duplicate_is_an_alarm_with_all_ids_until_somebody_has_looked() -> None:
    order = place_order()
    claims = three_claims(order)
    apply_answer(claims[2], "ord_b", timezone.now())
    apply_answer(claims[0], "ord_a", timezone.now())
    evaluate(timezone.now())
    alarm = Alarm.objects.open().get(kind="duplicate")
    assert "ord_b and ord_a" in alarm.sentence
    assert str(order.pk) in alarm.sentence
    order.refresh_from_db()
    [anomaly] = anomalies_of(order)
    assert "ord_b and ord_a" in anomaly.sentence
    page = as_a(Role.VIEWER).get(order.get_absolute_url()).content.decode()
    assert "one order" not in page, "the proof does not claim it"
    assert "answered with more than one id" in page
    mark_seen(order, order.doubts or "", by=make_user(Role.MANAGER))
    evaluate(timezone.now())
    assert not Alarm.objects.open().exists()
    order.refresh_from_db()
    assert [anomaly.stands for anomaly in anomalies_of(order)] == [True], "the page still says so"
    apply_answer(claims[1], "ord_a", timezone.now())
    order.refresh_from_db()
    assert order.doubts is None, "an id that was seen is no news"


def test_an_id_that_is_another_orders_was_swapped_and_nothing_was_ordered_twice() -> None:
    make_order(Status.PENDING, upstream_id="ord_theirs")
    order = place_order()
    claims = three_claims(order)
    apply_answer(claims[2], "ord_mine", timezone.now())
    apply_answer(claims[0], "ord_theirs", timezone.now())
    order.refresh_from_db()
    assert (order.upstream_id, order.other_ids, order.doubts) == ("ord_mine", None, None)


def test_an_answer_that_names_another_orders_id_never_makes_it_this_orders(phone: Client, order: Order) -> None:
    other = make_order(Status.PENDING, upstream_id="ord_theirs")
    [task] = [Task.objects.claim(timezone.now(), LEASE)]
    assert task
    apply_answer(task, "ord_theirs", timezone.now())
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.status, order.upstream_id, other.upstream_id) == (Status.REVIEW, None, "ord_theirs")
