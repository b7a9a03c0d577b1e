"""What tests of signing in begin with."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture
def nobody_tried_before(db: None) -> Iterator[None]:
    """The counts of tries that allauth keeps in the cache are empty, and are emptied afterwards."""
    cache.clear()
    yield
    cache.clear()
