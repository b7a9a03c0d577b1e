"""What stands around the orders of a desk: team, catalog with its prices, alarms, jobs, views, the worker's own rows.

Of each there is a recent part, which is the same on a desk of any size and is more than a page, and an older part that
grows with the age of the desk.
"""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from accounts.access import Role
from accounts.factors.keys import encrypt
from accounts.models import (
    BalanceReading,
    DeskSession,
    DeskSettings,
    DoorEvent,
    KnownDevice,
    PasswordLink,
    SettingChange,
    SignInCount,
    User,
)
from catalog.models import Change, Favourite, RateChange, Service, SetAside, ShrinkAlarm
from catalog.sync import apply_catalog
from orders.answers.situations import SITUATIONS
from orders.models import (
    AnswerText,
    Approval,
    Bulk,
    Endpoint,
    Folding,
    Handed,
    KeptSearch,
    MassJob,
    MassLine,
    Order,
    Pace,
    Plan,
    PlanPart,
    PollCall,
    Presence,
    ReportMail,
    SavedView,
    Sending,
    ShiftNote,
    ShiftReader,
    Spending,
    Spent,
    TurnedAway,
    Worklist,
)
from orders.rules.statuses import Status
from panel.alarms.models import Alarm, Channel, Notice, Recipient, Sighting, Watch
from panel.notpanel.shapes import Catalog, ServiceRow
from panel.ops.database import ONLY_ROW
from panel.upstream.models import Beat, Chore, Upstream, Window
from panel.worker.recurring import RECURRING_WORK
from tests.benchmarks.data import BATCH
from tests.benchmarks.history import JOBS, LAST_OLD_JOB, NEWEST, old_job
from tests.benchmarks.history import RECENT as RECENT_ORDERS
from tests.benchmarks.measure import SEED
from tests.makers import PASSWORD, make_row

SERVICES = 10_000
ROLES = (Role.OWNER, *3 * [Role.MANAGER], *12 * [Role.OPERATOR], *4 * [Role.VIEWER])
NETWORKS = ("Instagram", "TikTok", "YouTube", "Telegram", "Facebook", "X", "Spotify", "Twitch", "LinkedIn", "Threads")
GOODS = ("Followers", "Likes", "Views", "Comments", "Shares", "Saves", "Story views", "Live viewers", "Reach", "Votes")
TYPES = ("Default",) * 8 + ("Package", "Custom Comments", "Poll", "Mentions")
MOVING_SERVICES, DAYS_A_MOVE, MOVES = 1_000, 9, 80  # services whose rates move, every so many days, so often
KEPT_DAYS = 730
DRAWN_DAYS = 31  # of balances
RECENT = 120  # rows of each kind, more than two pages
ALARM_KINDS = (
    ("balance", {"balance": "12", "below": "20"}),
    ("orders", {"new": 2, "all": 2, "some": [7, 8]}),
    ("duplicate", {"order": 7, "ids": ["ord_7", "ord_8"]}),
    ("worker", {"since": "2026-01-01T00:00:00+00:00"}),
)
FAR = timedelta(days=400)  # when what is not to be measured is due

PARTS_OF_PLAN = 4  # of each plan that ended long ago
LINES_OF_LIST = 5  # of each list that was placed long ago


def write_team() -> User:
    """Twenty people; the owner, who alone can sign in."""
    for n, role in enumerate(ROLES):
        User.objects.create_user(
            f"{role}{n}", PASSWORD if n == 0 else None, role=role, name=f"Ana {n}", email=f"{role}{n}@desk.example"
        )
    return User.objects.get(role=Role.OWNER)


