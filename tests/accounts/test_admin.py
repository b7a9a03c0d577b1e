"""An owner keeps the team in the admin: invites, changes roles, switches off; never locks everybody out."""

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


def invite(client: Client, **typed: Any) -> str:
    """Adds Mira, an operator, with these fields typed otherwise; the page that it leads to."""
    usual = {"username": "mira", "name": "Mira", "email": "", "role": "operator", "password1": NEW, "password2": NEW}
    return client.post(admin_address(User, "add"), {**usual, **typed}, follow=True).content.decode()


def test_an_invited_person_can_sign_in(client: Client) -> None:
    invite(client, email="mira@example.com")
    mira = User.objects.get(username="mira")
    assert (mira.role, mira.is_active, mira.check_password(NEW)) == (Role.OPERATOR, True, True)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"password1": "12345678", "password2": "12345678"}, "too common"),
        ({"password2": "another-one"}, "didn’t match"),
        ({"password1": "", "password2": ""}, "This field is required"),
        ({"role": "emperor"}, "Select a valid choice"),
        ({"email": "ANA@example.com"}, "Somebody already has this e-mail address."),
        ({"username": "ANA"}, "already"),
    ],
)
def test_an_invitation_that_is_wrong_says_why(client: Client, typed: dict[str, str], why: str) -> None:
    make_user(username="ana", email="ana@example.com")
    assert why in invite(client, **typed)
    assert not User.objects.filter(username="mira").exists()


def test_two_people_may_be_without_an_address(client: Client) -> None:
    make_user(email="")
    invite(client, email="")
    assert User.objects.filter(username="mira").exists()


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


def test_a_new_password_works_and_ends_the_old_one_and_its_sessions(client: Client) -> None:
    teammate = make_user()
    elsewhere = as_user(teammate)
    client.post(f"/admin/accounts/user/{teammate.pk}/password/", {"password1": NEW, "password2": NEW})
    teammate.refresh_from_db()
    assert teammate.check_password(NEW)
    assert elsewhere.get("/orders/").status_code == 302


def test_nobody_can_be_left_without_a_password(client: Client, owner: User) -> None:
    path = f"/admin/accounts/user/{owner.pk}/password/"
    assert 'name="usable_password"' not in client.get(path).content.decode()
    client.post(path, {"usable_password": "false", "unset-password": "1"})
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_no_page_shows_a_password_not_even_hashed(client: Client, owner: User) -> None:
    digest = owner.password.rsplit("$", 1)[1]
    for path in (admin_address(User, "change", owner.pk), admin_address(User, "changelist"), "/team/"):
        assert digest not in client.get(path).content.decode()


def test_nobody_is_deleted(client: Client) -> None:
    teammate = make_user()
    client.post(admin_address(User, "delete", teammate.pk), {"post": "yes"})
    client.post(admin_address(User, "changelist"), {"action": "delete_selected", "_selected_action": [teammate.pk]})
    assert User.objects.filter(pk=teammate.pk).exists()
