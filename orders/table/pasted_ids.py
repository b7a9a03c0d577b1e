"""Finds orders in a text that a person pastes, such as a chat message: by our ids, upstream's ids, and links.

Most numbers in prose are no orders but quantities, days and amounts. Where a text marks an order (`#112`, `order 112`,
`ord_…`, a link, a request id), only marked numbers are picked, and numbers in a list beside one. The others that happen
to be orders' stand apart, each with the words around it, for a person to decide.
"""

import re
import uuid
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.http.request import validate_host

from catalog.networks import target_of
from orders.models import Order, OrderQuerySet
from panel.format.prose import BEFORE_DIGITS, NUMBER_WORD, any_of, bullets, has_unit, is_labelled, is_part_of
from panel.ops.database import batches
from panel.web.params import read_number

PASTED_CHARACTERS = 200_000  # of a text that is read
QUERIED_VALUES = 5_000  # in one query; today's SQLite and PostgreSQL take several times as many
LINK_CHARACTERS = 2_000  # a longer link is no order's
SHORTENED_CHARACTERS = 80  # that a page repeats of a word
MESSAGE_CHARACTERS = 60  # a shorter text that also has words is searched for
AROUND_CHARACTERS = 28  # on each side of a number that stands apart
BESIDE_CHARACTERS = 60  # on each side of a number that are read to judge it
BEGINNING_CHARACTERS = 8  # of an id, from which on its orders are found by its beginning
BEGINNINGS, ORDERS_BEGINNING_SO = 20, 1_000  # in one text, and found for each
GROUP_DIGITS, PAIR = 3, 2  # of thousands; and groups of them that alone are no list

# Each of these reads a text in linear time, whatever it holds: a pasted text may be as hostile as it is long.
BESIDES_NUMBERS = re.compile(r"[^\d\s,;#]")
BETWEEN_LINKS = re.compile(r"[,;](?=https?://)", re.I)
AFTER_A_LINK = ".,;:!?)]}'’*_"  # characters that end a sentence or a quotation rather than a link
UPSTREAM_ID = r"(?<!\w)ord_[\w-]{1,60}"
REQUEST_ID_BEGINNING = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]){0,24}-?", re.I)
# What looks like an order or a number, and what keeps its digits from being one. The first kind that fits is taken.
KINDS = {
    "link": r"https?://[^\s<>\"“”«»|\\^`{}]+",
    "bare_link": r"(?<![^\s(<\"“«,;])(?:www\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}/[^\s<>\"“”«»]+",
    "request_id": r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])",
    "upstream_id": UPSTREAM_ID,
    "thousands": r"(?<!\d)\d{1,3}(?:[,.’'\u202f]\d{3})+(?!\d)",  # `1,000`, a quantity rather than two ids
    # Money, percentages, decimals, times and dates.
    "measure": r"[$€£]\s?\d[\d.,]*|(?<![\d#])\d[\d.,]{0,20}\s?[%€£$]"
               r"|(?<!\d)\d+\.\d{1,4}(?!\d)|(?<!\d)\d{1,4}(?:[-./:]\d{1,4}){1,2}(?![\d-])",
    "number": r"(?<![\w+])\d+(?!\w)",
}  # fmt: skip
WORD = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in KINDS.items()), re.I)
# An address on any host, or a path of ours alone.
ADDRESS = re.compile(r"(?<![\w.@/:-])(?:https?://)?([\w.-]{1,253})?(?::\d{1,5})?(/[^\s<>\"“”«»]{0,2000})", re.I)
OWN_PATH = re.compile(r"(?:/admin/orders/order|/orders)/(\d{1,18})(?!\w)")

IDS = {"request_id", "upstream_id"}
MARKS = {"link", "bare_link", "marked", *IDS}  # kinds of words with which a text marks its orders

