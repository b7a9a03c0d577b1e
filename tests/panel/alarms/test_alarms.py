"""Each kind of alarm is raised once however long it stands, wavers or grows, and ends when it is over."""

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import BalanceReading
from catalog.changes import accept
from catalog.models import Change, Service
from orders.models import Order
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
from tests.panel.alarms.receivers import Chat
from tests.upstream import Upstream as Sandbox

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    return AT + minutes(minute)


def balance(amount: str, currency: str = "USD") -> None:
    BalanceReading.objects.create(amount=amount, currency=currency, first_asked_at=AT, asked_at=AT)


def jump(was: str, now: str, **service: Any) -> Service:
    """A service whose price stands in the inbox."""
    moved = make_service(rate=Decimal(now), **service)
    Change.objects.create(service=moved, moved={"rate": [was, now], "name": ["Old", moved.name]}, at=AT)
    return moved


def alarms(kind: str) -> list[Alarm]:
    return list(Alarm.objects.filter(kind=kind).order_by("id"))


def only(kind: str) -> Alarm:
    (alarm,) = alarms(kind)
    return alarm


def test_every_kind_is_judged_and_has_its_words() -> None:
    assert set(CONDITIONS) == set(KINDS)
    assert kind_of("of an older desk").title == "Alarm"


def test_a_desk_where_all_is_well_raises_nothing() -> None:
    balance("20")
    Upstream.objects.create(pk=ONLY_ROW, spoke_at=AT)
    Beat.objects.create(name="here:1", started_at=AT, beat_at=AT)
    make_order(Status.IN_PROGRESS)
    jump("1.00", "1.20")
    jump("1.00", "0.80")
    assert not evaluate(AT)
    assert not Alarm.objects.exists()


# ── Balance ──────────────────────────────────────────────────────────────────────────────────────
def test_a_balance_that_wavers_about_the_threshold_is_one_alarm() -> None:
    for minute, amount in enumerate(("20.00", "19.99", "20.50", "19.00", "21.99", "3")):
        balance(amount)
        evaluate(at(minute))
    assert only("balance").ended_at is None
    assert only("balance").sentence == "Upstream’s balance is $3.00, below $20.00. Top it up before orders wait."
    balance("22")
    evaluate(at(10))
    assert only("balance").ended_at == at(10)
    balance("19")
    evaluate(at(11))
    assert len(alarms("balance")) == 2


@pytest.mark.parametrize(("low", "currency"), [(0.0, "USD"), (20.0, "EUR")])
def test_no_threshold_and_other_money_are_no_low_balance(settings: Any, low: float, currency: str) -> None:
    settings.LOW_BALANCE = low
    balance("0", currency)
    assert not evaluate(AT)


# ── Sending ──────────────────────────────────────────────────────────────────────────────────────
def test_a_stop_says_who_and_why_and_the_desk_that_tries_again_each_minute_is_one_alarm() -> None:
    send_switch.stop_itself("5 tries in a row", AT)
    evaluate(AT)
    assert only("sending").sentence == "The desk itself stopped all sending at 2 Nov, 12:00 UTC: 5 tries in a row."
    for minute in (1, 2, 3):
        send_switch.resume_itself(at(minute))
        evaluate(at(minute + 0.2))
        send_switch.count_failure("no answer", at(minute + 0.4))
        evaluate(at(minute + 0.5))
    assert only("sending").ended_at is None
    ana = make_user(Role.MANAGER, name="Ana")
    send_switch.stop("Prices\nchange <b>today</b>!", by=ana)
    evaluate(at(5))
    assert only("sending").sentence.endswith(": Prices change <b>today</b>!"), "whoever took it over stands there"
    send_switch.resume(by=ana)
    for later in (6, 7, 8.5):
        evaluate(at(later))
    assert only("sending").ended_at == at(8.5)


# ── Upstream ─────────────────────────────────────────────────────────────────────────────────────
def test_upstream_has_to_fail_for_a_minute_and_to_be_well_for_two() -> None:
    book = Upstream.objects.create(pk=ONLY_ROW, trouble="No answer.", trouble_since=AT)

    def says(trouble: str, since: datetime | None) -> None:
        Upstream.objects.filter(pk=book.pk).update(trouble=trouble, trouble_since=since)

    evaluate(at(0.9))
    assert not alarms("upstream")
    evaluate(at(1))
    says("", None)
    evaluate(at(2))
    says("Again.", at(3))
    evaluate(at(3))
    evaluate(at(6))
    assert only("upstream").sentence == "Upstream has been in trouble since 2 Nov, 12:03 UTC: Again."
    says("", None)
    evaluate(at(7))
    evaluate(at(8.9))
    assert only("upstream").ended_at is None
    evaluate(at(9))
    assert only("upstream").ended_at == at(9)


