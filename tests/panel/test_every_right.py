"""Role × action × address, each switchable cell flipped once: every answer and every link agrees with the table."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve

from accounts.access import ACTIONS, OFF, ON, Role, is_on, switch_name
from accounts.desk_settings import SWITCHES
from tests.accounts.roles.switched import switch
from tests.addresses import address, one_of_everything, routes
from tests.makers import make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST")
EVERY_OTHER = {*range(200, 500)} - {403}
# What a view asks for besides its guard, in the state in which `one_of_everything` leaves the desk.
INSIDE = {
    ("POST", "upstream/settings/"): "settings",
    ("POST", "orders/answers/texts/<situation>/"): "settings",
    ("POST", "team/roles/"): "people",
    ("POST", "orders/bulks/<pk>/tries/"): "refill",
    ("GET", "orders/<pk>/tries/"): "decide",
    ("POST", "orders/<pk>/tries/"): "decide",
    ("GET", "customers/<pk>/payments/"): "money",
    ("POST", "customers/<pk>/payments/"): "money",
    ("GET", "customers/<pk>/file/"): "export",
    ("POST", "customers/<pk>/file/"): "export",
    ("POST", "orders/views/<pk>/"): "settings",  # a view of somebody else’s
    ("POST", "orders/views/<pk>/removal/"): "settings",
    ("POST", "orders/templates/<pk>/change/"): "settings",  # a template of somebody else’s
    ("POST", "orders/templates/<pk>/removal/"): "settings",
}
PAGES = ("orders/", "orders/<pk>/", "orders/bulks/", "orders/bulks/<pk>/", "orders/mass/lists/",
         "orders/mass/lists/<pk>/", "orders/plans/", "orders/plans/<pk>/", "orders/answers/", "orders/answers/<pk>/",
         "orders/answers/texts/", "orders/views/", "orders/late/", "orders/refills/", "orders/sending/due/",
         "services/", "services/changes/", "activity/", "alarms/", "alarms/choices/", "upstream/", "upstream/settings/",
         "upstream/webhooks/", "team/", "team/roles/", "palette/", "keys/",
         "customers/", "customers/<pk>/", "customers/<pk>/change/", "customers/prices/")  # fmt: skip
# What each address needs, where it is more than to view the desk; one of several where there are several.
NEEDED = """
export | orders/export/ orders/bulks/<pk>/csv/ orders/mass/lists/<pk>/csv/ activity/export/ reports/export/
approve | orders/<pk>/approval/ orders/<pk>/approval/refusal/
place | orders/new/ orders/new/receipt/ orders/<pk>/withdrawal/ orders/<pk>/withdrawal/question/
    orders/<pk>/funding/ orders/<pk>/tries/ services/found/ orders/<pk>/approval/reminders/
    orders/mass/ orders/mass/drafts/<pk>/ orders/mass/drafts/<pk>/lines/
    orders/mass/drafts/<pk>/placement/ orders/mass/drafts/<pk>/removal/
    orders/mass/lists/<pk>/waiting/ orders/mass/lists/<pk>/mending/
    orders/mass/lists/<pk>/repetition/ orders/mass/drafts/<pk>/plan/
    orders/templates/new/ orders/templates/<pk>/ orders/templates/<pk>/change/ orders/templates/<pk>/removal/
    orders/plans/<pk>/going/ orders/plans/<pk>/parts/<number>/
refill cancel note | orders/bulks/matching/ orders/bulks/new/ orders/bulks/new/confirmation/ orders/bulks/<pk>/tries/
note | orders/answers/<pk>/language/ orders/answers/<pk>/changes/ orders/<pk>/looks/ orders/<pk>/notes/
    orders/<pk>/assignment/ orders/assignments/ orders/assignments/confirmation/ orders/next/
    activity/since/notes/ activity/since/dealings/
stop | orders/sending/stops/ orders/sending/resumption/
decide | orders/sending/release/ orders/<pk>/adoption/ orders/<pk>/closing/ orders/<pk>/abandonment/
    customers/<pk>/erasure/
    orders/<pk>/sighting/ orders/<pk>/refills/settlement/ orders/<pk>/refills/next/ services/syncs/
    services/changes/acceptance/ services/changes/<pk>/decision/ services/alarms/<pk>/acceptance/
customers | customers/ customers/found/ customers/new/ customers/<pk>/ customers/<pk>/change/ customers/<pk>/file/
    customers/<pk>/payments/ orders/<pk>/customer/
prices | customers/prices/ customers/prices/<pk>/removal/ customers/prices/lists/
refill | orders/<pk>/refills/ orders/<pk>/refills/question/ orders/<pk>/refills/tries/
cancel | orders/<pk>/cancellation/ orders/<pk>/cancellation/question/ orders/<pk>/cancellation/tries/
money | upstream/charges/ upstream/balance/
settings | alarms/choices/chat/
people | team/new/ team/<pk>/ team/<pk>/role/ team/<pk>/state/ team/<pk>/details/ team/<pk>/links/
    team/<pk>/links/withdrawal/ team/<pk>/factors/reset/ team/security/ team/<pk>/sessions/
    team/<pk>/sessions/endings/ team/limits/ team/<pk>/limits/ activity/chain/
    activity/chain/verification/
