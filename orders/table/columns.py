"""The columns of the orders table, and the compiled template of a row that has the columns a person chose."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from django.template import engines
from jinja2 import Template

CACHED_TEMPLATES = 128  # compiled rows, one for each choice of columns; a team makes few different choices
FIRST_COLUMN = "id"  # in every choice: it names the row and links to the order
DEFAULT_COLUMNS = ("id", "service", "link", "qty", "start", "charge", "status", "refill", "who")


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
    "who": Column("Placed"),
}


def known_columns(names: Iterable[str]) -> tuple[str, ...]:
    """FIRST_COLUMN and those of the names that are columns, each once; DEFAULT_COLUMNS when there are no others."""
    known = dict.fromkeys(name for name in names if name in COLUMNS and name != FIRST_COLUMN)
    return (FIRST_COLUMN, *known) if known else DEFAULT_COLUMNS


@lru_cache(maxsize=CACHED_TEMPLATES)
def row_template(columns: tuple[str, ...]) -> Template:
    """The template of rows with these cells, compiled as one: including each cell in fifty rows took twice as long."""
    env = engines["jinja2"].env  # type: ignore[attr-defined]
    paths = ["_rows.html", *(f"cells/{name}.html" for name in columns)]
    rows, *cells = (env.loader.get_source(env, f"orders/table/{path}")[0] for path in paths)
    template: Template = env.from_string(rows.replace("{# cells #}", "".join(cells)))
    return template
