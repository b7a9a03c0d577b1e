"""Sends a message by e-mail, through whatever Django's settings name."""

import smtplib
from contextlib import suppress
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from panel.alarms.message import Message, NotSent


def send(message: Message) -> None:
    """Untold when the mail server did not take it. What it said is not repeated: it may say back the sign-in."""
    wire = get_connection()
    try:
        wire.open()
        wire.send_messages([letter(message)])
        return
    except smtplib.SMTPRecipientsRefused:
        trouble = NotSent("The mail server refused this address.", everybody=False)
    except smtplib.SMTPDataError as no:
        trouble = NotSent(f"The mail server refused the message ({no.smtp_code}).", everybody=False)
    except smtplib.SMTPAuthenticationError:
        trouble = NotSent("The mail server refused the desk’s sign-in.", everybody=True)
    except smtplib.SMTPResponseException as no:
        trouble = NotSent(f"The mail server answered {no.smtp_code}.", everybody=True)
    except smtplib.SMTPNotSupportedError:
        trouble = NotSent("The mail server offers no TLS, or takes no sign-in.", everybody=True)
    except OSError:  # smtplib's own among them
        trouble = NotSent("The mail server could not be reached, or broke off.", everybody=True)
    except (ValueError, UnicodeError):
        trouble = NotSent("This address cannot be written to.", everybody=False)
    finally:
        with suppress(OSError):  # once it has taken the message, how it says goodbye does not matter
            wire.close()
    raise trouble  # out here: what was caught, and its frames, hold what the server said


def letter(message: Message) -> EmailMessage:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "order-desk"
    headers = {
        "Message-ID": f"<{message.name}@{domain}>",
        "Auto-Submitted": "auto-generated",  # nobody's “I am away” comes back
    }
    body = "\n\n".join([message.words, *message.links]) + "\n"
    return EmailMessage(f"[Order Desk] {message.title}", body, to=[message.to], headers=headers)
