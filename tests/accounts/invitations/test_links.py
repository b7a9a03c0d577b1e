"""People choose their own password by a link that works once, for some time, and that nobody can read anywhere."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.invitations import links
from accounts.models import DeskSession, DoorEvent, PasswordLink, User, digest_of
from panel.ops.logs import Json, Text
from tests.accounts.factors.people import LOGIN, STEP, enter, held_in_sessions, is_in, with_app
from tests.makers import PASSWORD, make_service, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
OPEN, CHOOSE, INVITE = "/accounts/invitation/", "/accounts/password/choice/", "/team/new/"
NEW = "seven-grey-herons"
GONE = "This link does not work any more"
TWICE = {"new_password1": NEW, "new_password2": NEW}


@pytest.fixture
def owner() -> User:
    """An owner."""
    return make_user(Role.OWNER, name="Olga")


@pytest.fixture
def ana() -> User:
    """A person with a password."""
    return make_user(username="ana", name="Ana", email="ana@example.com")


def token_on(page: Any) -> str:
    """The token of the link on this page."""
    found = re.search(r"/accounts/invitation/\?t=([\w-]+)", page.content.decode())
    assert found, page.content.decode()
    return found[1]


def invited(owner: User, **typed: str) -> Any:
    """The answer to an invitation of Mira."""
    form = {"username": "mira", "name": "Mira", "email": "", "role": "operator", **typed}
    return as_user(owner).post(INVITE, form)


def opened(token: str) -> Client:
    """A stranger's browser that has opened the link."""
    client = Client()
    assert client.get(OPEN, {"t": token})["Location"] == CHOOSE
    return client


def test_an_invited_person_chooses_a_password_and_signs_in(owner: User) -> None:
    client = opened(token_on(invited(owner)))
    mira = User.objects.get(username="mira")
    assert (mira.role, mira.has_usable_password()) == (Role.OPERATOR, False)
    assert "mira" in client.get(CHOOSE).content.decode()
    assert client.post(CHOOSE, TWICE)["Location"] == LOGIN
    assert "Your password is set." in client.get(LOGIN).content.decode()
    assert not is_in(client), "the link alone signs nobody in"
    mira.refresh_from_db()
    assert mira.check_password(NEW)
    enter(client, mira, NEW)
    assert is_in(client)


def test_an_invited_person_has_their_limits_from_the_first_sign_in(owner: User) -> None:
    client = opened(token_on(invited(owner, order_limit="$10", day_limit="40", expires="1")))
    mira, link = User.objects.get(username="mira"), PasswordLink.objects.get()
    assert mira.limits == {"order": "10", "day": "40"}
    assert link.expires_at - link.made_at == timedelta(days=1)
    line = DoorEvent.objects.get(kind="limits_set")
    assert (line.person, line.by) == (mira, owner)
    assert line.facts == {"was": "as the role", "now": "one order $10.00, a day $40.00"}
    client.post(CHOOSE, TWICE)
    enter(client, mira, NEW)
    form = {"service": str(make_service().upstream_id), "link": "https://instagram.com/a", "quantity": "1000"}
    receipt = client.post("/orders/new/receipt/", form).content.decode()
    assert "$40.00</b> of $40.00" in receipt


def test_without_limits_typed_the_roles_hold_and_what_is_no_sum_is_said(owner: User) -> None:
    page = invited(owner, day_limit="lots", order_limit="-1")
    assert page.status_code == 422 and not User.objects.filter(username="mira").exists()
    assert 'value="lots"' in page.content.decode()
    assert invited(owner, expires="30").status_code == 422
    token_on(invited(owner))
    assert User.objects.get(username="mira").limits == {}
    assert not DoorEvent.objects.filter(kind="limits_set").exists()


def test_a_link_works_once(owner: User, ana: User) -> None:
    _, token = links.make(ana, by=owner)
    first, second = opened(token), opened(token)
    first.post(CHOOSE, TWICE)
    page = second.post(CHOOSE, {"new_password1": "other-grey-herons", "new_password2": "other-grey-herons"})
    assert (page.status_code, GONE in page.content.decode()) == (410, True)
    assert GONE in Client().get(OPEN, {"t": token}, follow=True).content.decode()
    ana.refresh_from_db()
    assert ana.check_password(NEW)


