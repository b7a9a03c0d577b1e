"""The orders list that an address describes: its filters, search, sort and columns, and which page of it."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict

from accounts.access import FIELDS, may_see, why_not
from accounts.models import User
from catalog.models import Service
from orders.models import Customer, KeptSearch, Order, OrderQuerySet, Task
from orders.models.kept_search import KEY_CHARACTERS, cleaned_search
from orders.rules.statuses import Status, stage
from orders.table import filters, paging
from orders.table.columns import COLUMNS, DEFAULT_COLUMNS, Company, known_columns, visible_columns
from orders.table.filters import FILTERS, NOTHING, PLACINGS, TABS, IndexRows, tab_label
from orders.table.markup import orders_url
from orders.table.paging import SORTS, Key, ListQuery, PageRange, Sort, Source
from orders.table.pasted_ids import PastedOrders, find_orders, ids_beginning, is_of_ids, only_target, shortened
from orders.table.rows import VERSION_FIELDS, Row, company_mark, is_one_of, row_version
from panel.format.numbers import number
from panel.format.times import ends, latest, machine, starts
from panel.ops.database import Select
from panel.web.params import read_number

ROWS_A_PAGE = 50
IGNORED_CHARACTERS = 100  # that the page repeats of a value that makes no sense
MOST_NEW_ORDERS = 99  # counted; beyond that the page says 99+
COUNTED_IDS = 100  # looked at for the numbers on the tabs of a filtered list
OWN_AT_ONCE = 10  # of the person's own new orders that one poll brings
MAX_ID = 10**18  # larger than any order's
SPAN_SLACK_IDS = 1_000  # ids and times of placing rise together, except among orders of the same moment


VERSIONS = Select(Order, "id", "reported_at", "poll__reported_at", *VERSION_FIELDS)


@dataclass(frozen=True)
class Listing:
    """One list for one person. What makes no sense in an address is ignored, and so is what they may not see."""

    user: Any
    filters: dict[str, Any] = field(default_factory=dict)  # key of FILTERS → value
    text: str = ""  # what is searched for
    key: str = ""  # of the kept search that the text comes from, in place of the text in addresses
    sorting: str = ""  # key of SORTS
    before: Key | None = None  # the page is below this key
    after: Key | None = None  # the page is above this key
    own_columns: tuple[str, ...] = ()  # of this list alone, in place of the person's usual ones
    view: int = 0  # the saved view that it began as; 0 for none
    ignored: tuple[tuple[str, str], ...] = ()  # filters whose value made no sense: label, text
    unclear: tuple[tuple[str, str], ...] = ()  # filters whose value may mean several things: key of FILTERS, text
    newest: int = 0  # polls only: the newest order that the open page knows

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """The list that a request's address describes, for the person who asks; a 403 where it would tell too much."""
        refuse_to_tell(request.user, request.GET)
        return cls.of(request.user, request.GET)

    @classmethod
    def of(cls, user: Any, query: QueryDict) -> Self:
        """The list that a query string describes, for this person."""
        texts = {name: text for name in FILTERS if (text := query.get(name)) and may_see(user, FILTERS[name].field)}
        values = {name: FILTERS[name].read(text, user) for name, text in texts.items()}
        unread = [name for name, value in values.items() if value is None]
        unclear = [name for name in unread if FILTERS[name].meanings(texts[name])]
        key = query.get("s", "")[:KEY_CHARACTERS].replace("\0", "")
        kept = KeptSearch.objects.text_of(key) if key else None
        sorting = query.get("sort", "")
        sorting = sorting if sorting in SORTS and may_see(user, SORTS[sorting].tells) else ""
        return cls(
            user,
            filters={name: value for name, value in values.items() if value is not None},
            text=cleaned_search(query.get("q", "") if kept is None else kept),
            key=key,
            sorting=sorting,
            before=paging.read_key(query.get("before"), SORTS[sorting]),
            after=paging.read_key(query.get("after"), SORTS[sorting]),
            own_columns=known_columns(columns.split(",")) if (columns := query.get("cols")) else (),
            view=read_number(query.get("view")),
            ignored=tuple(
                (FILTERS[name].label, texts[name][:IGNORED_CHARACTERS]) for name in unread if name not in unclear
            ),
            unclear=tuple((name, texts[name]) for name in unclear),
            newest=read_number(query.get("newest")),
        )

    # ── Which orders ─────────────────────────────────────────────────────────────────────────────
    @property
    def status(self) -> str:
        """The status of the list's tab; "" for all."""
        return str(self.filters.get("status", ""))

    @property
    def sort(self) -> Sort:
        """How the list is sorted."""
        return SORTS[self.sorting]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of this list, or else the person's usual ones."""
        chosen = self.own_columns or known_columns(getattr(self.user, "columns", None) or ())
        return visible_columns(chosen, self.user)

    @property
    def is_forgotten(self) -> bool:
        """Whether the address names a search that is not kept any more. Then nothing matches, not everything."""
        return bool(self.key and not self.text)

    @cached_property
    def named(self) -> PastedOrders:
        """The orders that the searched text names in any way, or begins the id of; none when it is one whole link."""
        named = find_orders(self.text, self.user) if self.text and not self.target else PastedOrders([], [], [])
        begun = [] if named.orders else ids_beginning(self.orders(), self.text)
        return PastedOrders(begun, [], []) if begun else named

    @cached_property
    def pasted(self) -> PastedOrders | None:
        """The orders that the searched text names, when it is ids or a message with ids; None for words."""
        return self.named if is_of_ids(self.text, self.named) else None

    @cached_property
    def target(self) -> str:
        """Where the searched text leads, when it is one whole link and some order's link leads there too; or ""."""
        target = only_target(self.text)
        return target if target and Order.objects.for_targets([target]).order_by().exists() else ""

    @cached_property
    def search(self) -> tuple[Q, list[Source], bool]:
        """The search as a condition on an order, the sources that serve it, and whether they serve all of it."""
        if self.is_forgotten:
            return Q(pk__in=[]), [[IndexRows(Order.objects.none())]], True
        if self.target:
            there = Q(target=self.target)
            return there, [[IndexRows(Order.objects.filter(there))]], True
        if self.pasted:
            named = Q(pk__in=self.pasted.orders)
            return named, [[IndexRows(Order.objects.filter(named))]], True
        words = filters.search_words(self.text)
        index_rows = filters.index_rows_of(words)
        all_indexed = all(len(word) >= filters.INDEXED_CHARACTERS for word in words)
        return filters.containing(words), [[index_rows]] if index_rows else [], all_indexed

    @cached_property
    def where(self) -> Q:
        """All filters and the search, as a condition on an order."""
        return Q(*(FILTERS[name].where(value) for name, value in self.filters.items())) & self.search[0]

    @cached_property
    def list_query(self) -> ListQuery:
        """All filters and the search, with the indexes that serve them."""
        used = [(FILTERS[name], value) for name, value in self.filters.items()]
        sources = [rows for each, value in used if each.index_rows and (rows := each.index_rows(value)) is not None]
        _, search_sources, search_indexed = self.search
        unindexed = len(sources) < len(used) or not search_indexed
        return ListQuery(sources + search_sources, self.where, unindexed, self.span())

    def span(self) -> tuple[int, int] | None:
        """The ids between which the filtered days lie, as a bound for index ranges; None without a day."""
        first, last = self.filters.get("from"), self.filters.get("to")
        pks = Order.objects.values_list("pk", flat=True)
        low = (pks.filter(created_at__gte=starts(first)).order_by("created_at", "pk").first() or MAX_ID) if first else 0
        high = (pks.filter(created_at__lt=ends(last)).order_by("-created_at", "-pk").first() or 0) if last else MAX_ID
        return (low - SPAN_SLACK_IDS, high + SPAN_SLACK_IDS) if first or last else None

    def orders(self) -> OrderQuerySet:
        """All orders that the person may see."""
        return Order.objects.seen_by(self.user)

    def newer_orders(self) -> QuerySet[Order, Any]:
        """The ids of orders that match and are newer than what the open page knows, in no order."""
        return self.orders().filter(self.where, pk__gt=self.newest).order_by().values("pk")

    def page(self) -> paging.Page:
        """The orders of this page from the top down, and whether there are more: with `after` above, else below."""
        up = self.after is not None
        page_range = PageRange(self.sort, self.sort.down is not up, self.after or self.before)
        size = getattr(self.user, "page_length", 0) or ROWS_A_PAGE
        page = paging.page(self.orders(), self.list_query, page_range, size)
        return page._replace(rows=page.rows[::-1]) if up else page

    def next_to(self, key: Key, *, up: bool) -> int | None:
        """The id of the order above or below a key, or None at the list's end."""
        pks, *_ = paging.page_ids(self.list_query, PageRange(self.sort, self.sort.down is not up, key), 1)
        return pks[0] if pks else None

    # ── How many ─────────────────────────────────────────────────────────────────────────────────
    def tab_counts(self) -> dict[str, str] | None:
        """How many orders of each tab the other filters leave ("" for all tabs), or None where nothing else filters.

        Exact where few orders match. Else only the newest are counted: `7+` says that there are at least 7. A tab of
        which none was met has no number then.
        """
        if not self.is_filtered:
            return None
        every_tab = self.without("status")
        pks, more = paging.first_ids(every_tab.list_query, COUNTED_IDS)
        matching = Order.objects.filter(every_tab.where, is_one_of(pks)).order_by()
        facts = list(matching.values_list("pk", "status", "missing_since"))
        counts = Counter(status for _, status, _ in facts)
        counts[Status.REVIEW] += sum(bool(missing_since) for _, _, missing_since in facts)
        queued = [pk for pk, status, _ in facts if status == Status.QUEUED]
        for tab, placings in PLACINGS.items() if queued else ():
            counts[tab] = Task.objects.filter(is_one_of(queued, "order_id"), **placings).order_by().count()
        counts[""] = len(facts)
        return {tab: at_least(count) if more else number(count) for tab, count in counts.items() if count or not tab}

    # ── The page ─────────────────────────────────────────────────────────────────────────────────
    def context(self) -> dict[str, Any]:
        """What `orders/table/index.html` wants."""
        page, up = self.page(), self.after is not None
        rows, scanned_to = page.rows, page.scanned_to
        more = page.more and not scanned_to  # where a scan stopped early, `further` continues it instead
        above, below = (more, True) if up else (self.before is not None, more)
        further = {"after" if up else "before": paging.key_text(scanned_to)} if scanned_to else {}
        return {
            "orders": rows,
            "listing": self,
            "usual": visible_columns(DEFAULT_COLUMNS, self.user),
            "sorts": SORTS,
            "columns": {name: COLUMNS[name] for name in self.columns},
            "status": self.status,
            "tabs": TABS,
            "tab_counts": self.tab_counts(),
            "match": self.query(),
            "matching": self.matching,
            "newer": self.address(after=paging.key_text(paging.key_of(rows[0], self.sort))) if rows and above else "",
            "older": self.address(before=paging.key_text(paging.key_of(rows[-1], self.sort))) if rows and below else "",
            "further": self.address(**further) if further else "",
            "looked_to": scanned_to[1] if scanned_to else 0,
            "newest": self.newest_known(rows),
            "live": not self.before and not (up and page.more),
        }

    def newest_known(self, rows: list[Row]) -> int:
        """The newest order that a page with these rows knows; later ones count as new to it."""
        if rows and not self.sorting and paging.direct_source(self.list_query, self.sort):
            return int(rows[0].pk)
        # The newest of all orders, or a poll of a list that matches nothing would scan them all.
        return Order.objects.filter(pk__gt=0).order_by("-pk").values_list("pk", flat=True).first() or 0

    def params(self) -> dict[str, str]:
        """The list as parameters of an address, without its page and its saved view."""
        texts = {name: FILTERS[name].text(value) for name, value in self.filters.items()}
        texts |= {"s": self.key} if self.key else {"q": self.text}
        texts |= {"sort": self.sorting, "cols": ",".join(self.own_columns)}
        return {name: text for name, text in texts.items() if text}

    def query(self, **more: object) -> str:
        """The list as a query string, with more parameters if given."""
        return urlencode({**self.params(), **({"view": self.view} if self.view else {}), **more})

    def address(self, **more: object) -> str:
        """The address of this list's first page, or with `before` or `after` of another."""
        return f"{orders_url()}?{self.query(**more)}".removesuffix("?")

    def from_start(self, **changes: Any) -> Self:
        """The first page of the same list, with other fields if given."""
        return replace(self, before=None, after=None, **changes)

    def without(self, *names: str) -> Self:
        """The same list without these filters (`q` is the search), from its first page."""
        others = {name: value for name, value in self.filters.items() if name not in names}
        searched = {} if "q" in names else {"text": self.text, "key": self.key}
        return self.from_start(filters=others, **{"text": "", "key": "", **searched})

    def with_(self, **values: Any) -> Self:
        """The same list with these values of filters, from its first page."""
        return self.from_start(filters={**self.filters, **values})

    def sorted_by(self, sorting: str) -> Self:
        """The same list in another order, from its first page."""
        return self.from_start(sorting=sorting)

    # ── In words ─────────────────────────────────────────────────────────────────────────────────
    @property
    def matching(self) -> str:
        """What matches, in words that follow a number: `orders`, `orders that match`."""
        if self.is_filtered:
            return "orders that match"
        return f"orders in “{tab_label(self.status)}”" if self.status else "orders"

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the tab filters it, so that the counts on the tabs are not this list's."""
        return bool(self.text or self.key or self.filters.keys() - {"status"})

    def chips(self) -> list[tuple[str, str, str]]:
        """The filters besides the tab: label, value in words, and the address of the list without the filter."""
        words_of: dict[str, Any] = {
            "by": self._person, "assigned": self._person, "service": self._service, "customer": self._customer,
        }  # fmt: skip
        used = [(name, value) for name, value in self.filters.items() if name != "status"]
        chips = [(name, FILTERS[name].label, words_of.get(name, FILTERS[name].words)(value)) for name, value in used]
        if self.text or self.key:
            chips.append(("q", "Search", shortened(self.text) or "not kept any more"))
        return [(label, words, self.without(name).address()) for name, label, words in chips]

    def questions(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """The values that may mean several things: label, text, and each meaning with the list's address with it."""
        questions = []
        for name, text in self.unclear:
            amount = FILTERS[name]
            others = {other: typed for other, typed in self.unclear if other != name}
            lists = [(value, self.with_(**{name: value})) for value in amount.meanings(text)]
            meanings = [(amount.words(value), listing.address(**others)) for value, listing in lists]
            questions.append((amount.label, text, meanings))
        return questions

    def _person(self, pk: int) -> str:
        person = self.user if pk == self.user.pk else User.objects.filter(pk=pk).first()
        return "me" if person == self.user else str(person or f"nobody ({pk})")

    def _service(self, upstream_id: int) -> str:
        service = Service.objects.filter(upstream_id=upstream_id).only("name", "upstream_id").first()
        return str(service or f"{upstream_id}, which the desk does not know")

    @staticmethod
    def _customer(pk: int) -> str:
        return str(Customer.objects.filter(pk=pk).first() or f"nobody ({pk})") if pk else "none named"

    def nothing(self) -> str:
        """What is true where no order matches."""
        if len(self.filters) > 1 or self.text or self.key:
            return "No order matches all of this"
        name, value = next(iter(self.filters.items()), ("", ""))
        if name in ("", "status", "open"):
            return NOTHING[value]
        if (name, value) == ("assigned", self.user.pk):
            return "No order is assigned to you"
        return "No order matches this filter"

    def loosened(self) -> list[tuple[str, str]]:
        """For a list that matches nothing: each filter without which something matches, and the list without it."""
        searched = {"q": "Search"} if self.text or self.key else {}
        labels = {name: FILTERS[name].label for name in self.filters} | searched
        looser = [(label, self.without(name)) for name, label in labels.items()] if len(labels) > 1 else []
        return [(label, listing.address()) for label, listing in looser if listing.page().rows]

    # ── What changed since ───────────────────────────────────────────────────────────────────────
    def moved_since(
        self, versions: dict[int, str], company: Company, *, stopped: bool
    ) -> tuple[list[int], dict[str, str], int]:
        """What changed since an open page showed these versions (id → row_version), in one query.

        Returns the ids of changed rows, when live orders were last polled (id → ISO time), and the newest matching
        order that the page does not know (0: none).
        """
        newer = self.newer_orders().order_by("-pk")[:1]
        now = VERSIONS.of(self.orders().order_by(), keys=versions, also=newer)
        newest = now[0][-1] if now else newer.values_list("pk", flat=True).first()
        moved = [
            pk for pk, _, _, *facts, _ in now
            if row_version(*facts, stopped=stopped) + company_mark(company.get(pk, ())) != versions[pk]
        ]  # fmt: skip
        checked = [(pk, latest(*at)) for pk, *at, _, status, _, _, _, _ in now if stage(status).live]
        polled = {str(pk): machine(at) for pk, at in checked if at}
        return moved, polled, newest or 0

    def own_new_orders(self, shown: Collection[int]) -> OrderQuerySet:
        """The person's own orders that match and that the open page, which shows these ids, does not have yet.

        They come at once, and those of teammates behind the pill. None where the list is not sorted newest first.
        """
        if self.sorting:
            return Order.objects.none()
        new = self.newer_orders().filter(placed_by=self.user.pk).exclude(pk__in=self._since(shown))
        return self.orders().filter(pk__in=[row["pk"] for row in new.order_by("-pk")[:OWN_AT_ONCE]]).order_by("-pk")

    def count_new(self, shown: Collection[int]) -> int:
        """How many new orders match that are not among these ids, at most MOST_NEW_ORDERS + 1."""
        return len(self.newer_orders().exclude(pk__in=self._since(shown))[: MOST_NEW_ORDERS + 1])

    def _since(self, shown: Collection[int]) -> list[int]:
        return [pk for pk in shown if pk > self.newest]


def refuse_to_tell(user: Any, query: QueryDict) -> None:
    """Raises a PermissionDenied for a list that is filtered or sorted by a field which this person may not see.

    Which orders it has, or how they follow each other, would tell the field's values.
    """
    fields = [FILTERS[name].field for name in FILTERS if query.get(name)]
    if (sorting := query.get("sort", "")) in SORTS:
        fields.append(SORTS[sorting].tells)
    for field_name in fields:
        if not may_see(user, field_name):
            raise PermissionDenied(why_not(user, FIELDS[field_name]))


def at_least(count: int) -> str:
    """`7+`; "" for none, because further orders may hold some."""
    return f"{count}+" if count else ""
