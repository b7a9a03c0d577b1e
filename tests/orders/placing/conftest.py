"""What most tests of placing order."""

import pytest

from catalog.models import Service
from tests.makers import make_service


@pytest.fixture
def service() -> Service:
    """A service on sale."""
    return make_service()
