"""Each kind of alarm is raised once however long it stands, wavers or grows, and ends when it is over."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import BalanceReading, DeskSettings
from catalog.changes import accept
from catalog.models import Change, Service
from orders.models import Order, Spending
from orders.placing import send_switch
from orders.rules.statuses import Status
from panel.alarms.conditions import CONDITIONS, PILE_TOLD_EVERY
from panel.alarms.evaluate import EVALUATED_EVERY, evaluate, evaluate_when_due
from panel.alarms.kinds import KINDS, kind_of
from panel.alarms.models import Alarm, Notice, Recipient, Watch
from panel.notpanel.client import Client
from panel.ops.database import ONLY_ROW
from panel.upstream.models import Beat, Chore, Upstream
from panel.worker.loop import work
from tests.makers import make_order, make_service, make_user, minutes
from tests.orders.history import analyse, cost_of
from tests.panel.alarms.receivers import Chat
from tests.upstream import Upstream as Sandbox

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    """So many minutes after AT."""
    return AT + minutes(minute)


def make_reading(amount: str, currency: str = "USD") -> None:
    """A reading of upstream's balance."""
    BalanceReading.objects.create(amount=amount, currency=currency, first_asked_at=AT, asked_at=AT)


def make_price_jump(was: str, now: str, **service: Any) -> Service:
    """A service with a new price that nobody has decided about."""
    moved = make_service(rate=Decimal(now), **service)
    Change.objects.create(service=moved, moved={"rate": [was, now], "name": ["Old", moved.name]}, at=AT)
    return moved


def alarms(kind: str) -> list[Alarm]:
    """All alarms of this kind, oldest first."""
    return list(Alarm.objects.filter(kind=kind).order_by("id"))


def alarm_of(kind: str) -> Alarm:
    """The alarm of this kind; the test fails when there is another."""
    (alarm,) = alarms(kind)
    return alarm


def test_every_kind_has_a_condition_and_a_sentence() -> None:
    assert set(CONDITIONS) == set(KINDS)
    assert kind_of("of an older desk").title == "Alarm"


def test_a_desk_where_all_is_well_raises_nothing() -> None:
    make_reading("20")
    Upstream.objects.create(pk=ONLY_ROW, spoke_at=AT)
    Beat.objects.create(name="here:1", started_at=AT, beat_at=AT)
    make_order(Status.IN_PROGRESS)
    make_price_jump("1.00", "1.20")
    make_price_jump("1.00", "0.80")
    assert not evaluate(AT)
    assert not Alarm.objects.exists()


# ── Balance ──────────────────────────────────────────────────────────────────────────────────────
def test_a_balance_that_wavers_about_the_threshold_is_one_alarm() -> None:
    for minute, amount in enumerate(("20.00", "19.99", "20.50", "19.00", "21.99", "3")):
        make_reading(amount)
        evaluate(at(minute))
    assert alarm_of("balance").ended_at is None
    assert alarm_of("balance").sentence == "The balance is $3.00, below $20.00. Top it up, or orders will wait."
    make_reading("22")
    evaluate(at(10))
    assert alarm_of("balance").ended_at == at(10)
    make_reading("19")
    evaluate(at(11))
    assert len(alarms("balance")) == 2


@pytest.mark.parametrize(("low", "currency"), [(0.0, "USD"), (20.0, "EUR")])
def test_without_a_threshold_or_in_other_money_no_balance_is_low(settings: Any, low: float, currency: str) -> None:
    settings.LOW_BALANCE = low
    make_reading("0", currency)
    assert not evaluate(AT)


# ── The balance ends soon ────────────────────────────────────────────────────────────────────────
def spend(hourly: int, queued: str = "0") -> None:
    """At this pace in US dollars, as it was measured in the last 24 hours; the alarms are evaluated at noon in UTC."""
    pace = {"at": AT, "since": AT - timedelta(hours=24), "spent": Decimal(24 * hourly), "queued": Decimal(queued)}
    Spending.objects.update_or_create(pk=ONLY_ROW, defaults=pace)


def test_a_balance_that_ends_before_the_morning_is_an_alarm_that_says_when() -> None:
    make_reading("170")
    spend(10)
    evaluate(AT)
    assert alarm_of("runway").sentence == (
        "The balance of $170.00 ends at about 3 Nov, 05:00 UTC, before 06:00 UTC. Top it up in time."
    )
    make_reading("400")
    evaluate(at(1))
    evaluate(at(17))
    assert alarm_of("runway").ended_at == at(17)


def test_what_is_queued_counts_as_spent() -> None:
    make_reading("190")
    spend(10)
    assert not evaluate(AT)
    spend(10, queued="20")
    assert evaluate(AT)


