"""The export of the orders list: exactly the list's orders under their heads, a name that says which, no formulas."""

import csv
import io
import re
import zipfile
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from orders.models import Event, Order, SavedView, Task
from orders.rules.statuses import Status
from orders.table import export, views
from orders.table.listing import Listing
from orders.table.paging import SORTS
from panel.format.spreadsheet import safe
from tests.makers import make_order, make_service, make_user
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db
HOSTILE = "=HYPERLINK(1)"


def exported(client: Client, query: str = "") -> list[list[str]]:
    """The lines of a CSV, heads first."""
    answer = client.post(f"/orders/export/?{query}")
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.startswith("\ufeff")
    assert text.count("\n") == text.count("\r\n")
    return list(csv.reader(text[1:].splitlines()))


def exported_ids(client: Client, query: str) -> list[int]:
    """The orders of a list's CSV, from its top."""
    return [int(line[0]) for line in exported(client, query)[1:]]


def paged_ids(user: User, query: str) -> list[int]:
    """The orders on all pages of a list, from its top."""
    ids: list[int] = []
    listing = Listing.of(user, QueryDict(query))
    while True:
        context: dict[str, Any] = listing.context()
        ids += [order.pk for order in context["orders"]]
        if not (next_page := context["older"] or context["further"]):
            return ids
        listing = Listing.of(user, QueryDict(next_page.partition("?")[2]))


@pytest.fixture
def desk() -> list[Order]:
    """300 orders of two people, three services and all statuses, over 300 hours; some have a refill."""
    people = [make_user(name="Ana Sea"), make_user(name="Bo")]
    services = [make_service(), make_service(name="TikTok Likes", category="TikTok › Likes"), make_service()]
    statuses, now = list(Status), timezone.now()
    orders = []
    for n in range(300):
        orders.append(make_order(
            statuses[n % len(statuses)], by=people[n % 2], service=services[n % 3],
            link=f"https://{('instagram.com', 'tiktok.com')[n % 2]}/p/some{n % 7}x",
            created_at=now - timedelta(hours=300 - n), charge=Decimal(n % 5) / 4 if n % 4 else None,
        ))  # fmt: skip
    for order in orders[:60:3]:
        order.tasks.create(kind=Task.Kind.REFILL, asked_by=people[0], slot=1, due_at=timezone.now())
    return orders


@pytest.mark.slow
def test_the_file_holds_what_the_pages_list(desk: list[Order], monkeypatch: pytest.MonkeyPatch) -> None:
    """File and pages agree for every filter and order; small batches make paging take every path."""
    monkeypatch.setattr(export, "ORDERS_PER_QUERY", 40)
    monkeypatch.setattr(views, "EXPORTS_A_PERSON", 1_000)
    monkeypatch.setattr("orders.table.paging.PROBED_ROWS", 20)  # so that the narrowest are too many to sort
    user = desk[0].placed_by
    client, day = as_user(user), timezone.now() - timedelta(days=5)
    queries = [
        "", "status=completed", "open=look", "open=live", "open=refill", "open=cancel", "category=TikTok › Likes",
        f"service={desk[0].service.upstream_id}", "network=tiktok", "by=me", "host=tiktok.com", f"from={day:%Y-%m-%d}",
        f"to={day:%Y-%m-%d}", "least=0.5", "most=0.5", "q=some3", "q=so", "q=ana some3x", "q=nowhere",
        f"q=order {desk[3].pk}, order {desk[9].pk}", "status=completed&by=me", "q=some3&host=tiktok.com&status=queued",
        f"network=tiktok&from={day:%Y-%m-%d}&least=0.25",
    ]  # fmt: skip
    for query, sort in product(queries, SORTS):
        sorted_query = f"{query}&sort={sort}"
        assert exported_ids(client, sorted_query) == paged_ids(user, sorted_query), sorted_query


