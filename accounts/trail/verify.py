"""Verifies the trail: every line against its seal, every link against its lines and the link before it, and the end.

It names what is wrong, and where. It reads one link's lines at a time, and changes nothing.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import connection

from accounts.models import ChainHead, ChainLink, TrailLine
from accounts.trail.chain import LINES_A_LINK, digest_of_link, is_whole
from accounts.trail.seal import is_genuine, key_of
from panel.ops.database import ONLY_ROW

LINKS_READ = 500  # at a time
END = 0  # in place of a link's number: the end of the chain, and what lies behind it


class Break(NamedTuple):
    """One thing that is wrong."""

    line: int  # the id of the line, or of the first of the lines
    what: str  # changed, removed, inserted, moved, truncated
    words: str  # a sentence
    link: int = END  # the number of the link, or END


class Ends(NamedTuple):
    """What a link must follow: number, last id, and digest of the one before."""

    number: int = 0
    last_id: int = 0
    digest: bytes = b""

    @classmethod
    def of(cls, link: ChainLink) -> "Ends":
        """What the link after this one must follow."""
        return cls(link.number, link.last_id, bytes(link.digest))


def verify_links(links: Iterable[ChainLink], before: Ends, unsealed_until: int) -> Iterator[Break]:
    """What is wrong with these links, which follow each other from `before` on, and with their lines."""
    for link in links:
        if link.number != before.number + 1 or link.first_id != before.last_id + 1:
            gone = f"Between links {before.number} and {link.number} of the chain something was removed or inserted."
            yield Break(before.last_id + 1, "removed", gone, link.number)
        yield from verify_link(link, before.digest, unsealed_until)
        before = Ends.of(link)


def verify_link(link: ChainLink, before: bytes, unsealed_until: int) -> Iterator[Break]:
    """What is wrong with one link and its lines."""
    key = key_of(link.key)
    if key is None:
        unknown = "It was sealed with a SECRET_KEY that is not among SECRET_KEY_FALLBACKS, so it cannot be verified."
        yield Break(link.first_id, "changed", unknown, link.number)
        return
    lines = list(TrailLine.objects.filter(pk__gte=link.first_id, pk__lte=link.last_id).order_by("pk")[: most(link)])
    found = [*misplaced(link, {line.pk for line in lines}), *changed(lines, unsealed_until)]
    yield from (each._replace(link=link.number) for each in found)
    if not found and bytes(link.digest) != digest_of_link(link, key, before, lines):
        words = (
            f"Lines {link.first_id} to {link.last_id} are not as they were sealed: they were exchanged with each other,"
            f" or link {link.number} of the chain, or the one before it, was changed."
        )
        yield Break(link.first_id, "moved", words, link.number)


def most(link: ChainLink) -> int:
    """More lines than this are read of no link: somebody may have inserted any number."""
    return min(link.lines, LINES_A_LINK) + LINES_A_LINK


def misplaced(link: ChainLink, there: set[int]) -> Iterator[Break]:
    """The lines of a link that are missing, and those that it does not know."""
    expected, place = set[int](), link.first_id
    try:
        gaps = [(int(first), int(last)) for first, last in link.gaps]
    except (TypeError, ValueError):
        gaps = []
    for first, last in [*gaps, (link.last_id + 1, link.last_id + 1)]:
        expected |= set(range(place, min(first, place + most(link))))
        place = last + 1
    if len(expected) != link.lines:
        words = f"Link {link.number} of the chain was changed: it does not say which lines it holds."
        yield Break(link.first_id, "changed", words)
        return
    for pk in sorted(expected - there):
        yield Break(pk, "removed", f"Line {pk} was removed.")
    for pk in sorted(there - expected):
        yield Break(pk, "inserted", f"Line {pk} was inserted.")


def changed(lines: Iterable[TrailLine], unsealed_until: int) -> Iterator[Break]:
    """The lines whose seal does not fit what they say."""
    for line in lines:
        if line.seal is None:
            if line.pk > unsealed_until:
                yield Break(line.pk, "inserted", f"Line {line.pk} has no seal: it was not written by the desk.")
        elif not is_genuine(line):
            yield Break(line.pk, "changed", f"Line {line.pk} was changed: its seal does not fit what it says.")


# ── The end ──────────────────────────────────────────────────────────────────────────────────────
def verify_end(head: ChainHead | None) -> Iterator[Break]:
    """What is wrong with the end of the chain."""
    last = ChainLink.objects.order_by("-number").first()
    if head is None:
        yield Break(last.last_id if last else 1, "truncated", "The end of the chain is missing.")
        return
    if not is_whole(head):
        yield Break(head.last_id, "truncated", "The end of the chain was changed, or is of another SECRET_KEY.")
    # A link that was made since the head was read is the next one's to verify.
    last = ChainLink.objects.filter(number__lte=head.number).order_by("-number").first()
    ends = Ends.of(last) if last else Ends()
    if ends != Ends(head.number, head.last_id, bytes(head.digest)):
        words = f"The chain was cut off: it ends at line {ends.last_id}, and went on to line {head.last_id}."
        yield Break(ends.last_id + 1, "truncated", words)


def verify_tail(head: ChainHead, limit: int | None = None) -> Iterator[Break]:
    """What is wrong with the lines behind the chain, which are not sealed into it yet; with the first `limit`."""
    newest_id, place, read = last_written_id(), head.last_id, 0
    while limit is None or read < limit:
        lines = list(TrailLine.objects.filter(pk__gt=place).order_by("pk")[:LINES_A_LINK])
        yield from changed(lines, head.unsealed_until)
        if newest_id:  # no id is left out
            until = min(lines[-1].pk if len(lines) == LINES_A_LINK else newest_id, place + 2 * LINES_A_LINK, newest_id)
            missing = set(range(max(place, head.unsealed_until) + 1, until + 1)) - {line.pk for line in lines}
            yield from (Break(pk, "removed", f"Line {pk} was removed.") for pk in sorted(missing)[:LINES_A_LINK])
        if len(lines) < LINES_A_LINK:
            return
        place, read = lines[-1].pk, read + len(lines)


def last_written_id() -> int:
    """SQLite: the highest id that a line had, for there an undone transaction takes none. Elsewhere 0."""
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [TrailLine._meta.db_table])
        return int((cursor.fetchone() or [0])[0])


# ── All of it ────────────────────────────────────────────────────────────────────────────────────
def links_from(place: int, until: int) -> Iterator[ChainLink]:
    """The links after number `place`, oldest first, a few at a time."""
    while links := list(ChainLink.objects.filter(number__gt=place, number__lte=until).order_by("number")[:LINKS_READ]):
        yield from links
        place = links[-1].number


def verify_all(sought: str = "") -> Iterator[Break]:
    """Everything that is wrong. With `sought`, a digest that was written down elsewhere, also whether it is missing."""
    head = ChainHead.objects.filter(pk=ONLY_ROW).first()
    found = False

    def noting() -> Iterator[ChainLink]:
        nonlocal found
        for link in links_from(0, head.number if head else 2**62):
            found = found or bytes(link.digest).hex() == sought
            yield link

    yield from verify_links(noting(), Ends(), head.unsealed_until if head else 0)
    yield from verify_end(head)
    if head is not None:
        yield from stray_links(head)
        yield from verify_tail(head)
    if sought and not found:
        words = "This digest is not in the chain: an older database was restored, or the chain was cut off and redone."
        yield Break(head.last_id if head else 0, "truncated", words)


def stray_links(head: ChainHead) -> Iterator[Break]:
    """A link behind the end that the worker has not made since."""
    beyond = ChainLink.objects.filter(number__gt=head.number).order_by("number").first()
    if beyond is not None and not ChainHead.objects.filter(pk=ONLY_ROW, number__gte=beyond.number).exists():
        words = f"Link {beyond.number} of the chain was inserted."
        yield Break(beyond.first_id, "inserted", words)
