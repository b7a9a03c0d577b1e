"""Sends the messages that wait, one at a time: claimed, sent, and only then marked as sent."""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from panel.alarms import chat, mail
from panel.alarms.message import Message, NotSent
from panel.alarms.models import Channel, Notice
from panel.format.locale import written_for
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than a mail server or a chat is waited for
PAUSES = (30, 60, 120, 300, 900)  # seconds after a try that failed; then always the last
GIVEN_UP_AFTER = timedelta(days=1)
QUIET = "It waits until quiet hours end."
END_WAITS = timedelta(minutes=1)  # that the word of its end waits, while the alarm itself is still being told

WAYS: dict[str, Callable[[Message], None]] = {Channel.MAIL: mail.send, Channel.CHAT: chat.post}


def send_due_notice(now: datetime) -> bool:
    """Sends one message, if one is due; says whether there was one."""
    notice = Notice.objects.claim(now, LEASE)
    if notice is None:
        return False
    fp("tell.claimed")
    if why := why_never(notice, now):
        notice.settle(due_at=None, dropped_at=now, trouble=why)
    elif until := waits_until(notice, now):
        notice.settle(due_at=until, attempts=notice.attempts - 1, trouble="" if notice.over else QUIET)
    else:
        send(notice, now)
    fp("tell.settled")
    return True


def why_never(notice: Notice, now: datetime) -> str:
    """Empty when it is to be told, be it later; otherwise the reason why it is dropped."""
    alarm = notice.alarm
    if why := notice.to.why_not(alarm.kind):
        return why
    if notice.over:
        first = first_notice(notice)
        if first is None or first.dropped_at:
            return "They were not told of it."
        late = first.sent_at and alarm.ended_at and first.sent_at >= alarm.ended_at
        return "They were told that it is over." if late else ""
    if notice.attempts > 1:  # it may have been told already, or is late through no wish of theirs
        return ""
    if alarm.sightings.filter(user=notice.to.user_id).exists():
        return "They have seen it in the desk."
    return "It was over before quiet hours were." if alarm.ended_at and notice.trouble == QUIET else ""


def waits_until(notice: Notice, now: datetime) -> datetime | None:
    """Until when it has to wait; None when it can be sent now."""
    if notice.over and (first := first_notice(notice)) and first.sent_at is None:
        return now + END_WAITS
    return notice.to.quiet_until_for(notice.alarm.kind, now)


def first_notice(notice: Notice) -> Notice | None:
    return Notice.objects.filter(alarm=notice.alarm_id, to=notice.to_id, over=False).first()


def send(notice: Notice, now: datetime) -> None:
    """A crash after the sending and before the mark sends it again: at least once, and hardly ever twice."""
    message = message_of(notice)
    fp("tell.send")
    try:
        WAYS[notice.channel](message)
    except NotSent as trouble:
        count_failure(notice, trouble, now)
    else:
        fp("tell.sent")
        notice.settle(due_at=None, sent_at=now, trouble="")


def count_failure(notice: Notice, trouble: NotSent, now: datetime) -> None:
    """Tries again later, for a day. Where nobody could have been told, the others do not knock in vain either."""
    log.warning("notice %s: %s", notice.pk, trouble)
    since = notice.failing_since or now
    if now - since >= GIVEN_UP_AFTER:
        notice.settle(due_at=None, dropped_at=now, trouble=str(trouble))
        return
    pause = PAUSES[min(notice.attempts, len(PAUSES)) - 1] * random.uniform(1, 1.25)  # noqa: S311  jitter, not a secret
    until = now + timedelta(seconds=pause)
    notice.settle(due_at=until, failing_since=since, trouble=str(trouble))
    if trouble.everybody:
        Notice.objects.filter(channel=notice.channel, due_at__lte=now).update(due_at=until)


def message_of(notice: Notice) -> Message:
    """As whoever gets it reads times and numbers."""
    alarm, user = notice.alarm, notice.to.user
    clock, marks = (user.time_zone, user.numbers) if user else (notice.to.time_zone, "")
    with written_for(clock, marks):
        words = [alarm.over_sentence if notice.over else alarm.sentence]
        if alarm.ended_at and not notice.over and alarm.over_sentence:
            words.append(f"Meanwhile: {alarm.over_sentence}")
    title = f"{alarm.about.title}: over" if notice.over else alarm.about.title
    pages = [(alarm.about.page, alarm.about.query), ("alarms", "")] if settings.DESK_URL else []
    links = [f"{settings.DESK_URL}{reverse(page)}{'?' if query else ''}{query}" for page, query in pages]
    name = f"alarm-{alarm.pk}-{notice.to_id}{'-over' if notice.over else ''}.{alarm.raised_at:%Y%m%d%H%M%S}"
    return Message(name, user.email if user else "", title, " ".join(words), links)