def test_a_balance_that_wavers_around_the_morning_is_one_alarm() -> None:
    spend(10)
    for minute, amount in enumerate(("179", "182", "178", "181")):
        make_reading(amount)
        evaluate(at(minute))
    assert len(alarms("runway")) == 1
    assert alarm_of("runway").calm_since is None


@pytest.mark.parametrize(
    ("chosen", "hourly", "currency"),
    [({"lasts_until": ""}, 10, "USD"), ({}, 0, "USD"), ({}, 10, "EUR"), ({"lasts_until": "12:30 UTC"}, 10, "USD")],
    ids=["switched off", "nothing is spent", "in other money", "it lasts until then"],
)
def test_without_a_time_or_a_pace_no_balance_ends_too_soon(chosen: dict[str, str], hourly: int, currency: str) -> None:
    DeskSettings.objects.create(pk=ONLY_ROW, chosen=chosen)
    make_reading("50", currency)
    spend(hourly)
    assert not evaluate(AT)


def test_thresholds_hold_from_the_next_evaluation_on() -> None:
    make_reading("25")
    evaluate(AT)
    assert not alarms("balance")
    DeskSettings.objects.create(pk=ONLY_ROW, chosen={"low_balance": "30", "price_jump_percent": "300"})
    make_price_jump("1", "2")
    evaluate(at(1))
    assert alarm_of("balance").sentence.startswith("The balance is $25.00, below $30.00.")
    assert not alarms("prices")


# ── Sending ──────────────────────────────────────────────────────────────────────────────────────
def test_a_stop_says_who_and_why_and_a_desk_that_resumes_and_stops_again_is_one_alarm() -> None:
    send_switch.stop_itself("5 tries in a row", AT)
    evaluate(AT)
    assert alarm_of("sending").sentence == "The desk itself stopped all sending at 2 Nov, 12:00 UTC: 5 tries in a row."
    for minute in (1, 2, 3):
        send_switch.resume_itself(at(minute))
        evaluate(at(minute + 0.2))
        send_switch.count_failure("no answer", at(minute + 0.4))
        evaluate(at(minute + 0.5))
    assert alarm_of("sending").ended_at is None
    ana = make_user(Role.MANAGER, name="Ana")
    send_switch.stop("Prices\nchange <b>today</b>!", by=ana)
    evaluate(at(5))
    assert alarm_of("sending").sentence.endswith(": Prices change <b>today</b>!"), "the manager is named"
    send_switch.resume(by=ana)
    for later in (6, 7, 8.5):
        evaluate(at(later))
    assert alarm_of("sending").ended_at == at(8.5)


# ── Upstream ─────────────────────────────────────────────────────────────────────────────────────
def test_upstream_has_to_fail_for_a_minute_and_to_be_well_for_two() -> None:
    health = Upstream.objects.create(pk=ONLY_ROW, trouble="No answer.", trouble_since=AT)

    def set_trouble(trouble: str, since: datetime | None) -> None:
        Upstream.objects.filter(pk=health.pk).update(trouble=trouble, trouble_since=since)

    evaluate(at(0.9))
    assert not alarms("upstream")
    evaluate(at(1))
    set_trouble("", None)
    evaluate(at(2))
    set_trouble("Again.", at(3))
    evaluate(at(3))
    evaluate(at(6))
    assert alarm_of("upstream").sentence == "The supplier has not answered properly since 2 Nov, 12:03 UTC: Again."
    set_trouble("", None)
    evaluate(at(7))
    evaluate(at(8.9))
    assert alarm_of("upstream").ended_at is None
    evaluate(at(9))
    assert alarm_of("upstream").ended_at == at(9)


# ── Prices ───────────────────────────────────────────────────────────────────────────────────────
def test_three_hundred_price_jumps_are_one_alarm() -> None:
    for _ in range(300):
        make_price_jump("1.00", "1.50")
    make_price_jump("1.00", "4.00", upstream_id=7, name="Followers\nof all")
    evaluate(AT)
    evaluate(at(1))
    words = alarm_of("prices").sentence
    assert words.startswith(
        "301 services changed in price by more than 20 %: 7 Followers of all ($1.00 → $4.00, +300 %)"
    )
    assert words.endswith("and 296 more.")


