"""The orders list as an address asks for it: narrowed, searched, sorted, and which stretch of it."""

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Q, QuerySet, Subquery
from django.http import HttpRequest, QueryDict

from accounts.models import User
from catalog.models import Service
from orders.models import Order, OrderQuerySet
from orders.rules.statuses import Status, label, stage
from orders.table import filters, paging
from orders.table.columns import COLUMNS, DEFAULT_COLUMNS, known_columns, row_template
from orders.table.filters import FILTERS, IndexRows
from orders.table.markup import orders_url
from orders.table.paging import SORTS, Key, ListQuery, PageRange, Sort
from orders.table.pasted_ids import PastedOrders, find_orders, is_of_ids, only_link, shortened
from orders.table.rows import row_version
from panel.format.times import ends, machine, starts
from panel.web.params import read_number

ROWS_A_PAGE = 50
SEARCH_CHARACTERS = 8_000  # characters of a search; an address takes no more
NEW_COUNTED = 99  # counted; beyond that the page says 99+
SPAN_SLACK_IDS = 1_000  # ids and times of placing go together, but for orders that were placed at the same moment


@dataclass(frozen=True)
class Listing:
    """One list for one person. What makes no sense in an address is as if it were not there."""

    user: Any
    filters: dict[str, Any] = field(default_factory=dict)  # facet → value
    text: str = ""
    sorting: str = ""
    before: Key | None = None
    after: Key | None = None
    own_columns: tuple[str, ...] = ()  # of this list alone, in place of those that the person likes
    view: int = 0  # the saved view that it began as
    ignored: tuple[tuple[str, str], ...] = ()  # what stood in the address and made no sense: label, text
    newest: int = 0  # polls only: the newest order the open page was told of

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """From the query string."""
        return cls.of(request.user, request.GET)

    @classmethod
    def of(cls, user: Any, query: QueryDict) -> Self:
        texts = {name: query.get(name) or "" for name in FILTERS}
        read = {name: FILTERS[name].read(text, user) for name, text in texts.items() if text}
        ignored = tuple((FILTERS[name].label, texts[name][:100]) for name, value in read.items() if value is None)
        sorting = query.get("sort", "")
        sorting = sorting if sorting in SORTS else ""
        return cls(
            user,
            {name: value for name, value in read.items() if value is not None},
            query.get("q", "").replace("\0", " ").strip()[:SEARCH_CHARACTERS],
            sorting,
            paging.read_key(query.get("before"), SORTS[sorting]),
            paging.read_key(query.get("after"), SORTS[sorting]),
            known_columns(cols.split(",")) if (cols := query.get("cols")) else (),
            read_number(query.get("view")),
            ignored,
            read_number(query.get("newest")),
        )

    # ── What is wanted ───────────────────────────────────────────────────────────────────────────
    @property
    def status(self) -> str:
        """The tab; "" for all."""
        return str(self.filters.get("status", ""))

    @property
    def sort(self) -> Sort:
        return SORTS[self.sorting]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Those of this list, or as the person likes them."""
        return self.own_columns or known_columns(getattr(self.user, "columns", None) or ())

    @property
    def size(self) -> int:
        """Rows a page, as the person likes it."""
        return int(getattr(self.user, "page_length", 0) or ROWS_A_PAGE)

    @cached_property
    def pasted(self) -> PastedOrders | None:
        """The orders that the text names, when it is ids, or a message with some; None for words to search for."""
        found = find_orders(self.text, self.user) if self.text and not self.links else None
        return found if found and is_of_ids(self.text, found) else None

    @cached_property
    def links(self) -> list[str]:
        """The spellings of the text, when it is a whole link that some order has."""
        return [link for link in only_link(self.text) if Order.objects.with_links([link]).order_by().exists()]

    @cached_property
    def words(self) -> list[str]:
        """Of the text, when it names no order."""
        return [] if self.links or self.pasted else filters.search_words(self.text)

    @cached_property
    def where(self) -> Q:
        """All that is wanted, as a condition on an order."""
        where = Q(*(FILTERS[name].where(value) for name, value in self.filters.items()))
        if self.links:
            return where & Q(link__in=self.links)
        if self.pasted:
            return where & Q(pk__in=self.pasted.orders)
        return where & filters.containing(self.words)

    @cached_property
    def list_query(self) -> ListQuery:
        """The same, with the indexes that lead there."""
        facets = [(FILTERS[name], value) for name, value in self.filters.items()]
        ways = [facet.index_rows(value) for facet, value in facets if facet.index_rows]
        loose = len(ways) < len(facets)
        if self.links:
            # One after the other: each spelling is a stretch of the index, newest first.
            ways.append([IndexRows(Order.objects.with_links([link])) for link in self.links])
        elif self.pasted:
            ways.append([IndexRows(Order.objects.filter(pk__in=self.pasted.orders))])
        elif self.words:
            keys = filters.index_rows_of(self.words)
            ways += [[keys]] if keys else []
            loose = loose or not keys or any(len(word) < filters.INDEXED_CHARACTERS for word in self.words)
        return ListQuery(ways, self.where, loose, self.span())

    def span(self) -> tuple[int, int] | None:
        """Between which ids the days lie; the days themselves are asked for as well."""
        first: date | None = self.filters.get("from")
        last: date | None = self.filters.get("to")
        if not first and not last:
            return None
        days = Order.objects.values_list("pk", flat=True)
        low, high = 0, None
        if first:
            low = days.filter(created_at__gte=starts(first)).order_by("created_at", "pk").first() or 10**18
        if last:
            high = days.filter(created_at__lt=ends(last)).order_by("-created_at", "-pk").first() or 0
        return low - SPAN_SLACK_IDS, 10**18 if high is None else high + SPAN_SLACK_IDS

    def newer_orders(self) -> QuerySet[Order, Any]:
        """What matches and came after what the open page was told of, in no order."""
        return self.orders().filter(self.where, pk__gt=self.newest).order_by().values("pk")

    def orders(self) -> OrderQuerySet:
        """All that the person may see."""
        return Order.objects.seen_by(self.user)

    def page(self) -> paging.Page:
        """The orders of this stretch, from the top down, and whether the list goes on in the direction of travel."""
        up = self.after is not None
        stretch = PageRange(self.sort, self.sort.down is not up, self.after or self.before)
        page = paging.page(self.orders(), self.list_query, stretch, self.size)
        return page._replace(rows=page.rows[::-1]) if up else page

    def next_to(self, key: Key, *, up: bool) -> int | None:
        """The order above or below one."""
        found, *_ = paging.page_ids(self.list_query, PageRange(self.sort, self.sort.down is not up, key), 1)
        return found[0] if found else None

    # ── The page ─────────────────────────────────────────────────────────────────────────────────
    def context(self) -> dict[str, object]:
        """What `orders/table/index.html` wants."""
        page = self.page()
        rows, further, up = page.rows, page.scanned_to, self.after is not None
        above, below = (page.more, True) if up else (self.before is not None, page.more)
        ends = [paging.key_text(paging.key_of(row, self.sort)) for row in (rows[0], rows[-1])] if rows else ["", ""]
        return {
            "orders": rows,
            "listing": self,
            "rows": row_template(self.columns),
            "usual": DEFAULT_COLUMNS,
            "sorts": SORTS,
            "columns": {name: COLUMNS[name] for name in self.columns},
            "status": self.status,
            "statuses": list(Status),
            "match": self.query(),
            "matching": self.matching,
            "newer": self.address(after=ends[0]) if rows and above and not (up and further) else "",
            "older": self.address(before=ends[1]) if rows and below and (up or not further) else "",
            "further": self.address(**{"after" if up else "before": paging.key_text(further)}) if further else "",
            "looked_to": further[1] if further else 0,
            "newest": self.newest_at(rows),
            "live": not self.before and not (up and page.more),
        }

    def newest_at(self, rows: list[Order]) -> int:
        """From which order on others are new to a page with these rows."""
        if rows and not (
            self.sort.field or self.list_query.unindexed or len(self.list_query.index_ways) > 1 or not self.sort.down
        ):
            return rows[0].pk
        # Asked for all orders, or a poll of a list that matches nothing would look through them.
        return Order.objects.filter(pk__gt=0).order_by("-pk").values_list("pk", flat=True).first() or 0

    def params(self) -> dict[str, str]:
        """The list in an address: names and texts, without the stretch."""
        narrowed = {name: filter_text(value) for name, value in self.filters.items()}
        more = {"q": self.text, "sort": self.sorting, "cols": ",".join(self.own_columns)}
        return {name: text for name, text in {**narrowed, **more}.items() if text}

    def query(self, **stretch: object) -> str:
        return urlencode({**self.params(), **({"view": self.view} if self.view else {}), **stretch})

    @property
    def matching(self) -> str:
        """What matches, in words that follow a number: `1,204 orders`."""
        if not self.is_filtered:
            return f"orders that are {label(self.status)}" if self.status else "orders"
        return "orders that match"

    def address(self, **stretch: object) -> str:
        """Where a stretch of this list is."""
        query = self.query(**stretch)
        return f"{orders_url()}?{query}" if query else orders_url()

    def without(self, *names: str) -> Self:
        """The same list less narrow, from its beginning."""
        narrowed = {name: value for name, value in self.filters.items() if name not in names}
        return self.from_start(filters=narrowed, text="" if "q" in names else self.text)

    def with_(self, **narrowed: Any) -> Self:
        """The same list narrowed otherwise, from its beginning."""
        return self.from_start(filters={**self.filters, **narrowed})

    def sorted_by(self, sorting: str) -> Self:
        return self.from_start(sorting=sorting)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the tab narrows it: then the counts on the tabs are not its own."""
        return bool(self.text or self.filters.keys() - {"status"})

    def chips(self) -> list[tuple[str, str, str]]:
        """What narrows it besides the tab: label, words, and the address of the list without it."""
        named = {"by": self.person, "assigned": self.person, "service": self.service}
        chips = [
            (FILTERS[name].label, named[name](value) if name in named else FILTERS[name].words(value), name)
            for name, value in self.filters.items()
            if name != "status"
        ]
        if self.text:
            chips.append(("Search", shortened(self.text), "q"))
        return [(label, words, self.without(name).address()) for label, words, name in chips]

    def person(self, pk: int) -> str:
        person = self.user if pk == self.user.pk else User.objects.filter(pk=pk).first()
        return "me" if person == self.user else str(person or f"nobody ({pk})")

    def service(self, upstream_id: int) -> str:
        service = Service.objects.filter(upstream_id=upstream_id).only("name", "upstream_id").first()
        return str(service) if service else f"{upstream_id}, which the desk does not know"

    def loosened(self) -> list[tuple[str, str]]:
        """For a list that matches nothing: what to drop so that something does, in words, and where that leads."""
        drops = [(name, FILTERS[name].label) for name in self.filters] + ([("q", "Search")] if self.text else [])
        if len(drops) < 2:
            return []
        looser = [(label, self.without(name)) for name, label in drops]
        return [(label, listing.address()) for label, listing in looser if listing.page().rows]

    def from_start(self, **otherwise: Any) -> Self:
        return replace(self, before=None, after=None, **otherwise)

    # ── What moved since ─────────────────────────────────────────────────────────────────────────
    def moved_since(self, rows: dict[int, str], *, stopped: bool) -> tuple[list[int], dict[str, str], int]:
        """One query for an open page that shows `rows` (id → row_version).

        Returns the ids that moved, when live ones were last asked after (id → ISO time), and the newest order that
        matches and is newer than what the page was told of (0: none).
        """
        newer = self.newer_orders().order_by("-pk")[:1]
        found = self.orders().filter(pk__in=rows).annotate(newest=Subquery(newer)).order_by()
        told = ("version", "status", "upstream_id", "next_look_at", "late_from")
        now = list(found.values_list("pk", *told, "reported_at", "newest"))
        if not now:
            return [], {}, newer.values_list("pk", flat=True).first() or 0
        moved = [
            pk
            for pk, version, status, known, look_at, late_from, *_ in now
            if row_version(version, status, known, look_at, late_from, stopped=stopped) != rows[pk]
        ]
        looked = {str(pk): machine(at) for pk, _, status, *_, at, _ in now if at and stage(status).live}
        return moved, looked, now[0][-1] or 0

    def count_new(self) -> int:
        """Orders newer than what the page shows, counted up to one more than MOST_NEW."""
        return len(self.newer_orders()[: NEW_COUNTED + 1])


def filter_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