def test_two_presses_at_once_use_it_once(owner: User, ana: User) -> None:
    link, _ = links.make(ana, by=owner)
    assert links.use(link, NEW)
    assert not links.use(link, "other-grey-herons")


def test_mail_scanners_use_nothing_up(owner: User, ana: User) -> None:
    _, token = links.make(ana, by=owner)
    for method in ("GET", "HEAD", "GET", "OPTIONS", "POST"):
        Client().generic(method, f"{OPEN}?t={token}")
        Client().get(OPEN, {"t": token}, follow=True)
    assert PasswordLink.objects.get().used_at is None
    assert opened(token).post(CHOOSE, TWICE)["Location"] == LOGIN


@pytest.mark.parametrize(("password", "life"), [(PASSWORD, timedelta(hours=24)), (None, timedelta(days=7))])
def test_a_link_expires(owner: User, password: str | None, life: timedelta) -> None:
    person = make_user(password=password)
    link, token = links.make(person, by=owner)
    assert links.find(token, at=link.made_at + life - timedelta(seconds=1))
    assert not links.find(token, at=link.made_at + life)
    client = opened(token)
    PasswordLink.objects.update(expires_at=timezone.now())
    assert GONE in client.post(CHOOSE, TWICE).content.decode(), "also when it was opened before"


def test_a_new_link_ends_the_older_ones_and_one_can_be_withdrawn(owner: User, ana: User) -> None:
    client = as_user(owner)
    old, new = (token_on(client.post(f"/team/{ana.pk}/links/")) for _ in range(2))
    assert links.find(new) and not links.find(old)
    client.post(f"/team/{ana.pk}/links/withdrawal/")
    assert not links.find(new)
    assert "works no more" in client.get(f"/team/{ana.pk}/").content.decode()


def test_whoever_is_switched_off_gets_no_link_and_uses_none(owner: User, ana: User) -> None:
    client = opened(links.make(ana, by=owner)[1])
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert GONE in client.post(CHOOSE, TWICE).content.decode()
    answer = as_user(owner).post(f"/team/{ana.pk}/links/", follow=True)
    assert "switched off" in answer.content.decode()
    assert PasswordLink.objects.count() == 1


def test_a_link_leads_around_no_second_factor(owner: User, ana: User) -> None:
    with_app(ana)
    client = opened(links.make(ana, by=owner)[1])
    client.post(CHOOSE, TWICE)
    assert not is_in(client)
    ana.refresh_from_db()
    assert enter(client, ana, NEW)["Location"] == STEP
    assert not is_in(client)


def test_a_new_password_ends_every_session_of_the_person(owner: User, ana: User) -> None:
    elsewhere = as_user(ana)
    opened(links.make(ana, by=owner)[1]).post(CHOOSE, TWICE)
    assert not is_in(elsewhere)


def test_whoever_is_signed_in_here_is_signed_out_when_another_person_chooses(owner: User, ana: User) -> None:
    client = as_user(owner)
    client.get(OPEN, {"t": links.make(ana, by=owner)[1]})
    client.post(CHOOSE, TWICE)
    assert not is_in(client)


def test_the_token_is_nowhere_but_on_the_page_that_shows_it(owner: User, caplog: Any) -> None:
    page = invited(owner)
    token = token_on(page)
    assert page["Cache-Control"] and "no-store" in page["Cache-Control"]
    link = PasswordLink.objects.get()
    assert link.token_hash == digest_of(token) and token not in str(vars(link))
    client = opened(token)
    assert token not in client.get(CHOOSE).content.decode()
    assert token not in held_in_sessions()
    for path in (f"/team/{link.user_id}/", "/team/", "/admin/accounts/passwordlink/",
                 f"/admin/accounts/passwordlink/{link.pk}/change/"):  # fmt: skip
        text = as_user(owner).get(path).content.decode()
        assert token not in text and link.token_hash not in text, path
    assert token not in caplog.text


