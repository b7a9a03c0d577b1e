"""The text of a saved report as a mail: its figures and largest rows, as their reader may see them at that moment."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl

from django.conf import settings
from django.urls import reverse

from accounts.access import may
from accounts.models import User
from orders.models import SavedView
from orders.reports.key_figures import key_figures, percent
from orders.reports.period import SPLITS, Period
from orders.reports.splits import KEY_OF, Row, split_of
from orders.reports.statement import read_sums
from orders.reports.views import splits_for
from panel.format.locale import written_for
from panel.format.money import money, money_seen
from panel.format.numbers import number
from panel.format.times import day, zone_name

WHY = (
    "You get this every Monday because you ticked “Mail me this every Monday” at this report. To end it, untick it "
    "under Reports, Saved reports."
)
NOTHING = "Nothing was ordered on these days."


class Letter(NamedTuple):
    """A mail: its subject, its text, and the pages that it leads to."""

    title: str
    words: str
    links: list[str]


def letter_of(view: SavedView, person: User, now: datetime) -> Letter:
    """The report until last Sunday, in the person's own days and numbers; money only if they may see it now."""
    sees_money = may(person, "money")
    with written_for(person.time_zone, person.numbers), money_seen(sees_money):
        period = Period.read(dict(parse_qsl(view.query)), splits_for(person), last_sunday(day(now)))
        fixed = period._replace(preset="", view=view.pk)  # so that the link shows the days that the mail tells of
        pages = (f"{reverse('reports')}{fixed.address()}", reverse("saved_reports"))
        links = [f"{settings.DESK_URL}{page}" for page in pages] if settings.DESK_URL else []
        return Letter(f"Weekly report: {view.name}", "\n\n".join(paragraphs(period, sees_money)), links)


def last_sunday(today: date) -> date:
    """The last Sunday before this day."""
    return today - timedelta(days=today.weekday() + 1)


def paragraphs(period: Period, sees_money: bool) -> list[str]:
    """What the mail says, a paragraph each."""
    sums = read_sums(period.first, period.last, period.shift, KEY_OF.get(period.split, period.split))
    compared = f", compared with {period.before_words}" if period.shift else ""
    about = f"{SPLITS[period.split]}, {period.words}, whole days in {zone_name()}{compared}."
    split = split_of(sums, period, "charged" if sees_money else "orders")
    if not split.total.now.any:
        return [about, NOTHING, WHY]
    figures = "\n".join(figure.line for figure in key_figures(sums, period, sees_money))
    rows = "\n".join(line_of(row, sees_money) for row in (*split.rows, split.total))
    return [about, figures, rows, WHY]


def line_of(row: Row, sees_money: bool) -> str:
    """A row of the split: `Northside Gym: spent $5.70, sold $9.00, margin $3.30, 172 orders, …`."""
    count = f"{number(row.now.orders)} {'order' if row.now.orders == 1 else 'orders'}"
    shares = f"delivered {percent(row.now.delivered_share)}, late {percent(row.now.late_share)}"
    amounts = ""
    if sees_money:
        amounts = f"spent {money(row.spent)}, sold {money(row.sold)}, margin {money(row.margin)}, "
    return f"{row.name.text}: {amounts}{count}, {shares}"
