"""Every sentence that the desk puts together, in every combination of its parts.

`python manage.py shell -c "from tests.sentences import *; show()"` prints them all.
A new sentence belongs into one of the functions here, so that somebody reads it in all its forms.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from django.conf import settings
from django.core.exceptions import ValidationError
from django.template import engines
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.access import ACTIONS, Role, switches_held, why_not
from accounts.desk_settings import SETTINGS, words_of
from accounts.models import SettingChange, User
from accounts.preferences import NO_ZONE
from accounts.settings_form import moved_sentence
from catalog.models import Change, Service
from orders.aftersale.states import STATES, state_note
from orders.answers.situations import SITUATIONS
from orders.answers.texts import ENGLISH, Texts
from orders.bulk.selection import Selection
from orders.following.anomalies import ANOMALIES, Facts
from orders.models import Order, Spending, Task
from orders.placing.form_fields import INTERVAL, READERS, UNITS, read_whole
from orders.placing.review import why_not_again
from orders.rules.eligibility import WHY_NOT, cancel_question, refill_question, withdrawal_question
from orders.rules.event_text import SENTENCES, Sentence
from orders.rules.lateness import UsualTimes
from orders.rules.refusal import Refusal
from orders.rules.statuses import AFTERSALE, Status
from orders.statistics.runway import runway
from orders.table.columns import ROW_ACTIONS, Times
from panel.alarms.kinds import KINDS
from panel.alarms.models import Alarm
from panel.site.status_bar import StatusBar
from panel.upstream.models import ROLES
from tests.sentences_at_the_door import door
from tests.sentences_of_limits import limits
from tests.sentences_of_the_team import team_words

Lines = Iterator[str]
Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled
ANA = User(username="ana", name="Ana")
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TROUBLE = "The connection broke before NotPanel had answered in full."


# ── What they are made of ────────────────────────────────────────────────────────────────────────
def service(**fields: Any) -> Service:
    """A service that is not saved."""
    usual = {
        "upstream_id": 104, "name": "Followers", "type": "Default", "category": "Instagram", "rate": Decimal("0.9"),
        "minimum": 50, "maximum": 10_000, "refill": True, "cancel": True, "changed_at": NOON - HOUR,
    }  # fmt: skip
    return Service(**{**usual, **fields})


def order(status: str = Status.COMPLETED, tasks: tuple[Task, ...] = (), **fields: Any) -> Order:
    """An order that is not saved, with these tasks, newest first."""
    usual = {
        "pk": 61, "status": status, "service": service(), "quantity": 1000, "expected_charge": Decimal("0.90"),
        "placed_by": ANA, "link": "https://instagram.com/lumen", "rate_seen": Decimal("0.9"), "body": {},
    }  # fmt: skip
    made = Order(**{**usual, **fields})
    made.known_tasks = list(tasks)
    made.recall_poll(None)
    for task in tasks:
        task.order = made
    return made


def task(kind: str, outcome: str = "", over_how: str = "", **fields: Any) -> Task:
    """A task that is not saved; with an outcome it is settled, with `over_how` it is over."""
    settled = NOON if outcome else None
    over = {"over_how": over_how, "over_at": NOON if over_how else None}
    return Task(kind=kind, asked_by=ANA, asked_at=NOON, outcome=outcome, settled_at=settled, **over, **fields)


def error_of(act: Callable[[], object]) -> Lines:
    """The sentence of the error that this raises, if it raises one."""
    try:
        act()
    except ValidationError as error:
        yield from error.messages
    except Refusal as refusal:
        yield str(refusal)


# ── Refusals and form hints ──────────────────────────────────────────────────────────────────────
def rules() -> Lines:
    """Why no refill and no cancel, by status, flag, cap, refills used, and how a pending or refused task stands."""
    refills = [task(Kind.REFILL, how, slot=1, slots=3, known_at=known) for how, known in
               (("", None), (Outcome.DONE, NOON), (Outcome.DONE, None), (Outcome.UNCLEAR, None))]  # fmt: skip
    refused = [
        task(Kind.REFILL, Outcome.REFUSED, Settled.REFUSED, answer=answer)
        for answer in ("Service does not support refills", "Refill expired.", "Order not found")
    ]
    cancels = [task(Kind.CANCEL, how) for how in ("", Outcome.DONE, Outcome.UNCLEAR)]
    cancels.append(task(Kind.CANCEL, Outcome.REFUSED, Settled.REFUSED, answer="Service does not support cancellation"))
    used = [task(Kind.REFILL, Outcome.DONE, Settled.MARKED, slot=number, slots=3) for number in (1, 2, 3)]
    for cap, status, flag in product((0, 1, 3), (*Status.values, "paused"), (True, False)):
        with patch.object(settings, "REFILLS_PER_ORDER", cap):
            sold = service(refill=flag, cancel=flag)
            for before, last in product(range(cap + 1), (None, *refills, *refused)):
                tasks = (last,) if last else ()
                yield WHY_NOT[Kind.REFILL](order(status, (*tasks, *used[:before]), service=sold))
            for cancel in (None, *cancels):
                yield WHY_NOT[Kind.CANCEL](order(status, (cancel,) if cancel else (), service=sold))


def questions() -> Lines:
    """What is asked before a refill, a cancel and a withdrawal: by status, by what is delivered, by refills used."""
    used = tuple(task(Kind.REFILL, Outcome.DONE, Settled.MARKED, slot=number, slots=3) for number in (1, 2))
    unclear = task(Kind.PLACE, attempts=1, unclear_since=NOON, due_at=NOON)
    for status, remains in product((*Status.values, "paused"), (None, 0, 1, 999, 1000)):
        yield cancel_question(order(status, remains=remains)).sentence
    yield cancel_question(order(Status.QUEUED, (unclear,))).sentence
    yield withdrawal_question(order(Status.QUEUED)).sentence
    for cap, before in ((0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2)):
        with patch.object(settings, "REFILLS_PER_ORDER", cap):
            yield refill_question(order(Status.COMPLETED, used[:before])).sentence


def refusals() -> Lines:
    """What else is refused: by role, in a selection, of a service, and asking again in review."""
    for chosen in ({}, {"operator.cancel": "off"}, {"operator.money": "off"}, {"manager.export": "off"}):
        with switches_held(chosen):
            for role, what in product(Role, ACTIONS):
                yield why_not(User(username="ana", role=role), what)
    for kind, count in (("refund", 1), (Kind.REFILL, 0), (Kind.REFILL, 5_001), (Kind.REFILL, 60_000)):
        yield from error_of(lambda kind=kind, count=count: Selection.of(kind, range(count), "picked"))  # type: ignore[misc]
    held = service(held_over=Change(decided_by=ANA))
    yield from (service(active=False).why_no_order(), held.why_held())
    dearer = service(rate=Decimal("1.5"))
    dearer.undecided_moved = {"rate": ["1", "1.5"]}
    yield dearer.why_dearer(Decimal(20))
    sold = service()
    for typed in ("", "lots", "49", "1", "10001", "9" * 20):
        yield sold.read_quantity(typed)[1]
    for unclear_since in (None, timezone.now(), timezone.now() - timedelta(days=9)):
        placing = task(Kind.PLACE, Outcome.REVIEW, unclear_since=unclear_since)
        yield why_not_again(order(Status.REVIEW, (placing,)))
    yield why_not_again(order(Status.QUEUED))
    yield from door()


def form_hints() -> Lines:
    """What each field of the order form says to each kind of text that it does not take."""
    texts = ("", "two", "0", "-1", "1001", "10081", "9" * 12, "@a b", "31/12/2020", "x: y\nz", "key: 1", "a b" * 99)
    for text in texts:
        for read in READERS.values():
            yield from error_of(lambda read=read, text=text: read(text))  # type: ignore[misc]
        for asked in (INTERVAL, UNITS):
            yield from error_of(lambda asked=asked, text=text: read_whole(text, 1, 10_080, asked))  # type: ignore[misc]


# ── Timeline ─────────────────────────────────────────────────────────────────────────────────────
EVENT_FACTS = {
    "quantity": "1,000", "rate": "$0.90", "expected": "$0.90", "attempt": 2, "upstream_id": "ord_3f9a1c",
    "trouble": TROUBLE, "needs": "$0.90", "why": "Upstream refused a repeat after a lost answer, so the order may exist"
    " there.", "reason": "I looked.", "slot": 1, "slots": 3, "ref": "ref_1", "count": 1, "hours": "72",
    "now": "$1.50", "to": "In progress", "was": "Pending", "job": 4, "form": "CSV", "filter": "all orders",
    "what": "charge, remains",
    "others": "ord_77b1", "sent": 2, "left": 1, "at": "2 Nov, 12:00 UTC", "span": "1 h", "price": "$34.00",
    "whom": "customer 12",
}  # fmt: skip


def timeline() -> Lines:
    """Each kind of event, by a person and by nobody, about one and about many."""
    for kind, by, count in product(SENTENCES, (ANA, None), (1, 2, "1", "1,200")):
        yield Sentence.of(kind, by, EVENT_FACTS | {"count": count}).plain


# ── Alarms ───────────────────────────────────────────────────────────────────────────────────────
def alarm_facts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each kind of alarm with facts of each shape."""
    yield "balance", {"balance": "19.99", "below": "20"}
    yield "runway", {"balance": "170", "ends": NOON.isoformat(), "until": "06:00 UTC"}
    for by, why in product(("Ana", ""), ("Audit", "Audit.", "Why?", TROUBLE)):
        yield "sending", {"by": by, "why": why, "since": NOON.isoformat()}
    for why in ("No answer", TROUBLE):
        yield "upstream", {"why": why, "since": NOON.isoformat()}
    for new, every in ((1, 1), (2, 2), (9, 9), (1, 2), (2, 3), (9, 12), (1_000, 1_200)):
        named = list(range(61, 61 + min(new, 5)))
        yield "orders", {"new": new, "all": every, "some": named}
        yield "approvals", {"new": new, "all": every, "some": named}
        parts = [f"part {n} of plan 3" for n in range(1, min(new, 5) + 1)]
        yield "plans", {"new": new, "all": every, "some": parts}
        jumps = [[7, "Followers", was, "4"] for was in ("1", "0", "8", "1", "1")]
        yield "prices", {"new": new, "all": every, "some": jumps[: min(new, 5)], "percent": "20"}
    yield "worker", {"since": NOON.isoformat()}
    yield "worker", {"since": NOON.isoformat(), "name": "here:1"}
    yield "duplicate", {"order": 61, "ids": ["ord_3f9a1c", "ord_77b1"]}
    yield "duplicate", {"order": 61, "ids": ["ord_3f9a1c", "ord_77b1", "ord_90c2"]}
    yield "clock", {"span": "1 h", "at": NOON.isoformat()}
    for skew in ("2 min ahead of the supplier’s", "1 h behind the supplier’s"):
        yield "clock", {"skew": skew}
    for breaks in (1, 2, 1_200):
        yield "trail", {"why": "Line 4821 was removed.", "breaks": breaks}
    for failures, capped in ((20, False), (1_200, True)):
        yield "sign_ins", {"failures": failures, "capped": capped, "minutes": 15}
    for minutes in (1, 21):
        yield "worker", {"since": NOON.isoformat(), "until": (NOON + minutes * MINUTE).isoformat()}