# ── What stands beside a number ──
ORDER_WORDS = (
    "orders? ords? ids? pedidos? orden bestellung(?:en)? auftrag commandes? ordine sipariş(?:ler)? siparis(?:ler)? "
    "заказ(?:а|ы|ов)?"
)
HASH = re.compile(r"[#№]\s{0,2}$")
ORDER_WORD = re.compile(rf"\b{any_of(ORDER_WORDS)}{NUMBER_WORD}(?:\s(?:is|are|was|with))?{BEFORE_DIGITS}", re.I)
BEGINNING_OF_LINE = re.compile(r"^[ \t]*(?:[-*•–][ \t]*)?", re.M)
BETWEEN = re.compile(r"(?:[\s,;&+/]|\n\s*[-*•–]|\b(?:and|or|then|also|und|y|e|et|ve|и)\b){1,20}", re.I)  # in a list
PLAIN_GAP = " \t\n,;"  # what says nothing of the numbers beside it
NOT_BLANK = re.compile(r"[^ \t]")
LISTED = re.compile(r"[ \t\d,;&+/#№]*(?:\n|$)")  # the rest of a line on which only numbers stand
CELL = re.compile(r"[\t|][^\n]*$")  # of a table, behind the first


class Apart(NamedTuple):
    """An order that a number or the beginning of an id may name, and the words around that."""

    order: int
    words: str


class PastedOrders(NamedTuple):
    """What a text names. Bare numbers that are no order's may be quantities, so they are not among the unknown."""

    orders: list[int]  # in the order of their ids
    unknown: list[str]
    numbers: list[str]
    apart: tuple[Apart, ...] = ()  # nothing is asked of these unless a person says so
    # Every word that names an order, or none that there is, in the order of the text: word, ids.
    entries: tuple[tuple[str, list[int]], ...] = ()


class PastedWords(NamedTuple):
    """What looks like an order in a text, each word once, in the spelling and order in which it was written first."""

    links: list[str]
    request_ids: dict[uuid.UUID, str]
    upstream_ids: dict[str, str]  # with the words around
    marked: list[str]  # digits that are marked as an order's: `#12`, `order 12`
    numbers: list[str]  # other digits that may be taken for an order's
    apart: dict[str, str]  # digits that are more likely something else, with the words around
    thousands: list[str]
    places: dict[str, int]  # where each word stands first
    listed: set[str]  # numbers that stand in a line with nothing but numbers


class Word(NamedTuple):
    """A word of one of KINDS and where it stands in the text."""

    kind: str
    text: str
    start: int
    end: int


# ── Orders ───────────────────────────────────────────────────────────────────────────────────────
def find_orders(text: str, user: Any) -> PastedOrders:
    """The orders that a text names and the person may see, in a few queries however many words there are."""
    words, seen = read_words(text), Order.objects.seen_by(user)
    digits = (*words.marked, *words.numbers, *words.apart)
    by_id = ids_by_value(seen, "pk", {read_number(number) for number in digits} - {0})
    by_upstream_id = ids_by_upstream_id(seen, words.upstream_ids)
    by_request_id = ids_by_value(seen, "request_id", words.request_ids)
    targets = {link: target_of(link) for link in words.links}
    by_target = ids_by_value(seen, "target", set(targets.values()))
    by_number = [by_id.get(read_number(number), []) for number in (*words.marked, *words.numbers)]
    pks = set(chain(*by_number, *by_upstream_id.values(), *by_request_id.values(), *by_target.values()))

    not_found = {word: around for word, around in words.upstream_ids.items() if word not in by_upstream_id}
    begun = {word: ids_beginning(seen, word)[:2] for word in list(not_found)[:BEGINNINGS]}
    apart = {read_number(number): around for number, around in words.apart.items() if read_number(number) in by_id}
    apart |= {found[0]: not_found.pop(word) for word, found in begun.items() if len(found) == 1}

    unknown = [link for link in words.links if targets[link] not in by_target]
    unknown += not_found
    unknown += [word for request_id, word in words.request_ids.items() if request_id not in by_request_id]
    unknown += [f"#{number}" for number in words.marked if read_number(number) not in by_id]
    numbers = [number for number in (*words.numbers, *words.apart) if read_number(number) not in by_id]
    ids = {number: by_id.get(read_number(number), []) for number in digits}
    ids |= {word: by_upstream_id.get(word, []) for word in words.upstream_ids}
    ids |= {word: found for word, found in begun.items() if len(found) == 1}
    ids |= {word: by_request_id.get(request_id, []) for request_id, word in words.request_ids.items()}
    ids |= {link: by_target.get(target, []) for link, target in targets.items()}
    quiet = {*words.numbers, *words.apart} - words.listed  # of these no order’s are quantities, most likely
    named = [word for word in ids if ids[word] or word not in quiet]
    return PastedOrders(
        sorted(pks),
        [shortened(word) for word in unknown],
        [shortened(word) for word in (*numbers, *words.thousands)],
        tuple(Apart(pk, around) for pk, around in sorted(apart.items()) if pk not in pks),
        tuple((shortened(word), ids[word]) for word in sorted(named, key=words.places.__getitem__)),
    )


