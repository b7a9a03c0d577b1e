"""How a list is read: every way to write the same lines is read as the same lines, and what cannot be read says why."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from orders.mass.text import MOST_LINES, as_text, read_links, read_list
from orders.mass.upload import read_file
from orders.rules.refusal import Refusal

SAME = {"service": "149", "link": "https://instagram.com/p/A1", "quantity": "1000"}


def typed(text: str) -> list[dict[str, str]]:
    return [line.typed for line in read_list(text).lines]


@pytest.mark.parametrize("text", [
    "149 | https://instagram.com/p/A1 | 1000", "149\thttps://instagram.com/p/A1\t1000",
    "149,https://instagram.com/p/A1,1000", "149; https://instagram.com/p/A1; 1000", "\n\n149|https://instagram.com/p/A1|1000\n",
    '"149","https://instagram.com/p/A1","1000"', "link;quantity;Service ID\nhttps://instagram.com/p/A1;1000;149",
    "Service,Link,Qty,Customer\n149,https://instagram.com/p/A1,1000,",
])  # fmt: skip
def test_the_same_line_in_every_spelling(text: str) -> None:
    assert typed(text) == [SAME]


def test_a_cell_of_quoted_csv_may_hold_lines_and_separators() -> None:
    text = (
        'service,link,comments\n149,https://instagram.com/p/A1,"Nice, very\nGreat"\n150,https://instagram.com/p/A2,Ok'
    )
    lines = read_list(text).lines
    assert lines[0].typed["comments"] == "Nice, very\nGreat"
    assert [line.number for line in lines] == [2, 4]


def test_a_quotation_mark_that_nothing_closes_swallows_no_line() -> None:
    assert len(typed('149,"https://instagram.com/p/A1,1000\n149,https://instagram.com/p/A2,1000')) == 2


def test_columns_that_nobody_knows_are_named() -> None:
    read = read_list("link;colour;service;quantity\nhttps://instagram.com/p/A1;red;149;1000")
    assert (read.unread, read.lines[0].typed) == (("colour",), SAME)


def test_links_for_one_service_take_its_quantity_or_their_own() -> None:
    read = read_links("instagram.com/p/A1\ninstagram.com/p/A2 10,000\n\ninstagram.com/p/A3 | 5", "149", "1000")
    assert [line.typed["quantity"] for line in read.lines] == ["1000", "10,000", "5"]
    assert [line.number for line in read.lines] == [1, 2, 4]


@pytest.mark.parametrize(("text", "why"), [
    ("", "Paste at least one line."), ("\n \n", "Paste at least one line."),
    ("Monday orders for Lina", "no line has a link in it. The first line says “Monday orders for Lina”."),
    ("149|a.b/c|1\n" * (MOST_LINES + 1), "This list has 5,001 lines. One list takes 5,000."),
    ("x" * 1_500_001, "up to 1,500,000 are read"),
])  # fmt: skip
def test_what_cannot_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_list(text)
    assert why in str(refusal.value)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_no_text_whatever_breaks_the_reading(text: str) -> None:
    try:
        lines = read_list(text).lines
    except Refusal:
        return
    assert all(line.typed and not any("\0" in cell for cell in line.typed.values()) for line in lines)


WORD = st.text("abcdefghij -_'/.", min_size=1, max_size=12).map(str.strip).filter(bool)


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries(
    {"service": st.integers(1, 999).map(str), "link": WORD.map("https://a.b/{}".format), "quantity": st.just("7")},
    optional={"customer": WORD, "reference": WORD, "comments": st.lists(WORD, min_size=1, max_size=3).map("\n".join)},
), min_size=1, max_size=6))  # fmt: skip
def test_lines_that_are_shown_as_text_again_are_read_as_the_same(lines: list[dict[str, str]]) -> None:
    assert typed(as_text(lines)) == lines


# ── Files ────────────────────────────────────────────────────────────────────────────────────────
def sheet(rows: list[list[object]]) -> bytes:
    file = BytesIO()
    with Workbook(file) as book:
        page = book.add_worksheet("Orders")
        for at, row in enumerate(rows):
            page.write_row(at, 0, row)
    return file.getvalue()


def test_a_workbook_is_read_like_the_text() -> None:
    content = sheet([["Quantity", "Link", "Note", "Service"], [1000, "https://instagram.com/p/A1", None, 149], [],
                     [1e3, "https://instagram.com/p/A1", "x", "149"]])  # fmt: skip
    read = read_file("orders.xlsx", content)
    assert [(line.number, line.typed) for line in read.lines] == [(2, SAME), (4, SAME)]
    assert read.unread == ("Note",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_csv_in_the_encodings_of_spreadsheets_is_read(encoding: str) -> None:
    content = "service;link;quantity;customer\n149;https://instagram.com/p/A1;1000;Café".encode(encoding)
    assert read_file("list.csv", content).lines[0].typed == {**SAME, "customer": "Café"}


@pytest.mark.parametrize(("name", "content"), [
    ("a.xlsx", b"PK\x03\x04 broken"), ("a.xlsx", b""), ("a.bin", bytes(range(256))), ("a.csv", b"\xff\xfe\x00"),
    ("a.csv", b"x" * 2_000_001),
])  # fmt: skip
def test_a_file_that_is_no_list_says_so(name: str, content: bytes) -> None:
    with pytest.raises(Refusal):
        read_file(name, content)


def test_a_workbook_that_would_grow_is_refused() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", "<!DOCTYPE a [<!ENTITY b 'cc'>]><worksheet/>")
    with pytest.raises(Refusal, match="cannot be read"):
        read_file("a.xlsx", file.getvalue())
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b"<worksheet>" + b" " * 41_000_000)
    with pytest.raises(Refusal, match="Split it"):
        read_file("a.xlsx", file.getvalue())
