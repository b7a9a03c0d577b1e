"""Signing in and out: by username or e-mail, throttled, back to the page asked for and never to another host."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.access import Role
from accounts.models import DeskSession, User
from accounts.models.door import digest_of
from tests.makers import PASSWORD, make_user
from tests.people import as_a, as_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_tried_before")]
LOGIN, LOGOUT, CHANGE = "/accounts/login/", "/accounts/logout/", "/accounts/password/change/"
TOO_MANY = "Too many failed sign-ins."
FAILURES_ALLOWED = 3  # from an address where nobody has signed in before; then ten minutes of rest
TRIES = 30
NEW = "seven-grey-herons"


@pytest.fixture
def ana() -> User:
    """An operator whom most tests sign in."""
    return make_user(username="ana", email="ana@example.com")


def sign_in(client: Client, login: str = "ana", password: str = PASSWORD, **more: str) -> Any:
    """The answer to the sign-in form, with further fields in `more`."""
    return client.post(LOGIN, {"login": login, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    """Whether this browser may see a page of the desk."""
    return client.get("/team/").status_code == 200


@pytest.mark.parametrize("login", ["ana", "ANA", "ana@example.com", "Ana@Example.COM", " ana "])
def test_a_username_or_an_address_signs_in_in_any_capitals(ana: User, client: Client, login: str) -> None:
    assert sign_in(client, login)["Location"] == "/orders/"
    assert is_signed_in(client)


@pytest.mark.parametrize(("login", "password"), [("ana", "wrong"), ("nobody", PASSWORD), ("x@example.com", "wrong")])
def test_a_wrong_name_and_a_wrong_password_look_alike(ana: User, client: Client, login: str, password: str) -> None:
    page = sign_in(client, login, password).content.decode()
    assert "not correct" in page
    assert password not in page, "nothing secret comes back"
    assert not is_signed_in(client)


def test_empty_fields_are_required(client: Client) -> None:
    assert sign_in(client, "", "").content.decode().count("This field is required.") == 2


def test_a_person_without_a_password_cannot_sign_in(client: Client) -> None:
    User.objects.create_user("ana")
    sign_in(client, "ana", "")
    sign_in(client, "ana", "!")
    assert not is_signed_in(client)


def test_a_person_learns_that_they_are_switched_off_only_with_the_right_password(client: Client) -> None:
    make_user(username="ana", is_active=False)
    assert "not correct" in sign_in(client, "ana", "wrong").content.decode()
    assert sign_in(client)["Location"] == "/accounts/inactive/"
    assert "switched off" in client.get("/accounts/inactive/").content.decode()
    assert not is_signed_in(client)


def test_after_some_failures_even_the_right_password_must_wait(ana: User, client: Client) -> None:
    for _ in range(FAILURES_ALLOWED):
        sign_in(client, password="wrong")
    assert TOO_MANY in sign_in(client).content.decode()
    assert not is_signed_in(client)


def test_all_processes_share_the_throttles_counts(ana: User, client: Client) -> None:
    for _ in range(FAILURES_ALLOWED):
        sign_in(client, password="wrong")
    cache.clear()
    assert TOO_MANY in sign_in(Client()).content.decode(), "another browser, the same name"


def test_somebody_who_has_signed_in_here_need_not_wait_for_another_name(ana: User, client: Client) -> None:
    make_user(username="mira")
    sign_in(Client(), "mira")
    for _ in range(FAILURES_ALLOWED + 1):
        sign_in(client, password="wrong")
    sign_in(client, "mira")
    assert is_signed_in(client)


def test_a_flood_of_tries_gets_a_page_of_the_desk(client: Client) -> None:
    answers = [client.get(LOGIN) if number % 2 else sign_in(client, f"name{number}") for number in range(TRIES)]
    flooded = [answer for answer in answers if answer.status_code == 429]
    assert len(flooded) == TRIES / 2 - FAILURES_ALLOWED
    assert "css/desk.css" in flooded[0].content.decode()
    assert 0 < int(flooded[0]["Retry-After"]) <= 600
    assert client.get(LOGIN).status_code == 200, "the form itself can be seen"


def test_the_admin_has_no_sign_in_without_a_throttle(client: Client) -> None:
    make_user(Role.OWNER, username="ana")
    answer = client.post("/admin/login/?next=/admin/orders/order/", {"username": "ana", "password": PASSWORD})
    assert answer["Location"] == "/accounts/login/?next=/admin/orders/order/"
    assert not is_signed_in(client)
    assert sign_in(client, next="/admin/orders/order/")["Location"] == "/admin/orders/order/"


def test_signing_in_leads_to_the_page_that_was_asked_for(ana: User, client: Client) -> None:
    redirect = client.get("/orders/?status=partial")
    page = client.get(redirect["Location"]).content.decode()
    assert 'value="/orders/?status=partial"' in page
    assert sign_in(client, next="/orders/?status=partial")["Location"] == "/orders/?status=partial"


HOSTILE = [
    "https://evil.example/", "//evil.example", "///evil.example", "\\\\evil.example", "/\\evil.example",
    "http:evil.example", "javascript:alert(1)", "https://testserver@evil.example/", "\thttps://evil.example",
    "https:///evil.example", "//testserver.evil.example", "data:text/html,x", "http://[", "/\n/evil.example",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_next_never_leads_to_another_host(ana: User, client: Client, hostile: str) -> None:
    assert sign_in(client, next=hostile)["Location"] == "/orders/"
    assert client.get(LOGIN, {"next": hostile})["Location"] == "/orders/", "signed in already"
    assert client.post(LOGOUT, {"next": hostile})["Location"] == LOGIN
    admin_sign_in = client.get("/admin/login/", {"next": hostile})["Location"]
    assert admin_sign_in.startswith("/accounts/login/?next=")


@pytest.mark.parametrize("referer", ["https://evil.example/x", "http://testserver//evil.example", "http://[", "\x00"])
def test_a_hostile_referer_leads_to_no_other_host(ana: User, client: Client, referer: str) -> None:
    for headers in ({"Referer": referer}, {"HX-Request": "true", "HX-Current-URL": referer}):
        answer = Client().post("/orders/new/", headers=headers)
        back = parse_qs(urlsplit(answer.get("HX-Redirect") or answer["Location"]).query)["next"]
        assert urlsplit(sign_in(Client(), next=back[0])["Location"]).netloc == ""


def test_signing_in_begins_a_new_session(ana: User, client: Client) -> None:
    planted = client.session
    planted["planted"] = "by somebody else"
    planted.save()
    sign_in(client)
    assert client.session.session_key != planted.session_key
    assert not DeskSession.objects.filter(digest=digest_of(planted.session_key or "")).exists()


def test_scripts_and_other_sites_cannot_reach_the_cookie(ana: User, client: Client) -> None:
    sign_in(client)
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_signing_out_is_a_post_and_ends_the_session(ana: User) -> None:
    client = as_user(ana)
    assert client.get(LOGOUT).status_code == 200
    assert is_signed_in(client), "looking at the page does nothing"
    assert client.post(LOGOUT)["Location"] == LOGIN
    assert not DeskSession.objects.exists()
    assert not is_signed_in(client)


def test_there_is_no_sign_up() -> None:
    answer = Client().post("/accounts/signup/", {"username": "mallory", "password1": NEW, "password2": NEW})
    assert answer.status_code in (200, 404)
    assert not User.objects.exists()


def test_a_changed_password_signs_out_every_other_browser(ana: User) -> None:
    here, elsewhere = as_user(ana), as_user(ana)
    here.post(CHANGE, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    ana.refresh_from_db()
    assert ana.check_password(NEW)
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)


@pytest.mark.parametrize("typed", [{"oldpassword": "wrong"}, {"password1": "12345678", "password2": "12345678"}])
def test_a_refused_change_of_password_changes_nothing(ana: User, typed: dict[str, str]) -> None:
    page = as_user(ana).post(CHANGE, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW, **typed})
    ana.refresh_from_db()
    assert ana.check_password(PASSWORD)
    assert 'class="err"' in page.content.decode()


@pytest.mark.parametrize("typed", ["%00", "a%00b", "x" * 100_000, "%F0%9F%A6%A9", "%FF", "' OR 1=1 --", "%ED%A0%80"])
def test_nonsense_for_a_name_signs_nobody_in(client: Client, typed: str) -> None:
    answer = client.post(LOGIN, f"login={typed}&password={typed}", "application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not is_signed_in(client)


@pytest.mark.parametrize("page", ["email", "password/set", "password/reset", "confirm-email", "login/code/confirm"])
def test_pages_of_allauth_that_the_desk_does_not_use_are_not_there(page: str) -> None:
    """An owner sets each person's address, and the desk sends no mail for passwords."""
    assert as_a(Role.OPERATOR).get(f"/accounts/{page}/").status_code == 404


