"""The templates can be read: no line runs out of sight, and every fragment says what it wants to be given."""

from collections.abc import Iterator

import pytest

from tests import ROOT

TEMPLATES = ROOT / "templates"
LONGEST = 160  # characters of a line
APART = ("django/", "account/")  # Django's own language; blocks for pages to fill in
WANT_NOTHING = {
    "orders/placing/_stop.html",  # a form that is the same on every page
    "orders/reports/_sums.html",  # macros, each told by its caller what it needs
    "orders/table/_freshness.html",  # likewise
}


def templates() -> Iterator[tuple[str, str]]:
    for path in sorted(TEMPLATES.rglob("*.html")):
        yield path.relative_to(TEMPLATES).as_posix(), path.read_text()


def long_lines(name: str, text: str) -> list[str]:
    return [f"{name}:{at}" for at, line in enumerate(text.splitlines(), 1) if len(line) > LONGEST]


def says_what_it_wants(text: str) -> bool:
    """In a comment that begins in the first line."""
    comment, end, _ = text.partition("#}")
    return comment.startswith("{#") and "Wants:" in comment and bool(end)


def test_no_line_is_too_long() -> None:
    found = [line for name, text in templates() for line in long_lines(name, text)]
    assert not found, "\n".join(found)


def test_a_long_line_would_be_found() -> None:
    assert long_lines("a.html", f"<p>\n{'x' * LONGEST}\n{'x' * (LONGEST + 1)}\n") == ["a.html:3"]


def test_every_fragment_says_what_it_wants() -> None:
    silent = {
        name
        for name, text in templates()
        if name.rpartition("/")[2].startswith("_") and not name.startswith(APART) and not says_what_it_wants(text)
    }
    assert silent == WANT_NOTHING


@pytest.mark.parametrize("text", ["<p>{# Wants: bar #}</p>", "{# A bar. #}\n{# Wants: bar #}", "\n{# Wants: bar #}"])
def test_a_fragment_that_does_not_say_it_at_once_would_be_found(text: str) -> None:
    assert not says_what_it_wants(text)
    assert says_what_it_wants("{# A bar,\n   with words. Wants: bar #}\n")
