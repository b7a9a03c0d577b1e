"""Raises what newly stands and ends what is over. Each is written down together with the messages about it."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, close_old_connections, transaction
from django.db.models import QuerySet

from panel.alarms.conditions import CONDITIONS, Condition, Moment, Standing
from panel.alarms.kinds import Facts, kind_of
from panel.alarms.models import Alarm, Notice, Recipient, Watch
from panel.alarms.notify import send_due_notice
from panel.ops.database import ONLY_ROW, only_row
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)

EVALUATED_EVERY = timedelta(seconds=10)  # whatever the number of workers
FOLLOWED = "A newer one tells of it too."


def evaluate_when_due(now: datetime) -> bool:
    """Looks, when it is time and no other worker does; says whether anything was raised or ended."""
    if not Watch.objects.filter(pk=ONLY_ROW, due_at__gt=now).exists() and claim(now):
        return evaluate(now)
    return False


def claim(now: datetime) -> bool:
    return bool(watch_row(now).filter(due_at__lte=now).update(due_at=now + EVALUATED_EVERY))


def watch_row(now: datetime) -> QuerySet[Watch]:
    """The one row that says when alarms are looked for next."""
    return only_row(Watch, due_at=now)


def evaluate(now: datetime) -> bool:
    """Judges every kind. Killed at any point, the next look does what is left."""
    looked_at = Watch.objects.filter(pk=ONLY_ROW).values_list("looked_at", flat=True).first()
    open_: dict[str, dict[str, Alarm]] = {kind: {} for kind in CONDITIONS}
    for alarm in Alarm.objects.open():
        open_.setdefault(alarm.kind, {})[alarm.subject] = alarm
    moved = sum(
        [apply_condition(kind, judge, Moment(now, looked_at, open_[kind])) for kind, judge in CONDITIONS.items()]
    )
    watch_row(now).update(looked_at=now)
    return bool(moved)


def apply_condition(kind: str, judge: Condition, moment: Moment) -> int:
    """How many alarms of this kind were raised or ended."""
    try:
        found = judge.find(moment)
    except Exception:  # of one kind; the others are looked for all the same
        log.exception("could not judge %s", kind)
        return 0
    moved = 0
    for subject, stands in found.items():
        if alarm := moment.open.get(subject):
            moved += keep_alarm(alarm, stands, moment.now)
        else:
            moved += raise_alarm(kind, subject, stands.facts, moment.now)
    for subject in moment.open.keys() - found.keys():
        moved += end_when_calm(moment.open[subject], judge.ends_after, moment.now)
    return moved


def raise_alarm(kind: str, subject: str, facts: Facts, now: datetime, follows: Alarm | None = None) -> bool:
    """Raises an alarm, and with it a message to each who wants one. False when another worker was first."""
    try:
        with transaction.atomic():
            if follows and not replace_alarm(follows, now):
                return False
            alarm = Alarm.objects.create(kind=kind, subject=subject, facts=facts, raised_at=now)
            create_notices(alarm, Recipient.objects.who_want(kind), now)
            fp("raise.commit")
    except IntegrityError:
        return False
    fp("raise.committed")
    log.warning("alarm %s: %s", alarm.pk, kind_of(kind).title)
    return True


def keep_alarm(alarm: Alarm, stands: Standing, now: datetime) -> bool:
    """It still stands: what it says is kept true, and told anew only where something came to it."""
    if stands.anew:
        return raise_alarm(alarm.kind, alarm.subject, stands.facts, now, follows=alarm)
    if alarm.calm_since or alarm.facts != stands.facts:
        Alarm.objects.open().filter(pk=alarm.pk).update(calm_since=None, facts=stands.facts)
    return False


def replace_alarm(alarm: Alarm, now: datetime) -> bool:
    """Another takes its place: whoever was not told yet need not be told of both."""
    if not Alarm.objects.open().filter(pk=alarm.pk).update(ended_at=now, facts=without_memory(alarm.facts)):
        return False
    waiting = Notice.objects.filter(alarm=alarm, sent_at=None, dropped_at=None)
    waiting.update(due_at=None, dropped_at=now, trouble=FOLLOWED)
    return True


def end_when_calm(alarm: Alarm, calm: timedelta, now: datetime) -> bool:
    """It was not found: at first that is only noted, then it is over."""
    if alarm.calm_since is None and calm:
        Alarm.objects.open().filter(pk=alarm.pk, calm_since=None).update(calm_since=now)
        return False
    if now - (alarm.calm_since or now) < calm:
        return False
    with transaction.atomic():
        ended = Alarm.objects.open().filter(pk=alarm.pk).update(ended_at=now, facts=without_memory(alarm.facts))
        if ended and alarm.over_sentence:
            maybe = Notice.objects.filter(alarm=alarm, over=False, attempts__gt=0).select_related("to__user")
            told = [notice.to for notice in maybe if notice.to.over_too and not notice.to.why_not(alarm.kind)]
            create_notices(alarm, told, now, over=True)
        fp("over.commit")
    fp("over.committed")
    return bool(ended)


def create_notices(alarm: Alarm, to: Iterable[Recipient], now: datetime, *, over: bool = False) -> None:
    """The messages, in the transaction that they are about."""
    Notice.objects.bulk_create(Notice(alarm=alarm, to=each, channel=each.channel, over=over, due_at=now) for each in to)


def without_memory(facts: Facts) -> Facts:
    """Without what only an open one has to remember."""
    return {name: value for name, value in facts.items() if name != "told"}


def run_alarms(now: datetime) -> bool:
    """Looks when it is time, and sends one message; says whether there was anything to do. No mistake in here keeps
    orders from going out."""
    try:
        return evaluate_when_due(now) | send_due_notice(now)
    except Exception:
        log.exception("the alarms broke off")
        close_old_connections()
        return False
