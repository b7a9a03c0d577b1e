"""Who looks at the orders."""

import pytest
from django.test import Client

from panel.ops.database import ONLY_ROW
from panel.upstream.models import Upstream
from tests.people import as_a


@pytest.fixture
def viewer() -> Client:
    Upstream.objects.get_or_create(pk=ONLY_ROW)  # as after a desk's very first page
    return as_a("viewer")
