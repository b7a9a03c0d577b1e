"""A mail server and a chat, for the tests of alarms."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.panel.alarms.receivers import Chat, Mailbox, running

CHAT_PATH = "/services/T0/B0/hush-hush"


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A mail server that the desk's settings name."""
    with running(Mailbox()) as box:
        settings.EMAIL_CONFIGURED, settings.EMAIL_TIMEOUT = True, 1
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        yield box


@pytest.fixture
def chat(settings: Any) -> Iterator[Chat]:
    """A chat whose webhook the desk's settings name."""
    with running(Chat()) as server:
        settings.ALARM_WEBHOOK_URL = server.url(CHAT_PATH)
        yield server
