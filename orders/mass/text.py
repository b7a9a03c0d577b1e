"""Reads a list of orders: pasted lines, CSV, or the rows of a sheet become lines of named texts.

Pure: it knows no request and no table.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orders.rules.refusal import Refusal
from panel.format.numbers import number

MOST_LINES = 5_000
TEXT_CHARACTERS = 1_500_000
CELL_CHARACTERS = 20_000  # of comments, one a line
QUOTED_CHARACTERS = 60  # of a line that cannot be read
SEPARATORS = ("|", "\t", ";", ",")
BY_PLACE = ("service", "link", "quantity", "customer", "reference")  # the parts of a line without a header
# What the heads of columns may be called, folded, without what is no letter.
HEADS = {
    "service": "service", "serviceid": "service", "servicenumber": "service", "id": "service",
    "link": "link", "url": "link", "target": "link", "address": "link",
    "quantity": "quantity", "qty": "quantity", "amount": "quantity", "count": "quantity",
    "comments": "comments", "comment": "comments", "usernames": "usernames", "username": "username", "user": "username",
    "runs": "runs", "interval": "interval", "minutes": "interval", "coupon": "coupon",
    "customer": "customer", "client": "customer", "reference": "reference", "ref": "reference",
    "customerreference": "reference", "answer": "answer_number", "answernumber": "answer_number", "min": "min",
    "max": "max", "posts": "posts", "oldposts": "old_posts", "delay": "delay", "expiry": "expiry", "until": "expiry",
}  # fmt: skip
FIRST = ("link", "username", "service")  # a header has one of these, and another head that is known
LINK_THEN_NUMBER = re.compile(r"(?P<link>\S.*?)\s*[|\t;,\s]\s*(?P<quantity>\d[\d.,'’\u202f\u00a0]*)")

TOO_LONG = "This list has {lines} lines. One list takes {most}. Split it; nothing was read."
TOO_MUCH = "This list has {characters} characters; up to {most} are read. Split it; nothing was read."
NOTHING = "Paste at least one line."
NO_LINK = "This list cannot be read: no line has a link in it. The first line says “{line}”."


class TypedLine(NamedTuple):
    """One line of a list: where it stands in the text, and its texts by name of field."""

    number: int
    typed: dict[str, str]


class ReadList(NamedTuple):
    """What was read of a list."""

    lines: list[TypedLine]
    unread: tuple[str, ...]  # the heads of columns that the desk does not know


def read_list(text: str) -> ReadList:
    """The lines of a text in which each line names its service. Raises a Refusal that says why it cannot be read."""
    require_size(text)
    return read_rows(rows_of(text))


def read_links(text: str, service: str, quantity: str) -> ReadList:
    """The lines of a text of links, all for one service. A number after a link replaces the quantity for this link."""
    require_size(text)
    lines = []
    for place, line in enumerate(text.splitlines(), start=1):
        if not (link := line.strip()):
            continue
        found = LINK_THEN_NUMBER.fullmatch(link)
        own = found.groupdict() if found else {"link": link, "quantity": quantity}
        lines.append(TypedLine(place, filled({"service": service, **own})))
    return checked(lines, (), text)


def require_size(text: str) -> None:
    """Raises a Refusal when a text is too long to be read."""
    if len(text) > TEXT_CHARACTERS:
        raise Refusal(TOO_MUCH.format(characters=number(len(text)), most=number(TEXT_CHARACTERS)))


def rows_of(text: str) -> list[tuple[int, list[str]]]:
    """The parts of each line, with the line's number. One separator holds for the whole text."""
    lines = text.splitlines()
    half = sum(bool(line.strip()) for line in lines) / 2
    counts = {mark: sum(mark in line for line in lines) for mark in SEPARATORS}
    # The first that stands in half of the lines; where none does, the one that stands in most.
    separator = next(
        (mark for mark in SEPARATORS if counts[mark] and counts[mark] >= half), max(counts, key=counts.__getitem__)
    )
    # A mark of quotation that nothing closes would swallow the rest of the list.
    if separator == "|" or text.count('"') % 2:
        return [(place, line.split(separator)) for place, line in enumerate(lines, start=1) if line.strip()]
    rows, reader = [], csv.reader(text.splitlines(keepends=True), delimiter=separator, skipinitialspace=True)
    before = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((before + 1, cells))
            before = reader.line_num
    except csv.Error:  # a cell that is longer than csv reads
        return [(place, line.split(separator)) for place, line in enumerate(lines, start=1) if line.strip()]
    return rows