def alarms() -> Lines:
    """What alarms say while they stand, when they are calm and when they are over, and what people choose by."""
    for kind, facts in alarm_facts():
        alarm = Alarm(kind=kind, facts=facts, raised_at=NOON)
        yield from (alarm.sentence, alarm.over_sentence)
        alarm.calm_since = NOON + MINUTE
        yield alarm.calm_sentence
    yield from (kind.about for kind in KINDS.values())
    yield Alarm(kind="of an older desk", facts={}).sentence


def settings_of_the_desk() -> Lines:
    """What each setting is for, its values in words, and what is said of texts that it does not take."""
    values = {"lasts_until": ("", "06:00 UTC"), "": ("0", "20.5")}
    for name, setting in SETTINGS.items():
        yield setting.help
        for value in values.get(name, values[""]):
            yield f"Before: {words_of(name, value)}."
            yield moved_sentence(name, None, value)
            yield moved_sentence(name, SettingChange(name=name, changed_by=ANA), value)
        for text in ("lots", "25:00", "6:00 Nowhere", "-1", "99999999999"):
            try:
                setting.read(text)
            except ValueError as wrong:
                yield str(wrong)
    yield NO_ZONE


# ── Bar and banners ──────────────────────────────────────────────────────────────────────────────
def lasts() -> Lines:
    """How long the balance lasts, in the bar and as the sentences of its page and of the receipt."""
    for balance, currency, spent, queued, hours in product(
        (None, "-1", "0", "0.5", "9.5", "50", "100000"),
        ("USD", "EUR"),
        (None, "0", "24"),
        ("0", "3", "900"),
        (0, 5, 24),
    ):
        pace = (
            Spending(at=NOON, since=NOON - hours * HOUR, spent=Decimal(spent), queued=Decimal(queued))
            if spent
            else None
        )
        left = runway(None if balance is None else Decimal(balance), currency, pace)
        told = (
            f"The desk cannot say how long it lasts: {left.words}." if left.hours is None else f"It lasts {left.words}."
        )
        yield "Nothing is left." if left.hours is not None and left.hours <= 0 else told  # as balance.html has it
        yield left.brief and f"Balance · {left.brief}."


