"""Sends a message by e-mail, through the mail server that Django's settings name."""

import smtplib
from contextlib import suppress
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from panel.alarms.message import Message, NotSent

# What sending may raise, its sentence, and whether messages to others would fail in the same way. The first row fits.
FAILURES: tuple[tuple[type[Exception], str, bool], ...] = (
    (smtplib.SMTPRecipientsRefused, "The mail server refused this address.", False),
    (smtplib.SMTPDataError, "The mail server refused the message ({raised.smtp_code}).", False),
    (smtplib.SMTPAuthenticationError, "The mail server refused the desk’s sign-in.", True),
    (smtplib.SMTPResponseException, "The mail server answered {raised.smtp_code}.", True),
    (smtplib.SMTPNotSupportedError, "The mail server offers no TLS, or takes no sign-in.", True),
    (
        OSError,
        "The mail server could not be reached, or broke the connection.",
        True,
    ),  # the others of smtplib among them
    (ValueError, "This address cannot receive e-mail.", False),
)


def send(message: Message) -> None:
    """Sends the message. Raises NotSent when the mail server did not take it.

    The sentence does not repeat the server's own words, because they may repeat the sign-in.
    """
    connection = get_connection()
    try:
        connection.open()
        connection.send_messages([email_of(message)])
        return
    except (OSError, ValueError) as raised:
        _, sentence, everybody = next(failure for failure in FAILURES if isinstance(raised, failure[0]))
        trouble = NotSent(sentence.format(raised=raised), everybody=everybody)
    finally:
        with suppress(OSError):  # once the server has taken the message, a failure to close does not matter
            connection.close()
    raise trouble  # outside of the except clause: what was caught, and its frames, hold what the server said


def email_of(message: Message) -> EmailMessage:
    """The message with its words and links as the mail's text."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "order-desk"
    headers = {
        "Message-ID": f"<{message.name}@{domain}>",
        "Auto-Submitted": "auto-generated",  # keeps “I am away” answers from coming back
    }
    body = "\n\n".join([message.words, *message.links]) + "\n"
    return EmailMessage(f"[Order Desk] {message.title}", body, to=[message.to], headers=headers)