def test_later_jumps_are_told_together_and_none_of_them_twice() -> None:
    first = make_price_jump("1.00", "0.50")
    evaluate(AT)
    second, gone = make_price_jump("1.00", "2.00"), make_price_jump("1.00", "2.00", active=False)
    evaluate(at(1))
    assert len(alarms("prices")) == 1, "so soon after the last"
    evaluate(AT + PILE_TOLD_EVERY)
    before, after = alarms("prices")
    assert (before.ended_at, after.ended_at) == (AT + PILE_TOLD_EVERY, None)
    assert f"1 more service changed in price by more than 20 %: {second.upstream_id} " in after.sentence
    assert str(gone.upstream_id) not in after.sentence
    # The first creeps on by less than a jump; then it jumps from where it was told.
    for minute, rate, told in ((40, "0.45", 2), (60, "0.38", 3)):
        Service.objects.filter(pk=first.pk).update(rate=rate)
        evaluate(at(minute))
        assert len(alarms("prices")) == told, rate
    mira = make_user(Role.MANAGER)
    accept(list(Change.objects.values_list("pk", flat=True)), by=mira, at=at(61))
    evaluate(at(61))
    assert [alarm.ended_at for alarm in alarms("prices")] == [AT + PILE_TOLD_EVERY, at(60), at(61)]
    assert all("told" not in alarm.facts for alarm in alarms("prices")), "an alarm that is over remembers nothing"


def test_a_price_that_was_zero_is_a_jump() -> None:
    make_price_jump("0", "0.50", upstream_id=7, name="Likes")
    evaluate(AT)
    assert alarm_of("prices").sentence.endswith("7 Likes ($0.00 → $0.50).")


# ── Orders ───────────────────────────────────────────────────────────────────────────────────────
def test_the_first_order_in_review_is_told_at_once_and_later_ones_together() -> None:
    first = make_order(Status.REVIEW)
    evaluate(AT)
    assert alarm_of("orders").sentence == f"1 order needs a look: {first.pk}."
    missing = make_order(Status.IN_PROGRESS, missing_since=AT)
    second = make_order(Status.REVIEW)
    for minute in (1, 5, 14):
        evaluate(at(minute))
    assert len(alarms("orders")) == 1
    evaluate(at(15))
    evaluate(at(40))
    assert len(alarms("orders")) == 2, "each order was told of once"
    assert alarms("orders")[1].sentence == f"2 more orders need a look, 3 in all: {second.pk}, {missing.pk}."
    Order.objects.update(status=Status.REJECTED, missing_since=None)
    evaluate(at(41))
    assert not Alarm.objects.open().exists()


# ── Workers ──────────────────────────────────────────────────────────────────────────────────────
def make_worker(name: str, started: float, last: float, stopped: float | None = None) -> None:
    """A worker that began, had its last heartbeat and stopped at these minutes."""
    Beat.objects.update_or_create(
        name=name,
        defaults={
            "started_at": at(started), "beat_at": at(last), "stopped_at": None if stopped is None else at(stopped)
        },
    )  # fmt: skip


def test_a_worker_that_falls_silent_while_another_runs_is_an_alarm_until_a_new_one_begins() -> None:
    make_worker("a:1", -60, 0)
    make_worker("b:2", -60, 5)
    make_worker("c:3", -90, -50, stopped=-50)
    make_worker("cron:once", -3, -3)
    evaluate(at(5))
    assert alarm_of("worker").subject == "a:1"
    assert alarm_of("worker").sentence == (
        "Worker a:1 was last seen at 2 Nov, 12:00 UTC and did not sign off. Other workers run."
    )
    make_worker("a:4", 6, 7)
    make_worker("b:2", -60, 7)
    evaluate(at(7))
    evaluate(at(7.5))
    assert alarm_of("worker").ended_at == at(7.5)


def test_a_worker_is_replaced_only_by_a_worker_with_the_same_roles() -> None:
    make_worker("a:1", -60, 0)
    Beat.objects.filter(name="a:1").update(roles="place ask")
    make_worker("b:2", 1, 5)  # begun since, and does the rest
    Beat.objects.filter(name="b:2").update(roles="look upkeep desk")
    evaluate(at(5))
    assert alarm_of("worker").subject == "a:1"
    make_worker("c:3", 6, 7)
    Beat.objects.filter(name="c:3").update(roles="place ask")
    make_worker("b:2", 1, 7)
    evaluate(at(7))
    evaluate(at(7.5))
    assert alarm_of("worker").ended_at == at(7.5)


def test_without_any_worker_the_command_alarms_finds_that_none_runs() -> None:
    """Workers that cron starts may be silent for longer, until cron starts the next."""
    make_worker("a:1", -60, 0)
    evaluate(at(1))
    assert not alarms("worker")
    evaluate(at(3))
    assert alarm_of("worker").sentence.startswith("No worker is running; the last one was seen at 2 Nov, 12:00 UTC.")
    make_worker("a:2", 20, 20)
    evaluate(at(20))
    evaluate(at(21))
    assert alarm_of("worker").ended_at == at(21), "and the gap is not told as well"
    Beat.objects.all().delete()
    make_worker("cron:once", 30, 30)
    evaluate(at(40))
    assert len(alarms("worker")) == 1
    evaluate(at(46))
    assert len(alarms("worker")) == 2