class Bar(SimpleNamespace):
    """A status bar with these values; what is not given is well and quiet."""

    def __getattr__(self, name: str) -> None:
        return None


def templates() -> Any:
    """The environment of the pages' templates."""
    return cast(Any, engines["jinja2"]).env


def rendered(template: str, **context: Any) -> Lines:
    """The paragraphs of a template as texts."""
    user = User(username="ana", name="Ana", role=Role.VIEWER)
    with switches_held({}):
        page = templates().get_template(template).render(user=user, request=None, csrf_input="", **context)
    for paragraph in re.findall(r"<p\b.*?</p>", page, re.S):
        yield " ".join(strip_tags(paragraph).split()).replace("&#39;", "'")


class StatusBarWords(StatusBar):
    """A status bar on a desk where these roles have no worker, and others have one."""

    silent_roles: list[str] = []

    def __init__(self, silent_roles: list[str]) -> None:
        super().__init__()
        self.silent_roles = silent_roles


def banners() -> Lines:
    """The banners on top of every page."""
    now = timezone.now()
    well: dict[str, Any] = {"worker_silent": False, "undone": "", "stopped_at": None, "short_orders": 0, "trouble": "",
                            "currency": "USD", "balance": None, "balance_at": now, "silent_roles": []}  # fmt: skip
    moods: list[dict[str, Any]] = [{"worker_silent": True, "worker_at": at} for at in (None, now - HOUR)]
    for roles in (ROLES[:1], ROLES[:2], ROLES[:4]):
        moods.append({"undone": StatusBarWords(list(roles)).undone, "silent_roles": roles})
    for by, why in product(("Ana", ""), ("Audit", "Audit.")):
        moods.append({"stopped_at": now - HOUR, "stopped_by": by, "stopped_why": why})
    for count, missing, balance in product((1, 2), (None, Decimal(0), Decimal(3)), (None, Decimal("1.20"))):
        moods.append({"short_orders": count, "short": Decimal("4.20"), "missing": missing, "balance": balance})
    moods.append({"currency": "EUR", "balance": Decimal(3)})
    for since, until in product((None, now - HOUR), (None, now + MINUTE)):
        moods.append({"trouble": TROUBLE, "trouble_since": since, "paused_until": until})
    for mood in moods:
        yield from rendered("site/_trouble.html", bar=Bar(**{**well, **mood}))


