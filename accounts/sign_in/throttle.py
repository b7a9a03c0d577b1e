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
NOTED_IN_ALL = 100  # and of all addresses: a flood from very many does not fill the record


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


class Refused(NamedTuple):
    """There is no room for a try: for how many seconds, and whether that is the first refusal of its address."""

    seconds: int
    first: bool


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


def take(attempt: Try, now: float | None = None) -> "list[str] | Refused":
    """Counts this try, and returns the keys under which it did; Refused when there is no room for it.

    A refusal is one question to the database, however many there are; the first of an address also writes a row.
    """
    moment = int(now if now is not None else time.time())
    ways = ways_of(attempt)
    noted = [Count(key_of("noted", network_of(attempt.address)), NOTED_REFUSALS), Count(key_of("noted"), NOTED_IN_ALL)]
    held = counted_now([count.key for way in (*ways, noted) for count in way], moment)
    for way in ways:
        if not any(is_full(count, held) for count in way) and take_all(way, moment):
            return [count.key for count in way]
    waits = [max((held[count.key][1] for count in way if is_full(count, held)), default=moment) for way in ways]
    first = not any(is_full(count, held) for count in noted) and take_all(noted, moment)
    return Refused(max(1, min(waits) - moment), first)


def is_full(count: Count, held: dict[str, tuple[int, int]]) -> bool:
    """Whether there is no room in this count."""
    return count.key in held and held[count.key][0] >= count.most


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


def counted_now(keys: Iterable[str], moment: int) -> dict[str, tuple[int, int]]:
    """Of each of these that was tried within its window: how often, and when the window ends."""
    rows = SignInCount.objects.filter(key__in=list(keys), ends_at__gt=moment)
    return {key: (tries, ends_at) for key, tries, ends_at in rows.values_list("key", "tries", "ends_at")}


def has_room(*parts: str, most: int, now: float | None = None) -> bool:
    """Counts one more of what these parts name. False when there were `most` within the window; then it only reads."""
    moment = int(now if now is not None else time.time())
    count = Count(key_of(*parts), most)
    return not is_full(count, counted_now([count.key], moment)) and take_one(count, moment)
