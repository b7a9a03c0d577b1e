"""Messages go over real sockets to a mail server and a chat that may fail or hang, and not in quiet hours."""

import threading
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from typing import Any

import pytest
from django.db import connections

from accounts.models import BalanceReading
from panel.alarms import chat as chat_module
from panel.alarms.evaluate import end_when_calm, evaluate, raise_alarm
from panel.alarms.models import Alarm, Notice, Recipient, Sighting
from panel.alarms.notify import GIVEN_UP_AFTER, LEASE, PAUSES_SECONDS, send_due_notice
from tests.makers import make_user, minutes
from tests.panel.alarms.receivers import Chat, Mailbox

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
LOW = {"balance": "12.30", "below": "20"}
STOP = {"by": "Ana", "why": "Prices\n@channel <!here> [press](https://evil.example)", "since": AT.isoformat()}
NIGHT = {"quiet_from": clock(22), "quiet_until": clock(7)}
LATE = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 3, 7, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    """So many minutes after AT."""
    return AT + minutes(minute)


def make_recipient(*kinds: str, **choices: Any) -> Recipient:
    """A person with an e-mail address who wants to be told of these kinds."""
    email = choices.pop("email", "ana@example.com")
    user = make_user(email=email, **{name: choices.pop(name) for name in ("time_zone", "numbers") if name in choices})
    return Recipient.objects.create(user=user, kinds=list(kinds), **choices)


def new_alarm(kind: str = "balance", when: datetime = AT, facts: dict[str, Any] = LOW, subject: str = "") -> Alarm:
    """Raises an alarm, with its messages."""
    assert raise_alarm(kind, subject, facts, when)
    return Alarm.objects.get(kind=kind, subject=subject, ended_at=None)


def send_all(when: datetime) -> int:
    """Sends all messages that are due then. Returns how many were due."""
    return sum(iter(lambda: send_due_notice(when), False))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_module, "TOTAL_SECONDS", 1.0)


# ── Messages ─────────────────────────────────────────────────────────────────────────────────────
def test_a_mail_is_a_sentence_in_its_readers_time_with_a_link(mailbox: Mailbox, settings: Any) -> None:
    settings.DESK_URL, settings.DEFAULT_FROM_EMAIL = "https://desk.example.com", "Desk <desk@example.com>"
    make_recipient("sending", time_zone="Europe/Berlin")
    alarm = new_alarm("sending", facts=STOP)
    assert send_all(AT) == 1
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


def test_a_chat_message_says_what_happened_and_foreign_words_call_nobody(chat: Chat, settings: Any) -> None:
    settings.DESK_URL = "https://desk.example.com"
    new_alarm("sending", facts=STOP)
    send_all(AT)
    (body,) = chat.bodies
    assert body["text"] == body["content"]
    assert body["text"].startswith("Sending stopped: Ana stopped all sending at 2 Nov, 12:00 UTC: Prices ")
    assert body["text"].endswith("\nhttps://desk.example.com/orders/?open=live\nhttps://desk.example.com/alarms/")
    for harm in ("@channel", "<!here>", "[press]("):
        assert harm not in body["text"]
    assert body["allowed_mentions"] == {"parse": []}


def test_a_message_is_never_too_long_for_a_chat(chat: Chat, settings: Any) -> None:
    settings.DESK_URL = "https://desk.example.com"
    some = [[n, "x" * 400, "1", "2"] for n in range(100)]
    new_alarm("prices", facts={"new": 100, "all": 100, "percent": "20", "some": some})
    send_all(AT)
    assert len(chat.texts()[0]) <= 1_900
    assert chat.texts()[0].endswith("/alarms/")


# ── Once ─────────────────────────────────────────────────────────────────────────────────────────
def test_each_recipient_who_wants_it_is_told_once(mailbox: Mailbox, chat: Chat) -> None:
    make_recipient("balance", "sending")
    make_recipient("prices", email="ben@example.com")
    BalanceReading.objects.create(amount="5", first_asked_at=AT, asked_at=AT)
    for minute in range(4):
        evaluate(at(minute))
        send_all(at(minute))
    assert ([letter["To"] for letter in mailbox.letters], len(chat.bodies)) == (["ana@example.com"], 1)
    assert Notice.objects.filter(sent_at=AT).count() == 2


@pytest.mark.django_db(transaction=True)
def test_three_workers_at_once_tell_each_recipient_once(mailbox: Mailbox, chat: Chat) -> None:
    for number in range(6):
        make_recipient("balance", email=f"p{number}@example.com")
    BalanceReading.objects.create(amount="5", first_asked_at=AT, asked_at=AT)
    gate = threading.Barrier(3)

    def work() -> None:
        gate.wait()
        evaluate(AT)
        send_all(AT)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    send_all(at(1))
    assert Alarm.objects.count() == 1
    assert sorted(str(letter["To"]) for letter in mailbox.letters) == [f"p{number}@example.com" for number in range(6)]
    assert len(chat.bodies) == 1


