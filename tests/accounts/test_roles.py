"""Who may do what: the table of the design, compared with accounts/access.py and with what the pages show."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from accounts.access import ACTIONS, Role, may, needs, why_not
from accounts.models import User
from orders.models import Order
from orders.rules.refusal import Refusal
from tests.addresses import OURS, one_of_everything, routes
from tests.makers import make_service, make_user, place_order
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db

FROM = {"view": Role.VIEWER, "money": Role.VIEWER, "export": Role.VIEWER,
        "place": Role.OPERATOR, "refill": Role.OPERATOR, "cancel": Role.OPERATOR, "note": Role.OPERATOR,
        "customers": Role.OPERATOR, "prices": Role.MANAGER,
        "decide": Role.MANAGER, "approve": Role.MANAGER, "stop": Role.MANAGER, "settings": Role.MANAGER,
        "people": Role.OWNER, "administer": Role.OWNER}  # fmt: skip
MAY = {what: {*[*Role][[*Role].index(least) :]} for what, least in FROM.items()}
# For machines: the first two say nothing about orders, and a webhook must carry a signature.
OPEN_TO_ALL = {"healthz", "healthz/ready", "webhooks/notpanel/", "accounts/login/", "accounts/login/factor/",
               "accounts/login/passkey/", "accounts/invitation/", "accounts/password/choice/"}  # fmt: skip


@pytest.mark.parametrize("what", ACTIONS)
@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_says(role: Role, what: str) -> None:
    assert may(make_user(role), what) == (role in MAY[what])


@pytest.mark.parametrize("what", ACTIONS)
@pytest.mark.parametrize("person", [None, AnonymousUser(), User(role=Role.OWNER, is_active=False)])
def test_strangers_and_people_who_are_switched_off_may_do_nothing(person: Any, what: str) -> None:
    assert not may(person, what)


def test_the_reason_is_a_sentence() -> None:
    assert why_not(make_user(Role.VIEWER), "place") == "Only operators, managers and owners may place orders."
    assert why_not(AnonymousUser(), "view") == "Sign in first."
    assert why_not(make_user(Role.OWNER), "administer") == ""


def test_a_guard_for_an_unknown_permission_fails_at_the_start() -> None:
    with pytest.raises(KeyError):
        needs("fly")


def test_every_page_of_ours_says_what_it_needs() -> None:
    ours = {route: view for route, view in routes() if view.__module__.split(".")[0] in OURS}
    unguarded = {route for route, view in ours.items() if not hasattr(view, "needs") and not route.startswith("admin/")}
    assert unguarded == OPEN_TO_ALL


def test_the_refusal_is_on_the_page() -> None:
    assert "Only operators, managers and owners may place orders." in page(as_a(Role.VIEWER), "/orders/new/")


@pytest.mark.parametrize("role", Role)
def test_the_rail_shows_only_what_the_role_may_open(role: Role) -> None:
    text = page(as_a(role), "/orders/")
    assert ('href="/orders/new/"' in text) == (role in MAY["place"])
    assert ('href="/admin/"' in text) == (role in MAY["administer"])


@pytest.mark.parametrize("role", Role)
def test_a_button_is_there_when_the_role_may_press_it(role: Role) -> None:
    one_of_everything()
    text = page(as_a(role), "/services/")
    assert ("?service=" in text) == (role in MAY["place"])
    assert ("/acceptance/" in text) == (role in MAY["decide"])


def test_a_demotion_holds_from_the_next_request() -> None:
    manager = make_user(Role.MANAGER)
    client = as_user(manager)
    assert client.get("/orders/new/").status_code == 200
    User.objects.filter(pk=manager.pk).update(role=Role.VIEWER)
    assert client.get("/orders/new/").status_code == 403


def test_a_person_who_is_switched_off_is_signed_out_at_the_next_request() -> None:
    owner = make_user(Role.OWNER)
    client = as_user(owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    for path in ("/orders/", "/orders/changes/", "/admin/"):
        answer = client.get(path, follow=True)
        assert answer.request["PATH_INFO"] == "/accounts/login/"


def test_the_verb_itself_refuses_too() -> None:
    for person in (make_user(Role.VIEWER), make_user(Role.OWNER, is_active=False)):
        with pytest.raises(Refusal):
            place_order(by=person, service=make_service())
    assert not Order.objects.exists()


def page(client: Client, path: str) -> str:
    """The HTML at this path."""
    return client.get(path).content.decode()
