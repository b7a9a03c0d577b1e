"""Mails saved reports every Monday to the people who ticked that they want them."""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from orders.models import ReportMail, SavedView
from orders.saved_reports import letter
from orders.saved_reports.keep import NO_ADDRESS, NO_MAIL, next_monday
from panel.alarms import mail as mail_server
from panel.alarms.message import Message, NotSent

log = logging.getLogger(__name__)

EVERY_SECONDS = 60
MAILS_A_ROUND = 20
PAUSE = timedelta(minutes=10)  # after a try that failed
GIVEN_UP_AFTER = timedelta(days=1)  # of failures; the next is sent a week later
SWITCHED_OFF = "The account is switched off."
NOT_SEEN = "The report is not shared with them any more."
BROKEN = "The desk could not write this report; its log says why."


def send_due(now: datetime) -> int:
    """Sends the mails that are due, each in a claim of its own. Returns how many were sent."""
    due = ReportMail.objects.filter(due_at__lte=now).order_by("due_at", "id")
    return sum(send_one(mail, now) for mail in list(due.select_related("view__owner", "person")[:MAILS_A_ROUND]))


def send_one(mail: ReportMail, now: datetime) -> bool:
    """Sends one mail, unless another worker does. Returns whether it was sent.

    That it was begun, and when the next is due, is written first. A worker that dies in between leaves a week without
    a mail, which the page of saved reports tells, and never sends two.
    """
    row, next_at = ReportMail.objects.filter(pk=mail.pk), next_monday(now, mail.person.time_zone)
    if not row.filter(due_at=mail.due_at).update(due_at=next_at, begun_at=now, trouble=""):
        return False
    if why := why_not(mail):
        row.update(trouble=why, failing_since=None)
        return False
    try:
        mail_server.send(message_of(mail, now))
    except NotSent as trouble:
        log.warning("report mail %s: %s", mail.pk, trouble)
        since = mail.failing_since or now
        again = now - since < GIVEN_UP_AFTER
        row.update(due_at=min(now + PAUSE, next_at) if again else next_at, failing_since=since if again else None,
                   trouble=str(trouble))  # fmt: skip
        return False
    except Exception:
        log.exception("report mail %s", mail.pk)
        row.update(trouble=BROKEN, failing_since=None)
        return False
    row.update(sent_at=now, failing_since=None, trouble="")
    return True


def why_not(mail: ReportMail) -> str:
    """Why this person is not mailed this report now, in a sentence; "" when they are."""
    if not mail.person.is_active:
        return SWITCHED_OFF
    if not SavedView.objects.seen_by(mail.person).filter(pk=mail.view_id).exists():
        return NOT_SEEN
    if not settings.EMAIL_CONFIGURED:
        return NO_MAIL
    return "" if mail.person.email else NO_ADDRESS


def message_of(mail: ReportMail, now: datetime) -> Message:
    """The message. Its name is the same at each try of a week, so that mail programs recognise a second copy."""
    text = letter.letter_of(mail.view, mail.person, now)
    week = now - timedelta(days=now.weekday())
    return Message(f"report-{mail.pk}.{week:%Y%m%d}", mail.person.email, *text)
