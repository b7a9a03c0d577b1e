"""A crash between raising, claiming, sending and marking loses no message; without a crash each is sent once."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import BalanceReading
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm, Notice, Recipient
from panel.alarms.notify import LEASE, send_due_notice
from panel.ops import failpoints
from tests import ROOT
from tests.campaign.points import discovered
from tests.campaign.team import Crash
from tests.campaign.test_failpoints import ELSEWHERE
from tests.makers import make_user, minutes
from tests.panel.alarms.receivers import Chat, Mailbox

AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
POINTS = [point for point in discovered() if point.startswith(ELSEWHERE)]
MAY_DOUBLE = {"tell.sent"}  # after the message was sent and before it is marked as sent
EVERYBODY = [(name, words) for name in ("ana", "ben") for words in ("Low balance", "Low balance: over")]


def make_recipients() -> None:
    """Ana and Ben, who want to be told of a low balance and of its end."""
    for name in ("ana", "ben"):
        user = make_user(email=f"{name}@example.com")
        Recipient.objects.create(user=user, kinds=["balance"], over_too=True)


def make_reading(amount: str) -> None:
    """A reading of upstream's balance."""
    BalanceReading.objects.create(amount=amount, first_asked_at=AT, asked_at=AT)


def run_worker_until_done(when: datetime) -> None:
    """Does what a worker does that is started again after each crash, until nothing is left to do."""
    for step in range(6):
        now = when + step * LEASE
        try:
            evaluate(now)
            while send_due_notice(now):
                pass
        except Crash:
            continue


def letters(box: Mailbox) -> list[tuple[str, str]]:
    """The recipient and the title of each mail that arrived, sorted."""
    return sorted(
        (str(letter["To"])[:3], str(letter["Subject"]).removeprefix("[Order Desk] ")) for letter in box.letters
    )


def tell_of_a_low_balance(box: Mailbox) -> list[tuple[str, str]]:
    """The mails that arrive about a low balance that begins and ends."""
    make_recipients()
    make_reading("5")
    run_worker_until_done(AT)
    make_reading("50")
    run_worker_until_done(AT + minutes(60))
    assert not Notice.objects.filter(due_at__isnull=False).exists(), "no message is left waiting"
    assert Alarm.objects.count() == 1
    return letters(box)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("time", [1, 2, 3])
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_point_loses_no_message(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, point: str, time: int
) -> None:
    passed = 0

    def act(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == time:
            raise Crash(name)

    monkeypatch.setattr(failpoints, "act", act)
    arrived = tell_of_a_low_balance(mailbox)
    assert passed, "the point was passed"
    assert set(arrived) == set(EVERYBODY), "each recipient was told, and nobody else"
    twice = len(arrived) - len(EVERYBODY)
    assert twice == (1 if point in MAY_DOUBLE and passed > time else 0)


@pytest.mark.django_db
def test_without_a_crash_each_recipient_is_told_exactly_once(mailbox: Mailbox) -> None:
    assert tell_of_a_low_balance(mailbox) == EVERYBODY


def test_there_is_a_failpoint_at_every_step() -> None:
    assert POINTS == [
        "over.commit", "over.committed", "raise.commit", "raise.committed", "tell.claimed", "tell.send", "tell.sent",
        "tell.settled",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the other process is given the file")
def test_a_process_that_is_killed_after_posting_posts_again(chat: Chat) -> None:
    make_reading("5")
    env = {
        **os.environ, "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}", "DEBUG": "true",
        "ALARM_WEBHOOK_URL": chat.url("/hook"),
    }  # fmt: skip
    command = [sys.executable, "manage.py", "alarms"]

    def run(**more: str) -> int:
        return subprocess.run(command, cwd=ROOT, env={**env, **more}, capture_output=True, timeout=60).returncode

    assert run(ORDER_DESK_FAILPOINT="raise.commit") == -signal.SIGKILL
    assert not Alarm.objects.exists()
    assert run(ORDER_DESK_FAILPOINT="tell.sent") == -signal.SIGKILL
    assert (len(chat.bodies), Notice.objects.get().sent_at) == (1, None)
    Notice.objects.update(due_at=timezone.now())  # its claim has run out
    assert run() == 0
    assert len(chat.bodies) == 2
    assert Notice.objects.get().sent_at
    assert run() == 0
    assert len(chat.bodies) == 2