def ids_by_value(orders: OrderQuerySet, field: str, values: Iterable[Any]) -> dict[Any, list[int]]:
    """Value of `field` → the ids of the orders that have it; values that no order has are missing."""
    ids: dict[Any, list[int]] = defaultdict(list)
    for batch in batches(values, QUERIED_VALUES):
        for value, pk in orders.filter(**{f"{field}__in": batch}).order_by().values_list(field, "pk"):
            ids[value].append(pk)
    return ids


def ids_by_upstream_id(orders: OrderQuerySet, words: Iterable[str]) -> dict[str, list[int]]:
    """Typed word → the id of the order that it names: as it is typed, else in other capitals where only one fits."""
    variants = {word: upstream_id_variants(word) for word in words}
    ids = ids_by_value(orders, "upstream_id", set(chain(*variants.values())))
    named = {}
    for word, (typed, *others) in variants.items():
        fitting = [typed] if typed in ids else [other for other in others if other in ids]
        if len(fitting) == 1:
            named[word] = ids[fitting[0]]
    return named


def upstream_id_variants(word: str) -> list[str]:
    """The ids that a typed word may be: a phone's keyboard writes `Ord_…`, and some people write all in one case."""
    rest = word.partition("_")[2]
    return list(dict.fromkeys(f"ord_{variant}" for variant in (rest, rest.upper(), rest.lower())))


def ids_beginning(orders: OrderQuerySet, word: str) -> list[int]:
    """The orders whose upstream id or request id begins with this word, of BEGINNING_CHARACTERS or more."""
    if len(word) < BEGINNING_CHARACTERS:
        return []
    if REQUEST_ID_BEGINNING.fullmatch(word):
        digits = word.replace("-", "")
        conditions = [Q(request_id__range=tuple(uuid.UUID(digits.ljust(32, end)) for end in "0f"))]
    elif re.fullmatch(UPSTREAM_ID, word, re.I):
        conditions = [_begins(variant) for variant in upstream_id_variants(word)]
    else:
        return []
    found = (orders.filter(condition).order_by().values_list("pk", flat=True) for condition in conditions)
    return next(filter(None, (list(pks[:ORDERS_BEGINNING_SO]) for pks in found)), [])


def _begins(word: str) -> Q:
    """The condition that an upstream id begins so, in the words that the index of each database understands."""
    if connection.vendor == "sqlite":
        return Q(upstream_id__gte=word, upstream_id__lt=word[:-1] + chr(ord(word[-1]) + 1))
    return Q(upstream_id__startswith=word)


# ── What a text is ───────────────────────────────────────────────────────────────────────────────
def is_of_ids(text: str, pasted: PastedOrders) -> bool:
    """Whether a text names orders rather than words to search for; `pasted` is what find_orders found in it."""
    words = read_words(text)
    if words.upstream_ids or words.request_ids or words.marked:
        return True
    # A link that no order has may be a part of one that an order has. Bare numbers are ids where only numbers stand,
    # or in a whole message.
    only_ids = not BESIDES_NUMBERS.search(text) or REQUEST_ID_BEGINNING.fullmatch(text)
    return bool(pasted.orders) and (bool(words.links) or bool(only_ids) or len(text) >= MESSAGE_CHARACTERS)


def only_target(text: str) -> str:
    """Where a text leads, when it is one link and nothing else; or ""."""
    link = re.fullmatch(KINDS["link"], text.strip(), re.I)
    return target_of(link[0]) if link else ""


