"""The columns of the orders table, and the drawing of its rows with the columns that a person chose.

A row is drawn once for all who see it alike, and kept. `_drawn` is a function of its two arguments, and they hold all
that the templates of a row read. What changes by itself (`2 min ago`) or belongs to one page is left blank in it, and
filled in each time.
"""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.template import engines
from django.utils import timezone
from django.utils.http import urlencode
from jinja2 import Template
from markupsafe import Markup, escape

from accounts.access import may, may_see
from orders.models import Order
from orders.models.team import Colleague
from orders.rules.lateness import late_since
from orders.table.markup import icon
from orders.table.rows import NOT_SOLD, Row, Sale, company_mark, sales_of
from panel.format.money import money
from panel.format.numbers import PLAIN, marked
from panel.format.times import due_tag, span_tag, time_tag, today, zone_name

CACHED_TEMPLATES = 128  # compiled rows, one for each choice of columns; a team makes few different choices
DRAWN_AT_ONCE = 8  # rows of a page; a screen shows some of those below later, by a frame: lists.css
DRAWN_ROWS = 2_000  # kept in a process; each takes some 4 kB
ROW_ACTIONS = ("place", "refill", "cancel", "note", "money")  # on which the look of a row depends
FIRST_COLUMN = "id"  # in every choice: it names the row and links to the order
DEFAULT_COLUMNS = ("id", "link", "service", "who", "qty", "charge", "status", "refill")


Company = Mapping[int, Sequence[Colleague]]  # order → others who have it open


class Column(NamedTuple):
    """One column of the table. Its cell is templates/orders/table/cells/<name>.html, its CSS class is c-<name>."""

    label: str
    number: bool = False
    sort: str = ""  # the key of SORTS that a press on the column's head asks for
    again: str = ""  # the key of SORTS for a press while the list is sorted by `sort`


COLUMNS = {
    "id": Column("Order", again="oldest"),
    "service": Column("Service"),
    "link": Column("Link"),
    "qty": Column("Delivered", number=True),
    "remains": Column("Remains", number=True),
    "start": Column("Start", number=True),
    "charge": Column("Charge", number=True, sort="dearest", again="cheapest"),
    "status": Column("Status"),
    "refill": Column("Refills"),
    "who": Column("Placed by"),
    "assigned": Column("Assigned to"),
    "upstream": Column("Supplier’s id"),
    "customer": Column("Customer"),
    "sold_for": Column("Price", number=True),
}
OF_SALES = {"customer", "sold_for"}  # columns for which the sales of a page's orders are read


def known_columns(names: Iterable[str]) -> tuple[str, ...]:
    """FIRST_COLUMN and those of the names that are columns, each once; DEFAULT_COLUMNS when there are no others."""
    known = dict.fromkeys(name for name in names if name in COLUMNS and name != FIRST_COLUMN)
    return (FIRST_COLUMN, *known) if known else DEFAULT_COLUMNS


@lru_cache(maxsize=CACHED_TEMPLATES)
def row_template(columns: tuple[str, ...]) -> Template:
    """The template of a row with these cells, compiled as one: including each cell in fifty rows took twice as long."""
    env = engines["jinja2"].env  # type: ignore[attr-defined]
    paths = ["_row.html", *(f"cells/{name}.html" for name in columns)]
    row, *cells = (env.loader.get_source(env, f"orders/table/{path}")[0] for path in paths)
    template: Template = env.from_string(row.replace("{# cells #}", "".join(map(str.strip, cells))))
    return template


def visible_columns(names: Iterable[str], user: Any) -> tuple[str, ...]:
    """Those of these columns whose field this person may see."""
    return tuple(name for name in names if may_see(user, name))


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────
class Reader(NamedTuple):
    """All that the look of a row depends on besides the row: who reads it, where and when."""

    columns: tuple[str, ...]
    rights: frozenset[str]  # those of ROW_ACTIONS that this person may do
    stopped: bool  # whether sending is
    refills_per_order: int
    zone: str
    numbers: str  # PLAIN as this person writes it
    today: date  # on this person's calendar: times of other days are told with their day

    @classmethod
    def of(cls, user: Any, columns: tuple[str, ...], *, stopped: bool) -> Self:
        """This person now, with these columns."""
        return cls(columns, rights_of(user), stopped, settings.REFILLS_PER_ORDER, zone_name(), marked(PLAIN), today())


def rights_of(user: Any) -> frozenset[str]:
    """What this person may do with the orders of a list."""
    return frozenset(what for what in ROW_ACTIONS if may(user, what))


