"""Sends the messages that are due, one at a time: claims it, sends it, and only then marks it as sent."""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from accounts.access import may
from panel.alarms import chat, mail
from panel.alarms.message import Message, NotSent
from panel.alarms.models import Channel, Notice
from panel.format.locale import written_for
from panel.format.money import money_seen
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than a mail server or a chat is waited for
PAUSES_SECONDS = (30, 60, 120, 300, 900)  # after each try that failed; after later ones the last of these
GIVEN_UP_AFTER = timedelta(days=1)
QUIET = "It waits until quiet hours end."
END_WAITS = timedelta(minutes=1)  # before the message of an alarm's end is tried again, while its beginning is not sent

SENDERS: dict[str, Callable[[Message], None]] = {Channel.MAIL: mail.send, Channel.CHAT: chat.post}


def send_due_notice(now: datetime) -> bool:
    """Sends, drops or postpones one due message. Returns whether there was one."""
    notice = Notice.objects.claim(now, LEASE)
    if notice is None:
        return False
    fp("tell.claimed")
    if why := why_dropped(notice, now):
        notice.settle(due_at=None, dropped_at=now, trouble=why)
    elif until := waits_until(notice, now):
        notice.settle(due_at=until, attempts=notice.attempts - 1, trouble="" if notice.over else QUIET)
    else:
        send(notice, now)
    fp("tell.settled")
    return True


def why_dropped(notice: Notice, now: datetime) -> str:
    """Why this message will never be sent, in a sentence; "" when it is to be sent now or later."""
    alarm = notice.alarm
    if why := notice.to.why_not(alarm.kind):
        return why
    if notice.over:
        first = first_notice(notice)
        if first is None or first.dropped_at:
            return "They were not told that it began."
        late = first.sent_at and alarm.ended_at and first.sent_at >= alarm.ended_at
        return "They were told that it is over." if late else ""
    if notice.attempts > 1:  # an earlier try may have arrived, or failed through no choice of theirs
        return ""
    if alarm.sightings.filter(user=notice.to.user_id).exists():
        return "They have already seen it in the desk."
    return "It was over before quiet hours ended." if alarm.ended_at and notice.trouble == QUIET else ""


def waits_until(notice: Notice, now: datetime) -> datetime | None:
    """When this message may be sent, or None if it may be sent now."""
    if notice.over and (first := first_notice(notice)) and first.sent_at is None:
        return now + END_WAITS
    return notice.to.quiet_until_for(notice.alarm.kind, now)


def first_notice(notice: Notice) -> Notice | None:
    """The message to the same recipient that the same alarm began."""
    return Notice.objects.filter(alarm=notice.alarm_id, to=notice.to_id, over=False).first()


def send(notice: Notice, now: datetime) -> None:
    """Sends the message and marks it as sent. A crash in between sends it again: at least once, hardly ever twice."""
    message = message_of(notice)
    fp("tell.send")
    try:
        SENDERS[notice.channel](message)
    except NotSent as trouble:
        postpone(notice, trouble, now)
    else:
        fp("tell.sent")
        notice.settle(due_at=None, sent_at=now, trouble="")


def postpone(notice: Notice, trouble: NotSent, now: datetime) -> None:
    """Tries again later, or gives up after a day of failures.

    When others would fail in the same way, their messages on this channel wait as long.
    """
    log.warning("notice %s: %s", notice.pk, trouble)
    since = notice.failing_since or now
    if now - since >= GIVEN_UP_AFTER:
        notice.settle(due_at=None, dropped_at=now, trouble=str(trouble))
        return
    pause = PAUSES_SECONDS[min(notice.attempts, len(PAUSES_SECONDS)) - 1]
    until = now + timedelta(seconds=pause * random.uniform(1, 1.25))  # noqa: S311  jitter, not a secret
    notice.settle(due_at=until, failing_since=since, trouble=str(trouble))
    if trouble.everybody:
        Notice.objects.filter(channel=notice.channel, due_at__lte=now).update(due_at=until)


def message_of(notice: Notice) -> Message:
    """The message in the recipient's own times and numbers, with links to the desk if its address is set."""
    alarm, user = notice.alarm, notice.to.user
    time_zone, numbers = (user.time_zone, user.numbers) if user else (notice.to.time_zone, "")
    # The chat is the team’s, and managers choose what is sent there: it has the amounts.
    with written_for(time_zone, numbers), money_seen(user is None or may(user, "money")):
        sentences = [alarm.over_sentence if notice.over else alarm.sentence]
        if (alarm.ended_at or alarm.calm_since) and not notice.over and alarm.over_sentence:
            sentences.append(f"Since then: {alarm.over_sentence}")
    title = f"{alarm.about.title}: over" if notice.over else alarm.about.title
    pages = [(alarm.about.page, alarm.about.query), ("alarms", "")] if settings.DESK_URL else []
    links = [f"{settings.DESK_URL}{reverse(page)}{'?' if query else ''}{query}" for page, query in pages]
    name = f"alarm-{alarm.pk}-{notice.to_id}{'-over' if notice.over else ''}.{alarm.raised_at:%Y%m%d%H%M%S}"
    return Message(name, user.email if user else "", title, " ".join(sentences), links)
