"""New passwords that are guessed first are refused, each with a sentence; long ones of any kind of signs are not."""

from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from accounts.invitations.passwords import (
    FINGERPRINT_BYTES,
    KNOWN,
    LEAST_CHARACTERS,
    OF_DESK,
    OF_HOST,
    OF_PERSON,
    RUN,
    TOO_LONG,
    TOO_SHORT,
    has_leaked,
    leaked,
)
from accounts.models import User
from tests.accounts.test_sign_in import CHANGE, NEW
from tests.makers import PASSWORD, make_user
from tests.people import as_user

ANA = User(username="ana.lindqvist", name="Ana Lindqvist", email="ana@example.com")


def why_not(password: str, user: User = ANA) -> list[str]:
    """The sentences for this password."""
    try:
        validate_password(password, user)
    except ValidationError as refused:
        return list(refused.messages)
    return []


@pytest.mark.parametrize(
    "password",
    ["seven-grey-herons", "quiet-harbour-lamp", "correct horse battery staple", "ÅngströmÅngar42", "vier-kleine-Enten",
     "今日はとても良い天気ですねえと", "in order to see the desk of my uncle", "u7Xq!fK2zzP9", "passwords are a bore"],
)  # fmt: skip
def test_these_are_taken(password: str) -> None:
    assert why_not(password) == []


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("u7Xq!fK2zzP", TOO_SHORT), ("", TOO_SHORT),
        ("password1234", KNOWN), ("P@ssw0rd2026!", KNOWN), ("!!Password!!99", KNOWN), ("monkeymonkey", KNOWN),
        ("Monkey-Monkey-7", KNOWN), ("letmein-letmein", KNOWN), ("passwordqwerty", KNOWN), ("Superman2026", KNOWN),
        ("1q2w3e4r5t6y", RUN), ("ｐａｓｓｗｏｒｄ１２３４", KNOWN), ("p455w0rd!!!!", KNOWN),
        ("dragon dragon dragon", KNOWN),
        ("123456789012", RUN), ("aaaaaaaaaaaa", RUN), ("abababababab", RUN), ("abcdefghijkl", RUN),
        ("qwertyuiopas", RUN), ("lkjhgfdsapoi", RUN), ("0987654321 0987", KNOWN),
        ("orderdesk2026", OF_DESK), ("NotPanel-Desk-1", OF_DESK), ("0rder-Desk-4444", OF_DESK),
        ("lindqvist-2026", OF_PERSON), ("ana-lindqvist-7", OF_PERSON),
    ],
)  # fmt: skip
def test_these_are_refused(password: str, sentence: str) -> None:
    assert sentence in why_not(password)


def test_the_hosts_name_is_refused(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.DESK_URL = ["panel.heronworks.example"], "https://orders.greyheron.example"
    assert OF_HOST in why_not("heronworks-2026")
    assert OF_HOST in why_not("Greyheron!2026")
    assert why_not("heronworks makes fine lamps") == []


def test_a_text_of_two_megabytes_is_refused_at_once() -> None:
    assert why_not("ab9!x" * 400_000) == [TOO_LONG]


@pytest.mark.django_db
def test_the_page_on_which_one_changes_it_refuses_them_too() -> None:
    user = make_user(username="ana")
    page = as_user(user).post(
        CHANGE, {"oldpassword": PASSWORD, "password1": "orderdesk2026", "password2": "orderdesk2026"}
    )
    assert OF_DESK in page.content.decode().replace("&#34;", '"')
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    as_user(user).post(CHANGE, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    user.refresh_from_db()
    assert user.check_password(NEW)


@pytest.mark.django_db
def test_a_first_owner_is_made_at_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)
    call_command("createsuperuser", "--noinput", username="olga", email="olga@example.com")
    assert User.objects.get(username="olga").check_password(NEW)


# Long ones that leaked, which neither Django's list nor the rules of runs and repeats refuse.
SOME_LEAKED = ("mailcreated5240", "sojdlg123aljg", "leavemealone", "sonyericsson", "ghjcnjgfhjkm")


def test_the_leaked_passwords_that_are_long_enough_are_refused() -> None:
    assert len(leaked()) >= 3_000 and {len(fingerprint) for fingerprint in leaked()} == {FINGERPRINT_BYTES}
    for password in SOME_LEAKED:
        assert len(password) >= LEAST_CHARACTERS
        assert why_not(password) == why_not(password.upper()) == [KNOWN]
    assert not any(map(has_leaked, ("winterreise heron 47", "mailcreated5241", "")))


@pytest.mark.django_db
def test_a_password_counts_exactly_as_it_was_typed() -> None:
    user, typed = make_user(username="ana"), " Vier-kleine-Enten " + "ä" * 60
    as_user(user).post(CHANGE, {"oldpassword": PASSWORD, "password1": typed, "password2": typed})
    user.refresh_from_db()
    assert not any(user.check_password(other) for other in (typed.strip(), typed.lower(), typed[:64]))
    for text, signs_in in ((typed.strip(), False), (typed, True)):
        browser = Client()
        browser.post("/accounts/login/", {"login": "ana", "password": text})
        assert (browser.get("/orders/").status_code == 200) == signs_in, text
