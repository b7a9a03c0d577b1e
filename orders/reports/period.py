"""The period of a report, what it is compared with and how it is split, as they stand in the address."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from panel.format.times import day_of, today
from panel.web.params import read_number

MOST_DAYS = 1_100  # of one report: three years
DAYS_BY_DAY, DAYS_BY_WEEK = 100, 400  # up to so many days a report is drawn by day, or by week; else by month
PRESETS = {
    "today": "Today", "7": "7 days", "28": "28 days", "month": "This month", "quarter": "90 days", "year": "12 months",
}  # fmt: skip
USUAL = "28"
BY = {"day": "by day", "week": "by week", "month": "by month"}
COMPARED = {"before": "the same number of days before", "year": "the same weekdays a year before", "no": "nothing"}
SPLITS = {
    "service": "Services", "category": "Categories", "network": "Networks", "customer": "Customers", "person": "People",
}  # fmt: skip
LENGTHS = {"today": 1, "7": 7, "28": 28, "quarter": 90, "year": 365}
YEAR_OF_WEEKS = 364  # days: the same weekdays


class Bucket(NamedTuple):
    """One bar of the charts and row of their tables: days of the period, by their numbers within it."""

    first: date
    last: date
    begin: int
    end: int


class Period(NamedTuple):
    """Whole days on the reader's calendar, and how they are shown."""

    first: date
    last: date
    preset: str  # key of PRESETS, "" for days that the reader chose
    by: str
    compared: str
    split: str
    trouble: str = ""  # why the days that were asked for are not shown
    view: int = 0  # the saved report that it began as; 0 for none

    @classmethod
    def read(
        cls, params: Mapping[str, str], splits: Collection[str] = SPLITS, now: date | None = None
    ) -> "Period":  # fmt: skip
        """The period that the parameters name; what cannot be read is as usual, with a sentence why.

        `splits`: those that its reader may see. `now`: the day that the usual periods end with, or None for today.
        """
        now, trouble = now or today(), ""
        first_text, last_text = params.get("from", "").strip(), params.get("to", "").strip()
        first, last = day_of(first_text), day_of(last_text)
        preset = params.get("period", USUAL)
        preset = preset if preset in PRESETS else USUAL
        if first_text or last_text:
            last = last or (now if not last_text else None)
            if first is None or last is None:
                trouble = "Give both days as year, month and day, such as 2026-11-01."
            elif first > last:
                trouble = "The period ends before it begins."
            elif (last - first).days >= MOST_DAYS:
                trouble = f"A report covers {MOST_DAYS:,} days at most."
            else:
                preset = ""
        if preset or not first or not last:
            first, last = cls.of_preset(preset, now)
        by, compared, split = params.get("by", ""), params.get("with", ""), params.get("split", "")
        return cls(
            first, last, preset, by if by in BY else usual_by((last - first).days + 1),
            compared if compared in COMPARED else "before", split if split in splits else "service", trouble,
            read_number(params.get("view")),
        )  # fmt: skip

    @staticmethod
    def of_preset(preset: str, now: date) -> tuple[date, date]:
        """The first and last day of a preset, today included."""
        return (now.replace(day=1) if preset == "month" else now - timedelta(days=LENGTHS[preset] - 1)), now

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def shift(self) -> int:
        """How many days earlier the period begins that it is compared with; 0: it is compared with nothing."""
        return {"before": self.days, "year": max(YEAR_OF_WEEKS, self.days), "no": 0}[self.compared]

    @property
    def before(self) -> tuple[date, date]:
        """The first and last day of what it is compared with."""
        return self.first - timedelta(days=self.shift), self.last - timedelta(days=self.shift)

    @property
    def buckets(self) -> list[Bucket]:
        """Its days, weeks from Monday or months, the first and last cut off where the period begins and ends."""
        found: list[Bucket] = []
        for number in range(self.days):
            day = self.first + timedelta(days=number)
            begins = self.by == "day" or (day.weekday() == 0 if self.by == "week" else day.day == 1)
            if begins or not found:
                found.append(Bucket(day, day, number, number + 1))
            else:
                found[-1] = found[-1]._replace(last=day, end=number + 1)
        return found

    def address(self, **changes: str) -> str:
        """The query of a report with these parameters changed; what is as usual is left out."""
        days = {"period": self.preset} if self.preset else {"from": str(self.first), "to": str(self.last)}
        if changes.keys() & {"period", "from"}:
            days = {}
        view = {"view": str(self.view)} if self.view else {}
        own = {**days, "by": self.by, "with": self.compared, "split": self.split, **view, **changes}
        usual = {"period": USUAL, "with": "before", "split": "service", "all": ""}
        if "by" not in changes and ("period" in changes or self.by == usual_by(self.days)):
            del own["by"]
        return "?" + urlencode({name: value for name, value in own.items() if usual.get(name) != value})

    @property
    def kept(self) -> str:
        """What a saved report keeps of it: the address of the same report, without its question mark."""
        return self._replace(view=0).address()[1:]

    @property
    def words(self) -> str:
        """`1 to 28 November 2026`."""
        return days_words(self.first, self.last)

    @property
    def before_words(self) -> str:
        """`4 to 31 October 2026`."""
        return days_words(*self.before)


def usual_by(days: int) -> str:
    """How a report of so many days is drawn unless the reader says otherwise."""
    return "day" if days <= DAYS_BY_DAY else "week" if days <= DAYS_BY_WEEK else "month"


def days_words(first: date, last: date) -> str:
    """Days in words, with the month and the year named once where they are the same."""
    if first == last:
        return f"{last:%-d %B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%-d} to {last:%-d %B %Y}"
    first_words = f"{first:%-d %B}" if first.year == last.year else f"{first:%-d %B %Y}"
    return f"{first_words} to {last:%-d %B %Y}"
