"""People and the nights that they were away."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from tests.makers import make_user


def away(user: User, hours: float = 15) -> User:
    """The person as somebody whose last working day ended so many hours ago, and who is back since a minute."""
    now = timezone.now()
    User.objects.filter(pk=user.pk).update(left_at=now - timedelta(hours=hours), seen_at=now)
    user.refresh_from_db()
    return user


@pytest.fixture
def ana() -> User:
    """An operator."""
    return make_user(Role.OPERATOR, username="ana", name="Ana")


@pytest.fixture
def tomas() -> User:
    """Another operator."""
    return make_user(Role.OPERATOR, username="tomas", name="Tomás")


@pytest.fixture
def ben() -> User:
    """A manager, who comes in the morning."""
    return away(make_user(Role.MANAGER, username="ben", name="Ben"))