# ── An order ─────────────────────────────────────────────────────────────────────────────────────
def placing_tasks() -> Iterator[Task | None]:
    """How the sending of an order may stand."""
    later = timezone.now() + MINUTE
    yield None
    yield task(Kind.PLACE, due_at=later)
    for attempts, unclear, answer, needs in product((1, 2, 3), (None, NOON), ("", TROUBLE), (None, Decimal("0.9"))):
        yield task(Kind.PLACE, due_at=later, attempts=attempts, unclear_since=unclear, answer=answer, needs=needs)
    for outcome in Outcome.values:
        yield task(Kind.PLACE, outcome, attempts=1, answer="Some words." if outcome != Outcome.DONE else "ord_1")


def customer_texts() -> Lines:
    """What is copied for the customer, by status, figures, and what became of the last refill or cancel."""
    aftersale = [
        task(kind, outcome, over_how, answer=answer, known_at=known)
        for kind, outcome, over_how, answer, known in product(
            (Kind.REFILL, Kind.CANCEL), ("", Outcome.DONE, Outcome.UNCLEAR, Outcome.REFUSED), ("", *Settled.values),
            ("No", "No."), (None, NOON),
        )
        if not (over_how and not outcome)
    ]  # fmt: skip
    texts = Texts(ENGLISH, {key: situation.text for key, situation in SITUATIONS.items()})

    def for_customer(order: Order) -> Lines:
        yield from (texts.answer(order, asked).text for asked in ("", *AFTERSALE))

    yield texts.unknown("#48999").text
    for status, remains, reported in product((*Status.values, "paused"), (None, 0, 650), (None, NOON)):
        for last in (None, *aftersale):
            if last is None or last.over_how != Settled.REFUSED or last.answer:
                yield from for_customer(order(status, (last,) if last else (), remains=remains, reported_at=reported))
    for placing in placing_tasks():
        for status in (Status.QUEUED, Status.REVIEW, Status.REJECTED):
            yield from for_customer(order(status, (placing,) if placing else ()))