# ── Prices ───────────────────────────────────────────────────────────────────────────────────────
def test_three_hundred_price_jumps_are_one_alarm() -> None:
    for _ in range(300):
        jump("1.00", "1.50")
    jump("1.00", "4.00", upstream_id=7, name="Followers\nof all")
    evaluate(AT)
    evaluate(at(1))
    words = only("prices").sentence
    assert words.startswith("301 services moved in price by more than 20 %: 7 Followers of all ($1.00 → $4.00, +300 %)")
    assert words.endswith("and 296 more.")


def test_the_next_jumps_are_told_together_and_none_of_them_twice() -> None:
    first = jump("1.00", "0.50")
    evaluate(AT)
    second, gone = jump("1.00", "2.00"), jump("1.00", "2.00", active=False)
    evaluate(at(1))
    assert len(alarms("prices")) == 1, "so soon after the last"
    evaluate(AT + PILE_TOLD_EVERY)
    before, after = alarms("prices")
    assert (before.ended_at, after.ended_at) == (AT + PILE_TOLD_EVERY, None)
    assert f"1 more service moved in price by more than 20 %: {second.upstream_id} " in after.sentence
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
    assert all("told" not in alarm.facts for alarm in alarms("prices")), "what is over need not remember"


def test_a_price_that_comes_from_nothing_is_a_jump() -> None:
    jump("0", "0.50", upstream_id=7, name="Likes")
    evaluate(AT)
    assert only("prices").sentence.endswith("7 Likes ($0.00 → $0.50).")


# ── Orders ───────────────────────────────────────────────────────────────────────────────────────
def test_orders_that_need_a_look_are_told_at_the_first_and_again_for_those_that_come_later() -> None:
    first = make_order(Status.REVIEW)
    evaluate(AT)
    assert only("orders").sentence == f"1 order needs a look: {first.pk}."
    missing = make_order(Status.IN_PROGRESS, missing_since=AT)
    second = make_order(Status.REVIEW)
    for minute in (1, 5, 14):
        evaluate(at(minute))
    assert len(alarms("orders")) == 1
    evaluate(at(15))
    evaluate(at(40))
    assert len(alarms("orders")) == 2, "each was told of once"
    assert alarms("orders")[1].sentence == f"2 more orders need a look, 3 in all: {second.pk}, {missing.pk}."
    Order.objects.update(status=Status.REJECTED, missing_since=None)
    evaluate(at(41))
    assert not Alarm.objects.open().exists()


# ── Workers ──────────────────────────────────────────────────────────────────────────────────────
def beat(name: str, started: float, last: float, stopped: float | None = None) -> None:
    Beat.objects.update_or_create(
        name=name,
        defaults={
            "started_at": at(started), "beat_at": at(last), "stopped_at": None if stopped is None else at(stopped)
        },
    )  # fmt: skip


def test_a_worker_that_falls_silent_beside_another_is_noticed_until_a_new_one_begins() -> None:
    beat("a:1", -60, 0)
    beat("b:2", -60, 5)
    beat("c:3", -90, -50, stopped=-50)
    beat("cron:once", -3, -3)
    evaluate(at(5))
    assert only("worker").subject == "a:1"
    assert only("worker").sentence == (
        "Worker a:1 was last heard of at 2 Nov, 12:00 UTC and did not say that it ends. Others run."
    )
    beat("a:4", 6, 7)
    beat("b:2", -60, 7)
    evaluate(at(7))
    evaluate(at(7.5))
    assert only("worker").ended_at == at(7.5)


def test_a_worker_is_replaced_only_by_one_that_does_the_same() -> None:
    beat("a:1", -60, 0)
    Beat.objects.filter(name="a:1").update(roles="place ask")
    beat("b:2", 1, 5)  # begun since, and does the rest
    Beat.objects.filter(name="b:2").update(roles="look upkeep desk")
    evaluate(at(5))
    assert only("worker").subject == "a:1"
    beat("c:3", 6, 7)
    Beat.objects.filter(name="c:3").update(roles="place ask")
    beat("b:2", 1, 7)
    evaluate(at(7))
    evaluate(at(7.5))
    assert only("worker").ended_at == at(7.5)


def test_without_any_worker_it_takes_somebody_else_to_notice() -> None:
    """As `manage.py alarms` does from cron; where cron starts workers, some time may go by between two."""
    beat("a:1", -60, 0)
    evaluate(at(1))
    assert not alarms("worker")
    evaluate(at(3))
    assert only("worker").sentence.startswith("No worker is running; the last one was heard of at 2 Nov, 12:00 UTC.")
    beat("a:2", 20, 20)
    evaluate(at(20))
    evaluate(at(21))
    assert only("worker").ended_at == at(21), "and the hole is not told of once more"
    Beat.objects.all().delete()
    beat("cron:once", 30, 30)
    evaluate(at(40))
    assert len(alarms("worker")) == 1
    evaluate(at(46))
    assert len(alarms("worker")) == 2


