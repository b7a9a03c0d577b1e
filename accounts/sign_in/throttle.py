"""Who may try a password now. It is asked before a password is hashed, because a hash is what a flood costs.

Everything is counted per account, whichever way the account is named; names that nobody has are counted alike. A try
needs room in one of three ways:

1. a device with which this person has signed in before has a count of its own,
2. so has this account together with an address from which the person has signed in before,
3. strangers share the rest: an address has few tries, an account some more, and the whole desk a number in all.
   An account whose tries are used up still gives each other address one, so strangers do not lock a colleague out.

Host names, ports and headers of a request play no part, and an address is what panel/web/visitor.py makes of it.
"""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from accounts.models import SignInCount, User
from panel.ops.database import quoted
from panel.web.visitor import network_of

WINDOW_SECONDS = 600
KNOWN_TRIES = 5  # of a known device, and as many from a known address
ADDRESS_TRIES = 3  # of a stranger, for whatever account
ACCOUNT_TRIES = 20  # of all strangers together for one account; beyond them each address has one
DESK_TRIES = 300  # of all strangers together: what a flood from very many addresses costs at most
NOTED_REFUSALS = 1  # that are recorded of an address within the window


class Count(NamedTuple):
    """Something that is counted, and how often it may happen within the window."""

    key: str
    most: int


class Try(NamedTuple):
    """One try of a password. `known_device` and `known_address` say where the person has signed in before."""

    account: str  # by `account_of`
    address: str
    device: str = ""  # by the browser's cookie; "" for none
    known_device: bool = False
    known_address: bool = False


Way = Sequence[Count]  # all of these must have room


def account_of(person: User | None, login: str) -> str:
    """What an account is counted by: one text for its username and its e-mail address, and one for an unknown name."""
    return f"person {person.pk}" if person else f"nobody {' '.join(login.casefold().split())}"


def key_of(*parts: str) -> str:
    """The key of a count. It cannot be computed without SECRET_KEY, so the table tells no names that were tried."""
    return salted_hmac("accounts.sign_in.throttle", "\0".join(parts), algorithm="sha256").hexdigest()


def ways_of(attempt: Try) -> list[Way]:
    """The ways in which this try may have room, the first that has some counts."""
    network = network_of(attempt.address)
    ways: list[Way] = []
    if attempt.known_device:
        ways.append([Count(key_of("device", attempt.account, attempt.device), KNOWN_TRIES)])
    if attempt.known_address:
        ways.append([Count(key_of("known address", attempt.account, attempt.address), KNOWN_TRIES)])
    stranger = [Count(key_of("desk"), DESK_TRIES), Count(key_of("address", network), ADDRESS_TRIES)]
    ways.append([*stranger, Count(key_of("account", attempt.account), ACCOUNT_TRIES)])
    ways.append([*stranger, Count(key_of("account from", attempt.account, network), 1)])
    return ways


def take(attempt: Try, now: float | None = None) -> list[str] | None:
    """Counts this try, and returns the keys under which it did; None when there is no room for it.

    A refusal only reads, however many there are.
    """
    moment = int(now if now is not None else time.time())
    ways = ways_of(attempt)
    used = tries_now([count.key for way in ways for count in way], moment)
    for way in ways:
        if all(used.get(count.key, 0) < count.most for count in way) and take_all(way, moment):
            return [count.key for count in way]
    return None


def take_all(counts: Iterable[Count], moment: int) -> bool:
    """Counts one more of each, or of none when one of them has no room left."""
    with transaction.atomic():
        for count in sorted(counts):  # in one order, so that two at once do not wait for each other
            if not take_one(count, moment):
                transaction.set_rollback(True)
                return False
    return True


def take_one(count: Count, moment: int) -> bool:
    """Counts one more, in one statement, so that tries at the same time do not both take the last. False: no room."""
    table = quoted(SignInCount._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (key, tries, ends_at) VALUES (%s, 1, %s) "  # noqa: S608  names of ours
            "ON CONFLICT (key) DO UPDATE SET "
            f"tries = CASE WHEN {table}.ends_at <= %s THEN 1 ELSE {table}.tries + 1 END, "
            f"ends_at = CASE WHEN {table}.ends_at <= %s THEN excluded.ends_at ELSE {table}.ends_at END "
            f"WHERE {table}.ends_at <= %s OR {table}.tries < %s RETURNING tries",
            [count.key, moment + WINDOW_SECONDS, moment, moment, moment, count.most],
        )
        return cursor.fetchone() is not None


def give_back(keys: Iterable[str]) -> None:
    """Takes back a try that was no guess: the password was right."""
    SignInCount.objects.filter(key__in=list(keys), tries__gt=0).update(tries=F("tries") - 1)


def tries_now(keys: Iterable[str], moment: int) -> dict[str, int]:
    """How often each of these was tried within its window."""
    rows = SignInCount.objects.filter(key__in=list(keys), ends_at__gt=moment)
    return dict(rows.values_list("key", "tries"))


def has_room(*parts: str, most: int, now: float | None = None) -> bool:
    """Counts one more of what these parts name. False when there were `most` within the window; then it only reads."""
    moment = int(now if now is not None else time.time())
    count = Count(key_of(*parts), most)
    return tries_now([count.key], moment).get(count.key, 0) < most and take_one(count, moment)


def first_refusal(attempt: Try, now: float | None = None) -> bool:
    """Whether this refusal is the first of its address within the window: only that is recorded."""
    return has_room("noted", network_of(attempt.address), most=NOTED_REFUSALS, now=now)


def wait_seconds(attempt: Try, now: float | None = None) -> int:
    """After how many seconds there is room again in one of the ways."""
    moment = int(now if now is not None else time.time())
    ways = ways_of(attempt)
    rows = SignInCount.objects.filter(key__in={count.key for way in ways for count in way}, ends_at__gt=moment)
    kept = {key: (tries, ends_at) for key, tries, ends_at in rows.values_list("key", "tries", "ends_at")}
    nothing = (0, moment)
    waits = [max(ends_at for count in way for tries, ends_at in [kept.get(count.key, nothing)] if tries >= count.most)
             for way in ways if any(kept.get(count.key, nothing)[0] >= count.most for count in way)]  # fmt: skip
    return max(1, min(waits, default=moment) - moment)
