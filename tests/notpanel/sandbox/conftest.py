"""Where the sandbox delivers its webhooks to."""

from collections.abc import Iterator

import pytest

from tests.notpanel.endpoint import SECRET, Endpoint
from tests.upstream import Upstream


@pytest.fixture
def endpoint(upstream: Upstream) -> Iterator[Endpoint]:
    """An endpoint that gets every event."""
    with Endpoint() as listening:
        upstream.add_endpoint(listening.url, SECRET)
        yield listening
