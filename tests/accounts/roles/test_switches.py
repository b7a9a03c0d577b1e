"""Owners switch what a role may do: it holds with the next request, in every open tab and in the verbs themselves."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts import desk_settings
from accounts.access import ACTIONS, ALWAYS, NEVER, OFF, ON, Role, is_on, may, switch_name, who_may, why_not
from accounts.desk_settings import SWITCHES
from accounts.models import DeskSettings, SettingChange, User
from accounts.roles.switches import SAW, Pointless, set_switches, stored_switches
from orders.aftersale import ask
from orders.rules.refusal import NotAllowed
from orders.rules.statuses import Status
from tests.accounts.roles.switched import switch
from tests.makers import make_order, make_user
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db

CANCEL = "operator.cancel"


def form(**moved: bool) -> dict[str, str]:
    """The form as the page sends it, with these switches moved: `form(operator_cancel=False)`."""
    states = stored_switches()
    sent = {SAW + name: state for name, state in states.items()}
    states |= {name.replace("_", ".", 1): ON if on else OFF for name, on in moved.items()}
    return sent | {name: "on" for name, state in states.items() if state == ON}


def cancels(client: Client) -> int:
    """How the desk answers this person who asks to cancel an order."""
    return client.post(f"/orders/{make_order(Status.PENDING).pk}/cancellation/").status_code


def test_a_switch_holds_with_the_next_request_of_an_open_session() -> None:
    owner, operator = as_a(Role.OWNER), as_a(Role.OPERATOR)
    order = make_order(Status.PENDING)
    assert f"/orders/{order.pk}/cancellation/" in operator.get("/orders/").content.decode()
    assert cancels(operator) == 302
    assert owner.post("/team/roles/", form(operator_cancel=False)).status_code == 302
    assert "cancellation/" not in operator.get("/orders/").content.decode()
    assert "refills/" in operator.get(order.get_absolute_url()).content.decode()
    assert "cancellation/" not in operator.get(order.get_absolute_url()).content.decode()
    answer = operator.post(f"/orders/{order.pk}/cancellation/")
    assert answer.status_code == 403 and "Only managers and owners may cancel orders." in answer.content.decode()
    assert owner.post("/team/roles/", form(operator_cancel=True)).status_code == 302
    assert cancels(operator) == 302


def test_what_was_typed_is_shown_back_when_the_right_has_gone_meanwhile() -> None:
    """A note, an order: whoever had the form open copies it, or hands it on. No password is shown."""
    operator, order = as_a(Role.OPERATOR), make_order(Status.PENDING)
    switch(operator_note=False, operator_place=False)
    secret = {"token": "t0k3n", "password": "quiet-harbour", "proof_code": "123456"}
    sent = {"text": "The customer calls back at 5", **secret}
    for path in (f"/orders/{order.pk}/notes/", "/orders/new/"):
        answer = operator.post(path, sent)
        page = answer.content.decode()
        assert answer.status_code == 403 and "Only managers and owners may" in page
        assert "The customer calls back at 5" in page
        assert not any(value in page for value in secret.values())


def test_what_was_switched_is_recorded_and_said() -> None:
    owner, ana = make_user(Role.OWNER), make_user(Role.OPERATOR, name="Ana")
    page = as_user(owner).post("/team/roles/", form(operator_cancel=False), follow=True).content.decode()
    assert f"Operators cancel orders: off. This concerns {ana}, at the next page that they open." in page
    [change] = SettingChange.objects.all()
    assert (change.name, change.was, change.now, change.changed_by) == (CANCEL, ON, OFF, owner)
    assert "Operators cancel orders" in as_user(owner).get("/upstream/settings/").content.decode()


def test_a_verb_refuses_where_there_is_no_request() -> None:
    operator, order = make_user(Role.OPERATOR), make_order(Status.PENDING)
    switch(operator_cancel=False)
    with pytest.raises(NotAllowed, match=r"Only managers and owners may cancel orders\."):
        ask.ask(order, "cancel", by=operator)
    assert ask.ask(order, "cancel", by=make_user(Role.MANAGER))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.MANAGER])
def test_nobody_but_an_owner_moves_a_switch(role: Role) -> None:
    client = as_a(role)
    assert client.post("/team/roles/", form(operator_decide=True)).status_code == 403
    page = client.get("/team/roles/").content.decode()
    assert 'role="switch"' not in page and "Owners switch these." in page
    with pytest.raises(Exception, match=r"Only owners may change who is on the team\."):
        set_switches({CANCEL: OFF}, {CANCEL: ON}, by=make_user(role), at=timezone.now())
    assert stored_switches()[CANCEL] == ON and not SettingChange.objects.exists()


def test_a_page_that_is_old_changes_nothing_and_says_who_was_first() -> None:
    """Two owners look at the page. What the second had chosen stays, with what the first has saved meanwhile."""
    mira, second = make_user(Role.OWNER, name="Mira"), as_a(Role.OWNER)
    stale = form(operator_stop=True)
    as_user(mira).post("/team/roles/", form(operator_cancel=False))
    answer = second.post("/team/roles/", stale)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Mira switched it off meanwhile. Look at it again, then save." in page
    assert stored_switches()["operator.stop"] == OFF and stored_switches()[CANCEL] == OFF
    assert page.count('class="is-new"') == 1 and f'name="{SAW}{CANCEL}" value="off"' in page
    assert second.post("/team/roles/", form(operator_stop=True)).status_code == 302
    assert stored_switches()["operator.stop"] == ON and stored_switches()[CANCEL] == OFF


def test_what_two_owners_want_alike_is_no_conflict() -> None:
    stale = form(operator_cancel=False)
    as_a(Role.OWNER).post("/team/roles/", form(operator_cancel=False))
    assert as_a(Role.OWNER).post("/team/roles/", stale).status_code == 302
    assert SettingChange.objects.count() == 1


def test_a_form_that_came_back_in_part_switches_nothing_off() -> None:
    owner = as_a(Role.OWNER)
    for sent in ({}, {"operator.stop": "on"}, {SAW + CANCEL: "what"}):
        page = owner.post("/team/roles/", sent, follow=True).content.decode()
        assert "Nothing was changed." in page
    assert not SettingChange.objects.exists()


def test_what_wants_something_else_is_not_switched_on_without_it() -> None:
    owner = as_a(Role.OWNER)
    answer = owner.post("/team/roles/", form(operator_decide=True, operator_money=False))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Operators may decide this only where they also see prices, charges and the balance." in page
    assert page.count('class="is-new"') == 2  # what was chosen stays
    assert not SettingChange.objects.exists()
    switch(operator_approve=True, operator_place=False)  # two owners at the same moment
    assert not may(make_user(Role.OPERATOR), "approve")
    assert "no effect" in owner.get("/team/roles/").content.decode()
    with pytest.raises(Pointless):
        set_switches({"operator.place": OFF}, {"operator.place": ON}, by=make_user(Role.OWNER), at=timezone.now())


def test_fixed_cells_stay_whatever_is_stored() -> None:
    """Nothing in the database takes an owner’s rights, or gives anybody theirs."""
    chosen = {switch_name(role, action): state for role in Role for action in ACTIONS for state in (OFF,)}
    for action, row in ACTIONS.items():
        assert is_on(Role.OWNER, action, chosen) and row.cell(Role.OWNER) == ALWAYS
        assert is_on(Role.VIEWER, "view", chosen)
    chosen = dict.fromkeys(chosen, ON)
    for action in ("people", "administer"):
        assert who_may(action, chosen) == [Role.OWNER]
    assert {row.cell(role) for row in ACTIONS.values() for role in Role} <= {ALWAYS, NEVER, ON, OFF}
    assert not {name for name in SWITCHES if name.startswith("owner.")}


def test_what_cannot_be_read_counts_for_nothing() -> None:
    DeskSettings.objects.create(chosen={CANCEL: "perhaps", "operator.fly": ON, "pilot.cancel": ON})
    operator = make_user(Role.OPERATOR)
    assert may(operator, "cancel") and stored_switches()[CANCEL] == ON
    assert desk_settings.label_of("operator.fly") == "operator.fly"


def test_the_rights_of_a_person_cost_no_statement(django_assert_num_queries: object) -> None:
    person = User.objects.get(pk=make_user(Role.OPERATOR).pk)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert all(why_not(person, action) == "" for action in ("place", "refill", "cancel", "note", "money"))


def test_a_save_takes_a_proof_and_keeps_what_was_switched() -> None:
    client = as_a(Role.OWNER)
    session = client.session
    session["proved_at"] = 0.0
    session.save()
    page = client.post("/team/roles/", form(operator_cancel=False)).content.decode()
    assert "Confirm that it is you" in page and f'name="{SAW}{CANCEL}"' in page
    assert stored_switches()[CANCEL] == ON