@pytest.mark.slow
def test_the_name_of_the_file_says_filter_zone_and_count_and_the_first_line_is_the_heads(desk: list[Order]) -> None:
    """Times carry the offset of the person's zone."""
    cleo = as_user(make_user(Role.VIEWER, name="Cleo", time_zone="Asia/Kathmandu"))
    query = "status=completed&host=tiktok.com&sort=dearest"
    heads, *lines = exported(cleo, query)
    assert heads == [head for head in export.COLUMNS if not head.startswith("customer")], "viewers see no customers"
    assert all(line[-2].endswith("+05:45") for line in lines)
    answer = cleo.post(f"/orders/export/?{query}")
    name = re.search(r'filename="(.*)"', answer["Content-Disposition"])
    assert name
    words = "orders-completed-link-on-tiktokcom-highest-charge-first"
    assert re.fullmatch(rf"{words}-{len(lines)}-orders-asia-kathmandu-20\d\d-\d\d-\d\d\.csv", name[1])


def test_what_was_searched_for_is_not_in_the_name(viewer: Client) -> None:
    """It may name a customer, and files are passed on. A saved view gives its name."""
    make_order(link="https://instagram.com/lumen.studio")
    answer = viewer.post("/orders/export/?q=lumen.studio")
    assert "lumen" not in answer["Content-Disposition"]
    assert "-and-a-search-1-order-utc-" in answer["Content-Disposition"]


def test_numbers_are_plain_in_every_persons_file() -> None:
    """Numbers have a point and no groups, although this person reads commas."""
    order = make_order(
        Status.COMPLETED, quantity=10_000, charge=Decimal("1234.5000"), currency="USD", start_count=-5,
        refills_elsewhere=1,
    )  # fmt: skip
    order.tasks.create(kind=Task.Kind.REFILL, asked_by=order.placed_by, slot=1, due_at=timezone.now())
    heads, line = exported(as_user(make_user(numbers="1.234,56")), "least=1000")
    row = dict(zip(heads, line, strict=True))
    assert (row["quantity"], row["charge"], row["currency"]) == ("10000", "1234.5", "USD")
    assert (row["start count"], row["refills used"], row["checked at"]) == ("-5", "2", "")
    assert (row["status"], row["status in words"], row["runs"]) == ("completed", "Completed", "")


def test_hostile_texts_stay_texts(viewer: Client) -> None:
    """Formulas, quotes and line breaks in names, links and an unknown status survive a CSV reader."""
    by = make_user(name=HOSTILE)
    make_order(Status.PENDING, by=by, service=make_service(name="＝1+1", category='@a","b'), link="+1\r\n=2")
    Order.objects.update(status="-odd")
    answer = viewer.post("/orders/export/")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    heads, line = csv.reader(io.StringIO(text[1:], newline=""))
    row = dict(zip(heads, line, strict=True))
    assert (row["placed by"], row["service"], row["category"]) == (f"'{HOSTILE}", "'＝1+1", '\'@a","b')
    assert (row["link"], row["status"]) == ("'+1\r\n=2", "'-odd")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"])
def test_a_text_that_begins_like_a_formula_is_quoted(text: str) -> None:
    """Full-width signs, tabs and line breaks count as the beginning of a formula too."""
    assert safe(text) == f"'{text}"


def test_excel_gets_numbers_as_numbers_and_texts_as_texts(viewer: Client) -> None:
    """The sheet has no formulas and no hyperlinks."""
    order = make_order(Status.PENDING, by=make_user(name=HOSTILE), link="https://instagram.com/a", quantity=1234)
    answer = viewer.post("/orders/export/?status=pending", {"format": "xlsx"})
    assert "/orders-pending-newest-first-1-order-utc-" in answer["Content-Disposition"].replace('"', "/")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as book:  # type: ignore[attr-defined]
        names, sheet = book.namelist(), book.read("xl/worksheets/sheet1.xml").decode()
        about = book.read("xl/worksheets/sheet2.xml").decode()
    assert f'<c r="A2"><v>{order.pk}</v></c>' in sheet
    assert all(f"<t>{words}</t>" in about for words in ("Pending, newest first", "1", "UTC", "Times in"))
    assert "<v>1234</v>" in sheet
    assert f"'{HOSTILE}" in sheet.replace("&apos;", "'")
    assert "<f>" not in sheet
    assert not [name for name in names if "rels" in name and "worksheets" in name]  # links would be kept there


