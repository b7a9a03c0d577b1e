"""Reads what was typed for one order: from the texts to the values that go to upstream.

Each reader of a field raises a ValidationError with a sentence for the person. TypedOrder reads a whole order by them;
the form of one order and the list of a mass order do so, and say the same about the same mistake.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from catalog.models import Service
from catalog.networks import Network
from orders.rules import links
from orders.rules.service_types import DRIP_FEED, FIELDS, form_fields_of, service_type_of
from panel.format.numbers import digits_of, number
from panel.format.times import today

LONGEST_LINES_CHARACTERS = 200_000  # of a field with many lines
LONGEST_COUPON_CHARACTERS = 100
LONGEST_NAME_CHARACTERS = 40  # of a further field
QUOTED_LINE_CHARACTERS = 60  # of a line that cannot be read
LARGEST_NUMBER = 10**9  # of posts or minutes
LARGEST_ANSWER = 1000  # of a poll
LONGEST_INTERVAL_MINUTES = 7 * 24 * 60  # our own limit, against a slip of the finger; the supplier documents none
MOST_RUNS = 1000  # our own limit, against a slip of the finger; the supplier documents none
OUR_FIELDS = frozenset(("key", "action", "service", "request_id", "link", "quantity", *DRIP_FEED, "coupon"))
UPSTREAM_DATE = "%d/%m/%Y"  # how the trade writes `expiry`


class Asked(NamedTuple):
    """How the form speaks of a number: `Write {what} as a whole number.`, and what it asks where none was typed."""

    what: str
    question: str


# Whole sentences for each field: one that is put together fits some of them only.
ANSWER = Asked("the number of the answer", "Which answer? Write its number; 1 is the first.")
RUNS = Asked("the number of runs", "How many runs?")
INTERVAL = Asked("the minutes between the runs", "How many minutes between the runs?")
UNITS = Asked("the units per post", "How many units a post?")
NEW_POSTS = Asked("the number of new posts", "How many new posts?")
OLD_POSTS = Asked("the number of old posts", "How many old posts?")
DELAY = Asked("the delay in minutes", "How many minutes of delay?")


def read_whole(text: str, least: int, most: int, asked: Asked) -> int:
    """A whole number from `least` to `most`, both allowed."""
    digits = digits_of(text)
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > len(str(LARGEST_NUMBER)):
        raise ValidationError(f"Write {asked.what} as a whole number." if text else asked.question)
    if not least <= int(digits) <= most:
        raise ValidationError(f"Between {number(least)} and {number(most)}; {number(int(digits))} is not.")
    return int(digits)


def read_lines(text: str) -> str:
    """The lines that are not blank, without blanks around each."""
    if len(text) > LONGEST_LINES_CHARACTERS:
        most = number(LONGEST_LINES_CHARACTERS)
        raise ValidationError(f"At most {most} characters; these are {number(len(text))}.")
    if not (lines := [line.strip() for line in text.splitlines() if line.strip()]):
        raise ValidationError("Write at least one line.")
    return "\n".join(lines)


def read_user_name(text: str, network: Network | None) -> str:
    """The bare name in `@name`, `name` or a link that names a profile of this network (None: of any)."""
    if not text:
        raise ValidationError("Whose posts? Write the user name.")
    if not (name := links.name_of(text, network)):
        where = f" on {network.name}" if network else ""
        why = f"This link names no profile{where}. " if "/" in text else ""
        raise ValidationError(f"{why}Write one user name, such as @lumen.studio.")
    return name


def read_day(text: str) -> str:
    """Today or a later day, as upstream writes it; typed as 2026-12-31 or 31/12/2026."""
    for pattern in ("%Y-%m-%d", UPSTREAM_DATE):
        try:
            day = datetime.strptime(text, pattern).date()  # noqa: DTZ007  a day, no moment
        except ValueError:
            continue
        if day < today():
            raise ValidationError("This day is over. Write today or a later day.")
        return day.strftime(UPSTREAM_DATE)
    raise ValidationError("Write the day as 31/12/2026.")


def read_further_fields(text: str) -> dict[str, str]:
    """Name → value, from lines of `name: value`. A name that is written again adds a line to its value."""
    fields: dict[str, str] = {}
    for line in read_lines(text).splitlines():
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not (colon and value and name.isascii() and name.isidentifier() and len(name) <= LONGEST_NAME_CHARACTERS):
            raise ValidationError(f"Write each line as name: value; “{shortened(line)}” is not one.")
        if name.lower() in OUR_FIELDS:
            raise ValidationError(f"“{name}” is the desk’s own to send.")
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields


def shortened(line: str) -> str:
    """The beginning of a line that is quoted in a sentence."""
    return line if len(line) <= QUOTED_LINE_CHARACTERS else f"{line[:QUOTED_LINE_CHARACTERS]}…"


def read_coupon(text: str) -> str:
    """The coupon as typed; whether it is worth anything only upstream knows."""
    if len(text) > LONGEST_COUPON_CHARACTERS or not text.isprintable() or " " in text:
        raise ValidationError("This is no coupon: one word, at most 100 characters.")
    return text


def read_runs(text: str) -> int | None:
    """How many runs, at least 2; None for 1, which is an order without drip-feed."""
    runs = read_whole(text, 1, MOST_RUNS, RUNS)
    return runs if runs > 1 else None


READERS: dict[str, Callable[[str], Any]] = {
    "quantity": str,  # the form reads it later, with the service: it may be counted instead
    "comments": read_lines, "usernames": read_lines, "expiry": read_day,
    "answer_number": lambda text: read_whole(text, 1, LARGEST_ANSWER, ANSWER),
    "other": read_further_fields, "coupon": read_coupon, "runs": read_runs,
    **{name: partial(read_whole, least=0, most=LARGEST_NUMBER, asked=asked)
       for name, asked in (("posts", NEW_POSTS), ("old_posts", OLD_POSTS), ("delay", DELAY))},
}  # fmt: skip


# ── A whole order ────────────────────────────────────────────────────────────────────────────────
class Delivery(NamedTuple):
    """Where a service is delivered: on which network, and whether to a profile or to a post."""

    network: Network | None
    profile: bool
    post: bool


@lru_cache(maxsize=4_096)
def delivery_of(category: str, name: str) -> Delivery:
    """Where a service of this category and name is delivered."""
    about = (category, name)
    return Delivery(links.network_of(*about), links.wants_profile(*about), links.wants_post(*about))


class TypedOrder:
    """One order as typed, read for its service: `values` as they go to upstream, and `errors`: field → sentence.

    `values` has every field of FIELDS, None where nothing was asked or typed. `repeats`: the order exists already, so
    that later changes of its service do not matter.
    """

    def __init__(self, service: Service | None, typed: Mapping[str, str], *, repeats: bool = False) -> None:
        self.service, self.repeats = service, repeats
        self.values: dict[str, Any] = dict.fromkeys(FIELDS)
        self.errors: dict[str, str] = {}
        self.checkup = links.Checkup("")
        required = service_type_of(service).required if service else ()
        for name in form_fields_of(service):
            text = typed.get(name, "")
            if text or name in required or name in ("link", "interval"):
                try:
                    self.values[name] = self._value(name, text)
                except ValidationError as error:
                    self.errors[name] = str(error.message)
        if service is not None:
            self._read_quantity(service)

    def _value(self, name: str, text: str) -> Any:
        """The field's value as it goes to upstream. Raises a ValidationError with a sentence for the person."""
        service = self.service
        if name == "link":
            return self._link(text)
        if name == "username":
            return read_user_name(text, delivery_of(service.category, service.name).network if service else None)
        if name == "interval":
            return self._interval(text)
        if name in ("min", "max") and service:
            return self._bound(name, text, service)
        return READERS[name](text)

    def _link(self, text: str) -> str:
        to = delivery_of(self.service.category, self.service.name) if self.service else delivery_of("", "")
        self.checkup = links.check(text, to.network, profile=to.profile, post=to.post)
        if self.checkup.refused:
            raise ValidationError(self.checkup.refused)
        return self.checkup.link

    def _interval(self, text: str) -> int | None:
        if not self.values["runs"]:
            if text and "runs" not in self.errors:
                raise ValidationError("Minutes between runs need at least 2 runs.")
            return None
        if not text:
            raise ValidationError(INTERVAL.question)
        return read_whole(text, 1, LONGEST_INTERVAL_MINUTES, INTERVAL)

    def _bound(self, name: str, text: str, service: Service) -> int:
        bound = read_whole(text, 1, LARGEST_NUMBER, UNITS)
        if not self.repeats and (why := service.outside(bound)):
            raise ValidationError(why)
        least = self.values["min"] if name == "max" else None
        if least and bound < least:
            raise ValidationError(f"The most per post is below the least, {number(least)}.")
        return bound

    def _read_quantity(self, service: Service) -> None:
        terms = service_type_of(service)
        name = terms.counts or "quantity"
        text = self.values[name] or ""
        quantity: int | None
        if terms.counts:
            quantity = len(text.splitlines())
            why = "" if name in self.errors else service.outside(quantity)
        elif "quantity" in terms.required or text:
            quantity, why = service.read_quantity(text)
        else:
            quantity, why = (service.least if service.bought_whole else None), ""
        if why and not (self.repeats and quantity):
            self.errors[name] = why
        self.values["quantity"] = quantity

    # ── What comes of it ─────────────────────────────────────────────────────────────────────────
    @property
    def target(self) -> str:
        """Where it is delivered: the link, or @name where a type asks for a name instead; "" while neither is right."""
        name = self.values["username"]
        return self.values["link"] or (f"@{name}" if name else "")

    @property
    def fields(self) -> dict[str, str]:
        """The service type's own fields, such as `comments`, as they are sent; for an order without errors only."""
        own = [name for name in service_type_of(self.service).fields if name not in ("link", "quantity", "other")]
        fields = {name: str(self.values[name]) for name in own if self.values[name] is not None}
        return {**fields, **(self.values["other"] or {})}