@pytest.mark.parametrize(
    ("told", "kept"),
    [("Asia/Tokyo", "Asia/Tokyo"), ("UTC", "UTC"), ("Etc/Nowhere", ""), ("", ""), ("x" * 5000, ""), ("\0", "")],
)
def test_the_first_sign_in_takes_the_browsers_time_zone(ana: User, client: Client, told: str, kept: str) -> None:
    """Without a script the browser tells none: then the clock is UTC, and a later sign-in may still tell."""
    assert sign_in(client, time_zone=told).status_code == 302
    ana.refresh_from_db()
    assert ana.time_zone == kept


def test_a_time_zone_that_somebody_has_stays_at_every_sign_in(ana: User, client: Client) -> None:
    User.objects.update(time_zone="Europe/Berlin")
    sign_in(client, time_zone="Asia/Tokyo")
    ana.refresh_from_db()
    assert ana.time_zone == "Europe/Berlin"


@pytest.mark.parametrize("typed", ["berlin", "Europe/Berlin", " europe/BERLIN ", "Berlin"])
def test_a_time_zone_is_found_by_its_place(ana: User, typed: str) -> None:
    form = {"time_zone": typed, "numbers": "1,234.56", "theme": "", "density": "", "page_length": "50"}
    assert as_user(ana).post("/accounts/preferences/", form).status_code == 302
    ana.refresh_from_db()
    assert ana.time_zone == "Europe/Berlin"


def test_a_time_zone_that_nobody_knows_gets_a_sentence_and_stays_in_its_field(ana: User) -> None:
    form = {"time_zone": "Atlantis", "numbers": "1,234.56", "theme": "dark", "density": "", "page_length": "50"}
    page = as_user(ana).post("/accounts/preferences/", form).content.decode()
    assert "The desk does not know this time zone." in page and 'value="Atlantis"' in page