# ── Words ────────────────────────────────────────────────────────────────────────────────────────
def read_words(text: str) -> PastedWords:
    """Reads a text without asking the database."""
    text = BETWEEN_LINKS.sub(" ", ADDRESS.sub(_named_by_address, text.replace("\0", " ")))
    words = list(_split_lists(text, [Word(str(m.lastgroup), m[0], *m.span()) for m in WORD.finditer(text)]))
    by_kind: dict[str, dict[str, str]] = defaultdict(dict)  # kind → word → the words around its first occurrence
    for word, kind in zip(words, _judged(text, words), strict=True):
        by_kind[kind].setdefault(word.text, _around(text, word))
    trimmed_links = [link.rstrip(AFTER_A_LINK) for link in (*by_kind["link"], *by_kind["bare_link"])]
    places = {word.text: word.start for word in reversed(words)}
    places |= {word.text.rstrip(AFTER_A_LINK): word.start for word in reversed(words) if word.kind.endswith("link")}
    marked, numbers = by_kind["marked"], by_kind["number"]
    return PastedWords(
        [link for link in trimmed_links if len(link) <= LINK_CHARACTERS],
        {uuid.UUID(word): word for word in by_kind["request_id"]},
        by_kind["upstream_id"],
        list(marked),
        [number for number in numbers if number not in marked],
        {number: around for number, around in by_kind["apart"].items() if number not in marked | numbers},
        list(by_kind["thousands"]),
        places,
        _listed(text, words),
    )


def _listed(text: str, words: list[Word]) -> set[str]:
    """The numbers that stand in a line with nothing but numbers."""
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    plain = [not BESIDES_NUMBERS.search(line) for line in lines]
    return {word.text for word in words if word.kind == "number" and plain[bisect(starts, word.start) - 1]}


def _named_by_address(address: re.Match[str]) -> str:
    """The order that an address of ours or of the supplier's dashboard names, set apart; any other address as it is."""
    host, path = address[1] or "", address[2]
    own_hosts = [*(name for name in settings.ALLOWED_HOSTS if name != "*"), urlsplit(settings.DESK_URL).hostname or ""]
    suppliers = [f".{urlsplit(url).hostname}" for url in (settings.REAL_URL, settings.NOTPANEL_API_URL)]
    named = ""
    if not host or validate_host(host.lower(), own_hosts):
        named = f"#{order[1]}" if (order := OWN_PATH.match(path)) else ""
    if not named and host and validate_host(host.lower(), suppliers):
        named = order[0] if (order := re.search(UPSTREAM_ID, path, re.I)) else ""
    return f" {named} · " if named else address[0]


def _split_lists(text: str, words: list[Word]) -> Iterator[Word]:
    """The words, with the numbers of `110,111,112` each by itself where it is a list of ids rather than one number."""
    for before, word, after in _with_neighbours(words):
        if word.kind == "thousands" and _is_list(text, before, word, after):
            for digits in re.finditer(r"\d+", word.text):
                yield Word("number", digits[0], word.start + digits.start(), word.start + digits.end())
        else:
            yield word


def _is_list(text: str, before: Word | None, word: Word, after: Word | None) -> bool:
    """Whether ids of three digits stand here: three or more, or marked, or in a list with another number."""
    parts = word.text.split(",")
    left, right = _beside(text, before, word, after)
    if any(len(part) != GROUP_DIGITS or part.startswith("0") for part in parts) or has_unit(right):
        return False
    in_list = (before and before.kind == "number" and BETWEEN.fullmatch(left)) or (
        after and after.kind == "number" and BETWEEN.fullmatch(right)
    )
    return bool(len(parts) > PAIR or in_list or HASH.search(left) or ORDER_WORD.search(left))


def _with_neighbours(words: list[Word]) -> Iterator[tuple[Word | None, Word, Word | None]]:
    """Each word with the one before and the one behind it."""
    return zip([None, *words[:-1]], words, [*words[1:], None], strict=True) if words else iter(())


def _beside(text: str, before: Word | None, word: Word, after: Word | None) -> tuple[str, str]:
    """The text between a word and its neighbours, at most BESIDE_CHARACTERS on each side."""
    start, end = before.end if before else 0, after.start if after else len(text)
    left = text[max(start, word.start - BESIDE_CHARACTERS) : word.start]
    return left, text[word.end : min(end, word.end + BESIDE_CHARACTERS)]


