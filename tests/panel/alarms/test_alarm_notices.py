"""Alarms are told over real sockets, to a mail server and a chat that may fail, hang and lose, and not by night."""

import threading
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from typing import Any

import pytest
from django.db import connections

from accounts.models import BalanceReading
from panel.alarms import chat as poster
from panel.alarms.evaluate import end_when_calm, evaluate, raise_alarm
from panel.alarms.models import Alarm, Notice, Recipient, Sighting
from panel.alarms.notify import GIVEN_UP_AFTER, LEASE, PAUSES, send_due_notice
from tests.makers import make_user, minutes
from tests.panel.alarms.receivers import Chat, Mailbox

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
LOW = {"balance": "12.30", "below": "20"}
STOP = {"by": "Ana", "why": "Prices\n@channel <!here> [press](https://evil.example)", "since": AT.isoformat()}


def at(minute: float) -> datetime:
    return AT + minutes(minute)


def wants(*kinds: str, **choices: Any) -> Recipient:
    email = choices.pop("email", "ana@example.com")
    user = make_user(email=email, **{name: choices.pop(name) for name in ("time_zone", "numbers") if name in choices})
    return Recipient.objects.create(user=user, kinds=list(kinds), **choices)


def raise_(kind: str = "balance", when: datetime = AT, facts: dict[str, Any] = LOW, subject: str = "") -> Alarm:
    assert raise_alarm(kind, subject, facts, when)
    return Alarm.objects.get(kind=kind, subject=subject, ended_at=None)


def tell_all(when: datetime) -> int:
    return sum(iter(lambda: send_due_notice(when), False))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poster, "TOTAL_SECONDS", 1.0)


# ── What is said ─────────────────────────────────────────────────────────────────────────────────
def test_a_mail_is_a_sentence_for_its_reader_with_a_link(mailbox: Mailbox, settings: Any) -> None:
    settings.DESK_URL, settings.DEFAULT_FROM_EMAIL = "https://desk.example.com", "Desk <desk@example.com>"
    wants("sending", time_zone="Europe/Berlin")
    alarm = raise_("sending", facts=STOP)
    assert tell_all(AT) == 1
    (letter,) = mailbox.letters
    assert (letter["To"], letter["From"]) == ("ana@example.com", "Desk <desk@example.com>")
    assert letter["Subject"] == "[Order Desk] Sending stopped"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert f"alarm-{alarm.pk}-" in letter["Message-ID"]
    words, page, alarms = mailbox.texts()[0].split("\n\n")
    assert words.startswith("Ana stopped all sending at 2 Nov, 13:00 CET: Prices @channel")
    assert (page, alarms.strip()) == (
        "https://desk.example.com/orders/?open=live", "https://desk.example.com/alarms/",
    )  # fmt: skip


def test_the_chat_is_told_what_stands_and_foreign_words_call_nobody(chat: Chat, settings: Any) -> None:
    settings.DESK_URL = "https://desk.example.com"
    raise_("sending", facts=STOP)
    tell_all(AT)
    (said,) = chat.said
    assert said["text"] == said["content"]
    assert said["text"].startswith("Sending stopped: Ana stopped all sending at 2 Nov, 12:00 UTC: Prices ")
    assert said["text"].endswith("\nhttps://desk.example.com/orders/?open=live\nhttps://desk.example.com/alarms/")
    for harm in ("@channel", "<!here>", "[press]("):
        assert harm not in said["text"]
    assert said["allowed_mentions"] == {"parse": []}


def test_a_message_is_never_too_long_for_a_chat(chat: Chat, settings: Any) -> None:
    settings.DESK_URL = "https://desk.example.com"
    some = [[n, "x" * 400, "1", "2"] for n in range(100)]
    raise_("prices", facts={"new": 100, "all": 100, "percent": "20", "some": some})
    tell_all(AT)
    assert len(chat.texts()[0]) <= 1_900
    assert chat.texts()[0].endswith("/alarms/")


# ── Once ─────────────────────────────────────────────────────────────────────────────────────────
def test_each_who_wants_it_is_told_once(mailbox: Mailbox, chat: Chat) -> None:
    wants("balance", "sending")
    wants("prices", email="ben@example.com")
    BalanceReading.objects.create(amount="5", first_asked_at=AT, asked_at=AT)
    for minute in range(4):
        evaluate(at(minute))
        tell_all(at(minute))
    assert ([letter["To"] for letter in mailbox.letters], len(chat.said)) == (["ana@example.com"], 1)
    assert Notice.objects.filter(sent_at=AT).count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_each_once(mailbox: Mailbox, chat: Chat) -> None:
    for number in range(6):
        wants("balance", email=f"p{number}@example.com")
    BalanceReading.objects.create(amount="5", first_asked_at=AT, asked_at=AT)
    gate = threading.Barrier(3)

    def work() -> None:
        gate.wait()
        evaluate(AT)
        tell_all(AT)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    tell_all(at(1))
    assert Alarm.objects.count() == 1
    assert sorted(str(letter["To"]) for letter in mailbox.letters) == [f"p{number}@example.com" for number in range(6)]
    assert len(chat.said) == 1


