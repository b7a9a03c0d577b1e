"""Owners change roles and accounts on the desk itself; an owner always stays, and nobody gains a right by a page."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import DeskSession, DoorEvent, User
from accounts.team import change
from tests.makers import make_user, place_order
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db

ALONE = "This is the last active owner. Make somebody else an owner first."


@pytest.fixture
def mira() -> User:
    """The only owner."""
    return make_user(Role.OWNER, name="Mira")


@pytest.fixture
def ana() -> User:
    """An operator."""
    return make_user(Role.OPERATOR, name="Ana")


def set_role(client: Client, person: User, role: str, **sent: str) -> tuple[int, str]:
    """The answer to an owner who gives this person a role."""
    answer = client.post(f"/team/{person.pk}/role/", {"role": role, "saw": person.role, **sent}, follow=True)
    return answer.status_code, answer.content.decode()


def test_a_new_role_holds_with_the_next_request_and_is_recorded(mira: User, ana: User) -> None:
    open_tab = as_user(ana)
    assert open_tab.post("/orders/sending/stops/", {"reason": "x"}).status_code == 403
    status, page = set_role(as_user(mira), ana, "manager", reason="She leads the night")
    assert status == 200 and "Ana is a manager now. It holds from the next page that they open." in page
    assert open_tab.post("/orders/sending/stops/", {"reason": "x"}).status_code == 302
    event = DoorEvent.objects.get(kind="role_changed")
    assert (event.person, event.by) == (ana, mira)
    assert event.facts == {"was": "Operator", "now": "Manager", "why": ": She leads the night"}
    assert (
        "Operator to Manager: She leads the night" in as_user(mira).get("/team/security/?what=people").content.decode()
    )


def test_who_is_switched_off_is_served_nothing_and_can_come_back(mira: User, ana: User) -> None:
    open_tab, owner = as_user(ana), as_user(mira)
    page = owner.post(f"/team/{ana.pk}/state/", {"on": "0", "reason": "Left"}, follow=True).content.decode()
    assert "Ana is switched off. All their sessions have ended" in page
    assert not DeskSession.objects.filter(user=ana).exists()
    for path in ("/orders/", "/orders/changes/", "/team/", "/accounts/preferences/"):
        assert open_tab.get(path).url.startswith("/accounts/login/")  # type: ignore[attr-defined]
    owner.post(f"/team/{ana.pk}/state/", {"on": "1"})
    assert open_tab.get("/orders/").status_code == 302, "the old session is not revived"
    assert as_user(User.objects.get(pk=ana.pk)).get("/orders/").status_code == 200
    assert [*DoorEvent.objects.filter(person=ana, group="people").values_list("kind", flat=True).order_by("pk")] == [
        "switched_off", "switched_on",
    ]  # fmt: skip


def test_the_last_owner_stays(mira: User, ana: User) -> None:
    owner = as_user(mira)
    status, page = set_role(owner, mira, "viewer", reason="Holidays")
    assert status == 409 and ALONE in page
    assert 'value="Holidays"' in page and re.search(r'id="role-viewer" value="viewer" checked', page), (
        "what was chosen stays"
    )
    answer = owner.post(f"/team/{mira.pk}/state/", {"on": "0"})
    assert answer.status_code == 409 and ALONE in answer.content.decode()
    make_user(Role.OWNER, is_active=False)  # one who is switched off does not count
    assert set_role(owner, mira, "viewer")[0] == 409
    mira.refresh_from_db()
    assert (mira.role, mira.is_active) == (Role.OWNER, True)
    assert not DoorEvent.objects.filter(group="people").exists()


def test_of_two_owners_who_demote_each_other_one_stays(mira: User) -> None:
    """The second press was read while both were owners, and comes after the first was saved."""
    other = make_user(Role.OWNER, name="Tomás")
    stale = User.objects.get(pk=other.pk)
    assert change.set_role(other, "viewer", saw="owner", by=mira)
    with pytest.raises(change.Refused, match=r"Only owners may change who is on the team\."):
        change.set_role(mira, "viewer", saw="owner", by=stale)
    third = make_user(Role.OWNER)
    with pytest.raises(change.Refused, match="Only owners"):
        change.switch(third, False, by=stale)
    assert User.objects.filter(role=Role.OWNER, is_active=True).count() == 2


def test_a_page_that_is_old_changes_no_role(mira: User, ana: User) -> None:
    make_user(Role.OWNER)
    change.set_role(ana, "viewer", saw="operator", by=mira)
    status, page = set_role(as_user(mira), ana, "manager")  # the page still says operator
    assert status == 409 and "Somebody has made Ana a viewer meanwhile. Nothing was changed." in page
    assert User.objects.get(pk=ana.pk).role == Role.VIEWER


def test_pressing_twice_changes_once(mira: User, ana: User) -> None:
    for _ in range(2):
        set_role(as_user(mira), ana, "viewer")
    assert DoorEvent.objects.filter(kind="role_changed").count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.MANAGER])
def test_nobody_below_an_owner_changes_anybody_or_themselves(role: Role, mira: User) -> None:
    person = make_user(role)
    client = as_user(person)
    for path, sent in (
        ("role", {"role": "owner", "saw": str(role)}),
        ("state", {"on": "0"}),
        ("details", {"name": "X"}),
    ):
        for whom in (person, mira):
            assert client.post(f"/team/{whom.pk}/{path}/", sent).status_code == 403
    with pytest.raises(change.Refused):
        change.set_role(person, "owner", saw=str(role), by=person)
    assert User.objects.get(pk=person.pk).role == role and User.objects.get(pk=mira.pk).is_active


def test_a_form_that_came_back_in_part_changes_nothing(mira: User, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(email="ana@desk.example")
    owner = as_user(mira)
    for path in ("state", "details"):
        owner.post(f"/team/{ana.pk}/{path}/", {})
    assert set_role(owner, ana, "")[0] == 409
    ana.refresh_from_db()
    assert (ana.is_active, ana.role, ana.name, ana.email) == (True, Role.OPERATOR, "Ana", "ana@desk.example")


def test_name_and_address_are_changed_here(mira: User, ana: User) -> None:
    owner, tom = as_user(mira), make_user(email="tom@desk.example")
    owner.post(f"/team/{ana.pk}/details/", {"name": "Ana L", "email": "ana@desk.example"})
    ana.refresh_from_db()
    assert (ana.name, ana.email) == ("Ana L", "ana@desk.example")
    answer = owner.post(f"/team/{ana.pk}/details/", {"name": "Ana M", "email": tom.email.upper()})
    assert answer.status_code == 422 and 'value="Ana M"' in answer.content.decode()
    assert User.objects.get(pk=ana.pk).name == "Ana L"


def test_the_list_says_who_is_here_and_who_is_unsafe(mira: User, ana: User) -> None:
    tom = make_user(Role.MANAGER, name="Tomás")
    as_user(ana)
    User.objects.filter(pk=ana.pk).update(seen_at=timezone.now() - timedelta(minutes=34))
    page = as_user(mira).get("/team/").content.decode()
    assert "34 min ago" in page and "Here now" in page and "never signed in" in page
    assert "Required from" in page, "a manager without a second factor"
    assert f'href="/team/{tom.pk}/"' in page
    seen = as_user(ana).get("/team/").content.decode()
    assert "Second factor" not in seen and f'href="/team/{tom.pk}/"' not in seen


def test_list_and_page_say_the_same_of_when_somebody_was_here(mira: User, ana: User) -> None:
    """Also of a person who has signed out since, and whatever their sessions say."""
    as_user(ana)
    User.objects.filter(pk=ana.pk).update(seen_at=timezone.now() - timedelta(minutes=47))
    owner = as_user(mira)
    for address, here in (("/team/", "47 min ago"), (f"/team/{ana.pk}/", "Last seen")):
        page = owner.get(address).content.decode()
        assert here in page and "47 min ago" in page and "signed out" not in page
    DeskSession.objects.filter(user=ana).delete()
    for address in ("/team/", f"/team/{ana.pk}/"):
        page = owner.get(address).content.decode()
        assert "47 min ago" in page and "signed out" in page


def test_the_page_of_a_person_tells_what_they_did(mira: User, ana: User) -> None:
    order = place_order(by=ana)
    page = as_user(mira).get(f"/team/{ana.pk}/").content.decode()
    assert f'href="/orders/{order.pk}/"' in page and "placed this order" in page


def test_the_list_costs_the_same_for_any_team() -> None:
    owner, counts = as_a(Role.OWNER), []
    owner.get("/team/")  # the first page of a desk makes a row or two
    for people in (1, 15):
        for _ in range(people):
            make_user()
        with CaptureQueriesContext(connection) as queries:
            owner.get("/team/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8