def _judged(text: str, words: list[Word]) -> list[str]:
    """The kind of each word, where a number is `marked`, `number` if it may be an order's, or `apart`."""
    counted = bullets(text)
    kinds = [
        "apart" if word.kind == "number" and word.start in counted else _kind(word, *_beside(text, before, word, after))
        for before, word, after in _with_neighbours(words)
    ]
    gaps = [text[word.end : after.start] for word, after in pairwise(words)]
    for at, gap in enumerate(gaps):
        if words[at].kind == words[at + 1].kind == "number":
            if is_part_of(gap):
                kinds[at : at + 2] = [kinds[at] if kinds[at] == "marked" else "apart", "apart"]
            elif kinds[at : at + 2] == ["labelled", "number"] and not NOT_BLANK.search(gap):
                kinds[at + 1] = "labelled"  # the groups of a phone number
    kinds = ["apart" if kind == "labelled" else kind for kind in kinds]
    if MARKS & set(kinds):
        doubtful = [not near for near in _beside_marked(text, words, kinds, gaps)]
    else:  # of a table only the first column holds ids
        lines = "\n" in text.strip()
        doubtful = [lines and bool(CELL.search(gap)) for gap in (text[: words[0].start], *gaps)] if words else []
    return ["apart" if kind == "number" and doubt else kind for kind, doubt in zip(kinds, doubtful, strict=True)]


def _kind(word: Word, left: str, right: str) -> str:
    """The kind of one word by what stands on both sides; `labelled` for a number of something else."""
    if word.kind != "number":
        return word.kind
    if not left.strip(PLAIN_GAP) and not right.strip(PLAIN_GAP):
        return "number"  # thousands of numbers may stand beside each other
    if is_labelled(left):
        return "labelled"
    if HASH.search(left):
        return "marked"
    if has_unit(right):
        return "apart"
    return "marked" if ORDER_WORD.search(left) else "number"


def _beside_marked(text: str, words: list[Word], kinds: list[str], gaps: list[str]) -> list[bool]:
    """Whether each word is in a list with a marked number or an id: behind it, or before it from a line's beginning.

    Beside an id, and before a mark, blanks alone make no list: `ord_… 100`.
    """
    near = [kind == "marked" for kind in kinds]
    for at, gap in enumerate(gaps, start=1):
        listed = BETWEEN.fullmatch(gap) and ("\n" not in gap or LISTED.match(text, words[at].end))
        after_id = kinds[at - 1] in IDS and NOT_BLANK.search(gap)
        near[at] |= kinds[at] == "number" and bool(listed) and bool(near[at - 1] or after_id)
    begins = {match.end() for match in BEGINNING_OF_LINE.finditer(text)}
    leads = [kind == "number" and word.start in begins for kind, word in zip(kinds, words, strict=True)]
    for at, gap in enumerate(gaps, start=1):
        leads[at] |= kinds[at] == "number" and leads[at - 1] and bool(BETWEEN.fullmatch(gap))
    for at, gap in reversed(list(enumerate(gaps))):
        unmarked = ORDER_WORD.sub("", HASH.sub("", gap))
        listed = BETWEEN.fullmatch(unmarked) and NOT_BLANK.search(unmarked)
        near[at] |= leads[at] and bool(listed) and (near[at + 1] or kinds[at + 1] in IDS)
    return near


def _around(text: str, word: Word) -> str:
    """The words around a word, cut off with ellipses."""
    left = text[max(0, word.start - AROUND_CHARACTERS) : word.start]
    right = text[word.end : word.end + AROUND_CHARACTERS]
    if word.start > AROUND_CHARACTERS:
        left = f"…{left.partition(' ')[2]}"
    if len(text) - word.end > AROUND_CHARACTERS:
        right = f"{right.rpartition(' ')[0]}…"
    return " ".join(f"{left}{word.text}{right}".split())


def shortened(word: str) -> str:
    """The word, cut off with an ellipsis where it is too long to repeat."""
    return word if len(word) <= SHORTENED_CHARACTERS else f"{word[:SHORTENED_CHARACTERS]}…"