def freshness() -> Lines:
    """The line under a status: how fresh it is, or what the trouble is."""
    line = templates().get_template("orders/table/_freshness.html").module.freshness
    for placing, status, stopped, by_itself in product(
        list(placing_tasks()), (Status.QUEUED, Status.REVIEW, Status.REJECTED), (None, NOON), (True, False)
    ):
        made = order(status, (placing,) if placing else (), send_when_funded=by_itself)
        yield as_sentence(line(made, placing, stopped, Times.of(made), ROW_ACTIONS))
    for status, left_out, missing, reported in product(
        (Status.QUEUED, Status.PENDING, Status.COMPLETED), (0, 1, 3), (None, NOON), (None, NOON)
    ):
        made = order(status, upstream_id="ord_1", left_out=left_out, missing_since=missing, reported_at=reported)
        yield as_sentence(line(made, None, None, Times.of(made), ROW_ACTIONS))


def as_sentence(html: object) -> str:
    """A line of a row as a sentence: without its buttons, beginning with a capital and ending with a full stop."""
    words = " ".join(strip_tags(re.sub(r"<button.*?</button>", "", str(html), flags=re.S)).split())
    return words and words[0].upper() + words[1:] + ("" if words[-1] in ".!?”" else ".")


def anomalies() -> Lines:
    """What of an order's facts surprises."""
    made = order(Status.IN_PROGRESS)
    for charge, currency, remains, said in product(
        (None, "-1", "0", "0.5", "0.91", "9"), ("USD", "EUR"), (None, -5, 1, 5000),
        ({}, {"charge": "x"}, {"charge": "", "remains": "y"}, {"status": "in_progress"}),
    ):  # fmt: skip
        for status in ("paused", Status.COMPLETED):
            facts = Facts(status, None if charge is None else Decimal(charge), currency, remains, said)
            yield from (kind.sentence(facts, made) for kind in ANOMALIES.values() if kind.stands(facts, made))
    yield from (kind.past_sentence for kind in ANOMALIES.values())


def usual_times() -> Lines:
    """What is usual for a service, and for which orders."""
    spans = (None, timedelta(seconds=40), 110 * MINUTE)
    for start, finish, count in product(spans, spans, (20, 200)):
        usual = UsualTimes(start, start, finish, finish, count, count, 1000, None)
        yield usual.words
        yield usual.words and f"Read from {usual.made_of}."


def task_notes() -> Lines:
    """What is known of a refill or cancel beyond its state, and the states."""
    for kind, outcome, how in product(STATES, ("", *Outcome.values), ("", *Settled.values)):
        yield state_note(order(Status.COMPLETED, (task(kind, outcome, how),)).tasks_newest_first[0])  # type: ignore[index]
    yield from (f"{state.label}." for states in STATES.values() for state in states.values())


GROUPS: dict[str, Callable[[], Lines]] = {
    "why no refill, why no cancel": rules,
    "asked before a refill or a cancel": questions,
    "other refusals": refusals,
    "form hints": form_hints,
    "timeline": timeline,
    "alarms": alarms,
    "settings of the desk": settings_of_the_desk,
    "how long the balance lasts": lasts,
    "banners": banners,
    "customer texts": customer_texts,
    "limits and approvals": limits,
    "under a status": freshness,
    "anomalies": anomalies,
    "usual times": usual_times,
    "refills and cancels": task_notes,
    "among the team": team_words,
}


def sentences(group: str) -> list[str]:
    """The sentences of a group, each once, in the order in which they come."""
    return [line for line in dict.fromkeys(GROUPS[group]()) if line]


def show() -> None:
    """Prints all sentences, by group."""
    for name in GROUPS:
        print(f"\n── {name} ──", *sentences(name), sep="\n")
