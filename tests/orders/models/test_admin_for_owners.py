"""The admin as an owner reads it: five groups, words instead of codes, links both ways, and the desk's own verbs."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from catalog.models import Change, Service
from orders.models import Bulk, Event, Order, Poll, Task
from orders.models.poll import Urgency
from orders.rules.statuses import Status
from panel.web.admin_groups import GROUPS, INTERNALS
from panel.web.admin_record import SturdyAdmin
from tests.addresses import admin_address, one_of_everything, registered
from tests.makers import make_order, make_service, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
# What the desk keeps for itself. An owner who wants one opens the last group.
OWN = {"Poll", "PollCall", "Worklist", "Attempt", "Reading", "KeptSearch", "Tally", "Charged", "Folding", "Presence",
       "Window", "Sighting", "SignInCount", "Watch", "SaleLine", "SaleSum",
       "ServiceScore", "CustomerSum", "MassLine", "ListTemplate", "PlanPart"}  # fmt: skip
CODE = re.compile(r"[a-z]+(_[a-z]+)+|[a-z_]+:[a-z_]+")  # in_progress, refill_asked


@pytest.fixture
def person() -> User:
    """The owner who reads."""
    return make_user(Role.OWNER, time_zone="Asia/Kathmandu")


@pytest.fixture
def owner(person: User) -> Client:
    """The owner's browser."""
    return as_user(person)


def text_of(owner: Client, address: str, **query: Any) -> str:
    """The page at an address, with its blanks folded."""
    return " ".join(owner.get(address, query).content.decode().split())


def cells_of(page: str) -> list[str]:
    """What stands in the rows of a list."""
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[dh] class=\"field.*?</t[dh]>", page)]


# ── The first page ───────────────────────────────────────────────────────────────────────────────
def test_there_are_five_groups_by_what_an_owner_does_and_the_internals_are_folded(owner: Client) -> None:
    page = owner.get("/admin/")
    groups = page.context["app_list"]
    assert [group["name"] for group in groups] == list(GROUPS)
    assert [group["name"] for group in groups if group["folded"]] == [INTERNALS]
    assert {entry["object_name"] for entry in groups[-1]["models"]} == OWN
    assert page.content.decode().count("<details>") == 1
    assert sum(len(group["models"]) for group in groups) == len(registered())


def test_people_orders_services_and_balance_stand_first(owner: Client) -> None:
    groups = owner.get("/admin/").context["app_list"]
    firsts = [group["models"][0]["name"] for group in groups[:5]]
    assert firsts == ["People", "Orders", "Services", "Balance readings", "Alarms"]


def test_each_group_leads_to_the_desks_own_pages(owner: Client) -> None:
    page = text_of(owner, "/admin/")
    for address in ("/team/", "/orders/", "/services/", "/services/changes/", "/upstream/balance/", "/alarms/"):
        assert f'<a href="{address}">' in page
        assert owner.get(address).status_code == 200


def test_every_list_has_a_name_of_its_own(owner: Client) -> None:
    names = [entry["name"] for group in owner.get("/admin/").context["app_list"] for entry in group["models"]]
    assert len(set(names)) == len(names)
    assert all(keeper.names for _, keeper in registered() if isinstance(keeper, SturdyAdmin))


# ── Words ────────────────────────────────────────────────────────────────────────────────────────
FOR_OWNERS = [
    pytest.param(model, keeper, id=model.__name__)
    for model, keeper in registered()
    if getattr(keeper, "group", INTERNALS) != INTERNALS
]


@pytest.mark.parametrize(("model", "keeper"), FOR_OWNERS)
def test_no_list_of_an_owner_shows_a_code(owner: Client, model: type[Model], keeper: "admin.ModelAdmin[Any]") -> None:
    order = one_of_everything()
    Order.objects.filter(pk=order.pk).update(status=Status.IN_PROGRESS)
    page = owner.get(admin_address(model, "changelist"))
    shown = cells_of(" ".join(page.content.decode().split()))
    assert shown
    assert [cell for cell in shown if CODE.fullmatch(cell)] == []
    filters = [
        choice["display"] for spec in page.context["cl"].filter_specs for choice in spec.choices(page.context["cl"])
    ]
    assert [words for words in filters if CODE.fullmatch(str(words))] == []


def test_an_order_is_shown_in_the_words_the_money_and_the_times_of_the_desk(owner: Client) -> None:
    at = datetime(2026, 11, 2, 14, 2, tzinfo=UTC)
    order = make_order(Status.IN_PROGRESS, charge="1234.500000", currency="USD", created_at=at)
    for address in (admin_address(Order, "changelist"), admin_address(Order, "change", order.pk)):
        page = text_of(owner, address)
        assert "In progress" in page and "$1,234.50" in page and order.link.removeprefix("https://") in page
        assert "2 Nov 2026, 19:47" in page  # 14:02 UTC in Kathmandu