# ── Failures ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("busy", "The mail server answered 421."),
        ("hang", "The mail server could not be reached, or broke the connection."),
        ("stranger", "The mail server refused the desk’s sign-in."),
        ("lost", "The mail server could not be reached, or broke the connection."),
        ("refuses", "The mail server refused this address."),
    ],
)
def test_a_mail_server_that_fails_is_tried_again_later(
    mailbox: Mailbox, settings: Any, fault: str, sentence: str
) -> None:
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "desk"
    make_recipient("balance")
    new_alarm()
    mailbox.fault = fault
    send_all(AT)
    notice = Notice.objects.get()
    assert (notice.trouble, notice.attempts, notice.sent_at) == (sentence, 1, None)
    assert notice.due_at and PAUSES_SECONDS[0] <= (notice.due_at - AT).total_seconds() <= PAUSES_SECONDS[0] * 1.25
    assert send_all(at(0.2)) == 0
    mailbox.fault = ""
    assert send_all(at(1)) == 1
    assert len(mailbox.letters) == 2 if fault == "lost" else 1
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 1, "a second copy can be told for one"
    assert Notice.objects.get(sent_at=at(1)).trouble == ""


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("500", "The chat answered 500."), ("404", "The chat answered 404."), ("302", "The chat answered 302."),
        ("hang", "The chat did not answer."), ("cut", "The chat did not answer."),
    ],
)  # fmt: skip
def test_a_chat_that_fails_is_tried_again_later(chat: Chat, fault: str, sentence: str) -> None:
    new_alarm()
    chat.fault, began = fault, time.monotonic()
    send_all(AT)
    assert time.monotonic() - began < 3
    assert Notice.objects.get().trouble == sentence
    assert chat.calls == 1, "no redirect is followed, nothing repeated at once"
    chat.fault = ""
    send_all(at(1))
    assert len(chat.bodies) == 1


def test_a_chat_that_cannot_be_reached_is_named_as_the_trouble(settings: Any) -> None:
    settings.ALARM_WEBHOOK_URL = "http://127.0.0.1:1/hush-hush"
    new_alarm()
    send_all(AT)
    assert Notice.objects.get().trouble == "The chat could not be reached."


def test_a_dead_mail_server_is_tried_for_one_recipient_only(mailbox: Mailbox, chat: Chat) -> None:
    for number in range(5):
        make_recipient("balance", email=f"p{number}@example.com")
    new_alarm()
    mailbox.fault = "busy"
    send_all(AT)
    assert (mailbox.calls, len(chat.bodies)) == (1, 1), "the worker has orders to send, and the chat is well"
    mailbox.fault = ""
    send_all(at(1))
    assert len(mailbox.letters) == 5


def test_one_refused_address_keeps_nobody_else_waiting(mailbox: Mailbox) -> None:
    make_recipient("balance", email="a@example.com")
    make_recipient("balance", email="b@example.com")
    new_alarm()
    mailbox.fault = "refuses"
    send_all(AT)
    assert mailbox.calls == 2


def test_after_a_day_of_failures_it_is_given_up_and_stays_listed(chat: Chat) -> None:
    new_alarm()
    chat.fault = "500"
    when = AT
    while (notice := Notice.objects.get()).due_at:
        when = notice.due_at
        assert send_all(when) == 1
    assert GIVEN_UP_AFTER <= when - AT < GIVEN_UP_AFTER + minutes(20)
    assert 75 < chat.calls < 110, "every quarter of an hour at most"
    assert (notice.dropped_at, notice.trouble) == (when, "The chat answered 500.")
    assert list(Notice.objects.untold()) == [notice]


def test_a_worker_whose_claim_ran_out_cannot_settle_the_message(chat: Chat) -> None:
    new_alarm()
    late = Notice.objects.claim(AT, LEASE)
    assert late
    assert not send_due_notice(at(1)), "it is claimed"
    assert send_due_notice(AT + LEASE)
    assert not late.settle(due_at=None, dropped_at=AT, trouble="late")
    assert len(chat.bodies) == 1


# ── Quiet hours ──────────────────────────────────────────────────────────────────────────────────


def test_messages_wait_until_quiet_hours_end(mailbox: Mailbox) -> None:
    make_recipient("balance", "sending", **NIGHT)
    new_alarm(when=LATE)
    new_alarm("sending", LATE, STOP)
    assert send_all(LATE) == 2
    assert send_all(MORNING - minutes(1)) == 0
    send_all(MORNING)
    assert len(mailbox.letters) == 2


def test_serious_alarms_break_the_quiet_hours_of_people_who_want_that(mailbox: Mailbox) -> None:
    make_recipient("balance", "sending", **NIGHT, serious_anyway=True)
    new_alarm(when=LATE)
    new_alarm("sending", LATE, STOP)
    send_all(LATE)
    assert [letter["Subject"] for letter in mailbox.letters] == ["[Order Desk] Sending stopped"]


