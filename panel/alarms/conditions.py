"""What stands: each kind of alarm judged by what the desk knows, in a query or two, and without a call to anybody."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db.models import DecimalField, F, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from accounts.models import BalanceReading
from catalog.models import Change
from orders.models import Sending
from orders.table.filters import FILTERS
from panel.alarms.kinds import Facts
from panel.alarms.models import Alarm
from panel.format.money import is_dollars
from panel.ops.database import ONLY_ROW
from panel.upstream.models import SILENT_AFTER, Beat, Upstream

# A low balance is over only at this share of the threshold, so that a balance that wavers there makes one alarm.
OVER_FROM_SHARE = Decimal("1.1")
FAILS_FOR = timedelta(minutes=1)  # before upstream's trouble is an alarm: most is over by then
ONCE_SILENT_AFTER = timedelta(minutes=15)  # where cron starts a worker every few minutes
IGNORED_AFTER = timedelta(days=1)  # a worker that is silent for so long is no news
GAP_AFTER = timedelta(minutes=5)  # that nobody looked; a new version takes less to come up
# Of what piles up, the next that come are told together, so long after the last time.
PILE_TOLD_EVERY = timedelta(minutes=15)
PILED_ROWS = 1_000  # of one kind
NAMED_IN_SENTENCE = 5  # in a sentence


class Moment(NamedTuple):
    """What a look begins with."""

    now: datetime
    looked_at: datetime | None  # when the look before this one ended
    open: Mapping[str, Alarm]  # of this kind, by subject


class Standing(NamedTuple):
    """Something stands. `anew`: something came to it that has to be told, though an alarm of it is open."""

    facts: Facts
    anew: bool = False


Found = dict[str, Standing]  # by subject


def balance(moment: Moment) -> Found:
    low = Decimal(str(settings.LOW_BALANCE))
    last = BalanceReading.objects.first()
    if not low or last is None or not is_dollars(last.currency):
        return {}
    if last.amount >= (low * OVER_FROM_SHARE if moment.open else low):
        return {}
    return {"": Standing({"balance": str(last.amount), "below": str(low)})}


def sending(_moment: Moment) -> Found:
    stop = Sending.objects.filter(stopped_at__isnull=False).select_related("stopped_by").first()
    if stop is None or stop.stopped_at is None:
        return {}
    by = str(stop.stopped_by) if stop.stopped_by else ""
    return {"": Standing({"by": by, "why": stop.reason, "since": stop.stopped_at.isoformat()})}


def upstream(moment: Moment) -> Found:
    since = moment.now if moment.open else moment.now - FAILS_FOR
    book = Upstream.objects.filter(pk=ONLY_ROW, trouble_since__lte=since).first()
    if book is None or book.trouble_since is None:
        return {}
    return {"": Standing({"why": book.trouble, "since": book.trouble_since.isoformat()})}


# ── What piles up ────────────────────────────────────────────────────────────────────────────────
def orders(moment: Moment) -> Found:
    """What the list calls “needs a look”: in review, without a clear answer, not known upstream."""
    found: set[int] = set()
    for keys in FILTERS["open"].index_rows("look"):  # type: ignore[misc]  # this facet has an index for each
        found |= set(keys.rows.order_by(f"-{keys.field}").values_list(keys.field, flat=True)[:PILED_ROWS])
    newest = sorted(found, reverse=True)[:PILED_ROWS]
    pile = {str(order): "" for order in newest}
    return pile_found(pile, moment, lambda some: {"some": [int(order) for order in some[:NAMED_IN_SENTENCE]]})


def prices(moment: Moment) -> Found:
    """Services that wait in the inbox with a rate far from what a person last decided about."""
    percent = Decimal(str(settings.PRICE_JUMP_PERCENT))
    was = Cast(KeyTextTransform(0, KeyTransform("rate", "moved")), DecimalField(max_digits=18, decimal_places=6))
    jumps = (
        Change.objects.undecided()
        .filter(moved__has_key="rate", service__active=True)
        .annotate(was=was, rate=F("service__rate"))
        .filter(Q(rate__gt=F("was") * (1 + percent / 100)) | Q(rate__lt=F("was") * (1 - percent / 100)))
        .order_by("-pk")[:PILED_ROWS]
        .values_list("service__upstream_id", "service__name", "was", "rate")
    )
    rows = {str(service): (service, name, str(was), str(rate)) for service, name, was, rate in jumps}

    def shares(service: str) -> Decimal:
        before, after = Decimal(rows[service][2]), Decimal(rows[service][3])
        return abs(after - before) / before if before else Decimal("Infinity")

    def named(some: list[str]) -> Facts:
        first = sorted(some, key=shares, reverse=True)[:NAMED_IN_SENTENCE]
        return {"some": [rows[service] for service in first], "percent": f"{percent.normalize():f}"}

    def far(told: str, rate: str) -> bool:
        return abs(Decimal(rate) - Decimal(told)) * 100 > Decimal(told) * percent

    return pile_found({service: row[3] for service, row in rows.items()}, moment, named, far)


def pile_found(
    pile: dict[str, str], moment: Moment, named: Callable[[list[str]], Facts],
    far: Callable[[str, str], bool] = lambda told, value: False,
) -> Found:  # fmt: skip
    """A pile is one alarm, which remembers what it told of; what comes to it later is told of in a new one."""
    if not pile:
        return {}
    last = moment.open.get("")
    told = last.facts.get("told", {}) if last else {}
    fresh = [name for name, value in pile.items() if name not in told or far(told[name], value)]
    if last and not (fresh and moment.now - last.raised_at >= PILE_TOLD_EVERY):
        return {"": Standing({**last.facts, "all": max(len(pile), last.facts["new"])})}
    return {"": Standing({"new": len(fresh), "all": len(pile), **named(fresh), "told": pile}, anew=bool(last))}


# ── Workers ──────────────────────────────────────────────────────────────────────────────────────
def worker(moment: Moment) -> Found:
    """That none runs, which only `manage.py alarms` can find; that none ran; and each that fell silent beside others.

    A worker's own look finds at least itself.
    """
    now, found = moment.now, Found()
    beats = list(Beat.objects.all()[:PILED_ROWS])
    running = [beat for beat in beats if beat.stopped_at is None]
    if beats and not any(now - beat.beat_at <= silent_after(beat) for beat in running):
        last = max(max(beat.beat_at, beat.stopped_at or beat.beat_at) for beat in beats)
        return {"": Standing({"since": last.isoformat()})}
    # The desk looks every few seconds while a worker runs that does not come and go with cron.
    lasting = [beat for beat in running if not by_cron(beat) and now - beat.beat_at <= SILENT_AFTER]
    if lasting and moment.looked_at and "" not in moment.open and now - moment.looked_at > GAP_AFTER:
        found["gap"] = Standing({"since": moment.looked_at.isoformat(), "until": now.isoformat()})
    for beat in running:
        # One that does the same and began since has taken its place.
        replaced = any(other.started_at > beat.beat_at for other in beats if other.roles == beat.roles)
        if not by_cron(beat) and SILENT_AFTER < now - beat.beat_at < IGNORED_AFTER and not replaced:
            found[beat.name] = Standing({"name": beat.name, "since": beat.beat_at.isoformat()})
    return found


def by_cron(beat: Beat) -> bool:
    return ":once" in beat.name


def silent_after(beat: Beat) -> timedelta:
    return ONCE_SILENT_AFTER if by_cron(beat) else SILENT_AFTER


class Condition(NamedTuple):
    find: Callable[[Moment], Found]
    # What is found no more for so long is over; what comes again before that is still the same.
    ends_after: timedelta


CONDITIONS: dict[str, Condition] = {
    "sending": Condition(sending, timedelta(minutes=2)),  # the desk tries again each minute, and may stop again
    "worker": Condition(worker, timedelta(seconds=30)),
    "upstream": Condition(upstream, timedelta(minutes=2)),
    "orders": Condition(orders, timedelta(seconds=0)),
    "balance": Condition(balance, timedelta(seconds=0)),
    "prices": Condition(prices, timedelta(seconds=0)),
}
