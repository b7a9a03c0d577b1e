"""A manager accepts a shorter list as true, by the number that stood on the page."""

import pytest
from django.utils import timezone

from catalog.models import ShrinkAlarm
from tests.people import as_a

pytestmark = pytest.mark.django_db


@pytest.fixture
def alarm() -> ShrinkAlarm:
    """An open alarm: 12 services listed, 88 missing."""
    return ShrinkAlarm.objects.create(raised_at=timezone.now(), listed=12, missing=88)


def post_acceptance(alarm: ShrinkAlarm, who: str, missing: int) -> int:
    """The status of the answer when a person of this role accepts so many missing services."""
    return as_a(who).post(f"/services/alarms/{alarm.pk}/acceptance/", {"missing": str(missing)}).status_code


def test_a_manager_accepts_the_list(alarm: ShrinkAlarm) -> None:
    post_acceptance(alarm, "manager", 88)
    alarm.refresh_from_db()
    assert alarm.accepted_at
    assert alarm.accepted_by


def test_an_operator_may_not_accept(alarm: ShrinkAlarm) -> None:
    assert post_acceptance(alarm, "operator", 88) == 403
    alarm.refresh_from_db()
    assert alarm.accepted_at is None


def test_accepting_an_older_number_accepts_nothing(alarm: ShrinkAlarm) -> None:
    post_acceptance(alarm, "manager", 50)
    alarm.refresh_from_db()
    assert alarm.accepted_at is None