# ── Both ways ────────────────────────────────────────────────────────────────────────────────────
def test_an_order_and_its_admin_page_lead_to_each_other(owner: Client) -> None:
    order = make_order(Status.COMPLETED)
    here, there = f"/orders/{order.pk}/", admin_address(Order, "change", order.pk)
    assert f'href="{there}"' in text_of(owner, here)
    assert f'href="{here}"' in text_of(owner, there)
    assert f'href="{here}"' in text_of(owner, admin_address(Order, "changelist"))


def test_only_owners_are_led_to_the_admin() -> None:
    order = make_order(Status.COMPLETED)
    page = as_user(make_user(Role.MANAGER)).get(f"/orders/{order.pk}/").content.decode()
    assert "/admin/" not in page


def test_an_orders_admin_page_leads_to_all_that_belongs_to_it(owner: Client) -> None:
    order = make_order(Status.COMPLETED)
    event = order.record("asked")
    link = f"{admin_address(Event, 'changelist')}?q={order.pk}"
    assert f'href="{link}"' in text_of(owner, admin_address(Order, "change", order.pk))
    assert event.pk in [row.pk for row in owner.get(link).context["cl"].result_list]


@pytest.mark.parametrize(("model", "keeper"), FOR_OWNERS)
def test_what_leads_to_the_desk_leads_to_a_page(
    owner: Client, model: type[Model], keeper: "admin.ModelAdmin[Any]"
) -> None:
    one_of_everything()
    for row in model._default_manager.all():
        address = keeper.get_view_on_site_url(row)
        if address:
            assert owner.get(address).status_code == 200, address


# ── Actions ──────────────────────────────────────────────────────────────────────────────────────
def press(owner: Client, model: type[Model], action: str, *rows: Any) -> str:
    """Ticks these rows and starts an action; the page that follows."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    page = owner.post(admin_address(model, "changelist"), chosen, follow=True)
    assert page.status_code == 200
    return " ".join(page.content.decode().split())


@pytest.mark.parametrize(("action", "kind"), [("ask_refills", "refill"), ("ask_cancels", "cancel")])
def test_refills_and_cancels_are_asked_on_the_desks_own_page_after_a_yes(owner: Client, action: str, kind: str) -> None:
    order = make_order(Status.COMPLETED if kind == "refill" else Status.PENDING)
    page = press(owner, Order, action, order)
    assert 'action="/orders/bulks/new/confirmation/"' in page
    assert not order.tasks.filter(kind=kind).exists()
    (picked,) = re.findall(r'name="picked" value="([^"]+)"', page)
    owner.post("/orders/bulks/new/confirmation/", {"picked": picked, "ticks": "1", "order": [order.pk]})
    assert order.tasks.filter(kind=kind).exists()
    assert Bulk.objects.get().asked == 1


def test_an_action_goes_no_second_way_round_the_rules(owner: Client) -> None:
    order = make_order(Status.CANCELLED)
    page = press(owner, Order, "ask_refills", order)
    assert "Nothing can be asked of this order now." in page
    assert not Task.objects.filter(kind="refill").exists()


def test_orders_are_checked_with_the_next_call(owner: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    page = press(owner, Order, "check_now", order)
    assert "Orders that are checked with the next call: 1." in page
    assert Poll.objects.get(order=order).urgency == Urgency.PERSON


def test_changes_are_decided_by_the_verbs_of_the_inbox(owner: Client, person: User) -> None:
    service = make_service()
    change = Change.objects.create(service=service, moved={"rate": ["1", "2"]}, at=timezone.now())
    assert "Services put on hold: 1." in press(owner, Change, "hold", change)
    assert Service.objects.get(pk=service.pk).held_over == change
    assert "Left as they were, because somebody has decided: 1." in press(owner, Change, "accept", change)
    assert "Holds lifted: 1." in press(owner, Change, "lift", change)
    change.refresh_from_db()
    assert (change.decided_by, change.released_by) == (person, person)
    assert Service.objects.get(pk=service.pk).held_over is None


# ── Empty and broken ─────────────────────────────────────────────────────────────────────────────
def test_an_empty_list_says_so_and_a_search_without_a_match_leads_back(owner: Client) -> None:
    assert "There are no orders yet." in text_of(owner, admin_address(Order, "changelist"))
    make_order(Status.COMPLETED)
    page = text_of(owner, admin_address(Order, "changelist"), q="nothing like it")
    assert 'No order matches. <a href="?">Show all orders</a>' in page


def test_an_address_that_makes_no_sense_shows_the_whole_list_and_says_so(owner: Client) -> None:
    make_order(Status.COMPLETED)
    page = owner.get(admin_address(Order, "changelist"), {"placed_by": "x"}, follow=True).content.decode()
    assert "This address asked for something that this list cannot show." in page
    assert "Completed" in page


def test_beyond_the_oldest_row_a_list_says_that_there_are_none(owner: Client) -> None:
    order = make_order(Status.COMPLETED)
    page = text_of(owner, admin_address(Order, "changelist"), before=str(order.pk))
    assert "There are no older orders." in page and "Newest" in page
