"""Each person chooses the table's columns, their order, and how many rows a page has."""

import re

import pytest
from django.test import Client

from accounts.access import OFF, Role, switch_name
from accounts.models import DeskSettings, User
from orders.customers.erasure import erase_customer
from orders.models import Order
from orders.rules.statuses import Status
from orders.table.columns import COLUMNS, DEFAULT_COLUMNS
from panel.format.money import money
from panel.ops.database import ONLY_ROW
from tests.makers import make_order, make_service, make_user
from tests.orders.customers.shops import make_customer, rule_for_all, sold_to
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    """The person whose columns these tests choose."""
    return make_user(name="Ana")


@pytest.fixture
def browser(ana: User) -> Client:
    """Ana's browser, signed in."""
    return as_user(ana)


def head_names(page: str) -> list[str]:
    """The columns in the table's head, from the left; the boxes to tick and the buttons are columns too."""
    return re.findall(r'<th class="c-(\w+)', page.partition("</thead>")[0])


def cell_names(page: str) -> list[str]:
    """The columns of the table's first row, from the left."""
    return re.findall(r'<td class="c-(\w+)', page.partition("<tbody")[2].partition("</tr>")[0])


@pytest.mark.parametrize(
    "names", [DEFAULT_COLUMNS, tuple(COLUMNS), ("id", "status"), ("id", "charge", "remains", "link")]
)
def test_heads_and_cells_agree_whatever_is_chosen(ana: User, browser: Client, names: tuple[str, ...]) -> None:
    """Heads stand over their cells for the usual columns, all columns, few, and another order."""
    make_order(Status.PARTIAL, remains=3, by=ana)
    ana.columns = list(names)
    ana.save(update_fields=["columns"])
    page = browser.get("/orders/").content.decode()
    assert head_names(page) == cell_names(page)
    assert [name for name in head_names(page) if name not in ("tick", "act")] == list(names)


def test_columns_are_moved_and_saved_without_a_script(ana: User, browser: Client) -> None:
    """“Usual” saves them on the account, “here” puts them into the list's address."""
    form = {"column": list(DEFAULT_COLUMNS), "query": "status=partial"}
    page = browser.post("/orders/columns/", {**form, "up": "charge"}).content.decode()
    order = re.findall(r'name="column" value="(\w+)" checked', page)
    assert order.index("charge") == DEFAULT_COLUMNS.index("charge") - 1
    answer = browser.post("/orders/columns/", {**form, "column": ["id", "charge", "status"], "usual": "yes"})
    assert answer["Location"] == "/orders/?status=partial"
    ana.refresh_from_db()
    assert ana.columns == ["id", "charge", "status"]
    here = browser.post("/orders/columns/", {**form, "column": ["id", "link"], "here": "yes"})["Location"]
    make_order(Status.PARTIAL)
    page = browser.get(here).content.decode()
    assert [name for name in head_names(page) if name not in ("tick", "act")] == ["id", "link"]


def test_nonsense_in_columns_is_ignored(browser: Client) -> None:
    """Unknown, repeated and endless names leave a table with heads over its cells."""
    make_order()
    for query in ("cols=nope", "cols=,,,", "cols=status,status", "cols=%00", "cols=" + "x," * 3000):
        page = browser.get(f"/orders/?{query}").content.decode()
        assert head_names(page) == cell_names(page)
    assert browser.post("/orders/columns/", {"column": "../../settings", "up": "x", "down": "y"}).status_code == 200


def test_a_changed_row_comes_with_the_columns_on_screen(browser: Client) -> None:
    """A poll and a press answer with the columns of the list on screen, not with the usual ones."""
    order = make_order(Status.IN_PROGRESS)
    poll = browser.get(f"/orders/changes/?v={order.pk}:0&cols=id,charge", headers=htmx()).content.decode()
    assert re.findall(r'<td class="c-(\w+)', poll) == [name for name in ("tick", "id", "charge", "act") if name in poll]
    pressed = browser.post(
        f"/orders/{order.pk}/looks/", headers=htmx(**{"HX-Current-URL": "http://testserver/orders/?cols=id,charge"})
    ).content.decode()
    assert "c-charge" in pressed
    assert "c-service" not in pressed


def test_a_page_has_as_many_rows_as_its_reader_likes(ana: User, browser: Client) -> None:
    """The person's page length replaces the usual fifty."""
    by, service = make_user(), make_service()
    for _ in range(30):
        make_order(Status.COMPLETED, by=by, service=service)
    ana.page_length = 25
    ana.save(update_fields=["page_length"])
    assert browser.get("/orders/").content.decode().count('<tr class="row') == 25


def test_customer_and_price_stand_in_columns_for_those_who_may_see_them(ana: User, browser: Client) -> None:
    """An erased name is gone at once, and so is a column of money with the right to see it."""
    rule_for_all("50")
    customer = make_customer("Ateliér <b>Miro</b>")
    order = sold_to(customer, "INV-7", by=ana)
    make_order(Status.COMPLETED)
    page = browser.get("/orders/?cols=id,customer,sold_for").content.decode()
    assert page.count("Ateliér &lt;b&gt;Miro&lt;/b&gt;") == 2  # seen, and as its tip
    assert "INV-7" in page
    assert f">{money(Order.objects.get(pk=order.pk).sold_for)}</td>" in page
    erase_customer(customer, by=make_user(Role.MANAGER))
    assert "Miro" not in browser.get("/orders/?cols=id,customer").content.decode()
    DeskSettings.objects.update_or_create(pk=ONLY_ROW, defaults={"chosen": {switch_name(ana.role, "money"): OFF}})
    chosen = "/orders/?cols=id,customer,sold_for"
    assert head_names(browser.get(chosen).content.decode()) == ["tick", "id", "customer", "act"]
    User.objects.filter(pk=ana.pk).update(role=Role.VIEWER)
    assert head_names(browser.get(chosen).content.decode()) == ["id", "sold_for"]