class Times(NamedTuple):
    """The times of an order, and each as a row or a page tells it now."""

    pk: int
    created_at: datetime
    checked_at: datetime | None
    late_from: datetime | None
    due_at: datetime | None  # when its placing is tried next

    @classmethod
    def of(cls, order: Order) -> Self:
        """Those of an order whose tasks are known."""
        due_at = order.placing_task.due_at if order.placing_task else None
        return cls(order.pk, order.created_at, order.checked_at, order.late_from, due_at)

    @property
    def placed(self) -> Markup:
        """When it was placed."""
        return time_tag(self.created_at)

    @property
    def polled(self) -> Markup:
        """When upstream was last asked, for an order that still is: open pages move it on without a swap."""
        return time_tag(self.checked_at, self.pk) if self.checked_at else Markup()

    @property
    def changed(self) -> Markup:
        """When upstream was last asked, for an order that is not asked after any more."""
        return time_tag(self.checked_at) if self.checked_at else Markup()

    @property
    def late(self) -> Markup:
        """For how long it is late."""
        since = late_since(self.late_from)
        return span_tag(since) if since else Markup()

    @property
    def due(self) -> Markup:
        """When it is tried next."""
        return due_tag(self.due_at) if self.due_at else Markup()


# The blanks of a drawn row: its times, and what a page adds. Between marks that nobody can guess, so no text has one.
TOLD = ("placed", "polled", "changed", "late", "due")
ADDED = ("back", "attributes", "note", "company", "mark", "customer", "price")
_MARK = secrets.token_hex(16)
BLANKS = {name: Markup(f"{_MARK}{name}{_MARK}") for name in TOLD + ADDED}  # noqa: S704  our own words
_AT_BLANKS = re.compile(f"{_MARK}([a-z]+){_MARK}")


def draw_rows(
    rows: Iterable[Row], reader: Reader, company: Company | None = None, *, match: str = "", note: str = "",
    swap: bool = False,
) -> Markup:  # fmt: skip
    """These rows as HTML: a page of them, or with `swap` each to go to its own place in an open page.

    `company` says who else has which order open, `match` is the query string of the list that the rows stand in, `note`
    says why nothing was done.
    """
    added = {
        "back": escape(f"?{urlencode({'from': match})}" if match else ""),
        "attributes": ' hx-swap-oob="true"' if swap else "",
        "note": Markup('<span class="sub old" role="alert">{}</span>').format(note) if note else "",
    }
    now, rows = timezone.now(), list(rows)
    sales = sales_of([row.pk for row in rows]) if OF_SALES.intersection(reader.columns) else None
    drawn: list[str] = []
    for position, row in enumerate(rows):
        if position == DRAWN_AT_ONCE and not swap:
            added["attributes"] = " data-below"
        here = (company or {}).get(row.pk, ())
        added["company"], added["mark"] = company_html(here), company_mark(here)
        if sales is not None:
            added["customer"], added["price"] = sale_html(sales.get(row.pk, NOT_SOLD))
        drawn += _filled(_drawn(row.timeless(now), reader), Times(*row.times), added)
    return Markup("".join(drawn))  # noqa: S704  each part was escaped where it was made


def company_html(company: Sequence[Colleague]) -> Markup:
    """A mark beside the number of an order that others have open, with their names for who points at it or listens."""
    if not company:
        return Markup("")
    words = " ".join(colleague.sentence for colleague in company)
    mark = '<span class="odd-m" title="{0}">{1}<span class="vh">{0}</span></span>'
    return Markup(mark).format(words, icon("eye", "i i-s"))  # noqa: S704  our own words; names are escaped by it


def sale_html(sale: Sale) -> tuple[Markup, Markup]:
    """For whom an order is with what they call it, and what they pay. Neither is kept: a name may be erased."""
    nothing = Markup('<span class="quiet">–</span>')
    customer = Markup('<span class="clip" title="{0}">{0}</span>').format(sale.customer) if sale.customer else nothing
    if sale.reference:
        customer += Markup('<span class="sub clip" title="{0}">{0}</span>').format(sale.reference)
    return customer, nothing if sale.price is None else escape(money(sale.price))


def draw_order(order: Order, reader: Reader) -> Markup:
    """An order as a row, drawn anew: for one that is in no database."""
    parts = _filled(_parts(order, reader), Times.of(order), dict.fromkeys(ADDED, ""))
    return Markup("".join(parts))  # noqa: S704  each part was escaped where it was made


@lru_cache(maxsize=DRAWN_ROWS)
def _drawn(row: Row, reader: Reader) -> list[str]:
    """A row's HTML in parts. What time it is must not matter here: see `Row.timeless`."""
    return _parts(row.order(), reader)


def _parts(order: Order, reader: Reader) -> list[str]:
    """A row's HTML: texts, and between them names of BLANKS."""
    macros: Any = row_template(reader.columns).module
    return _AT_BLANKS.split(macros.row(order, reader, BLANKS))


def _filled(parts: list[str], times: Times, added: dict[str, str]) -> list[str]:
    filled = parts.copy()
    for position in range(1, len(parts), 2):
        name = parts[position]
        filled[position] = added[name] if name in added else getattr(times, name)
    return filled
