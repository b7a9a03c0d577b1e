"""Books that may be older than what upstream knows stop sending, and a person releases what was due in them."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.access import Role
from orders.aftersale import ask
from orders.aftersale.withdraw import withdraw
from orders.approvals.decide import approve
from orders.models import Approval, Delivery, Event, Order, Poll, Sending, Task
from orders.placing import old_books, send_switch
from orders.placing.old_books import LastWorker, gap_begins, notice, release
from orders.placing.probe import probe
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from tests.makers import make_order, make_user, place_order, sold_by
from tests.people import as_a
from tests.tampering import past_the_desk
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
H, MIN = timedelta(hours=1), timedelta(minutes=1)
AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    """So many hours before AT."""
    return AT - hours * H


def age(by: timedelta) -> datetime:
    """Makes all that was written so far older, as in a backup; the last heartbeat that goes with it."""
    task_times = ("asked_at", "due_at", "unclear_since", "settled_at")
    for model, fields in {Task: task_times, Event: ("at",), Order: ("created_at", "reported_at")}.items():
        for field in fields:
            with past_the_desk():
                for row in model._default_manager.filter(**{f"{field}__isnull": False}):
                    model._default_manager.filter(pk=row.pk).update(**{field: getattr(row, field) - by})
    return timezone.now() - by


def restored(by: timedelta = 3 * H) -> bool:
    """What a worker notices that begins on books of this age."""
    return notice(timezone.now(), LastWorker(age(by)))


def send_all(phone: Client) -> None:
    while submit_one(phone, timezone.now()):
        pass


def sending() -> Sending:
    return Sending.objects.get()


@pytest.fixture
def boss() -> Any:
    return make_user(Role.MANAGER, name="Bo")


# ── The gap ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("worker", "events", "longest", "gap_from"),
    [
        (0.001, [0.001], 1, None),  # a restart
        (0.9, [], 1, None),  # a restart that took long
        (1, [], 1, 1),  # exactly as long as counts
        (3, [3.1, 4], 1, 3),  # a backup of the night: the worker's word is the last
        (3, [2.9, 3.1], 1, 2.9),  # an event after it
        (62, [62, 63], 1, 62),  # a weekend without a worker, and nobody there
        (10, [0.1, 0.9, 1.8, 2.7, 3.6, 4.5, 5.4, 6.3, 7.2, 8.1, 9.05], 1, None),  # no worker, and a busy team
        (10, [0.1, 0.2, 10.1], 1, 10),  # restored; pages were open before the worker was
        (10, [0.1, 2, 9.5], 1, 2),  # the latest of several gaps
        (72, [30, 71], 72.1, None),  # cron comes once a day, and not at weekends
        (-1, [-1], 1, None),  # a clock that was set back
        (5, [-2, 5], 1, 5),  # an event of a clock that was ahead
    ],
)
def test_a_gap_is_told_from_a_rest(worker: float, events: list[float], longest: float, gap_from: float | None) -> None:
    begins = gap_begins(at(worker), [at(hours) for hours in events], AT, longest * H)
    assert begins == (None if gap_from is None else at(gap_from))


# ── What is noticed ──────────────────────────────────────────────────────────────────────────────
def test_a_restored_backup_with_something_due_stops_sending_and_says_what_was_seen() -> None:
    place_order()
    assert restored()
    assert sending().stopped_at and sending().stopped_by is None
    for words in ("may be old", "restored backup", "for 3 h, while something was due", "1 due then", "until a manager"):
        assert words in sending().reason, words
    event = Event.objects.filter(order=None).get()
    assert event.kind == "stopped_itself"


def test_an_order_that_was_the_last_thing_before_the_backup_is_held() -> None:
    make_order(Status.COMPLETED)
    heard = timezone.now()
    order = place_order()
    age(3 * H)
    assert notice(timezone.now(), LastWorker(heard - 3 * H))
    assert order.tasks.get().unclear_since


def nothing_due() -> datetime:
    make_order(Status.COMPLETED)
    return age(50 * H)


def no_worker_ever() -> None:
    place_order()
    age(50 * H)


def placed_after_the_gap() -> datetime:
    make_order(Status.COMPLETED)
    heard = age(50 * H)
    place_order()
    return heard


def a_short_rest() -> datetime:
    place_order()
    return age(40 * MIN)


def a_report_since() -> datetime:
    order = make_order(Status.IN_PROGRESS)
    place_order(service=order.service)
    heard = age(5 * H)
    Poll.objects.filter(order=order).update(reported_at=timezone.now() - MIN)
    return heard


@pytest.mark.parametrize("rest", [nothing_due, no_worker_ever, placed_after_the_gap, a_short_rest, a_report_since])
def test_an_honest_rest_stops_nothing(rest: Callable[[], datetime | None]) -> None:
    assert not notice(timezone.now(), LastWorker(rest()))
    assert not Sending.objects.filter(stopped_at__isnull=False).exists()
    assert not Task.objects.filter(attempts=0, unclear_since__isnull=False).exists()


@pytest.mark.parametrize(("hours", "stops"), [(25, False), (71, False), (73, True)])
def test_what_cron_usually_pauses_is_no_gap(hours: float, stops: bool) -> None:
    place_order()
    assert notice(timezone.now(), LastWorker(age(hours * H), pause=24 * H)) is stops


@pytest.mark.parametrize(
    ("store", "ended", "stops"),
    [
        ("elsewhere", None, True),  # a copied machine, or a backup in another place
        ("elsewhere", 1 * H, True),  # shut down before the copy was made
        ("elsewhere", 1 * MIN, False),  # moved on purpose: the worker ended, the file was moved, the worker began
        ("", None, False),  # the first start with this version
        (None, None, False),  # the same database
    ],
)
def test_a_database_in_another_place_is_noticed_however_young(
    monkeypatch: pytest.MonkeyPatch, store: str | None, ended: timedelta | None, stops: bool
) -> None:
    monkeypatch.setattr(old_books, "database_mark", lambda: "here")
    send_switch.switch_row().update(store="here" if store is None else store)
    order = place_order()
    now = timezone.now()
    last = LastWorker(now - timedelta(seconds=20), now - ended if ended else None)
    assert notice(now, last) is stops
    assert sending().store == "here"
    if stops:
        assert "lies in another place" in sending().reason
        assert order.tasks.get().maybe_sent
        release("none", [], rested=False, by=make_user(Role.MANAGER))
        assert not notice(now, last), "it is said once"


def test_a_copy_of_an_empty_desk_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_books, "database_mark", lambda: "here")
    send_switch.switch_row().update(store="elsewhere")
    assert not notice(timezone.now(), LastWorker(timezone.now()))


def delivered(upstream_id: str, received_at: datetime, how: str = Delivery.How.PARKED) -> None:
    due_at = None if how == Delivery.How.UNKNOWN else timezone.now()
    key = uuid.uuid4().hex
    Delivery.objects.create(
        key=key, digest=key, upstream_id=upstream_id, body="{}", received_at=received_at, how=how, due_at=due_at
    )


def in_doubt() -> None:
    place_order().tasks.update(unclear_since=timezone.now(), attempts=1)


def used_elsewhere() -> None:
    delivered("ord_old", timezone.now() - 48 * H, Delivery.How.UNKNOWN)


def lately_parked() -> None:
    delivered("ord_old", timezone.now() - H)


def needs_a_look() -> None:
    make_order(Status.REVIEW)


@pytest.mark.parametrize(
    ("before", "stops"),
    [(None, True), (in_doubt, False), (needs_a_look, False), (used_elsewhere, False), (lately_parked, False)],
)
@pytest.mark.parametrize("how", [Delivery.How.CAME, Delivery.How.PARKED])
def test_orders_that_upstream_names_and_nobody_here_knows(
    before: Callable[[], None] | None, stops: bool, how: str
) -> None:
    known = make_order(Status.IN_PROGRESS)
    if before:
        before()
    now = timezone.now()
    delivered(known.upstream_id or "", now, how)
    delivered("ord_stranger", now, how)
    delivered("", now, how)
    assert notice(now, LastWorker(now - 5 * MIN)) is stops
    if stops:
        assert "names orders that it does not have: ord_stranger." in sending().reason


# ── What it means for what was due ───────────────────────────────────────────────────────────────
def test_nobody_but_a_release_ends_it(upstream: Upstream, phone: Client, boss: Any) -> None:
    place_order(service=sold_by(phone))
    restored()
    send_all(phone)
    Sending.objects.update(probe_at=timezone.now())
    assert probe(phone)
    with pytest.raises(Refusal, match="Decide first about what was due"):
        send_switch.resume(by=boss)
    assert sending().stopped_at
    assert upstream.calls("add") == 0
    assert notice(timezone.now(), LastWorker(timezone.now())), "nor does another worker"


def test_what_was_due_can_no_longer_be_withdrawn_as_unsent(boss: Any) -> None:
    order = place_order()
    restored()
    with pytest.raises(Refusal, match="Too late to undo"):
        withdraw(order, by=boss)
    page = as_a(Role.VIEWER).get(f"/orders/{order.pk}/").content.decode()
    assert "It may have been sent." in page
    assert "Sent, no answer yet" not in page


def test_a_person_releases_all(upstream: Upstream, phone: Client, boss: Any) -> None:
    service = sold_by(phone)
    orders = [place_order(service=service) for _ in range(3)]
    restored()
    assert release("all", [], rested=False, by=boss) == (3, 0)
    send_all(phone)
    assert {row["request_id"] for row in upstream.orders()} == {str(order.request_id) for order in orders}
    assert not sending().stopped_at


def test_what_was_sent_since_is_found_again_and_never_doubled(upstream: Upstream, phone: Client, boss: Any) -> None:
    order = place_order(service=sold_by(phone))
    since = phone.place(order.body, request_id=str(order.request_id))  # by the desk, after the backup
    restored()
    release("all", [], rested=False, by=boss)
    send_all(phone)
    order.refresh_from_db()
    assert order.upstream_id == since
    assert len(upstream.orders()) == 1


def test_beyond_the_trust_window_it_needs_a_look(upstream: Upstream, phone: Client, boss: Any) -> None:
    order = place_order(service=sold_by(phone))
    phone.place(order.body, request_id=str(order.request_id))
    upstream.forget()
    restored(13 * H)
    release("all", [], rested=False, by=boss)
    send_all(phone)
    order.refresh_from_db()
    assert order.status == Status.REVIEW
    assert len(upstream.orders()) == 1


def test_the_doubt_begins_with_the_workers_last_word_and_not_with_a_later_event(
    upstream: Upstream, phone: Client, boss: Any
) -> None:
    order = place_order(service=sold_by(phone))
    heard = age(20 * H)
    Event.objects.create(kind="exported", at=timezone.now() - 2 * H)
    assert notice(timezone.now(), LastWorker(heard))
    release("all", [], rested=False, by=boss)
    send_all(phone)
    order.refresh_from_db()
    assert order.status == Status.REVIEW


def test_some_are_released_and_the_others_need_a_look(upstream: Upstream, phone: Client, boss: Any) -> None:
    service = sold_by(phone)
    goes, stays = place_order(service=service), place_order(service=service)
    restored()
    assert release("some", [goes.tasks.get().pk], rested=False, by=boss) == (1, 1)
    send_all(phone)
    goes.refresh_from_db()
    stays.refresh_from_db()
    assert goes.taken
    assert stays.status == Status.REVIEW
    assert "was not chosen to be sent" in str(stays.events.filter(kind="review").get())


def test_none_is_released_and_new_orders_go(upstream: Upstream, phone: Client, boss: Any) -> None:
    service = sold_by(phone)
    order = place_order(service=service)
    restored()
    fresh = place_order(service=service)
    assert release("none", [], rested=False, by=boss) == (0, 1)
    send_all(phone)
    assert [row["request_id"] for row in upstream.orders()] == [str(fresh.request_id)]
    order.refresh_from_db()
    assert order.status == Status.REVIEW


def test_after_a_rest_all_is_as_it_was(upstream: Upstream, phone: Client, boss: Any) -> None:
    service = sold_by(phone)
    goes, stays = place_order(service=service), place_order(service=service)
    restored(60 * H)
    assert release("some", [goes.tasks.get().pk], rested=True, by=boss) == (1, 1)
    send_all(phone)
    goes.refresh_from_db()
    stays.refresh_from_db()
    assert goes.taken
    assert stays.shown_status == "withdrawn"


def test_a_rest_takes_no_doubt_away_that_was_there_before(upstream: Upstream, phone: Client, boss: Any) -> None:
    order = place_order(service=sold_by(phone))
    upstream.will("lose_answer", action="add")
    submit_one(phone)
    restored(60 * H)
    release("all", [], rested=True, by=boss)
    send_all(phone)
    order.refresh_from_db()
    assert order.status == Status.REVIEW, "its request_id is older than is trusted"
    assert len(upstream.orders()) == 1


@pytest.mark.parametrize("which", ["all", "some", "none"])
def test_a_refill_is_left_to_a_person_however_it_is_released(which: str, boss: Any) -> None:
    order = make_order(Status.COMPLETED)
    task = ask.ask(order, Task.Kind.REFILL, by=boss)
    assert task
    restored()
    assert release(which, [task.pk], rested=False, by=boss) == (0, 1)
    task.refresh_from_db()
    assert (task.outcome, task.due_at, task.slot) == (Task.Outcome.UNCLEAR, None, 1)
    assert not Task.objects.to_send(Task.Kind.REFILL, timezone.now()).exists()
    ask.ask_again(order, Task.Kind.REFILL, by=boss)
    assert Task.objects.to_send(Task.Kind.REFILL, timezone.now()).exists(), "and a person may ask again"


def test_after_a_rest_a_refill_goes(boss: Any) -> None:
    ask.ask(make_order(Status.COMPLETED), Task.Kind.REFILL, by=boss)
    restored()
    assert release("all", [], rested=True, by=boss) == (1, 0)
    assert not Task.objects.filter(kind=Task.Kind.REFILL, unclear_since__isnull=False).exists()
    assert Task.objects.to_send(Task.Kind.REFILL, timezone.now()).exists()


def test_a_cancel_is_asked_again_when_it_is_released(boss: Any) -> None:
    ask.ask(make_order(Status.IN_PROGRESS), Task.Kind.CANCEL, by=boss)
    restored()
    assert release("all", [], rested=False, by=boss) == (1, 0)
    assert Task.objects.to_send(Task.Kind.CANCEL, timezone.now()).exists()


def test_an_order_that_waits_for_money_is_held_too(boss: Any) -> None:
    order = place_order()
    order.tasks.update(needs=1)
    assert restored()
    release("none", [], rested=False, by=boss)
    order.refresh_from_db()
    assert order.status == Status.REVIEW
    assert order.tasks.get().needs is None


# ── Who releases, and how often ──────────────────────────────────────────────────────────────────
def test_the_second_of_two_who_release_is_told(boss: Any) -> None:
    place_order()
    restored()
    release("none", [], rested=False, by=boss)
    with pytest.raises(Refusal, match="already decided"):
        release("all", [], rested=True, by=boss)


def test_operators_may_not_release() -> None:
    place_order()
    restored()
    with pytest.raises(Refusal, match="Only managers and owners"):
        release("all", [], rested=False, by=make_user(Role.OPERATOR))


@pytest.mark.parametrize(("which", "why"), [("", "all, some or none"), ("every", "all, some"), ("some", "is ticked")])
def test_a_release_must_say_what(which: str, why: str, boss: Any) -> None:
    place_order()
    restored()
    with pytest.raises(Refusal, match=why):
        release(which, [], rested=False, by=boss)
    assert sending().stopped_at


def test_a_stop_of_a_managers_outlasts_the_release(boss: Any) -> None:
    place_order()
    send_switch.stop("Wrong prices.", by=boss)
    restored()
    assert sending().reason == "Wrong prices."
    release("none", [], rested=False, by=boss)
    assert sending().stopped_at
    send_switch.resume(by=boss)


def test_the_page_lists_what_was_due_and_releases_what_is_ticked() -> None:
    goes, stays = place_order(), place_order()
    restored()
    manager = as_a(Role.MANAGER)
    banner = manager.get("/orders/").content.decode()
    assert "may be old" in banner and "/orders/sending/due/" in banner
    assert "starts sending again by itself" not in banner
    assert "Start sending again" not in banner
    page = manager.get("/orders/sending/due/").content.decode()
    for words in (
        "2 due then",
        f"Order {goes.pk}",
        f"Order {stays.pk}",
        "same request id",
        "The desk was only switched off",
    ):
        assert words in page, words
    assert 'name="which"' not in as_a(Role.VIEWER).get("/orders/sending/due/").content.decode()
    answer = manager.post("/orders/sending/release/", {"which": "some", "task": goes.tasks.get().pk}, follow=True)
    assert "1 will be sent, 1 will not" in answer.content.decode()
    assert "Nothing to decide" in manager.get("/orders/sending/due/").content.decode()


def test_the_page_counts_what_it_does_not_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.placing.views.LISTED_TASKS", 2)
    for _ in range(3):
        place_order()
    restored()
    assert "And 1 more" in as_a(Role.MANAGER).get("/orders/sending/due/").content.decode()


def test_what_waits_for_approval_in_old_books_is_left_to_a_person(boss: Any) -> None:
    order = make_order(Status.APPROVAL)
    Approval.objects.update(asked_at=timezone.now() - 4 * H)
    make_order(Status.QUEUED)
    assert restored()
    order.refresh_from_db()
    assert order.status == Status.REVIEW
    assert order.placing_task and order.placing_task.outcome == Task.Outcome.REVIEW
    with pytest.raises(Refusal):
        approve(order, "", by=boss)
