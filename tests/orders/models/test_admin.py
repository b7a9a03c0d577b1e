"""The admin opens everything that the desk keeps, to owners, and lets nobody falsify any of it."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Role
from accounts.models import DoorEvent, SignInCount, TrailLine, User
from catalog.models import RateChange, ShrinkAlarm
from orders.models import Event, MassDraft, Order, Task
from orders.rules.statuses import Status
from panel.web.admin_list import INLINE_ROWS
from panel.web.admin_record import RecordAdmin, SturdyAdmin
from tests.addresses import admin_address, one_of_everything, our_models, registered
from tests.makers import make_order
from tests.people import as_a

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12  # of a list, a row or a history
RECORD_THE_REFUSALS = (
    TrailLine,
    DoorEvent,
    SignInCount,
)  # that somebody tried what they may not do is recorded, and counted
RECORDS = [(model, keeper) for model, keeper in registered() if isinstance(keeper, RecordAdmin)]
each_record = pytest.mark.parametrize(("model", "keeper"), RECORDS, ids=[model.__name__ for model, _ in RECORDS])


@pytest.fixture
def order() -> Order:
    """The order of a desk on which every model has a row."""
    return one_of_everything()


@pytest.fixture
def owner(order: Order) -> Client:
    """An owner's browser on that desk."""
    return as_a(Role.OWNER)


def test_every_model_of_ours_is_there_and_nothing_that_the_desk_does_not_use() -> None:
    private = MassDraft  # a draft is its person's alone
    assert {model for model, _ in registered()} == {*our_models(), LogEntry} - {private}


def test_all_but_the_team_is_a_record() -> None:
    assert {model for model, _ in registered()} - {model for model, _ in RECORDS} == {User}


@pytest.mark.slow
@each_record
def test_a_list_its_search_its_filters_and_a_row_open(
    owner: Client, model: type[Model], keeper: "admin.ModelAdmin[Any]"
) -> None:
    address, newest = admin_address(model, "changelist"), model._default_manager.latest("pk")
    pages = [address, f"{address}?o=-1"]
    pages += [admin_address(model, page, newest.pk) for page in ("change", "history")]
    pages += [f"{address}?q={words}" for words in ("1", "ord_00000001", "nothing like it")]
    changelist = owner.get(address).context["cl"]
    pages += [address + link["query_string"] for spec in changelist.filter_specs for link in spec.choices(changelist)]
    assert changelist.result_count >= 1
    for page in pages:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(page).status_code == 200, page
        assert len(queries) <= MOST_QUERIES, page


def test_every_filter_is_tried() -> None:
    assert sum(len(keeper.list_filter) for _, keeper in RECORDS) > 15


@pytest.mark.parametrize("model", [Order, Task, Event, RateChange, ShrinkAlarm, LogEntry])
def test_the_queries_of_a_list_do_not_grow_with_its_rows(owner: Client, model: type[Model]) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            owner.get(admin_address(model, "changelist"))
        counts.append(len(queries))
        more_of_everything()
    assert counts[0] == counts[1]


@pytest.mark.parametrize("field", ["pk", "upstream_id", "request_id", "link"])
def test_an_order_is_found_by_what_people_have_at_hand(owner: Client, field: str) -> None:
    order = make_order(Status.COMPLETED, link="https://instagram.com/only.this.one")
    make_order(Status.COMPLETED)
    changelist = owner.get(admin_address(Order, "changelist"), {"q": str(getattr(order, field))}).context["cl"]
    assert [listed.pk for listed in changelist.result_list] == [order.pk]


def test_an_order_shows_its_tasks(owner: Client, order: Order) -> None:
    page = owner.get(admin_address(Order, "change", order.pk)).content.decode()
    assert f"Place {order.pk}" in page


@pytest.mark.slow
@each_record
def test_no_record_is_added_changed_or_deleted_through_any_address(
    owner: Client, model: type[Model], keeper: "admin.ModelAdmin[Any]"
) -> None:
    before = list(model._default_manager.order_by("pk").values())
    keys = [str(record.pk) for record in model._default_manager.all()]
    forged = dict.fromkeys(before[0], "7") | {"_save": "Save", "post": "yes"}
    inline = {"tasks-TOTAL_FORMS": "1", "tasks-INITIAL_FORMS": "0", "tasks-0-kind": "place", "tasks-0-answer": "forged"}
    chosen = {"_selected_action": keys, "select_across": "1", "action": "delete_selected", "post": "yes"}
    in_list = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": keys[0], "form-0-status": "7"}
    owner.post(admin_address(model, "add"), forged)
    owner.post(admin_address(model, "change", keys[0]), {**forged, **inline})
    owner.post(admin_address(model, "delete", keys[0]), forged)
    owner.post(admin_address(model, "changelist"), chosen)
    owner.post(admin_address(model, "changelist"), {**forged, **in_list})
    after = list(model._default_manager.order_by("pk").values())
    if model in RECORD_THE_REFUSALS:
        after = [row for row in after if row in before]
    assert after == before


