"""Every number of a report leads to its rows: as many orders as it counts, or those of which it is the sum."""

import html
import random
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

import pytest
from django.http import QueryDict

from accounts.access import Role
from accounts.models import DeskSettings, User
from catalog.models import Service
from orders.models import Order
from orders.table.listing import Listing
from panel.format.locale import written_for
from panel.ops.database import ONLY_ROW
from tests.benchmarks.sales import figures_of, play
from tests.makers import make_service, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
CELL = re.compile(r'<td class="num[^"]*" data-l="([^"]+)">(?:<a href="([^"]+)">)?([^<]*)')
TILE = re.compile(r"<dt>([^<]+)</dt><dd><b>(?:<a href=\"([^\"]+)\">)?([^<]*)")
DAYS = "from=2026-11-20&to=2026-11-21"  # the play's own two days
CATEGORIES = ("Instagram › Likes", "TikTok › Views", "Odd › Things")


class Number(NamedTuple):
    """A number of the page, and the orders that it leads to; None where it leads to none."""

    label: str
    shown: str
    orders: list[Order] | None

    @property
    def amount(self) -> Decimal:
        return Decimal(re.sub(r"[$,% \u00a0\u202f]", "", self.shown).replace("−", "-").replace("–", "0") or 0)

    def total(self, name: str) -> int:
        return sum(figures_of(order)[name] for order in self.orders or ())


@pytest.fixture
def desk() -> User:
    """The owner of a desk on which anything has happened to sixty orders; one service has moved to a category."""
    owner = make_user(Role.OWNER, name="Olivia")
    services = [make_service(category=CATEGORIES[n % 3], name=f"{CATEGORIES[n % 3]} {n}").pk for n in range(5)]
    people = [owner.pk, make_user(Role.OPERATOR, name="Tomás").pk]
    assert play(400, 60, random.Random(7), services, people) == []
    for order in Order.objects.select_related("service", "placed_by"):
        order.fill_search_fields()
        order.save(update_fields=["network", "category", "host", "haystack", "target"])
    Service.objects.filter(pk=services[0]).update(category="Instagram › New")
    return owner


def numbers_of(page: str, owner: User, zone: str) -> Iterator[Number]:
    """The numbers of the tables and of the tiles."""
    page = page[page.index("<main") :]
    for label, href, shown in [*CELL.findall(page), *TILE.findall(page)]:
        query = html.unescape(href).partition("?")[2]
        with written_for(zone, ""):
            where = Listing.of(owner, QueryDict(query)).where
        rows = list(Order.objects.filter(where).prefetch_related("tasks")) if href else None
        assert not href or href.startswith("/orders/?"), href
        yield Number(label, html.unescape(shown), rows)


def cents(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-6)


def share(part: int, whole: int) -> Decimal:
    return (Decimal(part * 100) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole > 0 else Decimal(0)


def is_right(number: Number) -> bool:
    """Whether the rows behind a number are those of which it is made."""
    count, total, amount = len(number.orders or ()), number.total, number.amount
    sums = {"spent": "charged", "sold": "sold", "margin": "margin", "given back": "given_back"}
    label = number.label.lower().removesuffix(" before")
    if label in sums:
        return abs(cents(total(sums[label])) - amount) < Decimal("0.01")
    if label in ("late", "ended late"):
        return total("ended") == count and (total("late") == count) is (amount > 0)
    if label in ("delivered", "delivered, of what was ordered"):
        return total("ended") == count and share(total("delivered"), total("ended_units")) == amount
    if label == "of sold":
        return share(total("margin"), total("sold")) == amount
    if label == "refills asked" and "%" in number.shown:
        return total("refills") >= count > 0
    return amount == {"orders": count, "refills asked": total("refills"), "refused": total("refused")}[label]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
@pytest.mark.parametrize(
    ("split", "by"),
    [("service", "day"), ("category", "week"), ("network", "month"), ("customer", "day"), ("person", "day")],
)
def test_every_number_is_made_of_the_orders_that_it_leads_to(desk: User, zone: str, split: str, by: str) -> None:
    User.objects.filter(pk=desk.pk).update(time_zone=zone)
    first_half = Order.objects.order_by("pk").values_list("pk", flat=True)[:25]
    for order in Order.objects.filter(pk__in=list(first_half)):
        Order.objects.filter(pk=order.pk).update(created_at=order.created_at.replace(day=18))
    page = as_user(desk).get(f"/reports/?{DAYS}&split={split}&by={by}").content.decode()
    found = list(numbers_of(page, desk, zone))
    led = [number for number in found if number.orders is not None]
    assert [(n.label, n.shown, len(n.orders or ())) for n in led if not is_right(n)] == []
    plain = {(n.label, n.shown) for n in found if n.orders is None and n.amount}
    assert plain == set(), "a number without rows"
    before = {"spent before", "orders before"} if Order.objects.filter(created_at__day=18).exists() else set()
    assert {n.label for n in led} >= {"spent", "sold", "margin", "orders", "delivered", "refills asked", *before}


def test_the_orders_of_each_row_together_are_those_of_the_period(desk: User) -> None:
    for split in ("service", "category", "network", "customer", "person"):
        page = as_user(desk).get(f"/reports/?{DAYS}&split={split}&with=no").content.decode()
        table = page[page.index('id="split"') :]
        rows = [number for number in numbers_of("<main" + table, desk, "UTC") if number.label == "orders"]
        *parts, whole = [{order.pk for order in number.orders or ()} for number in rows]
        assert set().union(*parts) == whole
        assert sum(map(len, parts)) == len(whole)


def test_the_rows_that_stand_together_lead_to_no_list(desk: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.reports.views.ROWS", 2)
    page = as_user(desk).get(f"/reports/?{DAYS}&split=service&with=no").content.decode()
    others = re.search(r'<th scope="row">(<bdi>)?3 others.*?</tr>', page, re.S)
    assert others
    assert "<a " not in others[0]


def test_links_by_money_are_for_those_alone_who_see_money(desk: User) -> None:
    DeskSettings.objects.create(pk=ONLY_ROW, chosen={"viewer.money": "off"})
    viewer = as_user(make_user(Role.VIEWER))
    assert "money=" not in viewer.get(f"/reports/?{DAYS}").content.decode()
    for query in ("money=back", "money=sold", "money=charged"):
        assert viewer.get(f"/orders/?{query}").status_code == 403
    assert 'name="money"' not in viewer.get("/orders/filters/").content.decode()


def test_the_form_of_filters_keeps_what_a_report_asked_for(desk: User) -> None:
    form = as_user(desk).get("/orders/filters/?past=late&money=back&category_now=Odd&network=other").content.decode()
    assert '<option value="late" selected>' in form
    assert '<option value="back" selected>' in form
    assert '<option value="other" selected>' in form
    assert '<input type="hidden" name="category_now" value="Odd">' in form


def test_chips_say_what_a_list_from_a_report_is_of(desk: User) -> None:
    page = as_user(desk).get("/orders/?past=refused&money=sold&customer=0&network=other").content.decode()
    for words in ("the supplier refused it", "the customer pays for it", "none named", "none that is known"):
        assert words in page
