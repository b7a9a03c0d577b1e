"""The condition of each kind of alarm, found in a query or two from what the desk knows, without a call to anybody."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import DecimalField, F, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from accounts.desk_settings import current, plain
from accounts.models import BalanceReading, DoorEvent
from accounts.models.door import REFUSED
from accounts.trail.verify import Break
from catalog.models import Change
from orders.models import Approval, MassJob, Order, PlanPart, Sending
from orders.models.bulk_job import IS_LEFT
from orders.rules.event_text import DUPLICATE
from orders.statistics.runway import LONGEST_HOURS, runway
from orders.statistics.spending import spending_beside
from orders.table.filters import FILTERS
from panel.alarms.kinds import Facts
from panel.alarms.models import BEGAN_AT, BEGAN_WITH, Alarm
from panel.format.money import is_dollars
from panel.format.times import took
from panel.upstream import clock
from panel.upstream.models import SILENT_AFTER, Beat, Upstream

# A low balance is over only at this share of the threshold, so that a balance that wavers there makes one alarm.
OVER_FROM_SHARE = Decimal("1.1")
OVER_FROM_SHARE_OF_TIME = 1.1  # the same for how long it lasts
FAILS_FOR = timedelta(minutes=1)  # before upstream's trouble is an alarm: most of it is over by then
CRON_SILENT_AFTER = timedelta(minutes=15)  # where cron starts a worker every few minutes
IGNORED_AFTER = timedelta(days=1)  # a worker that is silent for so long is no news
GAP_AFTER = timedelta(minutes=5)  # without an evaluation; a new version of the desk takes less to start
PILE_TOLD_EVERY = timedelta(minutes=15)  # what is added to a pile within this time is told together
PILED_ROWS = 1_000  # read of one kind
PARTS_LEFT = 200  # of plans, that are looked at
DUPLICATES = 20  # orders that may have been placed twice, with an alarm each
SET_BACK_STANDS_FOR = timedelta(hours=1)
NAMED_ROWS = 5  # in a sentence
FAILURES_WITHIN = timedelta(minutes=15)
MANY_FAILURES, MOST_FAILURES = 20, 200  # that raise an alarm, and that are counted


class Evaluation(NamedTuple):
    """What one evaluation of the alarms knows before it asks a condition."""

    now: datetime
    previous_at: datetime | None  # when the evaluation before this one ended
    open_alarms: Mapping[str, Alarm]  # of the condition's kind, by subject
    upstream: Upstream | None = None  # how upstream and the clock are; None before the first call
    balance: BalanceReading | None = None  # the last one
    breaks: Sequence[Any] = ()  # what the chore that verifies the trail has found
    parts_left: bool = True  # whether any part of a plan ever left lines for a person


class Finding(NamedTuple):
    """One thing that an alarm is to stand for. `anew` means that it must be told again though an alarm is open."""

    facts: Facts
    anew: bool = False


Findings = dict[str, Finding]  # by the alarm's subject


class Condition(NamedTuple):
    """How one kind of alarm is found. What is no longer found is over after `ends_after`; until then it is the same."""

    find: Callable[[Evaluation], Findings]
    ends_after: timedelta


def low_balance(evaluation: Evaluation) -> Findings:
    """Finds upstream's balance in US dollars below the threshold that is set."""
    low = current().low_balance
    last = evaluation.balance
    if not low or last is None or not is_dollars(last.currency):
        return {}
    if last.amount >= (low * OVER_FROM_SHARE if evaluation.open_alarms else low):
        return {}
    return {"": Finding({"balance": str(last.amount), "below": plain(low)})}


