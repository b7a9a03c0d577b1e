"""Times as people read them: relative words, the exact time on hover; static/desk.js keeps the words true."""

from datetime import UTC, datetime

from markupsafe import Markup

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
TOLD_BY_DATE = 30 * DAY


def ago_words(at: datetime, now: datetime | None = None) -> str:
    """`now`, `12 s ago`, `in 3 min`, `2 d ago`; a date when it is long ago. The same words as in static/desk.js."""
    seconds = int(((now or datetime.now(UTC)) - at).total_seconds())
    if seconds >= TOLD_BY_DATE:
        return f"{at.day} {at:%b %Y}"
    size = abs(seconds)
    if size < 1:
        return "now"
    span = next((f"{size // unit} {word}" for unit, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")) if size >= unit),
                f"{size} s")  # fmt: skip
    return f"{span} ago" if seconds > 0 else f"in {span}"


def time_tag(at: datetime, looked: object = "") -> Markup:
    """A `<time>` whose words the page keeps true. `looked` names the look that it tells of: a poll moves it."""
    said = f' data-looked="{Markup.escape(looked)}"' if looked else ""
    machine, exact = at.isoformat(timespec="seconds"), at.isoformat(sep=" ", timespec="seconds")[:19]
    words = ago_words(at)
    # All of it is made of digits and our own words, but for `looked`, which is escaped.
    return Markup(f'<time datetime="{machine}" title="{exact} UTC" data-when{said}>{words}</time>')  # noqa: S704