@pytest.mark.parametrize("formatter", [Json(), Text()])
def test_a_line_of_the_log_that_names_the_address_hides_the_token(formatter: logging.Formatter) -> None:
    line = '"GET /accounts/invitation/?t=abc-DEF_123 HTTP/1.1" 302 0'
    record = logging.makeLogRecord({"msg": "%s", "args": (line,), "levelname": "INFO", "name": "django.server"})
    written = formatter.format(record)
    assert "abc-DEF_123" not in written and "HTTP/1.1" in written


@pytest.mark.parametrize("token", ["", "x", "\0", "x" * 5000, "ß", "' OR 1=1 --"])
def test_what_is_no_token_opens_nothing(token: str) -> None:
    client = Client()
    assert client.get(OPEN, {"t": token}, follow=True).status_code == 410
    assert not DeskSession.objects.exists(), "a stranger's guess leaves no session behind"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"new_password2": "seven-grey-heron"}, "are not the same"),
        ({"new_password1": "", "new_password2": ""}, "This field is required."),
        ({"new_password1": "short", "new_password2": "short"}, "Use at least 12 characters."),
        ({"new_password1": "Password2026!", "new_password2": "Password2026!"}, "tried first"),
    ],
)
def test_a_password_that_is_refused_keeps_the_link(owner: User, ana: User, typed: dict[str, str], why: str) -> None:
    client = opened(links.make(ana, by=owner)[1])
    page = client.post(CHOOSE, {**TWICE, **typed})
    assert page.status_code == 422
    assert why in page.content.decode()
    assert NEW not in page.content.decode(), "no password comes back"
    assert client.post(CHOOSE, TWICE)["Location"] == LOGIN


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"username": ""}, "This field is required"),
        ({"username": "ANA"}, "already"),
        ({"username": "a b"}, "valid username"),
        ({"role": "emperor"}, "Select a valid choice"),
        ({"email": "ANA@example.com"}, "Somebody already has this e-mail address."),
        ({"email": "nobody"}, "valid email"),
        ({"name": "x" * 81}, "at most 80"),
    ],
)
def test_an_invitation_that_is_wrong_says_why(owner: User, ana: User, typed: dict[str, str], why: str) -> None:
    page = invited(owner, **typed)
    assert page.status_code == 422
    assert why in page.content.decode()
    assert 'value="Mira"' in page.content.decode() or "name" in typed
    assert not PasswordLink.objects.exists()


def test_two_people_may_be_without_an_address(owner: User) -> None:
    make_user(email="")
    invited(owner, email="")
    assert User.objects.filter(username="mira").exists()


def test_the_link_is_sent_where_mail_is_configured(owner: User, ana: User, settings: Any) -> None:
    settings.EMAIL_CONFIGURED, settings.DESK_URL = True, "https://desk.example.com"
    page = as_user(owner).post(f"/team/{ana.pk}/links/")
    assert "It was sent to ana@example.com." in page.content.decode()
    assert mail.outbox[0].to == ["ana@example.com"]
    assert f"https://desk.example.com/accounts/invitation/?t={token_on(page)}" in mail.outbox[0].body
    assert "Olga" in mail.outbox[0].body


def test_a_mail_server_that_fails_leaves_the_link_to_be_copied(
    owner: User, ana: User, settings: Any, caplog: Any
) -> None:
    settings.EMAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    page = as_user(owner).post(f"/team/{ana.pk}/links/")
    assert "The mail server did not take it." in page.content.decode()
    assert token_on(page) not in caplog.text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.MANAGER])
def test_only_owners_make_links(ana: User, role: Role) -> None:
    client = as_user(make_user(role))
    assert invited(make_user(role)).status_code == 403
    assert client.post(f"/team/{ana.pk}/links/").status_code == 403
    assert client.get(f"/team/{ana.pk}/").status_code == 403
    assert not PasswordLink.objects.exists()
