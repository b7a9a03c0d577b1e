"""One page of the orders table: read from the address, by keyset, never by OFFSET and never with a count of all."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Subquery
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from orders.models import Order, OrderQuerySet
from orders.states import Status, label, stage
from panel.query import number
from panel.times import machine

ROWS_A_PAGE = 50
ROWS_POLLED = 200  # most rows that one poll may ask about
WAITS = "s"  # in a row's version: it says that it waits because sending is stopped
MOST_NEW = 99  # counted; beyond that the page says 99+


@dataclass(frozen=True)
class Listing:
    """What the address asks for: a status or "" for all, and behind which order (0: from an end)."""

    user: Any
    status: str
    before: int
    after: int
    newest: int  # polls only: the newest order the open page has seen

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """From the query string; what makes no sense there is as if it were not."""
        return cls.of(request.user, request.GET)

    @classmethod
    def of(cls, user: Any, query: QueryDict) -> Self:
        status = query.get("status", "")
        ends = (number(query.get(name)) for name in ("before", "after", "newest"))
        return cls(user, status if status in Status.values else "", *ends)

    def orders(self) -> OrderQuerySet:
        """All that match, in no order yet."""
        matching = Order.objects.seen_by(self.user)
        return matching.filter(status=self.status) if self.status else matching

    def context(self) -> dict[str, object]:
        """What `orders/index.html` wants."""
        matching = self.orders().for_table()
        if self.after:
            rows = list(matching.filter(pk__gt=self.after).order_by("pk")[: ROWS_A_PAGE + 1])
            more_newer, more_older = len(rows) > ROWS_A_PAGE, True
            rows = rows[:ROWS_A_PAGE][::-1]
        else:
            if self.before:
                matching = matching.filter(pk__lt=self.before)
            rows = list(matching.order_by("-pk")[: ROWS_A_PAGE + 1])
            more_newer, more_older = bool(self.before), len(rows) > ROWS_A_PAGE
            rows = rows[:ROWS_A_PAGE]
        return {
            "orders": rows,
            "status": self.status,
            "statuses": list(Status),
            "match": urlencode({"status": self.status}) if self.status else "",
            "matching": self.matching,
            "newer": self.address(after=rows[0].pk) if rows and more_newer else "",
            "older": self.address(before=rows[-1].pk) if rows and more_older else "",
            "newest": rows[0].pk if rows else 0,
            "live": not more_newer if rows else not (self.before or self.after),
        }

    @property
    def matching(self) -> str:
        """What matches, in words that follow a number: `1,204 orders`."""
        return f"orders that are {label(self.status)}" if self.status else "orders"

    def address(self, **end: int) -> str:
        """Where another page of the same list is."""
        query = {"status": self.status, **end} if self.status else end
        return f"{reverse('orders:index')}?{urlencode(query)}" if query else reverse("orders:index")

    def since(self, rows: dict[int, str], *, stopped: bool) -> tuple[list[int], dict[str, str], int]:
        """One query for an open page that shows `rows` (id → row_version).

        Returns the ids that moved, when live ones were last asked after (id → ISO time), and the newest order
        that matches (0 when the page shows none).
        """
        newest = Subquery(self.orders().order_by("-pk").values("pk")[:1])
        found = Order.objects.seen_by(self.user).filter(pk__in=rows).annotate(newest=newest)
        now = list(found.values_list("pk", "version", "status", "upstream_id", "reported_at", "newest"))
        if not now:
            return [], {}, self.orders().order_by("-pk").values_list("pk", flat=True).first() or 0
        moved = [
            pk
            for pk, version, status, known, *_ in now
            if row_version(version, status, known, stopped=stopped) != rows[pk]
        ]
        looked = {str(pk): machine(at) for pk, _, status, _, at, _ in now if at and stage(status).live}
        return moved, looked, now[0][-1] or 0

    def count_new(self) -> int:
        """Orders newer than what the page shows, counted up to one more than MOST_NEW."""
        return len(self.orders().filter(pk__gt=self.newest).values_list("pk")[: MOST_NEW + 1])


def row_version(version: int, status: str, upstream_id: str | None, *, stopped: bool) -> str:
    """Changes when what a row shows does: with its order, and for an order that waits to be sent with a stop."""
    return f"{version}{WAITS if stopped and status == Status.QUEUED and not upstream_id else ''}"


def on_screen(text: str) -> dict[int, str]:
    """`12:3,13:1s` → {12: "3", 13: "1s"}; what names no order is passed over."""
    pairs = (part.partition(":") for part in text.split(",")[:ROWS_POLLED])
    return {number(pk): version for pk, _, version in pairs if number(pk)}
