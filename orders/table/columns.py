"""The columns of the orders table: which there are, and a row made of those that somebody chose."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from django.template import engines
from jinja2 import Template


class Column(NamedTuple):
    """One column. Its cell is templates/orders/table/cells/<name>.html, its width the class c-<name>."""

    label: str
    number: bool = False
    sort: str = ""  # the sort that begins with its greatest, and with its least when it is pressed again
    again: str = ""


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
    "who": Column("Placed"),
}
FIRST_COLUMN = "id"  # always there: it names the row and leads to the order
DEFAULT_COLUMNS = ("id", "service", "link", "qty", "start", "charge", "status", "refill", "who")
TEMPLATES_KEPT = 128  # compiled rows; a team has few tastes


def known_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that are columns, each once, the first one first; the usual ones when there is none."""
    known = dict.fromkeys(name for name in names if name in COLUMNS and name != FIRST_COLUMN)
    return (FIRST_COLUMN, *known) if known else DEFAULT_COLUMNS


@lru_cache(maxsize=TEMPLATES_KEPT)
def row_template(columns: tuple[str, ...]) -> Template:
    """The template of rows with these cells: compiled as one, for fifty rows of eleven includes took twice as long."""
    env = engines["jinja2"].env  # type: ignore[attr-defined]
    parts = {name: env.loader.get_source(env, f"orders/table/cells/{name}.html")[0] for name in columns}
    whole: str = env.loader.get_source(env, "orders/table/_rows.html")[0]
    template: Template = env.from_string(whole.replace("{# cells #}", "".join(parts.values())))
    return template
