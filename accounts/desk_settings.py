"""What managers set for the whole desk: when alarms are raised, how long an order can be undone, when it is late.

The environment gives each setting its first value. A signed-in person's requests get the values in the query that reads
the person (`UserManager.get`), so they cost no statement; all others read them when they first need them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from accounts.access import ACTIONS, OFF, ON, PLURALS, RANK, Role, plural_of, switch_name, switches_held
from accounts.models import UNDO_SECONDS, DeskSettings, SettingChange, TrailLine, User
from accounts.trail.record import change_line
from panel.format.locale import for_the_record
from panel.format.money import money
from panel.format.numbers import amounts_of, marked, number
from panel.format.times import zone_name, zone_named
from panel.ops.database import ONLY_ROW, only_row

Chosen = Mapping[str, str]  # name of a setting → its value as text, for those that somebody has set

MOST_DOLLARS = 10**9
MOST_DELAY_SECONDS = 3600
MOST_GRACE_HOURS = 720
MOST_FACTOR_DAYS = 90
MOST_APPROVAL_HOURS = 168
NOBODY = "nobody"  # in place of a role
CHANGES_READ = 100  # of one setting in an hour
CLOCK_TIME = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])(?:\s+(\S+))?")


class ClockTime(NamedTuple):
    """A time of day in a time zone."""

    at: time
    zone: str  # as the IANA names it

    def __str__(self) -> str:
        return f"{self.at:%H:%M} {self.zone}"

    def next(self, now: datetime) -> datetime:
        """The first moment after this one at which the clock there shows this time."""
        here = now.astimezone(zone_named(self.zone) or ZoneInfo("UTC"))
        today = datetime.combine(here.date(), self.at, here.tzinfo)
        return today if today > now else datetime.combine(here.date() + timedelta(days=1), self.at, here.tzinfo)


class Values(NamedTuple):
    """The values that hold now. Each field is a key of SETTINGS."""

    low_balance: Decimal  # USD
    lasts_until: ClockTime | None
    price_jump_percent: Decimal
    send_delay_seconds: Decimal
    late_grace_hours: Decimal
    factor_from: str = Role.MANAGER  # the first role that needs a second factor, or NOBODY
    factor_grace_days: Decimal = Decimal(7)
    # What may be spent, in USD; None: no limit. orders/limits/ reads these.
    operator_order_limit: Decimal | None = None
    operator_day_limit: Decimal | None = None
    operator_approve_from: Decimal | None = None
    manager_order_limit: Decimal | None = None
    manager_day_limit: Decimal | None = None
    manager_approve_from: Decimal | None = None
    owner_order_limit: Decimal | None = None
    owner_day_limit: Decimal | None = None
    owner_approve_from: Decimal | None = None
    team_day_limit: Decimal | None = None
    held_limit: Decimal | None = None
    approval_hours: Decimal = Decimal(2)
    day_zone: str = "UTC"
    margin_floor_percent: Decimal = Decimal(0)

    @property
    def late_grace(self) -> timedelta:
        """How much longer than 95 of 100 orders of its service an order may take before it is late."""
        return timedelta(hours=float(self.late_grace_hours))


def needs_factor(role: str, factor_from: str) -> bool:
    """Whether a person with this role needs a second factor, where it is asked for from `factor_from` on."""
    return factor_from != NOBODY and RANK[Role(role)] >= RANK[Role(factor_from)]


# ── How a value is read and told ─────────────────────────────────────────────────────────────────
def read_number(least: int, most: int) -> Callable[[str], Decimal]:
    """Reads a number from `least` to `most`, as the reader writes numbers."""

    def read(text: str) -> Decimal:
        amounts = amounts_of(text.removesuffix("%").strip().removeprefix("$"))
        if len(amounts) != 1 or amounts[0].normalize().as_tuple().exponent < -6:  # type: ignore[operator]
            raise ValueError("Write a number, such as 20, without a mark for thousands.")
        if not least <= amounts[0] <= most:
            raise ValueError(f"Write a number from {number(least)} to {number(most)}.")
        return amounts[0].normalize()

    return read


def read_limit(text: str) -> Decimal | None:
    """Reads an amount in dollars; None for an empty text, which means no limit."""
    return read_number(0, MOST_DOLLARS)(text) if text.strip() else None


def limit_words(limit: Decimal | None) -> str:
    """A limit in a sentence."""
    return "no limit" if limit is None else money(limit)


def read_zone(text: str) -> str:
    """Reads the name of a time zone; UTC for an empty text."""
    name = text.strip() or "UTC"
    if name != "UTC" and zone_named(name) is None:
        raise ValueError("The desk does not know this time zone. Write its name like Europe/Berlin, or UTC.")
    return name


def read_clock_time(text: str) -> ClockTime | None:
    """Reads a time of day, on the reader's clock unless a zone follows; None for an empty text, which means never."""
    if not text.strip():
        return None
    found = CLOCK_TIME.fullmatch(text.strip())
    if not found:
        raise ValueError("Write a time such as 06:00, or leave it empty for no alarm.")
    zone = found[3] or zone_name()
    if zone != "UTC" and zone_named(zone) is None:
        raise ValueError("The desk does not know this time zone. Write its name like Europe/Berlin, or none for yours.")
    return ClockTime(time(int(found[1]), int(found[2])), zone)


