"""Many failed sign-ins raise an alarm; it reads a bounded number of rows, and ends by itself."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import DoorEvent
from panel.alarms.conditions import MANY_FAILURES, MOST_FAILURES
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def fail(times: int, group: str = "refused") -> None:
    """So many events of this group just now."""
    DoorEvent.objects.bulk_create(DoorEvent(at=AT, kind="failed", group=group) for _ in range(times))


def test_many_failures_are_one_alarm_until_they_are_long_ago() -> None:
    fail(MANY_FAILURES - 1)
    fail(50, "sign_in")
    evaluate(AT)
    assert not Alarm.objects.exists()
    fail(1)
    for minute in (0, 1, 2):
        evaluate(AT + timedelta(minutes=minute))
    alarm = Alarm.objects.get()
    assert alarm.sentence.startswith("20 sign-ins failed or were slowed down within 15 minutes.")
    for minute in (16, 17, 23):
        evaluate(AT + timedelta(minutes=minute))
    alarm.refresh_from_db()
    assert alarm.ended_at


def test_a_flood_is_counted_up_to_a_number() -> None:
    fail(MOST_FAILURES + 50)
    evaluate(AT)
    assert Alarm.objects.get().sentence.startswith("200 or more sign-ins")
