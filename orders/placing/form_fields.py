"""Reads each field of the order form: text as typed, to what goes to upstream."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError

from orders.rules import links
from orders.rules.service_types import DRIP_FEED
from panel.format.numbers import digits_of, number
from panel.format.times import today

MOST_TEXT = 200_000  # characters of a field with many lines
MOST_COUPON = 100
LARGEST = 10**9  # of a number of posts or minutes
OURS = frozenset(("key", "action", "service", "request_id", "link", "quantity", *DRIP_FEED, "coupon"))
UPSTREAMS_DATE = "%d/%m/%Y"  # the trade's way to write `expiry`


def whole(text: str, least: int, most: int, what: str) -> int:
    digits = digits_of(text)
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > len(str(LARGEST)):
        raise ValidationError(f"Write the {what} as a whole number." if text else f"How many {what}?")
    if not least <= int(digits) <= most:
        raise ValidationError(f"Between {number(least)} and {number(most)}; {number(int(digits))} is not.")
    return int(digits)


def lines(text: str) -> str:
    """The lines that are not blank."""
    if len(text) > MOST_TEXT:
        raise ValidationError(f"At most {number(MOST_TEXT)} characters; these are {number(len(text))}.")
    kept = [line.strip() for line in text.splitlines() if line.strip()]
    if not kept:
        raise ValidationError("Write at least one line.")
    return "\n".join(kept)


def user_name(text: str) -> str:
    if not text:
        raise ValidationError("Whose posts? Write the user name.")
    if not (found := links.name_of(text)):
        raise ValidationError("Write one user name, such as @lumen.studio.")
    return found


def day(text: str) -> str:
    """A day to come, as upstream writes it; typed as 2026-12-31 or 31/12/2026."""
    for pattern in ("%Y-%m-%d", UPSTREAMS_DATE):
        try:
            found: date = datetime.strptime(text, pattern).date()  # noqa: DTZ007  a day, no moment
        except ValueError:
            continue
        if found < today():
            raise ValidationError("This day is over.")
        return found.strftime(UPSTREAMS_DATE)
    raise ValidationError("Write the day as 31/12/2026.")


def further(text: str) -> dict[str, str]:
    """`name: value` lines; a name written twice makes lines of one value."""
    found: dict[str, str] = {}
    for line in lines(text).splitlines():
        what, colon, value = (part.strip() for part in line.partition(":"))
        if not (colon and value and what.isascii() and what.isidentifier() and len(what) <= 40):
            raise ValidationError(f"Write each line as name: value; “{line[:60]}” is not.")
        if what.lower() in OURS:
            raise ValidationError(f"“{what}” is the desk’s own to send.")
        found[what] = f"{found[what]}\n{value}" if what in found else value
    return found


def coupon(text: str) -> str:
    if len(text) > MOST_COUPON or not text.isprintable() or " " in text:
        raise ValidationError("This is no coupon: one word, at most 100 characters.")
    return text


def answer(text: str) -> int:
    return whole(text, 1, 1000, "answer as its number, and")


READERS: dict[str, Callable[[str], Any]] = {
    "comments": lines, "usernames": lines, "answer_number": answer, "username": user_name, "expiry": day,
    "other": further, "coupon": coupon,
    **{what: (lambda text: whole(text, 0, LARGEST, "posts or minutes")) for what in ("posts", "old_posts", "delay")},
}  # fmt: skip