# ── What fails ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("ails", "sentence"),
    [
        ("busy", "The mail server answered 421."),
        ("hang", "The mail server could not be reached, or broke off."),
        ("stranger", "The mail server refused the desk’s sign-in."),
        ("lost", "The mail server could not be reached, or broke off."),
        ("refuses", "The mail server refused this address."),
    ],
)
def test_a_mail_server_that_fails_is_asked_again_later(
    mailbox: Mailbox, settings: Any, ails: str, sentence: str
) -> None:
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "desk"
    wants("balance")
    raise_()
    mailbox.ails = ails
    tell_all(AT)
    notice = Notice.objects.get()
    assert (notice.trouble, notice.attempts, notice.sent_at) == (sentence, 1, None)
    assert notice.due_at and PAUSES[0] <= (notice.due_at - AT).total_seconds() <= PAUSES[0] * 1.25
    assert tell_all(at(0.2)) == 0
    mailbox.ails = ""
    assert tell_all(at(1)) == 1
    assert len(mailbox.letters) == 2 if ails == "lost" else 1
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 1, "a second copy can be told for one"
    assert Notice.objects.get(sent_at=at(1)).trouble == ""


@pytest.mark.parametrize(
    ("ails", "sentence"),
    [
        ("500", "The chat answered 500."), ("404", "The chat answered 404."), ("302", "The chat answered 302."),
        ("hang", "The chat did not answer."), ("cut", "The chat did not answer."),
    ],
)  # fmt: skip
def test_a_chat_that_fails_is_asked_again_later(chat: Chat, ails: str, sentence: str) -> None:
    raise_()
    chat.ails, began = ails, time.monotonic()
    tell_all(AT)
    assert time.monotonic() - began < 3
    assert Notice.objects.get().trouble == sentence
    assert chat.calls == 1, "no redirect is followed, nothing repeated at once"
    chat.ails = ""
    tell_all(at(1))
    assert len(chat.said) == 1


def test_a_chat_that_is_not_there_is_said_so(settings: Any) -> None:
    settings.ALARM_WEBHOOK_URL = "http://127.0.0.1:1/hush-hush"
    raise_()
    tell_all(AT)
    assert Notice.objects.get().trouble == "The chat could not be reached."


def test_a_dead_mail_server_is_knocked_at_once_and_not_for_everybody(mailbox: Mailbox, chat: Chat) -> None:
    for number in range(5):
        wants("balance", email=f"p{number}@example.com")
    raise_()
    mailbox.ails = "busy"
    tell_all(AT)
    assert (mailbox.calls, len(chat.said)) == (1, 1), "the worker has orders to send, and the chat is well"
    mailbox.ails = ""
    tell_all(at(1))
    assert len(mailbox.letters) == 5


def test_one_refused_address_keeps_nobody_else_waiting(mailbox: Mailbox) -> None:
    wants("balance", email="a@example.com")
    wants("balance", email="b@example.com")
    raise_()
    mailbox.ails = "refuses"
    tell_all(AT)
    assert mailbox.calls == 2


def test_after_a_day_of_trying_it_is_given_up_and_that_is_kept(chat: Chat) -> None:
    raise_()
    chat.ails = "500"
    when = AT
    while (notice := Notice.objects.get()).due_at:
        when = notice.due_at
        assert tell_all(when) == 1
    assert GIVEN_UP_AFTER <= when - AT < GIVEN_UP_AFTER + minutes(20)
    assert 75 < chat.calls < 110, "every quarter of an hour at most"
    assert (notice.dropped_at, notice.trouble) == (when, "The chat answered 500.")
    assert list(Notice.objects.untold()) == [notice]


def test_a_claim_that_ran_out_is_not_marked_by_the_one_who_was_late(chat: Chat) -> None:
    raise_()
    late = Notice.objects.claim(AT, LEASE)
    assert late
    assert not send_due_notice(at(1)), "it is claimed"
    assert send_due_notice(AT + LEASE)
    assert not late.settle(due_at=None, dropped_at=AT, trouble="late")
    assert len(chat.said) == 1


# ── Quiet hours ──────────────────────────────────────────────────────────────────────────────────
NIGHT = {"quiet_from": clock(22), "quiet_until": clock(7)}
LATE = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 3, 7, 0, tzinfo=UTC)


def test_quiet_hours_wait_for_the_morning(mailbox: Mailbox) -> None:
    wants("balance", "sending", **NIGHT)
    raise_(when=LATE)
    raise_("sending", LATE, STOP)
    assert tell_all(LATE) == 2
    assert tell_all(MORNING - minutes(1)) == 0
    tell_all(MORNING)
    assert len(mailbox.letters) == 2


