"""Reads an uploaded file: CSV or plain text as text, and the first sheet of an Excel file as rows of cells.

A sheet is read with the standard library, within bounds of bytes and cells; it may be made to do harm.
"""

import re
import zipfile
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any
from xml.parsers import expat

from orders.mass.text import MOST_LINES, ReadList, read_list, read_rows
from orders.rules.refusal import Refusal
from panel.format.numbers import number

FILE_BYTES = 2_000_000
UNPACKED_BYTES = 40_000_000  # of each part of a sheet that is read
CHUNK_BYTES = 65_536
MOST_COLUMNS = 60
MOST_SHARED_TEXTS = 200_000
LONGEST_WHOLE_DIGITS = 18

TOO_LARGE = f"This file has more than {FILE_BYTES // 1_000_000} MB. Split it; nothing was read."
UNREADABLE = "This file cannot be read as a list. Save it as CSV or as an Excel workbook (.xlsx)."


def read_file(name: str, content: bytes) -> ReadList:
    """The lines of a file. Raises a Refusal that says why it cannot be read."""
    if len(content) > FILE_BYTES:
        raise Refusal(TOO_LARGE)
    if content.startswith(b"PK") or name.lower().endswith((".xlsx", ".xlsm")):
        return read_rows(rows_of_sheet(content))
    return read_list(text_of(content))


def text_of(content: bytes) -> str:
    """The text of a file in the encodings that spreadsheets write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Refusal(UNREADABLE)


def rows_of_sheet(content: bytes) -> list[tuple[int, list[str]]]:
    """The cells of the first sheet, row by row, each row with its number."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as book:
            names = book.namelist()
            sheets = sorted((name for name in names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)),
                            key=lambda name: int(re.sub(r"\D", "", name)))  # fmt: skip
            if not sheets:
                raise Refusal(UNREADABLE)
            shared = SharedTexts()
            if "xl/sharedStrings.xml" in names:
                parse(book, "xl/sharedStrings.xml", shared)
            sheet = Sheet(shared.texts)
            parse(book, sheets[0], sheet)
    except (zipfile.BadZipFile, expat.ExpatError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise Refusal(UNREADABLE) from error
    return [(place, cells) for place, cells in sheet.rows if any(cell.strip() for cell in cells)]


def parse(book: zipfile.ZipFile, name: str, handler: "Handler") -> None:
    """Reads one part of the workbook. A document type, by which XML can be made to grow, is refused."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = refuse
    unpacked = 0
    with book.open(name) as part:
        while chunk := part.read(CHUNK_BYTES):
            unpacked += len(chunk)
            if unpacked > UNPACKED_BYTES:
                raise Refusal(TOO_LARGE)
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def refuse(*_: object) -> None:
    """Refuses a document type."""
    raise Refusal(UNREADABLE)


class Handler:
    """Collects the text between the tags that it names."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.collects = False

    def text(self, part: str) -> None:
        """A part of a text, if it is one that counts."""
        if self.collects:
            self.parts.append(part)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A tag begins."""
        raise NotImplementedError

    def end(self, tag: str) -> None:
        """A tag ends."""
        raise NotImplementedError


class SharedTexts(Handler):
    """The texts that the cells of a workbook name by number."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A text begins, or a part of one."""
        self.collects = local(tag) == "t"

    def end(self, tag: str) -> None:
        """A text ends with `si`; what is spelled out in `t` belongs to it."""
        self.collects = False
        if local(tag) == "si":
            self.texts.append("".join(self.parts))
            self.parts = []
            if len(self.texts) > MOST_SHARED_TEXTS:
                raise Refusal(TOO_LARGE)


class Sheet(Handler):
    """The rows of one sheet."""

    def __init__(self, shared: list[str]) -> None:
        super().__init__()
        self.shared, self.rows = shared, list[tuple[int, list[str]]]()
        self.kind, self.column, self.place = "", 0, 0
        self.cells: list[str] = []

    def start(self, tag: str, attributes: dict[str, Any]) -> None:
        """A row, a cell, or its value begins."""
        name = local(tag)
        if name == "row":
            self.place = int(attributes.get("r", self.place + 1))
            self.cells = []
        elif name == "c":
            self.kind = attributes.get("t", "n")
            letters = re.sub(r"[^A-Z]", "", attributes.get("r", ""))
            self.column = column_of(letters) if letters else len(self.cells)
            self.parts = []
        self.collects = name in ("v", "t")

    def end(self, tag: str) -> None:
        """A cell or a row ends."""
        name, self.collects = local(tag), False
        if name == "c" and self.column < MOST_COLUMNS:
            self.cells += [""] * (self.column + 1 - len(self.cells))
            self.cells[self.column] = self.value("".join(self.parts))
        elif name == "row":
            self.rows.append((self.place, self.cells))
            if sum(bool(cells) for _, cells in self.rows[-1:]) and len(self.rows) > 2 * MOST_LINES:
                raise Refusal(f"This sheet has more than {number(2 * MOST_LINES)} rows. Split it; nothing was read.")

    def value(self, text: str) -> str:
        """What a person sees in the cell, as far as its formats do not matter."""
        if self.kind == "s":
            return self.shared[int(text)] if text and int(text) < len(self.shared) else ""
        return whole(text) if self.kind == "n" else text


def local(tag: str) -> str:
    """A tag's name without its namespace."""
    return tag.rpartition(" ")[2]


def column_of(letters: str) -> int:
    """0 for A, 26 for AA. What lies far to the right is one column too far."""
    place = 0
    for letter in letters[:3]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def whole(text: str) -> str:
    """A number that a sheet keeps as 1E3 or 1000.0, as 1000; any other text as it is."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if value.is_finite() and value.adjusted() < LONGEST_WHOLE_DIGITS and value == value.to_integral_value():
        return f"{value:.0f}"
    return text
