"""The poll of an open page: one request for all its rows, answered with nothing or with just what changed."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import BalanceReading, DeskSession
from orders.following.poll import apply_reports
from orders.models import Order
from orders.rules.statuses import Status
from panel.notpanel.shapes import Reports
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_report, make_service, make_user
from tests.people import as_a, htmx
from tests.upstream import Upstream as Sandbox

pytestmark = pytest.mark.django_db
MOST_QUERIES = 4


def poll(client: Client, *orders: Order, **params: object) -> str:
    """The address that a page with these rows polls."""
    newest = max((order.pk for order in orders), default=0)
    query = {"newest": newest, "top": newest, "bar": StatusBar().version, **params}
    rows = ",".join(f"{order.pk}:{order.version}" for order in orders)
    return "/orders/changes/?v=" + rows + "".join(f"&{name}={value}" for name, value in query.items())


def report(order: Order, status: str) -> None:
    """Applies a report that the order has this status."""
    news = make_report(order, status=status)
    apply_reports([news.upstream_id], Reports({news.upstream_id: news}, {}), timezone.now())


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_a_poll_without_news_is_a_204_without_a_body_in_four_queries(viewer: Client, rows: int) -> None:
    """The bound is the same for no rows, one and fifty, and all queries only read."""
    by, service = make_user(), make_service()
    orders = [make_order(Status.IN_PROGRESS, by=by, service=service) for _ in range(rows)]
    url = poll(viewer, *orders)
    with CaptureQueriesContext(connection) as queries:
        answer = viewer.get(url, headers=htmx())
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(queries) <= MOST_QUERIES
    assert all(query["sql"].startswith("SELECT") for query in queries)


def test_a_poll_does_not_touch_the_session(viewer: Client) -> None:
    """An open page alone keeps nobody signed in."""
    order = make_order(Status.IN_PROGRESS)
    before = list(DeskSession.objects.values())
    answer = viewer.get(poll(viewer, order), headers=htmx())
    assert list(DeskSession.objects.values()) == before
    assert not answer.cookies


def test_only_the_row_that_changed_comes(viewer: Client) -> None:
    moved, still = make_order(Status.IN_PROGRESS), make_order(Status.IN_PROGRESS)
    url = poll(viewer, moved, still)
    report(moved, "completed")
    page = viewer.get(url, headers=htmx()).content.decode()
    assert f'id="order-{moved.pk}"' in page
    assert f'id="order-{still.pk}"' not in page
    assert 'id="heard"' not in page, "live.js says what changed in the row: tests/browser/test_heard.py"


def test_a_report_without_news_brings_only_its_time(viewer: Client) -> None:
    """The answer stays a 204; a header says when upstream last reported on the order."""
    order = make_order(Status.IN_PROGRESS)
    report(order, "in_progress")
    order.refresh_from_db()
    url = poll(viewer, order)
    report(order, "in_progress")
    answer = viewer.get(url, headers=htmx())
    order.refresh_from_db()
    assert answer.status_code == 204
    assert order.reported_at
    looked = json.loads(answer["HX-Trigger"])["desk:looked"]
    assert looked == {str(order.pk): order.reported_at.isoformat(timespec="seconds")}, "upstream itself was not asked"


def test_new_orders_wait_behind_a_pill_and_push_nothing(viewer: Client) -> None:
    """The rows on screen keep their places."""
    old = make_order(Status.COMPLETED)
    url = poll(viewer, old)
    new = make_order()
    page = viewer.get(url, headers=htmx()).content.decode()
    assert "1 new order" in page
    assert f'id="order-{new.pk}"' not in page
    assert viewer.get(poll(viewer, old, top=new.pk), headers=htmx()).status_code == 204, "and is said once"


def test_a_tab_is_told_only_of_new_orders_of_its_status(viewer: Client) -> None:
    """An order in progress is no news for the tab of completed orders."""
    old = make_order(Status.COMPLETED)
    url = poll(viewer, old, status="completed")
    make_order(Status.IN_PROGRESS)
    assert viewer.get(url, headers=htmx()).status_code == 204


def test_an_empty_page_is_told_of_the_first_order(viewer: Client) -> None:
    """A page without rows polls too."""
    url = poll(viewer)
    make_order()
    assert "1 new order" in viewer.get(url, headers=htmx()).content.decode()


def test_a_new_balance_brings_the_status_bar(viewer: Client) -> None:
    """The poll brings the status bar although no row changed."""
    order = make_order(Status.COMPLETED)
    url, now = poll(viewer, order), timezone.now()
    BalanceReading.objects.create(amount=12, first_asked_at=now, asked_at=now)
    page = viewer.get(url, headers=htmx()).content.decode()
    assert 'id="bar"' in page
    assert "$12.00" in page


def test_a_signed_out_page_is_redirected_to_sign_in_as_a_whole() -> None:
    """No login page enters the table, and signing in leads back to the list."""
    answer = as_a("stranger").get(
        "/orders/changes/", headers=htmx(**{"HX-Current-URL": "http://testserver/orders/?status=partial"})
    )
    assert answer["HX-Redirect"] == "/accounts/login/?next=%2Forders%2F%3Fstatus%3Dpartial"
    assert answer.content == b""


def test_the_page_of_one_order_polls_itself(viewer: Client) -> None:
    """The poll is a 204 while nothing changes, then brings the page's middle without its frame."""
    order = make_order(Status.IN_PROGRESS)
    url = f"/orders/{order.pk}/?v={order.version}&bar={StatusBar().version}"
    assert viewer.get(url, headers=htmx()).status_code == 204
    report(order, "completed")
    answer = viewer.get(url, headers=htmx())
    assert "<html" not in answer.content.decode()
    assert "Completed" in answer.content.decode()
    assert "HX-Request" in answer["Vary"]


def test_fifty_polls_cause_no_call_upstream(upstream: Sandbox, viewer: Client) -> None:
    """Only the worker asks upstream."""
    order = make_order(Status.IN_PROGRESS)
    for _ in range(50):
        viewer.get(poll(viewer, order), headers=htmx())
    assert upstream.calls() == 0


@pytest.mark.parametrize("v", ["", "x", "1:2:3", ",,,", "9" * 400, "1:" + "9" * 400, "%00:1", "-1:2", "1:1," * 5000])
def test_nonsense_is_answered_and_changes_nothing(viewer: Client, v: str) -> None:
    """No page would send these versions: they are empty, endless, negative, or not numbers."""
    order = make_order(Status.COMPLETED)
    url = f"/orders/changes/?v={v}&bar={StatusBar().version}&top={order.pk}"
    assert viewer.get(url, headers=htmx()).status_code in (200, 204)


def test_a_claim_in_the_worker_shows_on_the_page() -> None:
    """Confirming begins with the claim, so the row must move when the answer stays out."""
    order = make_order()
    order.tasks.update(unclear_since=timezone.now() - timedelta(seconds=5), attempts=1)
    order = Order.objects.for_table().get(pk=order.pk)
    assert order.shown_status == "confirming"
