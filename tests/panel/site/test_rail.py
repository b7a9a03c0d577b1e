"""The rail: a place for every page, and what waits for this person."""

import re
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from catalog.models import Change
from orders.models import Task
from orders.rules.statuses import Status
from orders.teamwork import notes
from tests.makers import make_order, make_service, make_user
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db
PLACE_OF = {
    "/orders/": "Orders", "/orders/views/": "Orders", "/orders/refills/": "Orders", "/orders/cancels/": "Orders",
    "/orders/late/": "Orders", "/orders/bulks/": "Orders", "/orders/bulks/new/": "Orders",
    "/orders/new/": "New order", "/services/": "Services", "/services/changes/": "Services",
    "/upstream/charges/": "Reports", "/reports/": "Reports",
    "/activity/": "Activity", "/mentions/": "Activity", "/team/": "Team",
    "/upstream/": "System", "/upstream/webhooks/": "System", "/upstream/balance/": "System", "/alarms/": "System",
    "/alarms/choices/": "System",
}  # fmt: skip


@pytest.fixture
def ana() -> User:
    return make_user(Role.MANAGER, username="ana", name="Ana")


def rail(client: Client, path: str = "/orders/") -> str:
    """The rail of a page."""
    found = re.search(r'<nav class="rail".*?</nav>', client.get(path).content.decode(), re.S)
    assert found, path
    return found[0]


def figures(html: str) -> dict[str, str]:
    """What the numbers say → the number."""
    found = re.findall(r'<span class="tag[^"]*"><span class="vh">, ([^:]+): </span>([^<]+)</span>', html)
    return dict(found)


@pytest.mark.parametrize("path", PLACE_OF)
def test_every_page_has_its_place(ana: User, path: str) -> None:
    """The place is marked as the page's, once in the rail and once behind More where a phone has it there."""
    marked = re.findall(r'aria-current="page">(?:<svg.*?</svg>)(\w[\w ]*)', rail(as_user(ana), path))
    assert set(marked) - {"More"} == {PLACE_OF[path]}


def test_a_quiet_desk_shows_no_number(ana: User) -> None:
    """Nor lists with nothing in them."""
    html = rail(as_user(ana))
    assert figures(html) == {}
    assert html.count("hidden>") == 4


def test_it_counts_what_waits_for_this_person(ana: User) -> None:
    """Each number leads to what it counts, and belongs to this person alone where it says so."""
    service, mate = make_service(), make_user(Role.OPERATOR)
    make_order(Status.REVIEW, by=mate, service=service)
    for status in (Status.IN_PROGRESS, Status.QUEUED, Status.COMPLETED):
        make_order(status, by=mate, service=service, assigned_to=ana)
    refilled = make_order(Status.COMPLETED, by=mate, service=service)
    now = timezone.now()
    Task.objects.create(order=refilled, kind=Task.Kind.REFILL, asked_by=mate, asked_at=now, settled_at=now,
                        outcome=Task.Outcome.DONE, slot=1, slots=3)  # fmt: skip
    Change.objects.create(service=service, moved={"rate": ["0.8", "0.9"]}, at=now)
    decided = {"decision": Change.Decision.ACCEPTED, "decided_at": now, "decided_by": mate}
    Change.objects.create(service=service, moved={"rate": ["0.7", "0.8"]}, at=now, **decided)
    notes.write_note(refilled, "@ana look here", uuid.uuid4(), by=mate)
    html = rail(as_user(ana))
    assert figures(html) == {
        "need a look": "1", "changes to decide": "1", "new for you": "1", "wait there": "3",
        "under way and assigned to you": "2", "pending": "1",
    }  # fmt: skip
    for query, count in ((f"open=live&assigned={ana.pk}", 2), ("open=refill", 1)):
        assert f'href="/orders/?{query.replace("&", "&amp;")}"' in html
        assert as_user(ana).get(f"/orders/?{query}").content.decode().count('<tr class="row') == count
    others = figures(rail(as_user(mate)))
    assert "under way and assigned to you" not in others
    assert "new for you" not in others


def test_an_open_page_learns_of_it(ana: User) -> None:
    """The poll brings each number to its place."""
    make_order(Status.PENDING, assigned_to=ana)
    told = as_user(ana).get("/orders/changes/?bar=old", headers=htmx()).content.decode()
    assert re.search(r'<li id="waits-mine-l" hx-swap-oob="true">\s*<a', told)
    assert re.search(r'<li id="waits-refills-l" hx-swap-oob="true" hidden>', told)
    assert figures(told)["under way and assigned to you"] == "1"
