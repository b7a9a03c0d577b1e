"""The pages of jobs: a dry run with its ticks, what it refuses, the receipt with its CSV, and the list of jobs."""

import csv
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from orders.bulk import selection, views
from orders.bulk.job import start_job
from orders.bulk.receipt import LINES_A_PAGE, ReceiptCounts
from orders.models import Bulk, Task, Worklist
from panel.format.spreadsheet import safe
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_service, make_user
from tests.orders.bulk.conftest import REFILL, every_kind, selected, signed_selection
from tests.people import as_a, as_user, htmx

pytestmark = pytest.mark.django_db


def dry_run_page(client: Client, **fields: Any) -> str:
    """The page of a dry run of refills, after a form with these fields."""
    return client.post("/orders/bulks/new/", {"kind": "refill", **fields}).content.decode()


def test_ticks_dry_run_and_press_work_without_a_script(ana: User) -> None:
    """They lead to the receipt, and a second press of the same dry run starts no second job."""
    client, orders = as_user(ana), [make_order("completed", by=ana) for _ in range(3)]
    table = client.get("/orders/").content.decode()
    for order in orders:
        assert f'name="order" value="{order.pk}" form="pick"' in table
    page = dry_run_page(client, order=[order.pk for order in orders[:2]], which="ticked")
    assert "Refill 2: <b>2</b> will be asked." in page
    answer = client.post("/orders/bulks/new/confirmation/", {"picked": signed_selection(page)})
    job = Bulk.objects.get()
    assert answer["Location"] == f"/orders/bulks/{job.pk}/"
    receipt = client.get(answer["Location"]).content.decode()
    assert "0 of 2 answered" in receipt
    assert "ticked on the orders page" in receipt
    client.post("/orders/bulks/new/confirmation/", {"picked": signed_selection(page)})
    assert Bulk.objects.count() == 1