def read_factor_from(text: str) -> str:
    """Reads a role, or NOBODY."""
    if text not in FACTOR_FROM:
        raise ValueError("This cannot be chosen. Choose one of those shown.")
    return text


FACTOR_FROM: dict[str, str] = {NOBODY: "nobody", **{role: plural_of([*Role][RANK[role] :]) for role in reversed(Role)},
               Role.VIEWER: "everybody"}  # fmt: skip


def read_switch(text: str) -> str:
    """Reads ON or OFF."""
    if text not in (ON, OFF):
        raise ValueError("A switch is on or off.")
    return text


def plain(value: object) -> str:
    """A value as it is stored: read again, it is the same."""
    return "" if value is None else f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def typed(value: object) -> str:
    """A value as the reader would type it."""
    return marked(plain(value)) if isinstance(value, Decimal) else plain(value)


class Setting(NamedTuple):
    """One thing that managers set."""

    label: str
    unit: str  # what stands behind the field
    help: str
    first: Callable[[], str]  # its value until somebody sets it, as the environment says
    read: Callable[[str], Any]  # what a person typed; raises a ValueError with a sentence for them
    words: Callable[[Any], str]  # the value in a sentence
    of_text: Callable[[str], Any] = Decimal  # what `plain` wrote
    choices: Mapping[str, str] = {}  # value → words, where it is chosen and not typed
    set_by: str = "settings"  # a key of ACTIONS: what a person must be allowed to set it
    page: str = "desk"  # on which page it stands: the desk’s settings, or the limits of the team

    @property
    def is_money(self) -> bool:
        """Whether its value is an amount, which not everybody may see."""
        return self.words in (money, limit_words)


def _limit(label: str, help: str) -> Setting:
    """A limit in dollars, which owners set on the page of limits; there is none until somebody sets it."""
    return Setting(label, "US dollars", help, str, read_limit, limit_words,
                   lambda text: Decimal(text) if text else None, {}, "people", "limits")  # fmt: skip


def _limits_of(role: str, plural: str) -> dict[str, Setting]:
    return {
        f"{role}_order_limit": _limit(f"{plural}: one order", "The most that one order may cost. Empty: no limit."),
        f"{role}_day_limit": _limit(f"{plural}: a day", "The most that one person may spend a day. Empty: no limit."),
        f"{role}_approve_from": _limit(
            f"{plural}: approval from", "From this sum on, a second person approves an order first. Empty: never."
        ),
    }


