"""The figures at the top of a report, each with how it moved, what it was before, and the orders that it counts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from django.urls import reverse

from orders.reports.figures import Totals, added, change, in_cents
from orders.reports.period import Period
from orders.reports.splits import orders_query
from orders.reports.statement import Sums
from panel.format.money import money
from panel.format.numbers import decimal, number

ENDED = {"past": "ended"}


class Words(NamedTuple):
    """Some words, and the list of the orders that they count; "" for words without."""

    text: str
    href: str = ""


class KeyFigure(NamedTuple):
    """One of the figures at the top."""

    title: str
    value: str
    href: str = ""
    moved: str = ""  # compared with before
    is_bad: bool = False  # whether it moved where nobody wants it
    sub: tuple[Words, ...] = ()

    @property
    def line(self) -> str:
        """The figure as one line of a mail."""
        return "; ".join(filter(None, (f"{self.title}: {self.value}", self.moved, *(sub.text for sub in self.sub))))


def key_figures(sums: Sums, period: Period, sees_money: bool) -> list[KeyFigure]:
    """The figures of a report for who may see money, or may not."""
    figures = _Figures(added(sums.days), added(sums.before), period)
    counts = [figures.orders(), figures.delivered(), figures.late(), figures.refills()]
    if not sees_money:
        return counts
    amounts = [
        figures.amount("Spent", "charged", "charged"), figures.amount("Sold", "sold", "sold"), figures.margin(),
        figures.amount("Given back", "given_back", "back", bad_up=True),
    ]  # fmt: skip
    return amounts + counts


class _Figures(NamedTuple):
    """The totals of a period and of the one before, and what is said of them."""

    now: Totals
    before: Totals
    period: Period

    def href(self, count: int, facts: Mapping[str, str] | None = None, *, earlier: bool = False) -> str:
        """The list of the orders with these facts, or "" where there is none."""
        return f"{reverse('orders:index')}{orders_query(self.period, None, facts, earlier=earlier)}" if count else ""

    def was(self, text: str, count: int, facts: Mapping[str, str] | None = None) -> tuple[Words, ...]:
        """What it was before, where it is compared with something."""
        return (Words(f"{text} before", self.href(count, facts, earlier=True)),) if self.before.any else ()

    def moved(self, name: str) -> Decimal | None:
        """By how many percent a figure changed; None where it is compared with nothing."""
        return change(getattr(self.now, name), getattr(self.before, name)) if self.before.any else None

    def amount(
        self, title: str, name: str, fact: str, *, bad_up: bool = False, bad_down: bool = False
    ) -> KeyFigure:  # fmt: skip
        """A sum of money, of the orders with this fact of the list's filter by money."""
        (value,), (was,) = in_cents([getattr(self.now, name)]), in_cents([getattr(self.before, name)])
        moved = self.moved(name)
        is_bad = bool(moved and ((moved > 0 and bad_up) or (moved < 0 and bad_down)))
        href = self.href(getattr(self.now, name), {"money": fact})
        before = self.was(money(was), getattr(self.before, name), {"money": fact})
        return KeyFigure(title, money(value), href, percent_moved(moved), is_bad, before)

    def margin(self) -> KeyFigure:
        """The margin, and its share of what customers pay."""
        figure, share = self.amount("Margin", "margin", "margin", bad_down=True), self.now.margin_share
        words = "nothing was sold" if share is None else f"{percent(share)} of what was sold"
        return figure._replace(sub=(Words(words), *figure.sub))

    def orders(self) -> KeyFigure:
        """How many orders were placed."""
        moved = percent_moved(self.moved("orders"))
        before = self.was(number(self.before.orders), self.before.orders)
        return KeyFigure("Orders", number(self.now.orders), self.href(self.now.orders), moved, sub=before)

    def share(self, title: str, name: str, *, bad_up: bool, sub: tuple[Words, ...], past: str) -> KeyFigure:
        """A share of the orders that ended, which leads to those that it is made of."""
        value, was = getattr(self.now, name), getattr(self.before, name)
        moved = value - was if self.before.any and value is not None and was is not None else None
        words = "" if moved is None else f"{signed(moved)} points" if moved else "as before"
        before = () if was is None else self.was(percent(was), self.before.ended, ENDED)
        href = self.href(self.now.ended, {"past": past})
        return KeyFigure(title, percent(value), href, words, bool(moved and (moved > 0) == bad_up), (*sub, *before))

    def ended(self, words: str) -> Words:
        """How many orders ended, after some words."""
        return Words(f"{words} {number(self.now.ended)} ended".strip(), self.href(self.now.ended, ENDED))

    def delivered(self) -> KeyFigure:
        """How much of what was ordered arrived."""
        return self.share("Delivered, of what was ordered", "delivered_share", bad_up=False, sub=(self.ended("of"),),
                          past="ended")  # fmt: skip

    def late(self) -> KeyFigure:
        """How many orders ended late."""
        sub = (Words(f"{number(self.now.late)} late", self.href(self.now.late, {"past": "late"})), self.ended("of"))
        return self.share("Ended late", "late_share", bad_up=True, sub=sub, past="late" if self.now.late else "ended")

    def refills(self) -> KeyFigure:
        """How many refills were asked for, for how many orders."""
        asked, done = self.now.refills, self.now.refilled
        sub = (
            Words(f"{number(asked)} asked", self.href(asked, {"past": "refills"})),
            Words(f"{number(done)} done", self.href(done, {"past": "refilled"})), self.ended("of"),
        )  # fmt: skip
        return self.share("Refills asked", "refill_share", bad_up=True, sub=sub, past="refills" if asked else "ended")


def percent(value: Decimal | None) -> str:
    """`31.7 %`, or `–` of nothing."""
    return "–" if value is None else f"{decimal(value, 1)} %"


def signed(value: Decimal) -> str:
    """`+0.8` or `−1.4`."""
    return f"{'−' if value < 0 else '+'}{decimal(abs(value), 1)}"


def percent_moved(moved: Decimal | None) -> str:
    """`+7.7 %`, or "" where nothing was before."""
    return "" if moved is None else "as before" if not moved else f"{signed(moved)} %"
