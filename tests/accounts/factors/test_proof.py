"""What matters asks again who you are, some minutes after the sign-in, and loses nothing that was sent."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.access import Role
from accounts.desk_settings import stored
from accounts.models import SettingChange, User
from orders.models import Sending
from tests.accounts.factors.people import code_now, enter, grow_old, with_app
from tests.accounts.factors.test_rule import settings_form
from tests.addresses import routes
from tests.makers import PASSWORD, make_user
from tests.people import as_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_tried_before")]
ASKS = "Confirm that it is you"
SETTINGS, STOP = "/upstream/settings/", "/orders/sending/stops/"
# Everything that asks for a proof.
GUARDED = {
    "team/roles/", "team/<pk>/role/", "team/<pk>/state/", "team/<pk>/details/",
    "upstream/settings/", "orders/sending/stops/", "orders/sending/resumption/", "orders/sending/release/", "team/new/",
    "team/<pk>/links/", "team/<pk>/links/withdrawal/", "team/<pk>/factors/reset/", "accounts/factors/app/",
    "accounts/factors/passkeys/", "accounts/factors/codes/", "accounts/factors/<pk>/removal/",
    "accounts/sessions/endings/", "accounts/sessions/<pk>/ending/", "team/<pk>/sessions/endings/",
    "team/limits/", "team/<pk>/limits/", "customers/<pk>/erasure/",
}  # fmt: skip


@pytest.fixture
def mira() -> User:
    """An owner."""
    return make_user(Role.OWNER, username="mira")


@pytest.fixture
def client(mira: User) -> Client:
    """The owner's browser, some time after the sign-in."""
    browser = as_user(mira)
    grow_old(browser)
    return browser


def carried(page: Any) -> dict[str, str]:
    """What the page that asks sends along, in hidden fields."""
    form = page.content.decode().partition('<form class="form"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def test_a_sign_in_counts_for_some_minutes(mira: User) -> None:
    browser = Client()
    enter(browser, mira)
    assert browser.post(STOP, {"reason": "A test"})["Location"]
    assert Sending.objects.get().stopped_at


def test_then_nothing_is_done_before_the_proof_and_all_that_was_typed_is_done_after(client: Client) -> None:
    page = client.post(SETTINGS, settings_form(low_balance="31", late_grace_hours="3"))
    assert ASKS in page.content.decode()
    assert stored() == {}
    sent = carried(page)
    assert sent["low_balance"] == "31"
    assert client.post(SETTINGS, {**sent, "proof_password": PASSWORD})["Location"] == SETTINGS
    assert stored() == {"low_balance": "31", "late_grace_hours": "3"}


def test_a_form_with_a_mistake_comes_back_filled_after_the_proof(client: Client) -> None:
    sent = carried(client.post(SETTINGS, settings_form(low_balance="lots", late_grace_hours="3")))
    page = client.post(SETTINGS, {**sent, "proof_password": PASSWORD})
    assert page.status_code == 422
    assert 'name="low_balance" value="lots"' in page.content.decode()
    assert PASSWORD not in page.content.decode()


@pytest.mark.parametrize(
    "proof", [{"proof_password": "wrong"}, {"proof_password": ""}, {"proof_code": "000000"}, {"proof_passkey": "{}"}]
)
def test_a_wrong_proof_asks_again_and_loses_nothing(client: Client, proof: dict[str, str]) -> None:
    page = client.post(STOP, {"reason": "Prices are wrong", **proof})
    assert ASKS in page.content.decode() and 'class="err"' in page.content.decode()
    assert carried(page) == {"reason": "Prices are wrong"}
    assert not Sending.objects.filter(stopped_at__isnull=False).exists()


def test_a_code_is_a_proof_too_and_works_once(mira: User, client: Client) -> None:
    codes = with_app(mira)
    client.post(STOP, {"reason": "One", "proof_code": code_now()})
    assert Sending.objects.get().reason == "One"
    grow_old(client)
    for code in (code_now(), codes[0]):
        client.post("/orders/sending/resumption/", {"proof_code": code})
    assert Sending.objects.get().stopped_at is None


def test_a_page_that_shows_a_secret_asks_first_and_then_shows_it(client: Client) -> None:
    path = "/accounts/factors/app/"
    page = client.get(path)
    assert ASKS in page.content.decode()
    assert client.post(path, {**carried(page), "proof_password": PASSWORD})["Location"] == path
    assert "qr" in client.get(path).content.decode()


def test_a_role_is_changed_in_the_admin_only_after_a_proof(client: Client) -> None:
    person = make_user(Role.VIEWER, username="ana")
    path = f"/admin/accounts/user/{person.pk}/change/"
    form = {"username": "ana", "name": "Ana", "email": "", "role": "manager", "is_active": "on", "_save": "Save"}
    assert client.get(path).status_code == 200
    page = client.post(path, form)
    assert ASKS in page.content.decode()
    person.refresh_from_db()
    assert person.role == Role.VIEWER
    client.post(path, {**carried(page), "proof_password": PASSWORD})
    person.refresh_from_db()
    assert person.role == Role.MANAGER


@pytest.mark.parametrize("guess", [{"proof_password": "wrong"}, {"proof_code": "000000"}, {"proof_passkey": "{}"}])
def test_guesses_of_a_proof_are_slowed_down(client: Client, guess: dict[str, str]) -> None:
    """Of every kind together; passwords and codes are counted at the sign-in as well."""
    for _ in range(10):
        client.post(STOP, {"reason": "x", **guess})
    page = client.post(STOP, {"reason": "x", "proof_password": PASSWORD}).content.decode()
    assert "Too many" in page
    assert not Sending.objects.filter(stopped_at__isnull=False).exists()


def test_a_proof_is_no_right(client: Client) -> None:
    operator = as_user(make_user(Role.OPERATOR))
    grow_old(operator)
    assert operator.post(STOP, {"reason": "x", "proof_password": PASSWORD}).status_code == 403
    assert operator.post(SETTINGS, settings_form(low_balance="1", proof_password=PASSWORD)).status_code == 403
    assert not SettingChange.objects.exists()


def test_the_proof_of_one_session_is_none_for_another(mira: User, client: Client) -> None:
    enter(Client(), mira)
    assert ASKS in client.post(STOP, {"reason": "x"}).content.decode()


def test_hostile_text_is_carried_as_text(client: Client) -> None:
    page = client.post(STOP, {"reason": '"><script>alert(1)</script>', 'x" onfocus="y': "1"}).content.decode()
    assert "<script>alert" not in page and 'onfocus="y"' not in page


def test_these_and_no_others_ask_for_a_proof() -> None:
    assert {route for route, view in routes() if getattr(view, "asks_for_proof", False)} == GUARDED


def test_a_proof_gives_the_session_another_key(mira: User, client: Client) -> None:
    before = client.cookies["sessionid"].value
    copied = Client()
    copied.cookies["sessionid"] = before
    client.post(STOP, {"reason": "A test", "proof_password": PASSWORD})
    assert client.cookies["sessionid"].value != before
    assert client.get("/orders/").status_code == 200
    assert copied.get("/orders/").status_code == 302, "the old key is nobody's"
