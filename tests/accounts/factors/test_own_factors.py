"""A person sets up, sees and removes their own second factors; secrets are shown once and kept encrypted."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from django.test import Client

from accounts.access import Role
from accounts.factors import keys
from accounts.models import User
from tests.accounts.factors.people import SECRET, STEP, code_now, enter, grow_old, is_in, secret_of, with_app
from tests.makers import make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
PAGE, APP, CODES = "/accounts/factors/", "/accounts/factors/app/", "/accounts/factors/codes/"


@pytest.fixture
def ana() -> User:
    """An operator."""
    return make_user(Role.OPERATOR, username="ana")


def set_up(client: Client) -> tuple[str, Any]:
    """Sets up an app: its secret, and the page that comes back."""
    client.get(APP)
    secret = keys.decrypt(client.session[SECRET_SESSION_KEY])
    return secret, client.post(APP, {"code": code_now(secret)})


def test_an_app_is_set_up_with_a_code_and_gives_recovery_codes_once(ana: User) -> None:
    client = as_user(ana)
    first = client.get(APP).content.decode()
    assert '<svg class="qr"' in first and "<img" not in first
    secret, page = set_up(client)
    text = page.content.decode()
    assert "only now" in text and text.count("</li>") >= 10
    assert secret_of(ana) == secret
    assert SECRET_SESSION_KEY not in client.session
    stranger = Client()
    enter(stranger, ana)
    stranger.post(STEP, {"code": code_now(secret)})
    assert is_in(stranger)


def test_the_secret_waits_in_the_session_encrypted(ana: User) -> None:
    client = as_user(ana)
    page = client.get(APP).content.decode()
    waiting = client.session[SECRET_SESSION_KEY]
    assert keys.decrypt(waiting)[:4] in page
    assert keys.decrypt(waiting) not in waiting
    assert keys.is_encrypted(waiting)


@pytest.mark.parametrize("code", ["000000", "", "x" * 500])
def test_a_wrong_code_sets_nothing_up_and_keeps_the_same_secret(ana: User, code: str) -> None:
    client = as_user(ana)
    client.get(APP)
    secret = keys.decrypt(client.session[SECRET_SESSION_KEY])
    assert 'class="err"' in client.post(APP, {"code": code}).content.decode()
    assert keys.decrypt(client.session[SECRET_SESSION_KEY]) == secret
    assert not Authenticator.objects.exists()


def test_a_second_app_is_not_set_up_over_the_first(ana: User) -> None:
    with_app(ana)
    assert as_user(ana).get(APP)["Location"] == PAGE
    assert as_user(ana).post(APP, {"code": "000000"})["Location"] == PAGE
    assert secret_of(ana) == SECRET


def test_new_recovery_codes_end_the_old_ones(ana: User) -> None:
    old = with_app(ana)
    client = as_user(ana)
    assert not any(code in client.get(CODES).content.decode() for code in old), "to look makes none"
    page = client.post(CODES).content.decode()
    assert not any(code in page for code in old)
    stranger = Client()
    enter(stranger, ana)
    stranger.post(STEP, {"code": old[3]})
    assert not is_in(stranger)


def test_no_page_shows_what_was_shown_once(ana: User) -> None:
    codes = with_app(ana)
    client = as_user(ana)
    for path in (PAGE, APP, CODES, "/orders/", f"/accounts/factors/{Authenticator.objects.first().pk}/removal/"):
        page = client.get(path, follow=True).content.decode()
        assert SECRET not in page and not any(code in page for code in codes), path


def test_the_last_factor_takes_the_recovery_codes_with_it(ana: User) -> None:
    with_app(ana)
    client, app = as_user(ana), Authenticator.objects.get(type="totp")
    assert "your recovery codes go with it" in client.get(f"/accounts/factors/{app.pk}/removal/").content.decode()
    assert Authenticator.objects.count() == 2
    assert client.post(f"/accounts/factors/{app.pk}/removal/")["Location"] == PAGE
    assert not Authenticator.objects.exists()


def test_nobody_removes_the_factor_of_another(ana: User) -> None:
    with_app(ana)
    app = Authenticator.objects.get(type="totp")
    for other in (make_user(Role.OPERATOR), make_user(Role.OWNER)):
        assert as_user(other).post(f"/accounts/factors/{app.pk}/removal/").status_code == 404
    assert Authenticator.objects.filter(pk=app.pk).exists()


def test_each_change_takes_a_proof_and_the_secret_is_not_shown_before(ana: User) -> None:
    client = as_user(ana)
    grow_old(client)
    for path in (APP, "/accounts/factors/passkeys/"):
        page = client.get(path).content.decode()
        assert "Confirm that it is you" in page
        assert 'class="qr"' not in page and SECRET_SESSION_KEY not in client.session
    with_app(ana)
    app = Authenticator.objects.get(type="totp")
    for path in (CODES, f"/accounts/factors/{app.pk}/removal/"):
        assert "Confirm that it is you" in client.post(path).content.decode()
    assert Authenticator.objects.count() == 2


def test_a_passkey_without_a_name_in_the_answer_is_refused_in_a_sentence(ana: User) -> None:
    client = as_user(ana)
    for answer in ("{}", "[]", "7", "null", "{", '{"response": {"attestationObject": "!"}}'):
        client.get("/accounts/factors/passkeys/")
        page = client.post("/accounts/factors/passkeys/", {"name": "x" * 61, "credential": answer})
        assert page.status_code == 200
        assert 'class="err"' in page.content.decode()
    assert not Authenticator.objects.exists()


def test_of_two_presses_at_once_one_sets_it_up(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other comes when the first has written already, but not to the page that asked for it."""
    client = as_user(ana)
    client.get(APP)
    secret = keys.decrypt(client.session[SECRET_SESSION_KEY])
    with_app(ana)
    monkeypatch.setattr("allauth.mfa.totp.views.is_mfa_enabled", lambda user, types: False)
    assert client.post(APP, {"code": code_now(secret)})["Location"] == PAGE
    assert secret_of(ana) == SECRET