SETTINGS: dict[str, Setting] = {
    "low_balance": Setting(
        "Low balance", "US dollars", "Below it the balance is marked, and an alarm is raised. 0: no alarm.",
        lambda: str(settings.LOW_BALANCE), read_number(0, MOST_DOLLARS), money,
    ),
    "lasts_until": Setting(
        "Balance must last until", "",
        "An alarm is raised when the balance ends before this time, at the pace of the last 24 hours and with what is "
        "queued. A time is on your own clock unless a zone follows it: 06:00 Europe/Berlin. Empty: no alarm.",
        lambda: str(settings.BALANCE_LASTS_UNTIL), read_clock_time, lambda value: str(value) if value else "no alarm",
        read_clock_time,
    ),
    "price_jump_percent": Setting(
        "Price jump", "percent",
        "A rate that moved by more raises an alarm. One that rose by more takes a tick beside “Place order” until "
        "somebody has decided about it.",
        lambda: str(settings.PRICE_JUMP_PERCENT), read_number(1, 1000), lambda value: f"{typed(value)} %",
    ),
    "send_delay_seconds": Setting(
        "Sending delay", "seconds",
        "How long a new order can be undone before it is sent. 0: it is sent at once. Each person may choose a "
        "longer time for their own orders, up to 60 seconds.",
        lambda: str(settings.SEND_DELAY_SECONDS), read_number(0, MOST_DELAY_SECONDS), lambda value: f"{typed(value)} s",
    ),
    "late_grace_hours": Setting(
        "Late", "hours more",
        "An order is late when it takes so many hours longer than 95 of 100 of its service’s last orders did.",
        lambda: str(settings.LATE_GRACE_HOURS), read_number(0, MOST_GRACE_HOURS), lambda value: f"{typed(value)} h",
    ),
    "margin_floor_percent": Setting(
        "Least margin", "percent", "An order whose customer pays less above its cost is warned of. 0: only below cost.",
        lambda: "0", read_number(0, 99), lambda value: f"{typed(value)} %", set_by="prices",
    ),
    "factor_from": Setting(
        "Second factor", "", "Who must sign in with a code or a passkey as well. Everybody else may.",
        lambda: str(Role.MANAGER), read_factor_from, lambda value: FACTOR_FROM[value], read_factor_from, FACTOR_FROM,
        "people",
    ),
    "factor_grace_days": Setting(
        "Time to set it up", "days",
        "So long people can still work without it: from when they are added, get a role that needs it, or it is first "
        "asked of them. After that they can do nothing but set one up. 0: at once.",
        lambda: "7", read_number(0, MOST_FACTOR_DAYS), lambda value: f"{typed(value)} d", set_by="people",
    ),
    **_limits_of("operator", "Operators"),
    **_limits_of("manager", "Managers"),
    **_limits_of("owner", "Owners"),
    "team_day_limit": _limit(
        "The whole team, a day",
        "No order goes beyond it, and no approval either: only raising it helps. Empty: no limit.",
    ),
    "held_limit": _limit(
        "An order of a service on hold", "The most that it may cost. 0: none can be placed. Empty: as any other order."
    ),
    "approval_hours": Setting(
        "An order waits for approval", "hours", "When nobody has decided until then, it expires and nothing is sent.",
        lambda: "2", read_number(0, MOST_APPROVAL_HOURS), lambda value: f"{typed(value)} h", set_by="people",
        page="limits",
    ),
    "day_zone": Setting(
        "The day begins at midnight in", "", "A time zone such as Europe/Berlin. What was spent counts anew from then "
        "on. Orders that are placed already keep their day.",
        lambda: "UTC", read_zone, str, str, set_by="people", page="limits",
    ),
}  # fmt: skip

# The switches of access.py, which owners move on the page of the roles. They are kept and changed like settings.
SWITCHES: dict[str, Setting] = {
    switch_name(role, action): Setting(
        f"{PLURALS[role].capitalize()} {row.words}", "", row.help, partial(str, row.cell(role)), read_switch, str,
        read_switch, set_by="people",
    )
    for action, row in ACTIONS.items()
    for role in Role
    if row.cell(role) in (ON, OFF)
}  # fmt: skip
ALL = {**SETTINGS, **SWITCHES}


# ── What holds now ───────────────────────────────────────────────────────────────────────────────
_HELD: ContextVar[Values | None] = ContextVar("desk settings", default=None)


def values_of(chosen: Chosen | None) -> Values:
    """All values: those that somebody set, and the first values of the others."""
    return Values(**{name: value_of(name, chosen or {}) for name in SETTINGS})


def value_of(name: str, chosen: Chosen) -> Any:
    """A setting's value; its first value where nobody has set it, or where what is stored cannot be read."""
    setting = ALL[name]
    try:
        return setting.of_text(chosen[name])
    except (KeyError, ValueError, ArithmeticError):
        return setting.of_text(setting.first())