def test_the_only_worker_tells_when_it_comes_back_that_there_was_a_gap() -> None:
    make_worker("a:1", -60, 0)
    evaluate(AT)
    make_worker("a:1", 21, 21)  # the same name, as in a container that is started again
    evaluate(at(21))
    assert alarm_of("worker").sentence == (
        "No worker ran from 2 Nov, 12:00 UTC to 2 Nov, 12:21 UTC, 21 min. What waited is being worked off now."
    )
    make_worker("a:1", 21, 22)
    evaluate(at(21.2))
    evaluate(at(22))
    assert alarm_of("worker").ended_at == at(22)
    assert alarm_of("worker").over_sentence == "", "it was over when it was told"


def test_a_new_version_and_a_worker_of_cron_make_no_gap() -> None:
    make_worker("a:1", -60, 0)
    evaluate(AT)
    make_worker("a:1", 4, 4)
    evaluate(at(4))
    Beat.objects.all().delete()
    make_worker("cron:once", 14, 14)
    evaluate(at(14))
    assert not alarms("worker")


# ── Evaluations ──────────────────────────────────────────────────────────────────────────────────
def test_any_number_of_workers_evaluate_every_ten_seconds_together() -> None:
    make_reading("5")
    assert [evaluate_when_due(AT), evaluate_when_due(AT)] == [True, False]
    assert Watch.objects.get().looked_at == AT
    make_reading("50")
    assert not evaluate_when_due(AT + EVALUATED_EVERY - timedelta(seconds=1))
    assert evaluate_when_due(AT + EVALUATED_EVERY)


def test_a_condition_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_moment: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setitem(CONDITIONS, "sending", CONDITIONS["sending"]._replace(find=broken))  # type: ignore[arg-type]
    make_reading("5")
    assert evaluate(AT)
    assert alarm_of("balance")


def test_an_evaluation_costs_the_same_few_queries_however_much_there_is() -> None:
    def count_queries(when: datetime) -> int:
        with CaptureQueriesContext(connection) as queries:
            evaluate(when)
        return len(queries)

    for _ in range(2):
        make_order(Status.REVIEW)
        make_price_jump("1", "2")
    evaluate(AT)
    few = count_queries(at(0.1))
    for _ in range(20):
        make_order(Status.REVIEW)
        make_price_jump("1", "2")
    evaluate(at(16))
    assert count_queries(at(16.1)) == few <= 16


def test_the_command_evaluates_sends_and_prints_what_stands(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    make_worker("a:1", -60, 0)
    Beat.objects.update(beat_at=timezone.now() - minutes(10))
    call_command("alarms")
    assert "Worker silent: No worker is running" in capsys.readouterr().out
    assert len(chat.bodies) == 1
    call_command("alarms")
    assert len(chat.bodies) == 1


def test_a_worker_evaluates_and_sends_also_while_upstream_is_paused(
    upstream: Sandbox, phone: Client, chat: Chat
) -> None:
    now = timezone.now()
    Upstream.objects.create(
        pk=ONLY_ROW, trouble="Suspended.", trouble_since=now - minutes(5), paused_until=now + minutes(5)
    )
    Chore.objects.all().delete()
    work(phone, threading.Event(), once=True)
    assert upstream.calls() == 0
    assert ["Supplier failing" in text for text in chat.texts()] == [True]


def test_only_people_who_chose_it_and_can_be_reached_are_written_to(settings: Any, mailbox: Any) -> None:
    def recipient(kinds: list[str], **user: Any) -> Recipient:
        return Recipient.objects.create(user=make_user(**user), kinds=kinds)

    ana = recipient(["balance"], email="ana@example.com")
    recipient(["prices"], email="ben@example.com")
    recipient(["balance"])
    recipient(["balance"], email="eve@example.com", is_active=False)
    make_reading("5")
    evaluate(AT)
    assert [notice.to for notice in Notice.objects.all()] == [ana]


@pytest.mark.slow
def test_an_evaluation_reads_each_of_ten_thousand_undecided_prices_once() -> None:
    def cost_with(names: range) -> int:
        services = Service.objects.bulk_create(
            Service(upstream_id=10**6 + n, name=f"No. {n}", type="Default", category="C", rate=2, minimum=1, maximum=9,
                    first_seen_at=AT, changed_at=AT, haystack="")
            for n in names
        )  # fmt: skip
        Change.objects.bulk_create(Change(service=service, moved={"rate": ["1.9", "2"]}, at=AT) for service in services)
        analyse()
        return cost_of(lambda: evaluate(AT))

    few, many = cost_with(range(1_000)), cost_with(range(1_000, 10_000))
    assert not Alarm.objects.exists()
    assert few < many < 11 * few, (few, many)
