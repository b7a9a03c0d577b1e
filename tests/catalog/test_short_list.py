"""A manager says that a shorter list is true; the yes is to what stood on the page."""

import pytest
from django.utils import timezone

from catalog.models import ShrinkAlarm
from tests.people import as_a

pytestmark = pytest.mark.django_db


@pytest.fixture
def alarm() -> ShrinkAlarm:
    return ShrinkAlarm.objects.create(raised_at=timezone.now(), listed=12, missing=88)


def accept(alarm: ShrinkAlarm, who: str, missing: int) -> int:
    return as_a(who).post(f"/services/alarms/{alarm.pk}/acceptance/", {"missing": str(missing)}).status_code


def test_a_manager_accepts(alarm: ShrinkAlarm) -> None:
    accept(alarm, "manager", 88)
    alarm.refresh_from_db()
    assert alarm.accepted_at
    assert alarm.accepted_by


def test_an_operator_may_not(alarm: ShrinkAlarm) -> None:
    assert accept(alarm, "operator", 88) == 403
    alarm.refresh_from_db()
    assert alarm.accepted_at is None


def test_a_yes_to_an_older_number_is_no_yes(alarm: ShrinkAlarm) -> None:
    accept(alarm, "manager", 50)
    alarm.refresh_from_db()
    assert alarm.accepted_at is None
