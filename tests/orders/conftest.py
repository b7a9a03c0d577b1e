"""Who looks at the orders."""

import pytest
from django.test import Client

from panel.upstream.models import ONLY, Upstream
from tests.people import as_a


@pytest.fixture
def viewer() -> Client:
    Upstream.objects.get_or_create(pk=ONLY)  # as after a desk's very first page
    return as_a("viewer")
