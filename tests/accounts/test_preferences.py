"""A person's preferences hold on every page, for that person alone; nonsense is refused."""

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from panel.format.times import zone_name
from tests.addresses import address, one_of_everything, routes
from tests.makers import make_user
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db
PAGE = "/accounts/preferences/"
CHOSEN = {"time_zone": "Asia/Kathmandu", "numbers": "1.234,56", "theme": "dark", "density": "compact",
          "page_length": "100", "paused": "True", "undo_seconds": "20"}  # fmt: skip


@pytest.fixture
def person() -> User:
    """A viewer who has chosen nothing yet."""
    return make_user(Role.VIEWER)


@pytest.fixture
def client(person: User) -> Client:
    """That person's browser."""
    return as_user(person)


def saved(person: User) -> dict[str, str]:
    """The preferences that the account has in the database, as text."""
    person.refresh_from_db()
    return {name: str(getattr(person, name)) for name in CHOSEN}


def test_a_choice_is_saved_on_the_account_and_shown_at_once(client: Client, person: User) -> None:
    page = client.post(PAGE, CHOSEN, follow=True).content.decode()
    assert "Saved." in page
    assert saved(person) == CHOSEN
    assert "12.480" in page
    assert "$1.234,50" in page
    assert "UTC+5:45" in page
    assert '<html lang="en" data-theme="dark" data-zone="Asia/Kathmandu" data-paused>' in page
    assert saved(make_user()) == {
        "time_zone": "", "numbers": "1,234.56", "theme": "", "density": "", "page_length": "50",
        "paused": "False", "undo_seconds": "0",
    }  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_every_role_has_the_page_in_its_menu(role: Role) -> None:
    assert f'href="{PAGE}"' in as_user(make_user(role)).get("/orders/").content.decode()


def test_a_person_who_chose_nothing_gets_no_theme(client: Client) -> None:
    assert "data-theme" not in client.get(PAGE).content.decode()


@pytest.mark.parametrize("value", ["", "Mars/Olympus", "../../etc/passwd", "\0", "Europe", "x" * 5000, "<b>"])
@pytest.mark.parametrize("field", ["time_zone", "numbers", "page_length"])
def test_an_impossible_choice_is_refused_beside_its_field(client: Client, person: User, field: str, value: str) -> None:
    answer = client.post(PAGE, {**CHOSEN, field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in page
    assert "data-theme" not in page, "nothing of it is taken"
    assert saved(person)["theme"] == ""


@pytest.mark.parametrize("field", ["theme", "density", "paused", "undo_seconds"])
def test_a_tampered_theme_or_row_height_is_refused(client: Client, person: User, field: str) -> None:
    answer = client.post(PAGE, {**CHOSEN, field: '"><script>'})
    assert answer.status_code == 422
    assert "cannot be chosen" in answer.content.decode()


def test_the_live_button_is_remembered_for_its_person_alone(client: Client, person: User) -> None:
    other = make_user()
    for paused in ("yes", ""):
        assert client.post(f"{PAGE}live/", {"paused": paused}).status_code == 204
        assert saved(person)["paused"] == str(bool(paused))
        assert ("data-paused" in client.get("/team/").content.decode()) is bool(paused)
        assert saved(other)["paused"] == "False"


def test_a_form_from_before_there_was_a_choice_leaves_it_as_it_is(client: Client, person: User) -> None:
    client.post(PAGE, CHOSEN)
    client.post(PAGE, {name: value for name, value in CHOSEN.items() if name not in ("paused", "undo_seconds")})
    assert (saved(person)["paused"], saved(person)["undo_seconds"]) == ("True", "20")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe", "", "\x01"])
def test_a_zone_that_this_machine_no_longer_knows_breaks_no_page(zone: str) -> None:
    client = as_user(make_user(time_zone=zone, numbers="12:34"))
    assert "UTC" in client.get(PAGE).content.decode()
    assert client.get("/activity/").status_code == 200


def test_the_sample_shows_a_choice_before_it_is_saved(client: Client, person: User) -> None:
    for zone, numbers, expected in (
        ("Asia/Tokyo", "1 234,56", ("12\u202f480", " JST")),
        ("\0", "'", ("12,480", " UTC")),
    ):
        sample = client.get(f"{PAGE}sample/", {"time_zone": zone, "numbers": numbers}, headers=htmx()).content.decode()
        assert all(words in sample for words in expected)
        assert "<html" not in sample
    assert saved(person)["time_zone"] == ""


def test_the_next_reader_does_not_get_the_clock_of_the_reader_before(client: Client, person: User) -> None:
    User.objects.filter(pk=person.pk).update(time_zone="Asia/Kathmandu", numbers="1.234,56")
    client.get("/orders/")
    client.get("/nowhere/")
    assert (zone_name(), timezone.get_current_timezone_name()) == ("UTC", "UTC")
    assert 'data-zone="UTC"' in Client().get("/accounts/login/").content.decode()


def test_without_a_database_the_process_still_answers_a_teammate(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*args: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", unreachable)
    assert client.get("/healthz").content == b"ok\n"


@pytest.mark.slow
def test_every_page_answers_a_person_in_kathmandu() -> None:
    one_of_everything()
    client = as_user(make_user(Role.OWNER, time_zone="Asia/Kathmandu", numbers="1.234,56", theme="light"))
    own = [route for route, _ in routes() if "logout" not in route]
    broken = [route for route in own if client.get(address(route)).status_code >= 500]
    assert not broken
    admin = client.get("/admin/").content.decode()
    assert "times in Asia/Kathmandu" in admin
    assert 'admin_theme.js" data-theme="light"' in admin
