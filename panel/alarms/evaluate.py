"""Raises alarms and ends them. Each is stored in the same transaction as the messages about it."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, close_old_connections, transaction
from django.db.models import Exists, QuerySet, Subquery

from accounts.desk_settings import held, stored
from accounts.models import BalanceReading, ChainWatch, DeskSettings
from orders.models import PlanPart
from orders.models.bulk_job import IS_LEFT
from panel.alarms.conditions import CONDITIONS, Condition, Evaluation, Finding
from panel.alarms.kinds import Facts, kind_of
from panel.alarms.models import ONLY_WHILE_OPEN, Alarm, Notice, Recipient, Watch
from panel.alarms.notify import send_due_notice
from panel.ops.database import ONLY_ROW, only_row
from panel.ops.failpoints import fp
from panel.upstream.models import Upstream

log = logging.getLogger(__name__)

EVALUATED_EVERY = timedelta(seconds=10)  # by all workers together
FOLLOWED = "A newer message says it too."


def run_alarms(now: datetime) -> bool:
    """Evaluates the alarms when it is time, and sends one message. Returns whether there was anything to do.

    Every exception ends here and is logged: a mistake in an alarm must not keep orders from going out.
    """
    try:
        return evaluate_when_due(now) | send_due_notice(now)
    except Exception:
        log.exception("the alarms broke off")
        close_old_connections()
        return False


def create_watch(now: datetime) -> QuerySet[Watch]:
    """Makes the row of the next evaluation where it is missing, due now, and gives it."""
    return only_row(Watch, due_at=now)


def run_is_due(now: datetime) -> tuple[QuerySet[Watch], QuerySet[Notice]]:
    """The rows for which `run_alarms` has something to do: an evaluation that is due, and messages."""
    return Watch.objects.filter(pk=ONLY_ROW, due_at__lte=now), Notice.objects.filter(due_at__lte=now)


def evaluate_when_due(now: datetime) -> bool:
    """Evaluates the alarms when it is time and no other worker does. Returns whether any was raised or ended."""
    if Watch.objects.filter(pk=ONLY_ROW, due_at__gt=now).exists():
        return False
    claimed = create_watch(now).filter(due_at__lte=now).update(due_at=now + EVALUATED_EVERY)
    return bool(claimed) and evaluate(now)


def evaluate(now: datetime) -> bool:
    """Evaluates every condition. After a crash at any point the next evaluation does what is left."""
    # With the settings, what is wrong with the trail, and whether parts of plans left lines, in the same statement.
    chosen = Subquery(DeskSettings.objects.filter(pk=ONLY_ROW).values("chosen"))
    breaks = Subquery(ChainWatch.objects.filter(pk=ONLY_ROW).values("breaks"))
    parts = Exists(PlanPart.objects.filter(IS_LEFT))
    watch = Watch.objects.filter(pk=ONLY_ROW).annotate(chosen=chosen, breaks=breaks, parts=parts).first()
    previous_at = watch.looked_at if watch else None
    upstream = Upstream.objects.filter(pk=ONLY_ROW).first()
    open_alarms: defaultdict[str, dict[str, Alarm]] = defaultdict(dict)
    for alarm in Alarm.objects.open():
        open_alarms[alarm.kind][alarm.subject] = alarm
    balance = BalanceReading.objects.first()
    found = (watch.breaks or []) if watch else []
    left = watch is None or watch.parts
    with held(watch.chosen if watch else stored()):
        moved = sum(
            apply_condition(
                kind, condition, Evaluation(now, previous_at, open_alarms[kind], upstream, balance, found, left)
            )
            for kind, condition in CONDITIONS.items()
        )
    create_watch(now).update(looked_at=now)
    return bool(moved)


def apply_condition(kind: str, condition: Condition, evaluation: Evaluation) -> int:
    """Raises and ends the alarms of one kind. Returns how many."""
    now, open_alarms = evaluation.now, evaluation.open_alarms
    try:
        findings = condition.find(evaluation)
    except Exception:  # the other kinds are evaluated all the same
        log.exception("could not judge %s", kind)
        return 0
    moved = 0
    for subject, finding in findings.items():
        if alarm := open_alarms.get(subject):
            moved += update_alarm(alarm, finding, now)
        else:
            moved += raise_alarm(kind, subject, finding.facts, now)
    for subject in open_alarms.keys() - findings.keys():
        moved += end_when_calm(open_alarms[subject], condition.ends_after, now)
    return moved


def raise_alarm(kind: str, subject: str, facts: Facts, now: datetime, follows: Alarm | None = None) -> bool:
    """Raises an alarm with a message to each recipient who wants one. False when another worker was first.

    `follows` is an open alarm that ends now; recipients that were not told of it yet are told of the new one alone.
    """
    try:
        with transaction.atomic():
            if follows:
                if not end_alarm(follows, now):
                    return False
                waiting = Notice.objects.filter(alarm=follows, sent_at=None, dropped_at=None)
                waiting.update(due_at=None, dropped_at=now, trouble=FOLLOWED)
            alarm = Alarm.objects.create(kind=kind, subject=subject, facts=facts, raised_at=now)
            create_notices(alarm, Recipient.objects.who_want(kind), now)
            fp("raise.commit")
    except IntegrityError:
        return False
    fp("raise.committed")
    log.warning("alarm %s: %s", alarm.pk, kind_of(kind).title)
    return True


def update_alarm(alarm: Alarm, finding: Finding, now: datetime) -> bool:
    """Stores what an open alarm's sentence says now. Returns whether a new alarm was raised in its place."""
    if finding.anew:
        return raise_alarm(alarm.kind, alarm.subject, finding.facts, now, follows=alarm)
    if alarm.calm_since or alarm.facts != finding.facts:
        Alarm.objects.open().filter(pk=alarm.pk).update(calm_since=None, facts=finding.facts)
    return False


def end_when_calm(alarm: Alarm, calm: timedelta, now: datetime) -> bool:
    """Ends an alarm whose condition was not found for as long as `calm`. Returns whether it ended.

    Recipients to whom its beginning was sent are told of the end if they chose that.
    """
    if alarm.calm_since is None and calm:
        Alarm.objects.open().filter(pk=alarm.pk, calm_since=None).update(calm_since=now)
        return False
    if now - (alarm.calm_since or now) < calm:
        return False
    with transaction.atomic():
        ended = end_alarm(alarm, now)
        if ended and alarm.over_sentence:
            tried = Notice.objects.filter(alarm=alarm, over=False, attempts__gt=0).select_related("to__user")
            recipients = [notice.to for notice in tried if notice.to.over_too and not notice.to.why_not(alarm.kind)]
            create_notices(alarm, recipients, now, over=True)
        fp("over.commit")
    fp("over.committed")
    return ended


def end_alarm(alarm: Alarm, now: datetime) -> bool:
    """Ends an alarm, and forgets what only an open one must remember. False when another worker has ended it."""
    facts = {name: value for name, value in alarm.facts.items() if name not in ONLY_WHILE_OPEN}
    return bool(Alarm.objects.open().filter(pk=alarm.pk).update(ended_at=now, facts=facts))


def create_notices(alarm: Alarm, to: Iterable[Recipient], now: datetime, *, over: bool = False) -> None:
    """Stores a message to each of these recipients, in the transaction that it tells of."""
    Notice.objects.bulk_create(
        Notice(alarm=alarm, to=recipient, channel=recipient.channel, over=over, due_at=now) for recipient in to
    )