def test_more_than_a_sheet_holds_goes_as_csv(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page names Excel's limit, no event is recorded, and CSV still works."""
    monkeypatch.setattr(views, "MOST_SHEET_ROWS", 2)
    by, service = make_user(), make_service()
    for _ in range(3):
        make_order(by=by, service=service)
    answer = viewer.post("/orders/export/?status=queued", {"format": "xlsx"}, follow=True)
    assert answer.redirect_chain == [("/orders/?status=queued", 302)]
    assert "More than 2 orders match, and a sheet of Excel holds no more." in answer.content.decode()
    assert not Event.objects.filter(kind="exported")
    assert len(exported(viewer, "status=queued")) == 4


def test_orders_that_leave_or_come_meanwhile_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row fits the filter when it is read; what is placed after the beginning is not in the file."""
    monkeypatch.setattr(export, "ORDERS_PER_QUERY", 2)
    by, service = make_user(), make_service()
    orders = [make_order(Status.PENDING, by=by, service=service) for _ in range(5)]
    rows = export.export_rows(Listing.of(by, QueryDict("status=pending&sort=oldest")))
    ids = [next(rows)[0]]
    Order.objects.filter(pk=orders[3].pk).update(status=Status.COMPLETED)
    make_order(Status.PENDING, by=by, service=service)
    ids += [row[0] for row in rows]
    assert ids == [orders[n].pk for n in (0, 1, 2, 4)]


def test_an_order_whose_charge_moves_is_exported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paging meets the order again in a list sorted by charge, and does not write it a second time."""
    monkeypatch.setattr(export, "ORDERS_PER_QUERY", 2)
    by, service = make_user(), make_service()
    orders = [make_order(by=by, service=service, charge=n) for n in range(1, 6)]
    rows = export.export_rows(Listing.of(by, QueryDict("sort=cheapest")))
    first_id = next(rows)[0]
    Order.objects.filter(pk=orders[0].pk).update(charge=9)
    assert [first_id, *(row[0] for row in rows)] == [order.pk for order in orders]


@pytest.mark.slow
def test_activity_says_who_exported_what(desk: list[Order]) -> None:
    """The event has the number of orders and the filter in words."""
    ana = make_user(Role.VIEWER, name="Ana <b>")
    exported(as_user(ana), "status=completed")
    page = as_a("viewer").get("/activity/").content.decode()
    assert ">Ana &lt;b&gt;</span>" in page
    assert "exported 27 orders as CSV: Completed, newest first." in page


def test_the_page_links_to_the_export_of_its_own_list(viewer: Client) -> None:
    """The links carry the list's filters and sort."""
    make_order()
    page = viewer.get("/orders/?status=queued&sort=oldest").content.decode().replace("&amp;", "&")
    assert 'action="/orders/export/?status=queued&sort=oldest"' in page
    for form in ("csv", "xlsx"):
        assert f'<button type="submit" form="export" name="format" value="{form}">' in page


def test_a_csv_says_that_it_is_utf8_and_a_saved_view_gives_it_its_name(viewer: Client) -> None:
    """A tab is named too."""
    answer = viewer.post("/orders/export/?status=in_progress")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    name = f"orders-in-progress-newest-first-0-orders-utc-{timezone.now():%Y-%m-%d}.csv"
    assert f'filename="{name}"' in answer["Content-Disposition"]
    view = SavedView.objects.create(owner=make_user(), name="Big ones", query="least=5", shared=True)
    answer = viewer.post(f"/orders/export/?least=5&view={view.pk}")
    assert "orders-big-ones-0-orders-utc-" in answer["Content-Disposition"]


def test_a_stranger_is_sent_to_sign_in() -> None:
    """The export needs an account."""
    assert as_a("stranger").post("/orders/export/")["Location"].startswith("/accounts/login/")


def test_who_makes_very_many_files_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "EXPORTS_A_PERSON", 2)
    make_order()
    client = as_a(Role.VIEWER)
    for _ in range(2):
        assert len(exported(client)) == 2
    answer = client.post("/orders/export/", follow=True)
    assert (
        views.MANY_EXPORTS.partition(" ")[0] in answer.content.decode()
        and "Wait a few minutes" in answer.content.decode()
    )
    assert Event.objects.filter(kind="exported").count() == 2
    assert len(exported(as_a(Role.OPERATOR))) == 2, "others need not wait"
