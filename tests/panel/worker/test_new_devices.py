"""People are told by e-mail of a sign-in on a device that is new, once, and nobody else is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client

from accounts.models import KnownDevice, User
from panel.alarms.message import Message, NotSent
from panel.worker import new_devices
from panel.worker.new_devices import LEASE, PAUSE, TRIES, tell_of_new_devices
from tests.makers import PASSWORD, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


class Mail:
    """In place of the mail server; refuses while `broken`."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.broken = False

    def send(self, message: Message) -> None:
        if self.broken:
            raise NotSent("The mail server answered 451.", everybody=True)
        self.sent.append(message)


@pytest.fixture
def mail(settings: Any) -> Any:
    """The mail server of a desk that has one."""
    settings.EMAIL_CONFIGURED, settings.DESK_URL = True, "https://desk.example.com"
    server = Mail()
    with patch.object(new_devices, "send", server.send):
        yield server


@pytest.fixture
def ana() -> User:
    """An operator with an e-mail address."""
    return make_user(username="ana", email="ana@example.com")


def new_device(user: User, **fields: Any) -> KnownDevice:
    """A device of which a message is due."""
    fields = {"address": "192.0.2.7", "device": "Firefox on Linux", "digest": "d", "mail_due_at": AT, **fields}
    return KnownDevice.objects.create(user=user, first_at=AT, last_at=AT, **fields)


def test_a_second_device_is_told_and_the_first_is_not(ana: User, mail: Mail) -> None:
    for agent in ("Firefox/140.0 Linux", "Chrome/142.0 Windows"):
        credentials = {"login": "ana", "password": PASSWORD}
        assert Client().post("/accounts/login/", credentials, headers={"User-Agent": agent}).status_code == 302
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert (tell_of_new_devices(later), tell_of_new_devices(later)) == (1, 0)
    (message,) = mail.sent
    assert message.to == "ana@example.com"
    assert "Chrome on Windows, from 127.0.0.1" in message.words
    assert message.links == ["https://desk.example.com/accounts/sessions/"]


def test_a_message_that_was_not_sent_is_tried_again_and_given_up(ana: User, mail: Mail) -> None:
    device, mail.broken = new_device(ana), True
    for at in range(TRIES + 3):
        tell_of_new_devices(AT + at * PAUSE)
    device.refresh_from_db()
    assert (device.mail_tries, device.mail_due_at) == (TRIES, None)


def test_a_message_that_failed_once_goes_later(ana: User, mail: Mail) -> None:
    new_device(ana)
    mail.broken = True
    assert tell_of_new_devices(AT) == 0
    mail.broken = False
    assert tell_of_new_devices(AT + PAUSE) == 1


def test_a_message_that_another_worker_sends_is_not_sent_twice(ana: User, mail: Mail) -> None:
    device = new_device(ana)
    KnownDevice.objects.update(mail_due_at=AT + LEASE)
    assert not new_devices.tell(device, AT)
    assert not mail.sent


def test_without_a_mail_server_nothing_is_kept_for_later(ana: User, mail: Mail, settings: Any) -> None:
    settings.EMAIL_CONFIGURED = False
    device = new_device(ana)
    assert tell_of_new_devices(AT) == 0
    device.refresh_from_db()
    assert device.mail_due_at is None


def test_who_has_no_address_is_told_nothing(mail: Mail) -> None:
    make_user(username="mira", email="")
    for _ in range(2):
        Client().post("/accounts/login/", {"login": "mira", "password": PASSWORD})
    assert not KnownDevice.objects.filter(mail_due_at__isnull=False).exists()