def test_no_action_is_offered_on_records(owner: Client) -> None:
    for model, _ in RECORDS:
        assert "delete_selected" not in owner.get(admin_address(model, "changelist")).content.decode()


def more_of_everything() -> None:
    """Adds three rows of each model whose rows grow in number, by other people and of other services."""
    orders = [make_order(Status.COMPLETED) for _ in range(3)]
    for order in orders:
        order.record("asked", by=order.placed_by)
        RateChange.objects.create(service=order.service, now=1, at=order.created_at)
        ShrinkAlarm.objects.create(
            raised_at=order.created_at, listed=1, missing=20, accepted_by=order.placed_by, closed_at=order.created_at
        )
        LogEntry.objects.create(user=order.placed_by, object_repr="x", action_flag=1)


# ── Rows that a list is not about ────────────────────────────────────────────────────────────────
@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows a list is about here."""
    monkeypatch.setattr(SturdyAdmin, "rows", 3)
    return 3


def listed(owner: Client, model: type[Model], **query: Any) -> list[int]:
    """The ids that a list shows."""
    return [row.pk for row in owner.get(admin_address(model, "changelist"), query).context["cl"].result_list]


def test_a_list_leads_to_older_rows_and_back(owner: Client, few_rows: int) -> None:
    newest = [make_order(Status.COMPLETED).pk for _ in range(2 * few_rows)][::-1]
    page = owner.get(admin_address(Order, "changelist"))
    text = " ".join(page.content.decode().split())
    assert f"These are the newest 3 orders, from {newest[0]} down to {newest[2]}." in text
    assert "an exact number or id is found anywhere." in text
    assert listed(owner, Order) == newest[:3]
    assert page.context["cl"].older == f"?before={newest[2]}"
    page = owner.get(admin_address(Order, "changelist") + page.context["cl"].older)
    assert [row.pk for row in page.context["cl"].result_list] == newest[3:6]
    assert page.context["cl"].newest == "?"


def test_a_short_list_says_nothing_of_other_rows(owner: Client, few_rows: int) -> None:
    page = owner.get(admin_address(Order, "changelist"))
    assert "These are" not in page.content.decode()


@pytest.mark.parametrize("before", ["nonsense", "9" * 30, "1.5"])
def test_older_than_what_no_row_can_have_is_answered(owner: Client, before: str) -> None:
    page = owner.get(admin_address(Order, "changelist"), {"before": before})
    assert page.headers["Location"].endswith("?e=1")


@pytest.mark.parametrize("field", ["pk", "upstream_id", "request_id"])
def test_an_old_order_is_found_by_its_ids(owner: Client, few_rows: int, field: str) -> None:
    old = make_order(Status.COMPLETED)
    for _ in range(2 * few_rows):
        make_order(Status.COMPLETED)
    assert listed(owner, Order, q=f" {getattr(old, field)} ") == [old.pk]
    assert listed(owner, Order, q=str(getattr(old, field)).upper()) == [old.pk]


def test_what_belongs_to_an_old_order_is_found_by_the_orders_ids(owner: Client, few_rows: int) -> None:
    old = make_order(Status.COMPLETED)
    old.record("asked", by=old.placed_by)
    for _ in range(2 * few_rows):
        make_order(Status.COMPLETED).record("asked")
    for typed in (old.pk, old.upstream_id):
        assert listed(owner, Event, q=typed) == [event.pk for event in old.events.order_by("-pk")]
        assert listed(owner, Task, q=typed) == [task.pk for task in old.tasks.order_by("-pk")]


def test_a_filter_with_an_index_finds_old_rows(owner: Client, few_rows: int) -> None:
    old = make_order(Status.PARTIAL)
    for _ in range(2 * few_rows):
        make_order(Status.COMPLETED)
    assert listed(owner, Order, status="partial") == [old.pk]
    assert listed(owner, Order, placed_by__id__exact=old.placed_by_id) == [old.pk]


def test_a_status_can_be_chosen_that_no_new_order_has(owner: Client) -> None:
    assert "?status=refunded" in owner.get(admin_address(Order, "changelist")).content.decode()


def test_a_service_shows_the_newest_changes_of_its_rate(owner: Client, order: Order) -> None:
    RateChange.objects.bulk_create(
        RateChange(service=order.service, was=n, now=n + 1, at=order.created_at) for n in range(1, INLINE_ROWS + 9)
    )
    page = owner.get(admin_address(type(order.service), "change", order.service.pk))
    (formset,) = (shown.formset for shown in page.context["inline_admin_formsets"])
    assert [form.instance.now for form in formset.forms] == [*range(INLINE_ROWS + 9, 9, -1)]