def test_serious_ones_break_the_quiet_of_those_alone_who_want_that(mailbox: Mailbox) -> None:
    wants("balance", "sending", **NIGHT, serious_anyway=True)
    raise_(when=LATE)
    raise_("sending", LATE, STOP)
    tell_all(LATE)
    assert [letter["Subject"] for letter in mailbox.letters] == ["[Order Desk] Sending stopped"]


def test_it_is_the_quiet_of_each_ones_own_clock(mailbox: Mailbox) -> None:
    wants("balance", **NIGHT, time_zone="America/New_York", email="far@example.com")
    wants("balance", **NIGHT)
    raise_(when=LATE)
    tell_all(LATE)
    assert [letter["To"] for letter in mailbox.letters] == ["far@example.com"]


def test_the_chat_has_quiet_hours_on_a_clock_of_its_own(chat: Chat) -> None:
    Recipient.objects.chat().choose(**NIGHT, kinds=["balance"], time_zone="Europe/Berlin")
    raise_(when=LATE)
    tell_all(LATE)
    tell_all(MORNING - timedelta(hours=1))
    assert len(chat.said) == 1


def end(alarm: Alarm, when: datetime) -> None:
    assert end_when_calm(alarm, timedelta(0), when)


def test_what_is_over_before_the_morning_is_not_told(mailbox: Mailbox) -> None:
    wants("balance", **NIGHT, over_too=True)
    alarm = raise_(when=LATE)
    tell_all(LATE)
    end(alarm, LATE + minutes(60))
    tell_all(LATE + minutes(61))
    tell_all(MORNING)
    assert not mailbox.letters
    assert not Notice.objects.filter(due_at__isnull=False).exists()
    assert Notice.objects.get().trouble == "It was over before quiet hours were."


def test_what_a_person_has_seen_in_the_desk_is_not_written_to_them_in_the_morning(mailbox: Mailbox) -> None:
    ana = wants("balance", **NIGHT)
    wants("balance", **NIGHT, email="ben@example.com")
    alarm = raise_(when=LATE)
    tell_all(LATE)
    Sighting.objects.create(alarm=alarm, user_id=ana.user_id or 0, at=LATE)
    tell_all(MORNING)
    assert [letter["To"] for letter in mailbox.letters] == ["ben@example.com"]


@pytest.mark.parametrize("changed", [{"kinds": []}, {"quiet_from": clock(12), "quiet_until": clock(13)}])
def test_what_was_chosen_in_the_meantime_counts(mailbox: Mailbox, changed: dict[str, Any]) -> None:
    to = wants("balance")
    raise_()
    Recipient.objects.filter(pk=to.pk).update(**changed)
    tell_all(at(1))
    assert not mailbox.letters


# ── Over ─────────────────────────────────────────────────────────────────────────────────────────
def test_only_who_was_told_of_it_and_wants_that_is_told_that_it_is_over(mailbox: Mailbox, chat: Chat) -> None:
    wants("balance", over_too=True)
    wants("balance", email="ben@example.com")
    wants("balance", **NIGHT, over_too=True, email="asleep@example.com", time_zone="Asia/Tokyo")
    at_night_there = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)
    alarm = raise_(when=at_night_there)
    tell_all(at_night_there)
    end(alarm, at_night_there + minutes(5))
    for hours in (1, 12):
        tell_all(at_night_there + timedelta(hours=hours))
    assert [str(letter["To"]) for letter in mailbox.letters] == [
        "ana@example.com",
        "ben@example.com",
        "ana@example.com",
    ]
    assert mailbox.letters[-1]["Subject"] == "[Order Desk] Low balance: over"
    assert mailbox.texts()[-1] == "The balance is high enough again.\n"
    assert chat.texts()[-1] == "Low balance: over: The balance is high enough again."
    assert len(chat.said) == 2


def test_what_is_told_late_says_itself_that_it_is_over(mailbox: Mailbox) -> None:
    wants("balance", over_too=True)
    alarm = raise_()
    mailbox.ails = "busy"
    tell_all(AT)
    end(Alarm.objects.get(pk=alarm.pk), at(0.3))
    tell_all(at(0.3))
    mailbox.ails = ""
    for minute in (1, 3):
        tell_all(at(minute))
    (text,) = mailbox.texts()
    assert text.endswith("Meanwhile: The balance is high enough again.\n")


def test_what_a_newer_one_tells_of_too_is_not_told_twice(mailbox: Mailbox) -> None:
    wants("orders", **NIGHT)
    first = raise_("orders", LATE, {"new": 1, "all": 1, "some": [7], "told": {"7": ""}})
    tell_all(LATE)
    assert raise_alarm("orders", "", {"new": 1, "all": 2, "some": [9], "told": {}}, LATE + minutes(20), follows=first)
    tell_all(MORNING)
    assert mailbox.texts() == ["1 more order needs a look, 2 in all: 9.\n"]