def test_the_only_worker_tells_when_it_comes_back_that_there_was_a_hole() -> None:
    beat("a:1", -60, 0)
    evaluate(AT)
    beat("a:1", 21, 21)  # the same name, as in a container that is started again
    evaluate(at(21))
    assert only("worker").sentence == (
        "No worker ran from 2 Nov, 12:00 UTC to 2 Nov, 12:21 UTC, 21 min. What waited is being done now."
    )
    beat("a:1", 21, 22)
    evaluate(at(21.2))
    evaluate(at(22))
    assert only("worker").ended_at == at(22)
    assert only("worker").over_sentence == "", "it was over when it was told"


def test_a_new_version_and_a_worker_of_cron_make_no_hole() -> None:
    beat("a:1", -60, 0)
    evaluate(AT)
    beat("a:1", 4, 4)
    evaluate(at(4))
    Beat.objects.all().delete()
    beat("cron:once", 14, 14)
    evaluate(at(14))
    assert not alarms("worker")


# ── Looking ──────────────────────────────────────────────────────────────────────────────────────
def test_any_number_of_workers_look_every_ten_seconds_together() -> None:
    balance("5")
    assert [evaluate_when_due(AT), evaluate_when_due(AT)] == [True, False]
    assert Watch.objects.get().looked_at == AT
    balance("50")
    assert not evaluate_when_due(AT + EVALUATED_EVERY - timedelta(seconds=1))
    assert evaluate_when_due(AT + EVALUATED_EVERY)


def test_a_kind_that_cannot_be_judged_does_not_keep_the_others_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_moment: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setitem(CONDITIONS, "sending", CONDITIONS["sending"]._replace(find=broken))  # type: ignore[arg-type]
    balance("5")
    assert evaluate(AT)
    assert only("balance")


def test_a_look_costs_the_same_few_queries_however_much_there_is() -> None:
    def counted(when: datetime) -> int:
        with CaptureQueriesContext(connection) as queries:
            evaluate(when)
        return len(queries)

    for _ in range(2):
        make_order(Status.REVIEW)
        jump("1", "2")
    evaluate(AT)
    few = counted(at(0.1))
    for _ in range(20):
        make_order(Status.REVIEW)
        jump("1", "2")
    evaluate(at(16))
    assert counted(at(16.1)) == few <= 14


def test_the_command_looks_tells_and_says_what_stands(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    beat("a:1", -60, 0)
    Beat.objects.update(beat_at=timezone.now() - minutes(10))
    call_command("alarms")
    assert "Worker silent: No worker is running" in capsys.readouterr().out
    assert len(chat.said) == 1
    call_command("alarms")
    assert len(chat.said) == 1


def test_a_worker_looks_and_tells_also_while_upstream_is_paused(upstream: Sandbox, phone: Client, chat: Chat) -> None:
    now = timezone.now()
    Upstream.objects.create(
        pk=ONLY_ROW, trouble="Suspended.", trouble_since=now - minutes(5), paused_until=now + minutes(5)
    )
    Chore.objects.all().delete()
    work(phone, threading.Event(), once=True)
    assert upstream.calls() == 0
    assert ["Upstream failing" in text for text in chat.texts()] == [True]


def test_whoever_did_not_choose_it_and_who_cannot_be_reached_is_not_written_to(settings: Any, mailbox: Any) -> None:
    def recipient(kinds: list[str], **user: Any) -> Recipient:
        return Recipient.objects.create(user=make_user(**user), kinds=kinds)

    wants = recipient(["balance"], email="ana@example.com")
    recipient(["prices"], email="ben@example.com")
    recipient(["balance"])
    recipient(["balance"], email="eve@example.com", is_active=False)
    balance("5")
    evaluate(AT)
    assert [notice.to for notice in Notice.objects.all()] == [wants]


def test_a_look_at_ten_thousand_undecided_prices_is_quick() -> None:
    Service.objects.bulk_create(
        Service(upstream_id=10**6 + n, name=f"No. {n}", type="Default", category="C", rate=2, minimum=1, maximum=9,
                first_seen_at=AT, changed_at=AT, haystack="")
        for n in range(10_000)
    )  # fmt: skip
    Change.objects.bulk_create(
        Change(service=service, moved={"rate": ["1.9", "2"]}, at=AT) for service in Service.objects.all()
    )
    evaluate(AT)
    began = time.perf_counter()
    evaluate(at(1))
    took = time.perf_counter() - began
    assert not Alarm.objects.exists()
    assert took < 2, f"{took:.3f} s"  # 0.03 s on a machine without other work
