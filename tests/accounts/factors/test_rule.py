"""Who must have a second factor: owners decide, people get days, and then they can do nothing but set one up."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.desk_settings import stored
from accounts.factors.rule import due_at, is_required, is_shut_out
from accounts.models import SettingChange, User
from tests.accounts.factors.people import code_now, enter, is_in, secret_of, with_app
from tests.accounts.factors.test_own_factors import set_up
from tests.addresses import address, one_of_everything, routes
from tests.makers import make_user
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db
FACTORS, SETTINGS = "/accounts/factors/", "/upstream/settings/"
OVER = timedelta(days=8)
SENT = {"low_balance": "20", "lasts_until": "06:00 UTC", "price_jump_percent": "20", "send_delay_seconds": "0",
        "late_grace_hours": "0", "factor_from": "manager", "factor_grace_days": "7"}  # fmt: skip


def long_here(role: Role, **fields: Any) -> User:
    """A person who was asked for a second factor more than the days ago."""
    return make_user(role, factor_asked_at=timezone.now() - OVER, **fields)


def settings_form(**typed: str) -> dict[str, str]:
    """The form of the settings page as it is shown first, with what is typed instead."""
    return {**{f"saw_{name}": text for name, text in SENT.items()}, **SENT, **typed}


@pytest.mark.parametrize(
    ("role", "needed"), [(Role.VIEWER, False), (Role.OPERATOR, False), (Role.MANAGER, True), (Role.OWNER, True)]
)
def test_by_default_owners_and_managers_need_one_after_seven_days(role: Role, needed: bool) -> None:
    user, now = make_user(role), timezone.now()
    assert is_required(user) is needed
    assert not is_shut_out(user, now + timedelta(days=6, hours=23))
    assert is_shut_out(user, now + timedelta(days=7, hours=1)) is needed


def test_whoever_has_one_is_never_shut_out() -> None:
    user = long_here(Role.OWNER)
    with_app(user)
    assert due_at(User.objects.get(pk=user.pk)) is None
    assert is_in(as_user(user))


def test_recovery_codes_alone_are_no_second_factor() -> None:
    user = long_here(Role.OWNER)
    with_app(user)
    Authenticator.objects.filter(type="totp").delete()
    assert as_user(user).get("/orders/")["Location"] == FACTORS


def test_within_the_days_the_person_is_told_at_the_sign_in_and_on_their_page(client: Client) -> None:
    make_user(Role.MANAGER, username="mira")
    page = client.post(
        "/accounts/login/", {"login": "mira", "password": "quiet-harbour-lamp"}, follow=True
    ).content.decode()
    assert "You need a second factor from" in page
    assert "You need a second factor from" in client.get(FACTORS).content.decode()
    assert is_in(client)
    viewer = as_user(make_user(Role.VIEWER))
    assert "You need a second factor" not in viewer.get(FACTORS).content.decode()


def test_after_the_days_no_address_does_anything_but_set_one_up() -> None:
    one_of_everything()
    client = as_user(long_here(Role.OWNER))
    cookies = client.cookies.output(header="")
    reached = set()
    for route, _ in routes():
        for method in ("GET", "POST"):
            with transaction.atomic():  # one of the addresses signs out
                answer = client.generic(method, address(route))
                transaction.set_rollback(True)
            client.cookies.load(cookies)
            if answer.get("Location") != FACTORS:
                reached.add(route)
    assert reached == {
        "accounts/factors/", "accounts/factors/app/", "accounts/factors/passkeys/", "accounts/login/",
        "accounts/logout/", "accounts/inactive/", "accounts/invitation/", "accounts/password/choice/", "healthz",
        "healthz/ready", "webhooks/notpanel/",
    }  # fmt: skip


def test_an_open_page_that_polls_moves_to_the_set_up() -> None:
    answer = as_user(long_here(Role.OWNER)).get("/orders/changes/", headers=htmx())
    assert answer["HX-Redirect"] == FACTORS


def test_whoever_sets_one_up_gets_back_in_at_once() -> None:
    user = long_here(Role.OWNER)
    client = as_user(user)
    page = client.get("/orders/", follow=True).content.decode()
    assert "Set up a second factor" in page
    assert 'class="rail"' not in page and "Search orders" not in page, "nothing of the desk is shown"
    set_up(client)
    assert is_in(client)


def test_an_owner_decides_from_which_role_on_and_for_how_many_days() -> None:
    owner, operator = make_user(Role.OWNER), long_here(Role.OPERATOR)
    client = as_user(owner)
    assert client.post(SETTINGS, settings_form(factor_from="operator", factor_grace_days="3")).status_code == 302
    assert stored() == {"factor_from": "operator", "factor_grace_days": "3"}
    operator.refresh_from_db()
    assert is_required(operator) and not is_shut_out(operator), "it is newly asked of them: the days begin now"
    assert is_shut_out(operator, timezone.now() + timedelta(days=3, minutes=1))
    assert "operators, managers and owners" in client.get(SETTINGS).content.decode()


def test_the_days_of_those_who_were_asked_before_go_on() -> None:
    manager, was = long_here(Role.MANAGER), timezone.now() - OVER
    as_user(make_user(Role.OWNER)).post(SETTINGS, settings_form(factor_from="viewer"))
    manager.refresh_from_db()
    assert isinstance(manager.factor_asked_at, datetime)
    assert abs(manager.factor_asked_at - was) < timedelta(minutes=1)


def test_nobody_needs_one_where_an_owner_says_so() -> None:
    user = long_here(Role.OWNER)
    other = make_user(Role.OWNER)
    as_user(other).post(SETTINGS, settings_form(factor_from="nobody"))
    assert is_in(as_user(user))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [({"factor_from": "emperor"}, "cannot be chosen"), ({"factor_grace_days": "91"}, "from 0 to 90")],
)
def test_what_is_no_rule_is_refused(typed: dict[str, str], sentence: str) -> None:
    page = as_user(make_user(Role.OWNER)).post(SETTINGS, settings_form(**typed))
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert stored() == {}


def test_a_manager_cannot_change_the_rule_whatever_they_send() -> None:
    client = as_user(make_user(Role.MANAGER))
    page = client.get(SETTINGS).content.decode()
    assert 'name="factor_from" aria-describedby="factor_from-help" disabled' in page
    assert client.post(SETTINGS, settings_form(factor_from="nobody", low_balance="30")).status_code == 302
    assert stored() == {"low_balance": "30"}
    assert {change.name for change in SettingChange.objects.all()} == {"low_balance"}


def test_a_role_that_needs_one_begins_the_days() -> None:
    person = long_here(Role.OPERATOR, username="ana")
    form = {"username": "ana", "name": "Ana", "email": "", "role": "manager", "is_active": "on"}
    as_user(make_user(Role.OWNER)).post(f"/admin/accounts/user/{person.pk}/change/", form)
    person.refresh_from_db()
    assert person.role == Role.MANAGER
    assert is_in(as_user(person))


# ── A reset ──────────────────────────────────────────────────────────────────────────────────────
def test_an_owner_resets_a_factor_with_a_reason_and_the_person_sets_up_another(client: Client) -> None:
    person, owner = make_user(Role.MANAGER, username="mira"), make_user(Role.OWNER)
    with_app(person)
    desk = as_user(owner)
    assert desk.post(f"/team/{person.pk}/factors/reset/", {"reason": " "}).status_code == 422
    assert Authenticator.objects.exists()
    desk.post(f"/team/{person.pk}/factors/reset/", {"reason": "Lost the phone"})
    assert not Authenticator.objects.filter(user=person).exists()
    history = desk.get(f"/admin/accounts/user/{person.pk}/history/").content.decode()
    assert "Lost the phone" in history
    enter(client, person)
    assert client.get("/orders/")["Location"] == FACTORS, "no days any more"
    secret, _ = set_up(client)
    assert is_in(client)
    assert secret_of(person) == secret and code_now(secret)


def test_a_person_is_not_reset_by_themselves_nor_by_a_manager() -> None:
    owner, manager = make_user(Role.OWNER), make_user(Role.MANAGER)
    with_app(owner)
    assert (
        "Remove your own second factor"
        in as_user(owner).post(f"/team/{owner.pk}/factors/reset/", {"reason": "x"}, follow=True).content.decode()
    )
    assert as_user(manager).post(f"/team/{owner.pk}/factors/reset/", {"reason": "x"}).status_code == 403
    assert Authenticator.objects.filter(user=owner).count() == 2