def write_catalog(now: datetime, days: int) -> None:
    """The services, their usual times, the history of their rates, and what people decided about changes."""
    apply_catalog(Catalog(tuple(service_row(n) for n in range(SERVICES)), ()), now - timedelta(days=KEPT_DAYS))
    services = list(Service.objects.order_by("pk"))
    # An id for each service and step, so that a long history and a short one number the same moves alike.
    RateChange.objects.all().delete()
    RateChange.objects.bulk_create(
        [RateChange(pk=s.pk, service=s, now=s.rate, at=now - timedelta(days=KEPT_DAYS)) for s in services],
        batch_size=BATCH,
    )
    recent = 90 // DAYS_A_MOVE
    moves = [
        RateChange(
            pk=SERVICES * 2 + move * MOVING_SERVICES + n, service=service, was=service.rate * Decimal("0.9"),
            now=service.rate, at=now - timedelta(days=(MOVES - move) * DAYS_A_MOVE, minutes=n),
        )
        for move in range(MOVES - max(recent, days // DAYS_A_MOVE), MOVES)
        for n, service in enumerate(services[::SERVICES // MOVING_SERVICES])
    ]  # fmt: skip
    RateChange.objects.bulk_create(moves, batch_size=BATCH)
    Pace.objects.bulk_create(
        [
            Pace(
                service=s, starts=150, finishes=180, start_median=300, start_p95=3_600, finish_median=9_000,
                finish_p95=80_000, quantity=5_000, lately=9_500, computed_at=now, ends_to=now,
            )
            for s in services
        ],
        batch_size=BATCH,
    )  # fmt: skip
    write_changes(services, now, days)


def write_changes(services: list[Service], now: datetime, days: int) -> None:
    people = list(User.objects.order_by("pk"))
    older, waiting = 27 * days, 55
    Change.objects.bulk_create(
        [
            Change(
                pk=20_000 - n, service=services[n % SERVICES], moved={"rate": ["0.80", "0.90"]},
                at=now - timedelta(minutes=40 * n), decision="" if n < waiting else Change.Decision.ACCEPTED,
                decided_by=None if n < waiting else people[n % 4],
                decided_at=None if n < waiting else now - timedelta(minutes=39 * n),
            )
            for n in range(min(waiting + RECENT + older, 20_000))
        ],
        batch_size=BATCH,
    )  # fmt: skip
    for n, held in enumerate(Change.objects.exclude(decided_at=None).order_by("-pk")[:10]):
        Change.objects.filter(pk=held.pk).update(decision=Change.Decision.HELD)
        Service.objects.filter(pk=services[5_000 + n].pk).update(held_over=held)
    Favourite.objects.bulk_create(Favourite(user=p, service=services[31 * p.pk + n]) for p in people for n in range(12))
    SetAside.objects.bulk_create(
        SetAside(digest=f"{n:064}", raw='{"service": 7}', why="It has no name.", first_seen_at=now) for n in range(12)
    )
    DeskSettings.objects.create(pk=ONLY_ROW, chosen={"low_balance": "20"})
    SettingChange.objects.bulk_create(
        SettingChange(name="low_balance", was="10", now="20", changed_by=people[0], changed_at=now - timedelta(days=n))
        for n in range(500)
    )
    ShrinkAlarm.objects.create(raised_at=now - timedelta(days=9), listed=12, missing=9_988, closed_at=now)


def service_row(n: int) -> ServiceRow:
    """The nth service. The first are the popular ones."""
    network, goods = NETWORKS[n % len(NETWORKS)], GOODS[n // len(NETWORKS) % len(GOODS)]
    return make_row(
        upstream_id=1_000 + n,
        name=f"{network} {goods} — no. {n} | Max {n % 90}K | R{(0, 30, 60, 365)[n % 4]} | Non drop | Instant",
        type="Default" if n < 100 else TYPES[n % len(TYPES)], category=f"{network} › {goods}",
        rate=Decimal(10 + n * 7_919 % 40_000) / 1_000, refill=n % 3 != 2, cancel=n % 2 == 0, dripfeed=n % 4 == 0,
    )  # fmt: skip


def write_jobs(now: datetime, days: int, older: int) -> None:
    """The jobs of the recent orders and so many older ones; views, searches and log entries of people."""
    people = list(User.objects.order_by("pk"))
    chance = Random(SEED)
    oldest = old_job(older - 1) if older else LAST_OLD_JOB + 1
    left_out = {str(n): "Its service has no refill." for n in range(NEWEST + 1, NEWEST + 201)}
    named = [[f"#{pk}", pk] for pk in range(NEWEST, NEWEST - 200, -1)]
    Worklist.objects.bulk_create(
        Worklist(
            pk=n, by=people[n % 16], at=now - job_age(n), asked="refill" if n % 3 else "cancel", language="en",
            entries=[*named, ["#48999", 0]], chosen_at=now - job_age(n),
        )
        for n in range(oldest, JOBS + 1)
    )  # fmt: skip
    AnswerText.objects.bulk_create(
        AnswerText(language=code, situation=key, text=situation.text, changed_by=people[0], changed_at=now)
        for code in ("es", "pt-br", "ar") for key, situation in SITUATIONS.items()
    )  # fmt: skip
    Bulk.objects.bulk_create(
        Bulk(
            pk=n, kind="refill" if n % 3 else "cancel", asked_by=people[n % 16], asked_at=now - job_age(n),
            token=uuid.UUID(int=chance.getrandbits(128)), picked_from="200 pasted ids", picked=400, asked=200,
            left_out=left_out, worklist_id=n,
        )
        for n in range(oldest, JOBS + 1)
    )  # fmt: skip
    MassJob.objects.bulk_create(
        MassJob(
            pk=n, token=uuid.UUID(int=chance.getrandbits(128)), placed_by=people[n % 16], placed_at=now - job_age(n),
            source="a pasted list", listed=LINES_OF_LIST, ordered=0, expected_charge=0,
        )
        for n in range(oldest, JOBS + 1)
    )  # fmt: skip
    MassLine.objects.bulk_create(
        (MassLine(job_id=n, number=line, typed={"service": "1000"}, why="Left out.")
         for n in range(oldest, JOBS + 1) for line in range(LINES_OF_LIST)),
        batch_size=1_000,
    )  # fmt: skip
    Plan.objects.bulk_create(
        Plan(
            pk=n, token=uuid.UUID(int=chance.getrandbits(128)), owner=people[n % 16], made_at=now - job_age(n),
            source="a pasted list", seen={}, zone="UTC", listed=PARTS_OF_PLAN, part_lines=1, every=1, unit="days",
        )
        for n in range(oldest, JOBS + 1)
    )  # fmt: skip
    PlanPart.objects.bulk_create(
        (PlanPart(plan_id=n, number=part, due_at=now - job_age(n), settled_at=now - job_age(n), listed=1, lines=[],
                  outcome="placed", job_id=n)
         for n in range(oldest, JOBS + 1) for part in range(1, PARTS_OF_PLAN + 1)),
        batch_size=1_000,
    )  # fmt: skip
    SavedView.objects.bulk_create(
        SavedView(owner=person, name=f"View {n}", query="open=live", shared=n == 0, saved_at=now)
        for person in people for n in range(3)
    )  # fmt: skip
    saved = SavedView.objects.bulk_create(
        SavedView(owner=person, name="Report", query="period=7", is_report=True, shared=n < 5, saved_at=now)
        for n, person in enumerate(people)
    )
    ReportMail.objects.bulk_create(
        ReportMail(view=view, person_id=view.owner_id, due_at=now + timedelta(days=400)) for view in saved
    )
    PollCall.objects.create(ends_at=now + timedelta(days=400), order_ids=[])
    KeptSearch.objects.bulk_create(
        KeptSearch(key=f"{n:024x}", text=f"lumen {n}", typed_at=now - timedelta(minutes=20 * n))
        for n in range(min(RECENT + 60 * days, 2_000))
    )
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=people[0], content_type=kind, object_id="1", object_repr="Ana", action_flag=CHANGE,
            change_message="Changed role.", action_time=now - timedelta(days=1),
        )
        for _ in range(RECENT + days)
    )  # fmt: skip


def write_handover(now: datetime, days: int) -> None:
    """Two notes to the shift a day, of which nobody has read the last ones; orders that were handed on."""
    people = list(User.objects.order_by("pk"))
    newest = 50_000
    notes = ShiftNote.objects.bulk_create(
        ShiftNote(
            pk=newest - n, by=people[n % 4 + 1], at=now - timedelta(hours=12 * n), text="Quiet night. Look at #9.",
            taken_along=[["late", NEWEST - n]], form_token=uuid.UUID(int=10**6 + n),
        )
        for n in range(RECENT + 2 * days)
    )  # fmt: skip
    ShiftReader.objects.bulk_create(
        [
            ShiftReader(note=note, user=person, read_at=None if note.pk > newest - 8 else note.at)
            for note in notes for person in people if person.pk != note.by_id
        ],
        batch_size=BATCH,
    )  # fmt: skip
    assigned = Order.objects.filter(assigned_to__isnull=False).order_by("-pk").values_list("pk", "assigned_to")
    Handed.objects.bulk_create(
        Handed(order_id=pk, user_id=person, by=people[1], at=now - timedelta(hours=n), read_at=None if n < 40 else now)
        for n, (pk, person) in enumerate(assigned[: 200 + days])
    )


def write_presence(now: datetime) -> None:
    """Everybody looks at an order of the newest."""
    people = list(User.objects.order_by("pk"))
    newest = Order.objects.order_by("-pk")[: len(people)]
    Presence.objects.bulk_create(
        Presence(order=order, user=person, seen_at=now) for order, person in zip(newest, people, strict=True)
    )


def write_limits(now: datetime, days: int) -> None:
    """What everybody spent on each day, and what was decided about orders above a limit, three a day."""
    people = list(User.objects.order_by("pk"))
    Spent.objects.bulk_create(
        [
            Spent(pk=10**9 - (KEPT_DAYS * who + day), day=now.date() - timedelta(days=day + 1), who=who, spent=10**7)
            for day in range(days + 8)  # more rows than a list of the admin shows at once
            for who in (0, *(person.pk for person in people))
        ],
        batch_size=BATCH,
    )
    newest = Order.objects.order_by("-pk").values_list("pk", "created_at", "status")
    # As many wait on every desk, for no approval waits longer than hours.
    asked = [*newest[: 2 * RECENT], *newest.exclude(status=Status.APPROVAL)[RECENT_ORDERS : RECENT_ORDERS + 3 * days]]
    Approval.objects.bulk_create(
        [
            Approval(
                order_id=pk, asked_by=people[n % 12 + 4], asked_at=at, expires_at=at + timedelta(hours=2), why="sum",
                limit=25, rate=1, charge=34, **({} if status == Status.APPROVAL else {
                    "outcome": ("approved", "declined", "expired")[n % 3], "decided_at": at, "decided_by": people[1],
                    "approved_charge": 34,
                }),
            )
            for n, (pk, at, status) in enumerate(asked)
        ],
        batch_size=BATCH,
    )  # fmt: skip


def write_door(now: datetime, days: int) -> None:
    """Everybody's sign-ins and failures, twenty a day; sessions and devices, two of each person; tries that count."""
    people = list(User.objects.order_by("pk"))
    kinds = (("signed_in", "sign_in"), ("signed_out", "session"), ("failed", "refused"), ("new_device", "sign_in"))
    DoorEvent.objects.bulk_create(
        [
            DoorEvent(
                at=now - timedelta(hours=1, minutes=72 * n), kind=kinds[n % 4][0],
                group=kinds[n % 4][1], person=people[n // 4 % len(people)], address="192.0.2.7",
                device="Firefox on Linux",
            )
            for n in range(4 * len(people) * RECENT + 20 * days)
        ],
        batch_size=BATCH,
    )  # fmt: skip
    seen = {"address": "192.0.2.7", "device": "Firefox on Linux"}
    for n, person in enumerate(people):
        for m in (1, 2):
            DeskSession.objects.create(
                pk=10 * n + m,
                digest=f"{n}-{m}",
                user=person,
                began_at=now,
                used_at=now + FAR,
                ends_at=now + FAR,
                **seen,
            )
            KnownDevice.objects.create(user=person, digest=f"{n}-{m}", first_at=now, last_at=now, **seen)
        PasswordLink.objects.create(user=person, token_hash=str(n), made_by=person, made_at=now, expires_at=now + FAR)
        if person.role != Role.OWNER:  # the owner who is measured sets one up
            Authenticator.objects.create(user=person, type="totp", data={"secret": encrypt("of this measurement")})
    SignInCount.objects.bulk_create(SignInCount(key=str(n), tries=1, ends_at=2**40) for n in range(RECENT))


def job_age(n: int) -> timedelta:
    """How long ago the nth job was asked for: the last ones on the last day, the others all along."""
    if n > LAST_OLD_JOB:
        return timedelta(minutes=(JOBS + 1 - n) * 10)
    return timedelta(days=1 + (LAST_OLD_JOB + 1 - n) * KEPT_DAYS / LAST_OLD_JOB)


def write_alarms(now: datetime, days: int) -> None:
    """Two alarms a day, a few of them open, with notices and sightings; what people chose."""
    people = list(User.objects.order_by("pk"))
    chosen = [kind for kind, _ in ALARM_KINDS]
    to = Recipient.objects.bulk_create(Recipient(pk=p.pk, user=p, kinds=chosen) for p in people[:4])
    newest, open_ones = 2_000, 3
    for n in range(RECENT + 2 * days):
        kind, facts = ALARM_KINDS[n % len(ALARM_KINDS)]
        at = now - timedelta(hours=12 * n, minutes=5)
        alarm = Alarm.objects.create(
            pk=newest - n, kind=kind, facts=facts, raised_at=at,
            ended_at=None if n < open_ones else at + timedelta(hours=1),
        )  # fmt: skip
        Notice.objects.bulk_create(
            Notice(pk=alarm.pk * 4 + m, alarm=alarm, to=who, channel=Channel.MAIL, sent_at=at, attempts=1)
            for m, who in enumerate(to[:2])
        )
        Sighting.objects.create(pk=alarm.pk, alarm=alarm, user=people[n % 4], at=at)


def write_machinery(now: datetime, days: int) -> None:
    """What the worker and upstream leave behind: balances, calls by the minute, workers, counts of rejections."""
    readings = 48 * (DRAWN_DAYS + days)
    BalanceReading.objects.bulk_create(
        [
            BalanceReading(
                pk=50_000 - n, amount=Decimal(400 + 37 * n % 500), first_asked_at=now - timedelta(minutes=30 * n + 30),
                asked_at=now - timedelta(minutes=30 * n),
            )
            for n in range(readings)
        ],
        batch_size=BATCH,
    )  # fmt: skip
    Window.objects.bulk_create(
        Window(
            number=int(now.timestamp()) // 60 - n, ends_at=now - timedelta(minutes=n - 1), key_limit=100, key_left=60,
            ip_limit=300, ip_left=250, place=20, ask=4, look=15, upkeep=1,
        )
        for n in range(24 * 60)
    )  # fmt: skip
    TurnedAway.objects.bulk_create(
        TurnedAway(day=(now - timedelta(days=n)).date(), reason=reason, count=7)
        for n in range(RECENT + days) for reason in ("forged", "stale")
    )  # fmt: skip
    Beat.objects.create(name="here:1", started_at=now, beat_at=now + timedelta(days=1))
    Beat.objects.bulk_create(
        Beat(name=f"here:{n}", started_at=now, beat_at=now - timedelta(hours=n), stopped_at=now) for n in range(2, 20)
    )
    Upstream.objects.update_or_create(pk=ONLY_ROW, defaults={"spoke_at": now})
    Folding.objects.update_or_create(pk=ONLY_ROW, defaults={"down_to": NEWEST + 1})
    Spending.objects.update_or_create(pk=ONLY_ROW, defaults={
        "at": now, "since": now - timedelta(hours=24), "spent": 120, "queued": 3})  # fmt: skip
    Sending.objects.update_or_create(pk=ONLY_ROW)
    Watch.objects.update_or_create(pk=ONLY_ROW, defaults={"due_at": now + FAR})
    Chore.objects.bulk_create(Chore(name=name, due_at=now + FAR, done_at=now) for name in RECURRING_WORK)
    Endpoint.objects.create(url="https://desk.example.com/webhooks/notpanel/", registered_at=now, mark="0f0f0f0f")