def test_quiet_hours_are_on_each_persons_own_clock(mailbox: Mailbox) -> None:
    make_recipient("balance", **NIGHT, time_zone="America/New_York", email="far@example.com")
    make_recipient("balance", **NIGHT)
    new_alarm(when=LATE)
    send_all(LATE)
    assert [letter["To"] for letter in mailbox.letters] == ["far@example.com"]


def test_the_chat_has_quiet_hours_on_a_clock_of_its_own(chat: Chat) -> None:
    Recipient.objects.chat().choose(**NIGHT, kinds=["balance"], time_zone="Europe/Berlin")
    new_alarm(when=LATE)
    send_all(LATE)
    send_all(MORNING - timedelta(hours=1))
    assert len(chat.bodies) == 1


def end_now(alarm: Alarm, when: datetime) -> None:
    """Ends an alarm, with its messages."""
    assert end_when_calm(alarm, timedelta(0), when)


def test_an_alarm_that_is_over_before_quiet_hours_end_is_not_sent(mailbox: Mailbox) -> None:
    make_recipient("balance", **NIGHT, over_too=True)
    alarm = new_alarm(when=LATE)
    send_all(LATE)
    end_now(alarm, LATE + minutes(60))
    send_all(LATE + minutes(61))
    send_all(MORNING)
    assert not mailbox.letters
    assert not Notice.objects.filter(due_at__isnull=False).exists()
    assert Notice.objects.get().trouble == "It was over before quiet hours ended."


def test_an_alarm_that_a_person_has_seen_is_not_sent_after_quiet_hours(mailbox: Mailbox) -> None:
    ana = make_recipient("balance", **NIGHT)
    make_recipient("balance", **NIGHT, email="ben@example.com")
    alarm = new_alarm(when=LATE)
    send_all(LATE)
    Sighting.objects.create(alarm=alarm, user_id=ana.user_id or 0, at=LATE)
    send_all(MORNING)
    assert [letter["To"] for letter in mailbox.letters] == ["ben@example.com"]


@pytest.mark.parametrize("changed", [{"kinds": []}, {"quiet_from": clock(12), "quiet_until": clock(13)}])
def test_choices_made_before_the_message_is_sent_count(mailbox: Mailbox, changed: dict[str, Any]) -> None:
    to = make_recipient("balance")
    new_alarm()
    Recipient.objects.filter(pk=to.pk).update(**changed)
    send_all(at(1))
    assert not mailbox.letters


# ── Over ─────────────────────────────────────────────────────────────────────────────────────────
def test_the_end_is_told_to_people_who_were_told_of_the_beginning_and_want_that(mailbox: Mailbox, chat: Chat) -> None:
    make_recipient("balance", over_too=True)
    make_recipient("balance", email="ben@example.com")
    make_recipient("balance", **NIGHT, over_too=True, email="asleep@example.com", time_zone="Asia/Tokyo")
    at_night_there = datetime(2026, 11, 2, 14, 0, tzinfo=UTC)
    alarm = new_alarm(when=at_night_there)
    send_all(at_night_there)
    end_now(alarm, at_night_there + minutes(5))
    for hours in (1, 12):
        send_all(at_night_there + timedelta(hours=hours))
    assert [str(letter["To"]) for letter in mailbox.letters] == [
        "ana@example.com",
        "ben@example.com",
        "ana@example.com",
    ]
    assert mailbox.letters[-1]["Subject"] == "[Order Desk] Low balance: over"
    assert mailbox.texts()[-1] == "The balance is high enough again.\n"
    assert chat.texts()[-1] == "Low balance: over: The balance is high enough again."
    assert len(chat.bodies) == 2


def test_a_message_that_is_sent_late_says_that_it_is_over(mailbox: Mailbox) -> None:
    make_recipient("balance", over_too=True)
    alarm = new_alarm()
    mailbox.fault = "busy"
    send_all(AT)
    end_now(Alarm.objects.get(pk=alarm.pk), at(0.3))
    send_all(at(0.3))
    mailbox.fault = ""
    for minute in (1, 3):
        send_all(at(minute))
    (text,) = mailbox.texts()
    assert text.endswith("Since then: The balance is high enough again.\n")


def test_an_alarm_that_a_newer_one_includes_is_not_sent_as_well(mailbox: Mailbox) -> None:
    make_recipient("orders", **NIGHT)
    first = new_alarm("orders", LATE, {"new": 1, "all": 1, "some": [7], "told": {"7": ""}})
    send_all(LATE)
    assert raise_alarm("orders", "", {"new": 1, "all": 2, "some": [9], "told": {}}, LATE + minutes(20), follows=first)
    send_all(MORNING)
    assert mailbox.texts() == ["1 more order needs a look, 2 in all: 9.\n"]