def test_all_means_all_that_match_the_filter(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is shown before; more than fit in one job are refused."""
    client = as_user(ana)
    for status in ("completed", "completed", "partial", "pending"):
        make_order(status, by=ana)
    count = client.get("/orders/bulks/matching/?status=completed", headers=htmx()).content.decode()
    assert "all 2 orders in “Completed”, on every page" in count
    assert "Refill 2:" in dry_run_page(client, which="all", match="status=completed")
    assert "Refill 4:" in dry_run_page(client, which="all", match="")
    for module in (selection, views):
        monkeypatch.setattr(module, "MOST_ORDERS", 1)
    assert "at most" in client.get("/orders/bulks/matching/").content.decode()
    page = client.post("/orders/bulks/new/", {"kind": "refill", "which": "all", "match": "status=completed"})
    assert page.status_code == 422
    assert "More than" in page.content.decode()


def test_viewers_see_no_boxes_to_tick(ana: User) -> None:
    """They may start no job."""
    make_order("completed", by=ana)
    page = as_a("viewer").get("/orders/").content.decode()
    assert "checkbox" not in page
    assert 'id="pick"' not in page


def test_a_pasted_message_lists_what_was_not_found(ana: User) -> None:
    """Unknown ids and bare numbers are listed, with markup as text."""
    order = make_order("completed", by=ana)
    page = dry_run_page(as_user(ana), text=f"hey, #{order.pk} dropped, and ord_nope <b>; it was {10**7} likes")
    assert "Refill 1: <b>1</b> will be asked." in page
    assert "ord_nope" in page
    assert f"{10**7}</li>" in page
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize("form", [
    {}, {"order": "x"}, {"order": str(10**30)}, {"text": ""}, {"text": "nothing"}, {"text": "1" * 200_001},
    {"kind": "place", "order": "1"}, {"which": "all", "match": "status=\0"}, {"which": "all", "match": "&" * 5_000},
])  # fmt: skip
def test_a_form_that_names_no_order_is_refused_with_a_reason(form: dict[str, str], ana: User) -> None:
    """Empty and nonsensical forms, and texts and filters that are too long, are answered with 422."""
    answer = as_user(ana).post("/orders/bulks/new/", {"kind": "refill", **form})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert as_user(ana).post("/orders/bulks/new/", {"kind": "refill", "again": "x"}).status_code == 404


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "\0"])
def test_an_unsigned_selection_is_refused(text: str, ana: User) -> None:
    """Nobody can write a selection by hand."""
    answer = as_user(ana).post("/orders/bulks/new/confirmation/", {"picked": text})
    assert answer.status_code == 422
    assert "This page came back incomplete." in answer.content.decode()


def test_a_dry_run_of_yesterday_is_refused(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too much may have changed; a new one is needed."""
    signed = selected(REFILL, [make_order("completed", by=ana)]).signed()
    monkeypatch.setattr(selection, "GOOD_FOR_SECONDS", -1)
    answer = as_user(ana).post("/orders/bulks/new/confirmation/", {"picked": signed})
    assert "more than a day old" in answer.content.decode()


def test_the_receipt_polls_cheaply_and_is_drawn_anew_when_a_task_changes(viewer: Client, ana: User) -> None:
    """The poll is a 204 in four queries, then brings the receipt without the page's frame."""
    job = start_job(selected(REFILL, [make_order("completed", by=ana) for _ in range(3)]), by=ana)
    url = f"/orders/bulks/{job.pk}/?v={ReceiptCounts(job.pk).version}&bar={StatusBar().version}"
    with CaptureQueriesContext(connection) as queries:
        answer = viewer.get(url, headers=htmx())
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(queries) <= 4, [query["sql"] for query in queries]
    settled = {"settled_at": timezone.now(), "due_at": None, "outcome": Task.Outcome.DONE, "answer": "ref_1"}
    Task.objects.filter(pk=job.tasks.first().pk).update(**settled)  # type: ignore[union-attr]
    page = viewer.get(url, headers=htmx()).content.decode()
    assert "1 of 3 answered" in page
    assert "<html" not in page


@pytest.mark.slow
def test_a_long_receipt_has_pages_and_a_few_queries(viewer: Client, ana: User) -> None:
    """The second page has the rest, and a result without orders has a sentence."""
    service = make_service()
    orders = [make_order("completed", by=ana, service=service) for _ in range(LINES_A_PAGE + 1)]
    job = start_job(selected(REFILL, orders), by=ana)
    with CaptureQueriesContext(connection) as queries:
        page = viewer.get(f"/orders/bulks/{job.pk}/").content.decode()
    assert len(queries) <= 8  # with two for the answers
    assert page.count('<tr class="row') == LINES_A_PAGE
    second_page = re.search(r'href="([^"]+after=\d+)"', page)
    assert second_page
    assert viewer.get(second_page[1].replace("&amp;", "&")).content.decode().count('<tr class="row') == 1
    assert "No order of this job stands so" in viewer.get(f"/orders/bulks/{job.pk}/?result=refused").content.decode()


def test_the_csv_describes_its_job_and_has_no_formula(viewer: Client) -> None:
    """It lists the orders asked of and those left out, with hostile names quoted."""
    by = make_user(name="=HYPERLINK(1)")
    hostile = make_service(name="@SUM(A1)", category="x")
    asked, left_out = make_order("completed", by=by, service=hostile), make_order("pending", by=by)
    job = start_job(selected(REFILL, [asked, left_out]), by=by)
    answer = viewer.get(f"/orders/bulks/{job.pk}/csv/")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    [title], _, first, last = csv.reader(text.splitlines())
    assert title.startswith(f"Refill of 2 orders, job {job.pk}, asked by =HYPERLINK(1) at ")
    assert title.endswith("1 asked and 1 left out, 2 lines, all times UTC")
    assert (first[0], first[2], first[4]) == (str(asked.pk), "'@SUM(A1)", "'=HYPERLINK(1)")
    assert last[0] == str(left_out.pk)
    assert "Only completed or partial" in last[7]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    """Only a text's first character counts."""
    assert safe(text) == f"'{text}"
    assert safe("a=1") == "a=1"


def test_the_list_of_jobs_says_how_far_each_is(viewer: Client, ana: User) -> None:
    """Many jobs have a second page."""
    assert "No jobs yet" in viewer.get("/orders/bulks/").content.decode()
    job = start_job(selected(REFILL, [make_order("completed", by=ana), make_order("pending", by=ana)]), by=ana)
    page = viewer.get("/orders/bulks/").content.decode()
    assert "Refill of 2 orders" in page
    assert "1 asked, 1 left out" in page
    assert "1 on the way" in page
    Bulk.objects.bulk_create(
        [Bulk(kind="refill", asked_by=ana, asked_at=job.asked_at, token=uuid.uuid4(), picked=1) for _ in range(60)]
    )
    assert 'rel="next"' in viewer.get("/orders/bulks/").content.decode()


# ── Ticks ────────────────────────────────────────────────────────────────────────────────────────
def press(client: Client, page: str, ticked: list[int]) -> Any:
    """Presses a dry run's button with these orders ticked, as the page's form does it."""
    form = {"picked": signed_selection(page), "ticks": "1", "order": ticked}
    return client.post("/orders/bulks/new/confirmation/", form)


def ticks(page: str) -> dict[int, bool]:
    """The orders that a dry run offers, and whether each is ticked."""
    boxes = re.findall(r'name="order" value="(\d+)" form="press" id="t\d+"( checked)?', page)
    return {int(pk): bool(checked) for pk, checked in boxes}


@pytest.mark.parametrize("kind", Task.AFTERSALE)
def test_every_row_of_a_dry_run_can_be_unticked(kind: str, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of all groups, those that the rule leaves out now and those beyond the listed ones too."""
    monkeypatch.setattr(views, "LISTED_ROWS", 2)
    orders = every_kind(ana)
    page = dry_run_page(as_user(ana), kind=kind, order=[order.pk for order in orders])
    assert ticks(page) == {order.pk: True for order in orders}


def test_an_unticked_order_is_not_asked(ana: User) -> None:
    """The receipt counts the ticked ones alone, and a second press with other ticks starts no second job."""
    client, orders = as_user(ana), [make_order("completed", by=ana) for _ in range(3)]
    page = dry_run_page(client, order=[order.pk for order in orders])
    press(client, page, [orders[0].pk, orders[2].pk])
    press(client, page, [orders[1].pk])
    job = Bulk.objects.get()
    assert (job.picked, job.asked) == (2, 2)
    assert set(job.tasks.values_list("order", flat=True)) == {orders[0].pk, orders[2].pk}


def test_ticks_reach_no_order_that_the_dry_run_did_not_show(ana: User) -> None:
    """A form can be changed by hand; the signed selection cannot."""
    client, orders = as_user(ana), [make_order("completed", by=ana) for _ in range(2)]
    page = dry_run_page(client, order=[orders[0].pk])
    press(client, page, [orders[0].pk, orders[1].pk, 10**18])
    assert list(Bulk.objects.get().tasks.values_list("order", flat=True)) == [orders[0].pk]


@pytest.mark.parametrize("ticked", [[], [0], [10**17]])
def test_a_dry_run_without_a_tick_is_refused_and_shown_again(ana: User, ticked: list[int]) -> None:
    """Nothing is asked, and the same rows can be ticked again."""
    client, order = as_user(ana), make_order("completed", by=ana)
    answer = press(client, dry_run_page(client, order=[order.pk]), ticked)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "No order is ticked." in page
    assert ticks(page) == {order.pk: True}
    assert not Bulk.objects.exists()


def test_numbers_in_prose_stand_apart_unticked_with_their_words(ana: User) -> None:
    """They are asked only when a person ticks them."""
    client, orders = as_user(ana), [make_order("completed", by=ana) for _ in range(3)]
    pks = [order.pk for order in orders]
    page = dry_run_page(client, text=f"refill order #{pks[0]}, quantity {pks[1]}, {pks[2]} days <b> ago")
    assert "Refill 1: <b>1</b> will be asked." in page
    assert "also numbers of orders" in page
    assert f"quantity {pks[1]}, {pks[2]} days &lt;b&gt; ago</bdi>”" in page
    assert ticks(page) == {pks[0]: True, pks[1]: False, pks[2]: False}
    press(client, page, [pks[0], pks[1]])
    assert set(Bulk.objects.get().tasks.values_list("order", flat=True)) == {pks[0], pks[1]}


def test_a_text_with_only_numbers_apart_asks_what_is_meant(ana: User) -> None:
    """Nothing is ticked, and pressing the button without a tick asks nothing."""
    client, order = as_user(ana), make_order("completed", by=ana)
    page = dry_run_page(client, text=f"tel {order.pk}")
    assert "Nothing in this text says that it is an order’s number." in page
    assert ticks(page) == {order.pk: False}
    assert press(client, page, []).status_code == 422
    press(client, page, [order.pk])
    assert Bulk.objects.get().asked == 1


def test_five_thousand_ticks_fit_in_one_form(ana: User) -> None:
    """Django's own limit is a thousand fields."""
    client, order = as_user(ana), make_order("completed", by=ana)
    page = dry_run_page(client, order=[order.pk])
    assert press(client, page, [order.pk, *range(10**6, 10**6 + 4_999)]).status_code == 302


def test_a_filter_that_is_too_long_is_refused_rather_than_cut(ana: User) -> None:
    """A part of a filter would match other orders."""
    make_order("completed", by=ana)
    page = dry_run_page(as_user(ana), which="all", match="q=" + "x" * views.FILTER_CHARACTERS)
    assert "The filter of this list is too long" in page


def test_a_message_is_shown_in_its_order_and_with_marks(ana: User) -> None:
    """What it names stands line by line, what is unknown among it, and the text is never markup."""
    one, two, doubtful = (make_order("completed", by=ana) for _ in range(3))
    text = f"<b>hi</b> #{two.pk}, #{one.pk} and #76543 &amp; quantity {doubtful.pk}"
    page = dry_run_page(as_user(ana), text=text)
    assert re.findall(r'<tr class="row[^"]*" role="row" id="r(\d)">', page) == ["1", "2", "3"]
    assert page.index(f'id="t{two.pk}"') < page.index(f'id="t{one.pk}"') < page.index('<b class="clip">76543</b>')
    assert f'<a href="#r1"><mark class="m-found">{two.pk}</mark></a>' in page
    assert '<a href="#r3"><mark class="m-none">76543</mark></a>' in page
    assert f'<mark class="m-maybe">{doubtful.pk}</mark>' in page
    assert "&lt;b&gt;hi&lt;/b&gt; #" in page and "&amp;amp; quantity" in page


def test_ticked_orders_are_answered_without_asking_anything(ana: User) -> None:
    """From the orders page, by their numbers."""
    client, orders = as_user(ana), [make_order("completed", by=ana) for _ in range(2)]
    client.post("/orders/bulks/new/", {"kind": "answer", "which": "ticked", "order": [order.pk for order in orders]})
    assert Worklist.objects.get().entries == [[str(order.pk), order.pk] for order in orders]
    assert not Bulk.objects.exists()
