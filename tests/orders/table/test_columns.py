"""Everybody chooses columns, their order, and how long a page is."""

import re

import pytest
from django.test import Client

from accounts.models import User
from orders.rules.statuses import Status
from orders.table.columns import COLUMNS, DEFAULT_COLUMNS
from tests.makers import make_order, make_service, make_user
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return make_user(name="Ana")


@pytest.fixture
def browser(ana: User) -> Client:
    return as_user(ana)


def heads(page: str) -> list[str]:
    return re.findall(r'<th class="c-(\w+)', page.partition("</thead>")[0])


def cells(page: str) -> list[str]:
    return re.findall(r'<td class="c-(\w+)', page.partition("<tbody")[2].partition("</tr>")[0])


@pytest.mark.parametrize(
    "names", [DEFAULT_COLUMNS, tuple(COLUMNS), ("id", "status"), ("id", "charge", "remains", "link")]
)
def test_heads_and_cells_agree_whatever_is_chosen(ana: User, browser: Client, names: tuple[str, ...]) -> None:
    make_order(Status.PARTIAL, remains=3, by=ana)
    ana.columns = list(names)
    ana.save(update_fields=["columns"])
    page = browser.get("/orders/").content.decode()
    assert heads(page) == cells(page)
    assert [name for name in heads(page) if name not in ("tick", "act")] == list(names)


def test_they_are_moved_and_kept_without_a_script(ana: User, browser: Client) -> None:
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
    assert [name for name in heads(browser.get(here).content.decode()) if name not in ("tick", "act")] == ["id", "link"]


def test_nonsense_is_no_column(browser: Client) -> None:
    make_order()
    for query in ("cols=nope", "cols=,,,", "cols=status,status", "cols=%00", "cols=" + "x," * 3000):
        page = browser.get(f"/orders/?{query}").content.decode()
        assert heads(page) == cells(page)
    assert browser.post("/orders/columns/", {"column": "../../settings", "up": "x", "down": "y"}).status_code == 200


def test_a_row_that_moves_comes_with_the_columns_on_screen(browser: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    poll = browser.get(f"/orders/changes/?v={order.pk}:0&cols=id,charge", headers=htmx()).content.decode()
    assert re.findall(r'<td class="c-(\w+)', poll) == [name for name in ("tick", "id", "charge", "act") if name in poll]
    pressed = browser.post(
        f"/orders/{order.pk}/looks/", headers=htmx(**{"HX-Current-URL": "http://testserver/orders/?cols=id,charge"})
    ).content.decode()
    assert "c-charge" in pressed
    assert "c-service" not in pressed


def test_a_page_is_as_long_as_its_reader_likes(ana: User, browser: Client) -> None:
    by, service = make_user(), make_service()
    for _ in range(30):
        make_order(Status.COMPLETED, by=by, service=service)
    ana.page_length = 25
    ana.save(update_fields=["page_length"])
    assert browser.get("/orders/").content.decode().count('<tr class="row') == 25