def current() -> Values:
    """The values that hold now: those that the request or the round holds, else read by one statement."""
    return _HELD.get() or values_of(stored())


def stored() -> Chosen:
    """What somebody has set, read now."""
    return DeskSettings.objects.filter(pk=ONLY_ROW).values_list("chosen", flat=True).first() or {}


def desk_delay() -> timedelta:
    """How long orders can be undone of people who have chosen no time of their own; nobody's wait for less."""
    return timedelta(seconds=float(current().send_delay_seconds))


def undo_window(person: Any) -> timedelta:
    """How long this person can undo a new order before it is sent: as they chose, not less than the desk's delay."""
    return max(desk_delay(), timedelta(seconds=person.undo_seconds))


def longest_delay(now: datetime) -> timedelta:
    """The longest undo window that may still run: each stays as long as it was when it began."""
    since = now - timedelta(seconds=MOST_DELAY_SECONDS)
    lately = SettingChange.objects.filter(name="send_delay_seconds", changed_at__gte=since).order_by("-pk")
    seconds = [current().send_delay_seconds, *map(Decimal, lately.values_list("was", flat=True)[:CHANGES_READ])]
    return timedelta(seconds=float(max(*seconds, Decimal(UNDO_SECONDS[-1]))))


@contextmanager
def held(chosen: Chosen | None) -> Iterator[None]:
    """Inside, these values hold without a further statement."""
    before = _HELD.set(values_of(chosen))
    try:
        with switches_held(chosen):
            yield
    finally:
        _HELD.reset(before)


# ── Changing them ────────────────────────────────────────────────────────────────────────────────
class Moved(Exception):
    """Somebody else has changed settings since the form was shown. Maps their names to the last change of each."""

    def __init__(self, changes: dict[str, SettingChange | None]) -> None:
        super().__init__(*changes)
        self.changes = changes


def change(wanted: Chosen, seen: Chosen, *, by: User, at: datetime) -> list[SettingChange]:
    """Sets what is wanted, and records who set it, when, and the value before. Returns what changed.

    `seen` are the values that the form showed. Nothing is set when one of the wanted has changed since: raises Moved.
    """
    with transaction.atomic():
        if not DeskSettings.objects.filter(pk=ONLY_ROW).exists():
            only_row(DeskSettings)
        row = DeskSettings.objects.select_for_update().get(pk=ONLY_ROW)
        now = {name: plain(value_of(name, row.chosen)) for name in wanted}
        if moved := [name for name in wanted if now[name] not in (seen.get(name), wanted[name])]:
            raise Moved({name: SettingChange.objects.newest(name) for name in moved})
        changes = [
            SettingChange(name=name, was=now[name], now=text, changed_by=by, changed_at=at)
            for name, text in wanted.items()
            if text != now[name]
        ]
        if not changes:
            return []
        row.chosen = {**row.chosen, **{changed.name: changed.now for changed in changes}}
        row.save(update_fields=["chosen"])
        for changed in changes:
            if changed.name == "factor_from":  # whom it is newly asked of get the days in full
                roles = [role for role in Role if needs_factor(role, changed.now) > needs_factor(role, changed.was)]
                User.objects.filter(role__in=roles).update(factor_asked_at=at)
        with for_the_record():
            TrailLine.objects.bulk_create([line_of(changed, by, at) for changed in changes])
        return SettingChange.objects.bulk_create(changes)


def label_of(name: str) -> str:
    """What a setting or a switch is called; its own name for one that is no more."""
    return ALL[name].label if name in ALL else name.replace("_", " ")


def line_of(changed: SettingChange, by: User, at: datetime) -> TrailLine:
    """The line of the trail about a changed setting."""
    name = changed.name
    return change_line(
        "setting_changed", by=by, at=at, thing="setting", label=label_of(name),
        before={name: words_of(name, changed.was)}, after={name: words_of(name, changed.now)},
    )  # fmt: skip


def words_of(name: str, text: str) -> str:
    """A stored value as a person reads it, for the record of changes; the text itself where it cannot be read."""
    setting = ALL.get(name)
    try:
        return setting.words(setting.of_text(text)) if setting else text
    except (ValueError, ArithmeticError):
        return text
