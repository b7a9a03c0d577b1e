"""Sends a short message to one person, when mail is configured."""

import logging

from django.conf import settings
from django.core.mail import EmailMessage

log = logging.getLogger(__name__)


def send(to: str, title: str, text: str) -> bool:
    """Whether the mail server took the message. False also without mail or without an address.

    What the server said is not logged: it may repeat the message, which may hold a link.
    """
    if not (settings.EMAIL_CONFIGURED and to):
        return False
    try:
        EmailMessage(f"[Order Desk] {title}", text, to=[to], headers={"Auto-Submitted": "auto-generated"}).send()
    except (OSError, ValueError) as trouble:  # smtplib's are among the first
        log.warning("A message to a person could not be sent: %s", type(trouble).__name__)
        return False
    return True