administer | upstream/webhooks/rings/ styleguide/
"""
LINKS = re.compile(r'\b(href|action|formaction|hx-get|hx-post)="(/[^"#?]*)')


def guarded() -> Iterator[tuple[str, Any]]:
    """Each address of ours that asks who somebody is."""
    return ((route, view) for route, view in routes() if hasattr(view, "needs"))


def allows(view: Any, role: str, chosen: Mapping[str, str], inside: str = "") -> bool:
    """Whether the table lets this role come to the view."""
    return any(is_on(role, what, chosen) for what in view.needs) and (not inside or is_on(role, inside, chosen))


def touched_by(action: str) -> set[str]:
    """The action, and those that want it."""
    return {action, *(name for name, row in ACTIONS.items() if action in row.wants)}


def flipped(name: str) -> dict[str, str]:
    """What is stored where this one switch was moved; to switch an action on, what it wants is on as well."""
    return {name: OFF if SWITCHES[name].first() == ON else ON}


def answer(client: Client, method: str, route: str) -> int:
    """The status of the answer; what the request changed is taken back."""
    cookies = client.cookies.output(header="")
    with transaction.atomic():
        status = client.generic(method, address(route)).status_code
        transaction.set_rollback(True)
    client.cookies.load(cookies)
    return status


def wrong_answers(role: Role, chosen: Mapping[str, str], concerns: Callable[[Any], bool]) -> list[str]:
    """The addresses whose answer to this role does not agree with the table."""
    client, wrong = as_user(make_user(role)), []
    for route, view in guarded():
        for method in METHODS:
            inside = INSIDE.get((method, route), "")
            if not concerns({*view.needs, inside}):
                continue
            allowed, status = allows(view, role, chosen, inside), answer(client, method, route)
            if status not in ((403, 405) if not allowed else EVERY_OTHER):
                wrong.append(f"{role} {method} {route}: {status}, although the table says {allowed}")
    return wrong


def asked_by(table: str) -> dict[str, set[str]]:
    """Route → the actions of which a person needs one, as the table below `NEEDED` says."""
    needed: dict[str, set[str]] = {}
    for line in table.replace("\n    ", " ").strip().splitlines():
        actions, _, addresses = line.partition(" | ")
        needed |= {address: {*actions.split()} for address in addresses.split()}
    return needed


def test_every_address_asks_for_its_own_action() -> None:
    """Written down apart from the views, so that a view with the wrong guard shows."""
    needed = asked_by(NEEDED)
    assert {route: {*view.needs} for route, view in guarded()} == {
        route: needed.get(route, {"view"}) for route, _ in guarded()
    }
    assert needed.keys() <= {route for route, _ in guarded()}


@pytest.fixture(autouse=True)
def _desk() -> None:
    one_of_everything()


@pytest.mark.parametrize("role", Role)
def test_every_answer_agrees_with_the_table(role: Role) -> None:
    assert not wrong_answers(role, {}, lambda whats: True)


@pytest.mark.slow
@pytest.mark.parametrize("name", SWITCHES)
def test_every_answer_agrees_with_a_switched_table(name: str) -> None:
    role, action = name.split(".")
    chosen = flipped(name)
    switch(**{name.replace(".", "_", 1): chosen[name] == ON})
    assert is_on(role, action, chosen) != is_on(role, action, {}), "a switch makes a difference"
    assert not wrong_answers(Role(role), chosen, lambda whats: bool(touched_by(action) & whats))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", *SWITCHES])
def test_nobody_is_led_to_what_would_refuse_them(name: str) -> None:
    """No link, no button and no form of a page leads to an address that answers its reader with a 403."""
    chosen = flipped(name) if name else {}
    if name:
        switch(**{name.replace(".", "_", 1): chosen[name] == ON})
    known = dict(guarded())
    wrong = set()
    for role in [Role(name.split(".")[0])] if name else Role:
        client = as_user(make_user(role))
        for route in PAGES:
            if not allows(known[route], role, chosen):
                continue
            page = client.get(address(route)).content.decode()
            for attribute, path in LINKS.findall(page):
                view = view_at(path)
                if view is not None and not allows(view, role, chosen):
                    wrong.add(f"{role} on {route}: {attribute} {path}")
    assert not wrong, "\n".join(sorted(wrong))


def view_at(path: str) -> Any:
    """The guarded view at this path, or None."""
    try:
        view = resolve(urlsplit(path).path).func
    except Resolver404:
        return None
    return view if hasattr(view, "needs") else None


def test_each_switch_is_named_as_the_table_names_its_cell() -> None:
    cells = {
        switch_name(role, action) for action, row in ACTIONS.items() for role in Role if row.cell(role) in (ON, OFF)
    }
    assert cells == SWITCHES.keys()