def ends_too_soon(evaluation: Evaluation) -> Findings:
    """Finds that the balance ends before the time of day that is set, with what is queued and at the latest pace."""
    until, now = current().lasts_until, evaluation.now
    last = evaluation.balance
    if until is None or last is None:
        return {}
    lasts = runway(last.amount, last.currency, spending_beside(last))
    if lasts.hours is None:
        return {}
    spent_in = timedelta(hours=min(float(lasts.with_queued), LONGEST_HOURS))
    # What wavers around that time makes one alarm.
    if now + spent_in / (OVER_FROM_SHARE_OF_TIME if evaluation.open_alarms else 1) >= until.next(now):
        return {}
    ends = quarter(now + spent_in).isoformat()
    return {"": Finding({"balance": str(last.amount), "ends": ends, "until": str(until)})}


def quarter(at: datetime) -> datetime:
    """The last quarter of an hour before this moment: an estimate moves with each reading, and its alarm should not."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def sending_stopped(_evaluation: Evaluation) -> Findings:
    """Finds that a manager, or the desk itself, has stopped all sending."""
    stop = Sending.objects.filter(stopped_at__isnull=False).select_related("stopped_by").first()
    if stop is None or stop.stopped_at is None:
        return {}
    by = str(stop.stopped_by) if stop.stopped_by else ""
    return {"": Finding({"by": by, "why": stop.reason, "since": stop.stopped_at.isoformat()})}


def upstream_failing(evaluation: Evaluation) -> Findings:
    """Finds that upstream has been in trouble for FAILS_FOR, or is in trouble again while the alarm is open."""
    since = evaluation.now if evaluation.open_alarms else evaluation.now - FAILS_FOR
    health = evaluation.upstream
    if health is None or health.trouble_since is None or health.trouble_since > since:
        return {}
    return {"": Finding({"why": health.trouble, "since": health.trouble_since.isoformat()})}


def clock_wrong(evaluation: Evaluation) -> Findings:
    """Finds that the desk's clock was set back lately, and that it is far from upstream's."""
    findings, now = Findings(), evaluation.now
    row = evaluation.upstream
    if row and row.set_back_at and timedelta() <= now - row.set_back_at < SET_BACK_STANDS_FOR:
        span = took(timedelta(seconds=row.set_back_seconds or 0))
        findings["set back"] = Finding({"at": row.set_back_at.isoformat(), "span": span})
    if row and row.skew_at and abs(row.skew_seconds or 0) >= clock.WRONG_SECONDS:
        findings["skew"] = Finding({"skew": clock.skew_words(row.skew_seconds)})
    return findings


# ── Piles ────────────────────────────────────────────────────────────────────────────────────────
def orders_to_review(evaluation: Evaluation) -> Findings:
    """Finds what the list calls “needs a look”: orders in review, without a clear answer, not known upstream."""
    found: set[int] = set()
    for index in FILTERS["open"].index_rows("look"):  # type: ignore[misc,union-attr]  # this filter has an index for each
        found |= set(index.rows.order_by(f"-{index.field}").values_list(index.field, flat=True)[:PILED_ROWS])
    pile = {str(order): "" for order in sorted(found, reverse=True)[:PILED_ROWS]}
    return pile_finding(pile, evaluation, lambda fresh: {"some": [int(order) for order in fresh[:NAMED_ROWS]]})


def orders_to_approve(evaluation: Evaluation) -> Findings:
    """Finds the orders that wait for a second person, those that expire first at first."""
    waiting = Approval.objects.filter(decided_at=None).order_by("expires_at").values_list("pk", flat=True)
    pile = {str(order): "" for order in waiting[:PILED_ROWS]}
    return pile_finding(pile, evaluation, lambda fresh: {"some": [int(order) for order in fresh[:NAMED_ROWS]]})


def parts_left(evaluation: Evaluation) -> Findings:
    """Finds parts of plans of which lines wait for a person. It looks at the newest that ever left any."""
    if not evaluation.parts_left:
        return {}
    newest = PlanPart.objects.filter(IS_LEFT).order_by("-pk").values_list("plan_id", "number", "rest")[:PARTS_LEFT]
    rests = {rest: f"part {part} of plan {plan}" for plan, part, rest in newest}
    placed = MassJob.objects.filter(token__in=rests).values_list("token", flat=True) if rests else ()
    for token in placed:
        del rests[token]
    return pile_finding(dict.fromkeys(rests.values(), ""), evaluation, lambda fresh: {"some": fresh[:NAMED_ROWS]})


def possible_duplicates(_evaluation: Evaluation) -> Findings:
    """Finds each order that upstream gave more than one id, until somebody has seen it."""
    doubled = Order.objects.filter(other_ids__isnull=False, doubts__contains=DUPLICATE).order_by("-pk")
    rows = doubled.values_list("pk", "upstream_id", "other_ids")[:DUPLICATES]
    return {str(pk): Finding({"order": pk, "ids": [first, *(others or "").split()]}) for pk, first, others in rows}


def price_jumps(evaluation: Evaluation) -> Findings:
    """Finds services in the inbox whose rate is far from the rate that a person last decided about."""
    percent = current().price_jump_percent
    was = Cast(KeyTextTransform(0, KeyTransform("rate", "moved")), DecimalField(max_digits=18, decimal_places=6))
    jumps = (
        Change.objects.undecided()
        .filter(moved__has_key="rate", service__active=True)
        .annotate(was=was, rate=F("service__rate"))
        .filter(Q(rate__gt=F("was") * (1 + percent / 100)) | Q(rate__lt=F("was") * (1 - percent / 100)))
        .order_by("-pk")[:PILED_ROWS]
        .values_list("service__upstream_id", "service__name", "was", "rate")
    )
    rows = {str(service): [service, name, str(was), str(rate)] for service, name, was, rate in jumps}
    shares = {str(service): abs(rate - was) / was if was else Decimal("Infinity") for service, _, was, rate in jumps}

    def describe(fresh: list[str]) -> Facts:
        largest = sorted(fresh, key=shares.__getitem__, reverse=True)[:NAMED_ROWS]
        return {"some": [rows[service] for service in largest], "percent": plain(percent)}

    def jumped_again(told: str, rate: str) -> bool:
        return abs(Decimal(rate) - Decimal(told)) * 100 > Decimal(told) * percent

    return pile_finding({service: str(row[3]) for service, row in rows.items()}, evaluation, describe, jumped_again)


def pile_finding(
    pile: dict[str, str], evaluation: Evaluation, describe: Callable[[list[str]], Facts],
    moved: Callable[[str, str], bool] = lambda told, value: False,
) -> Findings:  # fmt: skip
    """One finding for a whole pile of things, each by its name with a value that may move.

    The open alarm remembers which things it `told` of, and which alarms `before` it had told of, with their values. It
    speaks of all that stands now, and where earlier alarms told of a part, of the others as so many more. Things that
    are added later, or whose value has `moved` since it was told, are told together in a new alarm. `describe` makes
    the facts about the things that are named.
    """
    if not pile:
        return {}
    last = evaluation.open_alarms.get("")
    facts = last.facts if last else {}
    told, before = facts.get("told", {}), facts.get("before", {})

    def since(known: dict[str, str]) -> list[str]:
        return [name for name, value in pile.items() if name not in known or moved(known[name], value)]

    untold = since(told)
    anew = last is not None and bool(untold) and evaluation.now - last.raised_at >= PILE_TOLD_EVERY
    if last is None or anew:
        before, told = told, {**pile, **{name: told[name] for name in pile.keys() - set(untold)}}
    fresh = since(before)
    named = fresh if fresh and before else list(pile)
    first = first_of_row(last, anew=anew) if last else {}
    counts = {"new": len(named), "all": len(pile)}
    return {"": Finding({**counts, **describe(named), "told": told, "before": before, **first}, anew=anew)}


def first_of_row(last: Alarm, *, anew: bool) -> Facts:
    """Which alarm began the row of alarms that follow each other, and when; {} for a row of one."""
    if BEGAN_WITH in last.facts:
        return {name: last.facts[name] for name in (BEGAN_WITH, BEGAN_AT)}
    return {BEGAN_WITH: last.pk, BEGAN_AT: last.raised_at.isoformat()} if anew else {}


# ── Workers ──────────────────────────────────────────────────────────────────────────────────────
def silent_workers(evaluation: Evaluation) -> Findings:
    """Finds that no worker runs, or that none ran for a while, or each worker that is silent while others run.

    Only `manage.py alarms` can find that none runs: a worker that evaluates the alarms runs itself.
    """
    now, findings = evaluation.now, Findings()
    workers = list(Beat.objects.all()[:PILED_ROWS])
    running = [worker for worker in workers if worker.stopped_at is None]
    if workers and not any(now - worker.beat_at <= silent_after(worker) for worker in running):
        last = max(max(worker.beat_at, worker.stopped_at or worker.beat_at) for worker in workers)
        return {"": Finding({"since": last.isoformat()})}
    # While a worker runs that was not started by cron, the alarms are evaluated every few seconds.
    lasting = [worker for worker in running if not by_cron(worker) and now - worker.beat_at <= SILENT_AFTER]
    previous_at = evaluation.previous_at
    if lasting and previous_at and "" not in evaluation.open_alarms and now - previous_at > GAP_AFTER:
        findings["gap"] = Finding({"since": previous_at.isoformat(), "until": now.isoformat()})
    for worker in running:
        # A worker with the same roles that began since has taken its place.
        replaced = any(other.started_at > worker.beat_at for other in workers if other.roles == worker.roles)
        if not by_cron(worker) and SILENT_AFTER < now - worker.beat_at < IGNORED_AFTER and not replaced:
            findings[worker.name] = Finding({"name": worker.name, "since": worker.beat_at.isoformat()})
    return findings


def many_failures(evaluation: Evaluation) -> Findings:
    """Finds that many sign-ins failed lately. It reads no more than MOST_FAILURES, whatever happens at the door."""
    since = evaluation.now - FAILURES_WITHIN
    failures = DoorEvent.objects.filter(group=REFUSED, at__gt=since).order_by("at").values_list("pk")[:MOST_FAILURES]
    count = len(failures)
    if count < MANY_FAILURES:
        return {}
    capped = count == MOST_FAILURES
    minutes = round(FAILURES_WITHIN.total_seconds() / 60)
    return {"": Finding({"failures": count, "capped": capped, "minutes": minutes})}


def trail_broken(evaluation: Evaluation) -> Findings:
    """Finds that the chore which verifies the trail has found something wrong."""
    if not evaluation.breaks:
        return {}
    first = Break(*evaluation.breaks[0])
    return {"": Finding({"line": first.line, "why": first.words, "breaks": len(evaluation.breaks)})}


def by_cron(worker: Beat) -> bool:
    """Whether cron starts this worker with `--once` again and again."""
    return ":once" in worker.name


def silent_after(worker: Beat) -> timedelta:
    """How long after its last heartbeat this worker counts as silent."""
    return CRON_SILENT_AFTER if by_cron(worker) else SILENT_AFTER


CONDITIONS: dict[str, Condition] = {
    "sending": Condition(sending_stopped, timedelta(minutes=2)),  # the desk tries again each minute, and may stop again
    "worker": Condition(silent_workers, timedelta(seconds=30)),
    "upstream": Condition(upstream_failing, timedelta(minutes=2)),
    "orders": Condition(orders_to_review, timedelta(0)),
    "approvals": Condition(orders_to_approve, timedelta(0)),
    "plans": Condition(parts_left, timedelta(0)),
    "duplicate": Condition(possible_duplicates, timedelta(0)),
    "clock": Condition(clock_wrong, timedelta(0)),
    "balance": Condition(low_balance, timedelta(0)),
    "runway": Condition(ends_too_soon, timedelta(minutes=15)),
    "prices": Condition(price_jumps, timedelta(0)),
    "sign_ins": Condition(many_failures, timedelta(minutes=5)),
    "trail": Condition(trail_broken, timedelta(0)),
}
