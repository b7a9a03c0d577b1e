"""E-mails people that somebody signed in to their account on a device that was not used before."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from accounts.models import KnownDevice
from panel.alarms.mail import send
from panel.alarms.message import Message, NotSent
from panel.format.locale import written_for
from panel.format.times import clock

log = logging.getLogger(__name__)

EVERY_SECONDS = 30
MAILS_A_ROUND = 20
LEASE = timedelta(minutes=2)  # longer than a mail server is waited for
TRIES = 8
PAUSE = timedelta(minutes=5)  # after a try that failed
TITLE = "Sign-in on a new device"
WORDS = (
    "Your account {username} was signed in to at {at} on {device}, from {address}. If that was you, there is nothing "
    "to do. If it was not, end that session, change your password, and tell an owner of the desk."
)


def tell_of_new_devices(now: datetime) -> int:
    """Sends the e-mails that are due, each in a claim of its own. Returns how many were sent.

    Without a mail server there is nothing to send, and nothing waits until there is one.
    """
    due = KnownDevice.objects.filter(mail_due_at__lte=now)
    if not settings.EMAIL_CONFIGURED:
        due.update(mail_due_at=None)
        return 0
    first = due.order_by("mail_due_at").select_related("user")[:MAILS_A_ROUND]
    return sum(tell(device, now) for device in list(first))


def tell(device: KnownDevice, now: datetime) -> bool:
    """Sends one e-mail, unless another worker does. Returns whether it was sent; if not, it is tried again later."""
    row = KnownDevice.objects.filter(pk=device.pk)
    claim = {"mail_due_at": now + LEASE, "mail_tries": device.mail_tries + 1}
    if not row.filter(mail_due_at=device.mail_due_at).update(**claim):
        return False
    try:
        send(message_of(device))
    except NotSent as trouble:
        log.warning("device %s: %s", device.pk, trouble)
        row.update(mail_due_at=now + PAUSE if device.mail_tries + 1 < TRIES else None)
        return False
    row.update(mail_due_at=None)
    return True


def message_of(device: KnownDevice) -> Message:
    """The message, in the person's own times. It holds no link that signs anybody in."""
    with written_for(device.user.time_zone, device.user.numbers):
        words = WORDS.format(
            username=device.user.username, at=clock(device.first_at), device=device.device, address=device.address
        )
    links = [f"{settings.DESK_URL}{reverse('sessions')}"] if settings.DESK_URL else []
    return Message(f"device-{device.pk}.{device.first_at:%Y%m%d%H%M%S}", device.user.email, TITLE, words, links)
