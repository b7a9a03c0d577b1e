"""Finds orders in a text that a person pastes, such as a chat message: ids of ours and of upstream's, and links."""

import re
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

from orders.models import Order, OrderQuerySet
from orders.rules.links import complete_link, spellings, without_tracking
from panel.ops.database import batches
from panel.web.params import read_number

MOST_CHARACTERS = 200_000  # of a text
IN_ONE_QUERY = 5_000  # values; every SQLite and PostgreSQL of today takes several times as many
LONGEST_LINK = 2_000  # characters; beyond that it is no link of an order
SHOWN_OF_A_WORD = 80  # characters

A_MESSAGE = 60  # characters; a shorter text with words in it is searched for
BESIDES_NUMBERS = re.compile(r"[^\d\s,;#]")
# Each crosses a text in one go, whatever stands in it: what is pasted may be as hostile as it is long.
BETWEEN_LINKS = re.compile(r"[,;](?=https?://)", re.I)
LINK = re.compile(r"https?://[^\s<>\"“”«»|\\^`{}]+", re.I)
BARE_LINK = re.compile(r"(?<![^\s(<\"“«,;])(?:www\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}/[^\s<>\"“”«»]+", re.I)
UUID = re.compile(r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])", re.I)
UPSTREAM_ID = re.compile(r"(?<!\w)ord_[\w-]{1,60}")
# No ids: money, shares, times, dates, decimals; 1,000 is read as one number too.
MEASURE = re.compile(
    r"[$€£]\s?\d[\d.,]*|(?<![\d#])\d[\d.,]{0,20}\s?[%€£$]"
    r"|(?<!\d)\d+\.\d{1,4}(?!\d)|(?<!\d)\d{1,4}(?:[-./:]\d{1,4}){1,2}(?![\d-])"
)
THOUSANDS = re.compile(r"(?<![\d#])\d{1,3}(?:[,.’'\u202f]\d{3})+(?!\d)")
NUMBER = re.compile(r"(?:(#|№|\b(?:orders?|id)[ :#]{1,3}))?(?<![\w+])(\d+)(?!\w)", re.I)
T = TypeVar("T")
AFTER_A_LINK = ".,;:!?)]}'’*_"


class PastedOrders(NamedTuple):
    """What a text holds. Bare numbers that are no order's may be quantities, so they stand apart."""

    orders: list[int]  # in the order of their ids
    unknown: list[str]
    numbers: list[str]


class PastedWords(NamedTuple):
    """What looks like an order in a text, each once, as it was written first."""

    links: list[str]
    request_ids: dict[uuid.UUID, str]
    upstream_ids: list[str]
    marked: list[str]  # numbers that say they are orders: #12, order 12
    numbers: list[str]
    thousands: list[str]


def find_orders(text: str, user: Any) -> PastedOrders:
    """The orders in this text that the person may see, in a few queries however many there are."""
    words, seen = read_words(text), Order.objects.seen_by(user)
    by_id = orders_by_value(seen, "pk", {read_number(word) for word in (*words.marked, *words.numbers)} - {0})
    by_upstream_id = orders_by_value(seen, "upstream_id", words.upstream_ids)
    by_request_id = orders_by_value(seen, "request_id", words.request_ids)
    meant = {link: possible_links(link) for link in words.links}
    by_link = orders_by_link(seen, {meaning for meanings in meant.values() for meaning in meanings})
    unknown = [link for link in words.links if not any(meaning in by_link for meaning in meant[link])]
    unknown += [word for word in words.upstream_ids if word not in by_upstream_id]
    unknown += [word for asked, word in words.request_ids.items() if asked not in by_request_id]
    unknown += [f"#{word}" for word in words.marked if read_number(word) not in by_id]
    numbers = [word for word in words.numbers if read_number(word) not in by_id] + words.thousands
    orders = {pk for found in (by_id, by_upstream_id, by_request_id, by_link) for pks in found.values() for pk in pks}
    return PastedOrders(sorted(orders), [shortened(word) for word in unknown], [shortened(word) for word in numbers])


def is_of_ids(text: str, found: PastedOrders) -> bool:
    """Whether a text names orders, rather than words to search for."""
    words = read_words(text)
    if words.upstream_ids or words.request_ids or words.marked:
        return True
    # A link that no order has may be a part of one that an order has. Bare numbers count as ids where nothing but
    # numbers stands, or in a whole message.
    only_numbers = not BESIDES_NUMBERS.search(text)
    return bool(found.orders) and (bool(words.links) or only_numbers or len(text) >= A_MESSAGE)


def only_link(text: str) -> list[str]:
    """What an order may have been placed with, when the text is one link and nothing else."""
    [*links], rest = take_out(LINK, text.strip())
    return possible_links(links[0]) if len(links) == 1 and not rest.strip() else []


def read_words(text: str) -> PastedWords:
    """Reads a text without asking the database. What is one thing is taken out before the next is looked for."""
    rest = BETWEEN_LINKS.sub(" ", text.replace("\0", " "))
    links, rest = take_out(LINK, rest)
    bare, rest = take_out(BARE_LINK, rest)
    request_ids, rest = take_out(UUID, rest)
    upstream_ids, rest = take_out(UPSTREAM_ID, rest)
    thousands, rest = take_out(THOUSANDS, rest)
    _, rest = take_out(MEASURE, rest)
    marks: dict[str, bool] = {}
    for mark, digits in NUMBER.findall(rest):
        marks[digits] = marks.get(digits, False) or bool(mark)
    return PastedWords(
        [link for link in (word.rstrip(AFTER_A_LINK) for word in (*links, *bare)) if len(link) <= LONGEST_LINK],
        {uuid.UUID(word): word for word in request_ids},
        upstream_ids,
        [digits for digits, marked in marks.items() if marked],
        [digits for digits, marked in marks.items() if not marked],
        thousands,
    )


def take_out(pattern: re.Pattern[str], text: str) -> tuple[list[str], str]:
    """What fits the pattern, each once, and the text without it."""
    return list(dict.fromkeys(found[0] for found in pattern.finditer(text))), pattern.sub(" ", text)


def possible_links(link: str) -> list[str]:
    """The links that an order for this one may have been placed with."""
    whole = complete_link(link, None)[0]
    address, hash_, fragment = whole.partition("#")
    path, _, query = address.partition("?")
    scheme, _, rest = path.partition("://")
    host, slash, tail = rest.partition("/")
    kept = without_tracking(query, None)[0]
    doctored = f"{scheme.lower()}://{host.lower()}{slash}{tail}{'?' + kept if kept else ''}{hash_}{fragment}"
    return list(dict.fromkeys((*spellings(whole), *spellings(doctored))))


def orders_by_value(orders: OrderQuerySet, field: str, values: Iterable[Any]) -> dict[Any, list[int]]:
    """Value → the one order that has it; values that none has are missing."""
    return {
        value: [pk]
        for some in batches(values, IN_ONE_QUERY)
        for value, pk in orders.filter(**{f"{field}__in": some}).order_by().values_list(field, "pk")
    }


def orders_by_link(orders: OrderQuerySet, links: Iterable[str]) -> dict[str, list[int]]:
    """Link → its orders."""
    found: dict[str, list[int]] = {}
    for some in batches(links, IN_ONE_QUERY // 2):  # each is asked for twice
        for link, pk in orders.with_links(some).order_by().values_list("link", "pk"):
            found.setdefault(link, []).append(pk)
    return found


def shortened(word: str) -> str:
    return word if len(word) <= SHOWN_OF_A_WORD else f"{word[:SHOWN_OF_A_WORD]}…"
