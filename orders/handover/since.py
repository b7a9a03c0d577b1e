"""The moment that the page counts from: the end of the person's last working day, or one that the address names."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from panel.format.times import ZONE, clock, took

LONGEST = timedelta(days=31)
FIRST_DAY = timedelta(hours=24)  # what is shown to whom no working day has ended yet
HOURS = (8, 24, 24 * 7)  # that are offered
MINUTES = "%Y-%m-%dT%H:%M"


class Since(NamedTuple):
    """A moment, whether the person chose it, and what was wrong with the one that they chose."""

    at: datetime
    now: datetime
    left_at: datetime | None  # the end of the person's last working day
    chosen: bool
    why: str = ""  # a sentence; "" when nothing was wrong

    @classmethod
    def read(cls, text: str, user: Any, now: datetime) -> "Since":
        """The moment in an address, or the end of the last working day where there is none or none that can be read."""
        left_at = user.day_ended_at(now)
        own = max(left_at or now - FIRST_DAY, now - LONGEST)
        if not text:
            return cls(own, now, left_at, chosen=False)
        chosen = moment_of(text)
        if why := why_not(chosen, now):
            return cls(own, now, left_at, chosen=False, why=why)
        return cls(chosen or own, now, left_at, chosen=True)

    @property
    def address(self) -> str:
        """The page's address that shows the same to everybody, and tomorrow."""
        return address_of(self.at)

    @property
    def field(self) -> str:
        """The moment as a field of the form takes it, on the reader's clock."""
        return self.at.astimezone(ZONE.get() or UTC).strftime(MINUTES)

    @property
    def words(self) -> str:
        """The beginning of the sentence that sums up."""
        if self.chosen:
            return f"Since {clock(self.at)}"
        if self.left_at is None:
            return "You are here for the first time. In the last 24 hours"
        if self.at > self.left_at:
            return f"You were last here on {clock(self.left_at)}. In the last {LONGEST.days} days"
        return f"You were last here at {clock(self.at)}. Since then"

    @property
    def span(self) -> str:
        """How long that is: `15 h 38 min`."""
        return took(self.now - self.at)

    def choices(self) -> list[tuple[str, str, bool]]:
        """Words, address and whether it is the one that is shown, of what is offered to choose."""
        offered = [("Since I left" if self.left_at else "Last 24 h", reverse("since"), not self.chosen)]
        for hours in HOURS if self.left_at else HOURS[:1] + HOURS[2:]:
            at = (self.now - timedelta(hours=hours)).replace(second=0, microsecond=0)
            words = f"Last {hours} h" if hours <= 24 else f"Last {hours // 24} days"
            offered.append((words, address_of(at), self.chosen and at == self.at))
        return offered


def address_of(at: datetime) -> str:
    """The page's address for a moment, which it names in UTC."""
    return f"{reverse('since')}?{urlencode({'from': at.astimezone(UTC).strftime(MINUTES) + 'Z'})}"


def moment_of(text: str) -> datetime | None:
    """The moment that `2026-11-28T18:04Z` names; without a zone, on the reader's clock. None for any other text."""
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=ZONE.get() or UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def names_a_zone(text: str) -> bool:
    """Whether a text names the same moment to every reader."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return True  # it names none at all, to nobody


def why_not(at: datetime | None, now: datetime) -> str:
    """Why the page cannot count from this moment, as a sentence; "" when it can."""
    if at is None:
        return "That is no time. Choose a day and an hour."
    if at > now:
        return "That time is still to come. Choose one that has been."
    return f"Choose a time within the last {LONGEST.days} days." if at < now - LONGEST else ""