def read_rows(rows: Sequence[tuple[int, Sequence[str]]]) -> ReadList:
    """The lines of rows of cells, the first of which may be a header that names the columns in any order."""
    names: Sequence[str] = BY_PLACE
    unread: tuple[str, ...] = ()
    whole = "\n".join(" ".join(cells) for _, cells in rows[:1])
    if rows and (heads := header_of(rows[0][1])):
        names = heads
        unread = tuple(cell.strip() for cell, name in zip(rows[0][1], heads, strict=True) if not name and cell.strip())
        rows = rows[1:]
    lines = []
    for place, cells in rows:
        typed = filled(dict(zip(names, cells, strict=False)))
        if names is BY_PLACE and (rest := [cell for cell in cells[len(BY_PLACE) :] if cell.strip()]):
            typed["rest"] = " ".join(rest)
        if typed:
            lines.append(TypedLine(place, typed))
    return checked(lines, unread, whole)


def header_of(cells: Sequence[str]) -> list[str]:
    """The name of the field in each column, "" for a column that is not known; [] when this row is no header."""
    names = [HEADS.get(re.sub(r"[^a-z]", "", cell.casefold()), "") for cell in cells]
    known = [name for name in names if name]
    if not any(name in FIRST for name in known) or len({*known}) < min(2, len(cells)):
        return []
    return names


def filled(typed: dict[str, str]) -> dict[str, str]:
    """The texts that say something, without what no database keeps."""
    cleaned = {name: text.replace("\0", "").strip()[:CELL_CHARACTERS] for name, text in typed.items() if name}
    return {name: text for name, text in cleaned.items() if text}


def checked(lines: list[TypedLine], unread: tuple[str, ...], text: str) -> ReadList:
    """These lines; a Refusal when there are none, or too many, or nothing in them looks like a link."""
    if not lines:
        raise Refusal(NOTHING)
    if len(lines) > MOST_LINES:
        raise Refusal(TOO_LONG.format(lines=number(len(lines)), most=number(MOST_LINES)))
    targets = (line.typed.get("link", "") + line.typed.get("username", "") for line in lines)
    if not any("." in target or "@" in target or line.typed.get("username")
               for target, line in zip(targets, lines, strict=True)):  # fmt: skip
        first = next((line.strip() for line in text.splitlines() if line.strip()), "")
        raise Refusal(NO_LINK.format(line=first[:QUOTED_CHARACTERS] + "…" * (len(first) > QUOTED_CHARACTERS)))
    return ReadList(lines, unread)


def as_text(lines: Iterable[dict[str, str]]) -> str:
    """These lines as a text that `read_list` reads as the same lines."""
    typed = [dict(line) for line in lines]
    if not any({*line} - {*BY_PLACE} or "|" in "".join(line.values()) for line in typed):
        return "\n".join(" | ".join(line.get(name, "") for name in BY_PLACE).rstrip(" |") for line in typed)
    names = list(dict.fromkeys(name for line in typed for name in line if name != "rest"))
    file = Collected()
    writer = csv.writer(file, delimiter=";", lineterminator="\n")
    writer.writerow(names)
    for line in typed:
        writer.writerow([line.get(name, "") for name in names])
    return "".join(file.parts)


class Collected:
    """A file for csv that collects what is written."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, part: str) -> None:
        """Keeps this part."""
        self.parts.append(part)
