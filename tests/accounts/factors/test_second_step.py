"""Signing in with a second factor: no way leads around it, each code works once, and wrong ones are slowed down."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from django.core.cache import cache
from django.test import Client

from accounts.access import Role
from accounts.factors.forms import NOT_ALONE, PasskeyAloneForm
from accounts.models import DeskSession, User
from tests.accounts.factors.people import (
    LOGIN,
    SECRET,
    STEP,
    code_now,
    enter,
    held_in_sessions,
    is_in,
    stored,
    with_app,
)
from tests.makers import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_tried_before")]
WRONG = "This code is not right."


@pytest.fixture
def mira() -> User:
    """An owner with an app."""
    user = make_user(Role.OWNER, username="mira")
    with_app(user)
    return user


def test_a_password_alone_signs_nobody_in_who_has_a_second_factor(mira: User, client: Client) -> None:
    assert enter(client, mira)["Location"] == STEP
    for path in ("/orders/", "/admin/", "/accounts/factors/", "/accounts/factors/app/", "/team/"):
        assert client.get(path).status_code == 302, path
        assert "/login/" in client.get(path)["Location"], path
    assert not is_in(client)


def test_the_code_of_the_app_signs_in_and_leads_to_the_page_asked_for(mira: User, client: Client) -> None:
    enter(client, mira, next="/services/")
    assert 'inputmode="numeric"' in client.get(STEP).content.decode()
    assert client.post(STEP, {"code": code_now()})["Location"] == "/services/"
    assert is_in(client)


def test_the_admins_own_sign_in_is_no_way_around(mira: User, client: Client) -> None:
    client.post("/admin/login/?next=/admin/", {"username": "mira", "password": PASSWORD})
    assert not is_in(client)
    enter(client, mira, next="/admin/")
    assert client.get("/admin/").status_code == 302
    assert client.post(STEP, {"code": code_now()})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("code", ["000000", "", "12345", "x" * 5000, "\0", "१२३४५६", "0" * 20, "' OR 1=1"])
def test_a_wrong_code_signs_nobody_in_and_says_so(mira: User, client: Client, code: str) -> None:
    enter(client, mira)
    page = client.post(STEP, {"code": code})
    assert page.status_code == 200
    assert 'class="err"' in page.content.decode()
    assert not is_in(client)


def test_a_code_works_once_even_when_the_cache_has_forgotten_it(mira: User) -> None:
    code = code_now()
    for expected in (True, False):
        cache.clear()
        client = Client()
        enter(client, mira)
        client.post(STEP, {"code": code})
        assert is_in(client) is expected


def test_a_code_from_before_the_last_one_works_no_more(mira: User) -> None:
    later, earlier = Client(), Client()
    enter(later, mira)
    later.post(STEP, {"code": code_now(later=1)})
    assert is_in(later)
    enter(earlier, mira)
    assert WRONG in earlier.post(STEP, {"code": code_now()}).content.decode()
    assert not is_in(earlier)


def test_a_recovery_code_lets_in_once() -> None:
    ana = make_user(username="ana")
    codes = with_app(ana)
    for expected in (True, False):
        client = Client()
        enter(client, ana)
        client.post(STEP, {"code": codes[0]})
        assert is_in(client) is expected


def test_after_some_wrong_codes_even_the_right_one_must_wait(mira: User, client: Client) -> None:
    enter(client, mira)
    for _ in range(5):
        client.post(STEP, {"code": "000000"})
    assert "Too many" in client.post(STEP, {"code": code_now()}).content.decode()
    assert not is_in(client)


def test_the_second_step_of_one_person_is_of_no_use_for_another(mira: User, client: Client) -> None:
    enter(client, mira)
    make_user(username="ana")
    codes = with_app(User.objects.get(username="ana"))
    client.post(STEP, {"code": codes[0]})
    assert not is_in(client)


def test_nothing_of_a_second_factor_is_stored_in_the_clear(mira: User) -> None:
    kept = f"{stored(mira)} {stored(mira, 'recovery_codes')}"
    assert SECRET not in kept
    assert len(stored(mira, "recovery_codes")["seed"]) > 80, "encrypted, and longer than the seed"
    assert all(row.data.get("secret", "1.").startswith("1.") for row in Authenticator.objects.all())


def test_whoever_is_switched_off_between_the_steps_does_not_come_in(mira: User, client: Client) -> None:
    enter(client, mira)
    User.objects.update(is_active=False)
    client.post(STEP, {"code": code_now()})
    assert not is_in(client)


def test_one_can_start_again_as_somebody_else(mira: User, client: Client) -> None:
    enter(client, mira)
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert client.get(STEP)["Location"] == LOGIN
    assert "account_login" not in held_in_sessions()


@pytest.mark.parametrize(
    "answer", ["{}", "[]", "null", "7", '"x"', "{", '{"id": 1}', '{"response": {}}', '{"response": {"userHandle": 7}}',
               '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"!","authenticatorData":"AA",'
               '"signature":"AA","userHandle":"zzzzzzzzzzzzzzzzzzzz"}}']
)  # fmt: skip
def test_an_answer_that_no_passkey_gives_signs_nobody_in(mira: User, client: Client, answer: str) -> None:
    client.post("/accounts/login/passkey/", headers={"Accept": "application/json"})
    assert client.post("/accounts/login/passkey/", {"credential": answer})["Location"] == LOGIN
    enter(client, mira)
    client.get(STEP)
    assert client.post(STEP, {"credential": answer}).status_code == 200
    assert not is_in(client)


@pytest.mark.parametrize(("data", "taken"), [({"alone": True}, True), ({"alone": False}, False), ({}, False)])
def test_a_passkey_signs_in_alone_only_where_its_owner_wants_that(
    monkeypatch: pytest.MonkeyPatch, data: dict[str, bool], taken: bool
) -> None:
    """The passkey's answer is right here; tests/browser/test_factors.py gives a real one."""
    passkey = Authenticator(type="webauthn", data=data)
    monkeypatch.setattr(AuthenticateWebAuthnForm, "clean_credential", lambda form: passkey)
    form = PasskeyAloneForm(data={"credential": '{"id": "AA"}'})
    assert form.is_valid() is taken
    assert (NOT_ALONE in str(form.errors)) is not taken


def test_a_challenge_is_posted_for_and_each_address_gets_so_many(client: Client) -> None:
    """Each makes a session, so a look makes none, and nobody can fill the table."""
    as_json = {"Accept": "application/json"}
    assert client.get("/accounts/login/passkey/", headers=as_json)["Location"] == LOGIN
    assert not DeskSession.objects.exists()
    answers = [Client().post("/accounts/login/passkey/", headers=as_json) for _ in range(13)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 3
    assert answers[0].json()["request_options"]["publicKey"]["challenge"]
    assert DeskSession.objects.count() == 10
