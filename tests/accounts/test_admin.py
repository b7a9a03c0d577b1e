"""An owner keeps the team in the admin: changes roles, switches off; types no password, locks nobody out."""

from typing import Any

import pytest
from django.test import Client

from accounts.access import Role
from accounts.models import User
from tests.addresses import admin_address
from tests.makers import PASSWORD, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
NEW = "seven-grey-herons"
LAST_OWNER = "This is the last active owner. Make somebody else an owner first."


@pytest.fixture
def owner() -> User:
    """The desk's only active owner."""
    return make_user(Role.OWNER)


@pytest.fixture
def client(owner: User) -> Client:
    """The owner's browser."""
    return as_user(owner)


def fields(user: User, **changes: Any) -> dict[str, Any]:
    """What the form sends for this person; a tick that is not set is not sent."""
    current = {"username": user.username, "name": user.name, "email": user.email, "role": user.role, "is_active": "on"}
    return {name: value for name, value in {**current, **changes}.items() if value is not None}


def change(client: Client, user: User, **changes: Any) -> str:
    """Saves the form with these changes; the page that it leads to."""
    page = client.post(admin_address(User, "change", user.pk), fields(user, **changes), follow=True)
    user.refresh_from_db()
    return page.content.decode()


def test_nobody_adds_people_there(client: Client) -> None:
    """They are invited on the desk, and choose their own password."""
    assert client.get(admin_address(User, "add")).status_code == 403
    client.post(admin_address(User, "add"), {"username": "mira", "role": "owner", "password1": NEW, "password2": NEW})
    assert not User.objects.filter(username="mira").exists()


def test_nobody_is_renamed_to_a_name_that_differs_from_anothers_only_in_capitals(client: Client) -> None:
    """Signing in ignores capitals, so neither of the two could sign in any more."""
    make_user(username="ana")
    other = make_user(username="other")
    change(client, other, username="Ana")
    assert other.username == "other"


def test_a_role_changes(client: Client) -> None:
    teammate = make_user(Role.VIEWER)
    change(client, teammate, role="manager")
    assert teammate.role == Role.MANAGER


def test_a_person_who_is_switched_off_is_signed_out(client: Client) -> None:
    teammate = make_user()
    change(client, teammate, is_active=None)
    assert not teammate.is_active
    assert as_user(teammate).get("/orders/").status_code == 302


@pytest.mark.parametrize("changes", [{"role": "manager"}, {"is_active": None}])
def test_the_last_active_owner_stays(client: Client, owner: User, changes: dict[str, Any]) -> None:
    make_user(Role.OWNER, is_active=False)
    assert LAST_OWNER in change(client, owner, **changes)
    assert (owner.role, owner.is_active) == (Role.OWNER, True)


@pytest.mark.parametrize("changes", [{"role": "manager"}, {"is_active": None}])
def test_when_there_are_two_owners_either_may_go(client: Client, owner: User, changes: dict[str, Any]) -> None:
    make_user(Role.OWNER)
    change(client, owner, **changes)
    assert not (owner.role == Role.OWNER and owner.is_active)


def test_the_last_owner_may_change_anything_else(client: Client, owner: User) -> None:
    change(client, owner, name="Iva")
    assert owner.name == "Iva"


def test_no_owner_types_the_password_of_another(client: Client) -> None:
    teammate = make_user()
    for path in ("password/", "change/password/"):
        client.post(f"/admin/accounts/user/{teammate.pk}/{path}", {"password1": NEW, "password2": NEW})
    change(client, teammate, password=NEW, password1=NEW, password2=NEW, new_password1=NEW)
    assert teammate.check_password(PASSWORD)
    page = client.get(admin_address(User, "change", teammate.pk)).content.decode()
    assert 'type="password"' not in page and "/password/" not in page.partition('id="content"')[2]


def test_ones_own_password_is_changed_on_the_desk_where_tries_are_counted(client: Client) -> None:
    assert client.get("/admin/password_change/")["Location"] == "/accounts/password/change/"
    client.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    assert User.objects.get().check_password(PASSWORD)


def test_no_page_shows_a_password_not_even_hashed(client: Client, owner: User) -> None:
    digest = owner.password.rsplit("$", 1)[1]
    for path in (admin_address(User, "change", owner.pk), admin_address(User, "changelist"), "/team/"):
        assert digest not in client.get(path).content.decode()


def test_nobody_is_deleted(client: Client) -> None:
    teammate = make_user()
    client.post(admin_address(User, "delete", teammate.pk), {"post": "yes"})
    client.post(admin_address(User, "changelist"), {"action": "delete_selected", "_selected_action": [teammate.pk]})
    assert User.objects.filter(pk=teammate.pk).exists()
