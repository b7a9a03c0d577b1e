"""Finds orders in a text that a person pastes, such as a chat message: by our ids, upstream's ids, and links."""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from catalog.networks import target_of
from orders.models import Order, OrderQuerySet
from panel.ops.database import batches
from panel.web.params import read_number

PASTED_CHARACTERS = 200_000  # of a text that is read
QUERIED_VALUES = 5_000  # in one query; today's SQLite and PostgreSQL take several times as many
LINK_CHARACTERS = 2_000  # a longer link is no order's
SHORTENED_CHARACTERS = 80  # that a page repeats of a word
MESSAGE_CHARACTERS = 60  # a shorter text that also has words is searched for

# Each of these reads a text in linear time, whatever it holds: a pasted text may be as hostile as it is long.
BESIDES_NUMBERS = re.compile(r"[^\d\s,;#]")
BETWEEN_LINKS = re.compile(r"[,;](?=https?://)", re.I)
LINK = re.compile(r"https?://[^\s<>\"“”«»|\\^`{}]+", re.I)
BARE_LINK = re.compile(r"(?<![^\s(<\"“«,;])(?:www\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}/[^\s<>\"“”«»]+", re.I)
AFTER_A_LINK = ".,;:!?)]}'’*_"  # characters that end a sentence or a quotation rather than a link
UUID = re.compile(r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])", re.I)
UPSTREAM_ID = re.compile(r"(?<!\w)ord_[\w-]{1,60}")
THOUSANDS = re.compile(r"(?<![\d#])\d{1,3}(?:[,.’'\u202f]\d{3})+(?!\d)")  # `1,000`, a quantity rather than two ids
# Money, percentages, decimals, times and dates, which hold no ids.
MEASURE = re.compile(
    r"[$€£]\s?\d[\d.,]*|(?<![\d#])\d[\d.,]{0,20}\s?[%€£$]"
    r"|(?<!\d)\d+\.\d{1,4}(?!\d)|(?<!\d)\d{1,4}(?:[-./:]\d{1,4}){1,2}(?![\d-])"
)
NUMBER = re.compile(r"(?:(#|№|\b(?:orders?|id)[ :#]{1,3}))?(?<![\w+])(\d+)(?!\w)", re.I)


class PastedOrders(NamedTuple):
    """What a text names. Bare numbers that are no order's may be quantities, so they are not among the unknown."""

    orders: list[int]  # in the order of their ids
    unknown: list[str]
    numbers: list[str]


class PastedWords(NamedTuple):
    """What looks like an order in a text, each word once, in the spelling and order in which it was written first."""

    links: list[str]
    request_ids: dict[uuid.UUID, str]
    upstream_ids: list[str]
    marked: list[str]  # digits that are marked as an order's: `#12`, `order 12`
    numbers: list[str]  # other digits
    thousands: list[str]


def find_orders(text: str, user: Any) -> PastedOrders:
    """The orders that a text names and the person may see, in a few queries however many words there are."""
    words, seen = read_words(text), Order.objects.seen_by(user)
    by_id = ids_by_value(seen, "pk", {read_number(digits) for digits in (*words.marked, *words.numbers)} - {0})
    by_upstream_id = ids_by_value(seen, "upstream_id", words.upstream_ids)
    by_request_id = ids_by_value(seen, "request_id", words.request_ids)
    targets = {link: target_of(link) for link in words.links}
    by_target = ids_by_value(seen, "target", set(targets.values()))
    unknown = [link for link in words.links if targets[link] not in by_target]
    unknown += [word for word in words.upstream_ids if word not in by_upstream_id]
    unknown += [word for request_id, word in words.request_ids.items() if request_id not in by_request_id]
    unknown += [f"#{digits}" for digits in words.marked if read_number(digits) not in by_id]
    numbers = [digits for digits in words.numbers if read_number(digits) not in by_id] + words.thousands
    pks = chain(*by_id.values(), *by_upstream_id.values(), *by_request_id.values(), *by_target.values())
    return PastedOrders(sorted(set(pks)), [shortened(word) for word in unknown], [shortened(word) for word in numbers])


def is_of_ids(text: str, pasted: PastedOrders) -> bool:
    """Whether a text names orders rather than words to search for; `pasted` is what find_orders found in it."""
    words = read_words(text)
    if words.upstream_ids or words.request_ids or words.marked:
        return True
    # A link that no order has may be a part of one that an order has. Bare numbers are ids where only numbers stand,
    # or in a whole message.
    only_numbers = not BESIDES_NUMBERS.search(text)
    return bool(pasted.orders) and (bool(words.links) or only_numbers or len(text) >= MESSAGE_CHARACTERS)


def only_target(text: str) -> str:
    """Where a text leads, when it is one link and nothing else; or ""."""
    links, rest = take_out(LINK, text.strip())
    return target_of(links[0]) if len(links) == 1 and not rest.strip() else ""


def read_words(text: str) -> PastedWords:
    """Reads a text without asking the database. What one pattern found is taken out before the next is tried."""
    rest = BETWEEN_LINKS.sub(" ", text.replace("\0", " "))
    links, rest = take_out(LINK, rest)
    bare_links, rest = take_out(BARE_LINK, rest)
    request_ids, rest = take_out(UUID, rest)
    upstream_ids, rest = take_out(UPSTREAM_ID, rest)
    thousands, rest = take_out(THOUSANDS, rest)
    _, rest = take_out(MEASURE, rest)
    is_marked: dict[str, bool] = {}
    for mark, digits in NUMBER.findall(rest):
        is_marked[digits] = is_marked.get(digits, False) or bool(mark)
    trimmed_links = (link.rstrip(AFTER_A_LINK) for link in (*links, *bare_links))
    return PastedWords(
        [link for link in trimmed_links if len(link) <= LINK_CHARACTERS],
        {uuid.UUID(word): word for word in request_ids},
        upstream_ids,
        [digits for digits, marked in is_marked.items() if marked],
        [digits for digits, marked in is_marked.items() if not marked],
        thousands,
    )


def take_out(pattern: re.Pattern[str], text: str) -> tuple[list[str], str]:
    """What fits the pattern, each once, and the text without it."""
    return list(dict.fromkeys(match[0] for match in pattern.finditer(text))), pattern.sub(" ", text)


def ids_by_value(orders: OrderQuerySet, field: str, values: Iterable[Any]) -> dict[Any, list[int]]:
    """Value of `field` → the ids of the orders that have it; values that no order has are missing."""
    ids: dict[Any, list[int]] = defaultdict(list)
    for batch in batches(values, QUERIED_VALUES):
        for value, pk in orders.filter(**{f"{field}__in": batch}).order_by().values_list(field, "pk"):
            ids[value].append(pk)
    return ids


def shortened(word: str) -> str:
    """The word, cut off with an ellipsis where it is too long to repeat."""
    return word if len(word) <= SHORTENED_CHARACTERS else f"{word[:SHORTENED_CHARACTERS]}…"
