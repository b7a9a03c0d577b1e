"""Sessions: how long they last, what is kept of them, and who ends whose."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import DeskSession, DoorEvent, User
from accounts.models.door import digest_of
from accounts.sessions.end import delete_expired
from accounts.sessions.store import SessionStore
from tests.makers import PASSWORD, make_user
from tests.people import as_a, as_user, htmx

pytestmark = pytest.mark.django_db
MINE, OTHERS = "/accounts/sessions/", "/accounts/sessions/endings/"
IDLE, ABSOLUTE = timedelta(hours=12), timedelta(days=7)
SECOND = timedelta(seconds=1)


@pytest.fixture
def ana() -> User:
    """An operator with some sessions."""
    return make_user(username="ana", name="Ana")


def is_signed_in(client: Client) -> bool:
    """Whether this browser may see a page of the desk."""
    return client.get("/keys/").status_code == 200


def age(**moments: timedelta) -> None:
    """Sets how long ago sessions were used or began."""
    now = timezone.now()
    DeskSession.objects.update(**{name: now - ago for name, ago in moments.items()})


def key_of(client: Client) -> str:
    """The session key in this browser's cookie."""
    return client.cookies["sessionid"].value


# ── How long they last ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("moments", "stays"),
    [
        ({"used_at": IDLE - SECOND * 60}, True),
        ({"used_at": IDLE + SECOND}, False),
        ({"began_at": ABSOLUTE - SECOND * 60}, True),
        ({"began_at": ABSOLUTE + SECOND}, False),
    ],
)
def test_a_session_ends_by_idleness_and_by_age(ana: User, moments: dict[str, timedelta], stays: bool) -> None:
    client = as_user(ana)
    age(**moments)
    assert is_signed_in(client) == stays


def test_the_limits_are_settings_and_hold_at_once(ana: User, settings: Any) -> None:
    client = as_user(ana)
    age(used_at=timedelta(hours=2))
    settings.SESSION_IDLE_HOURS = 1.0
    assert not is_signed_in(client)
    client = as_user(ana)
    age(used_at=SECOND, began_at=timedelta(hours=3))
    settings.SESSION_HOURS = 2.0
    assert not is_signed_in(client)


def test_a_poll_does_not_extend_a_session_and_a_page_does(ana: User) -> None:
    client = as_user(ana)
    age(used_at=timedelta(hours=11))
    before = DeskSession.objects.get().used_at
    for path in ("/orders/changes/", "/alarms/", "/upstream/"):
        client.get(path, headers=htmx())
    assert DeskSession.objects.get().used_at == before
    client.get("/orders/", headers=htmx(**{"HX-Boosted": "true"}))
    assert timezone.now() - DeskSession.objects.get().used_at < timedelta(minutes=1)


def test_a_form_that_is_sent_extends_a_session(ana: User) -> None:
    client = as_user(ana)
    age(used_at=timedelta(hours=11))
    client.post("/accounts/preferences/live/", {"paused": "yes"}, headers=htmx())
    assert timezone.now() - DeskSession.objects.get().used_at < timedelta(minutes=1)


def test_the_use_of_a_session_is_written_once_a_minute(ana: User) -> None:
    client = as_user(ana)
    for ago, writes in ((timedelta(seconds=50), 0), (timedelta(seconds=70), 1)):
        age(used_at=ago)
        with CaptureQueriesContext(connection) as captured:
            client.get("/keys/")
            client.get("/keys/")
        updates = [query["sql"] for query in captured if query["sql"].startswith("UPDATE")]
        assert len(updates) == writes


def test_the_last_use_tells_where_that_was(ana: User) -> None:
    client = as_user(ana)
    age(used_at=timedelta(hours=1))
    client.get("/keys/", REMOTE_ADDR="192.0.2.77")
    assert DeskSession.objects.get().address == "192.0.2.77"


def test_a_change_of_the_password_does_not_make_a_session_younger(ana: User) -> None:
    client = as_user(ana)
    age(began_at=timedelta(days=6))
    new = "seven-grey-herons"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_signed_in(client)
    assert timezone.now() - DeskSession.objects.get().began_at > timedelta(days=5)


def test_signing_in_again_begins_the_time_anew(ana: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "ana", "password": PASSWORD})
    assert timezone.now() - DeskSession.objects.get().began_at < timedelta(minutes=1)


# ── What is kept of them ─────────────────────────────────────────────────────────────────────────
def test_the_table_knows_a_key_only_as_a_hash(ana: User) -> None:
    client = as_user(ana)
    key = key_of(client)
    assert key not in repr(list(DeskSession.objects.values()))
    assert DeskSession.objects.get().digest == digest_of(key)
    client.cookies["sessionid"] = DeskSession.objects.get().digest
    assert not is_signed_in(client), "what stands in the table opens nothing"


def test_no_page_shows_a_key_or_its_hash(ana: User) -> None:
    client, owner = as_user(ana), as_a(Role.OWNER)
    session = DeskSession.objects.get(user=ana)
    admin = f"/admin/accounts/desksession/{session.pk}/change/"
    pages = [client.get(MINE), owner.get(f"/team/{ana.pk}/sessions/"), owner.get("/admin/accounts/desksession/"),
             owner.get(admin)]  # fmt: skip
    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        assert key_of(client) not in text and session.digest not in text and session.session_data not in text


def test_a_session_that_ended_while_it_was_used_is_not_written_anew(ana: User) -> None:
    client = as_user(ana)
    store = SessionStore(key_of(client))
    store["note"] = "in a request that takes long"
    DeskSession.objects.all().delete()
    with pytest.raises(UpdateError):
        store.save()
    assert not DeskSession.objects.exists()


def test_a_session_that_was_made_up_is_nobodys() -> None:
    client = Client()
    for key in ("x" * 32, "", "\0", "é" * 40, "x" * 10_000):
        client.cookies["sessionid"] = key
        assert not is_signed_in(client)


# ── Who ends whose ───────────────────────────────────────────────────────────────────────────────
def test_the_list_shows_device_address_and_last_use(ana: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "ana", "password": PASSWORD},
                headers={"User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Firefox/140.0"})  # fmt: skip
    page = client.get(MINE).content.decode()
    for words in ("Firefox on macOS", "127.0.0.1", "this one", "12 h after its last use", "7 d after the sign-in"):
        assert words in page


def test_ending_one_acts_with_its_next_request(ana: User) -> None:
    here, there = as_user(ana), as_user(ana)
    other = DeskSession.objects.get(digest=digest_of(key_of(there)))
    assert here.post(f"/accounts/sessions/{other.pk}/ending/")["Location"] == MINE
    assert is_signed_in(here) and not is_signed_in(there)
    event = DoorEvent.objects.get(kind="session_ended")
    assert (event.person, event.by) == (ana, ana)


def test_ending_all_others_keeps_the_one_that_asks(ana: User) -> None:
    here, others = as_user(ana), [as_user(ana) for _ in range(3)]
    stranger = as_a(Role.VIEWER)
    assert here.post(OTHERS)["Location"] == MINE
    assert is_signed_in(here) and not any(map(is_signed_in, others))
    assert is_signed_in(stranger)
    assert DoorEvent.objects.get(kind="sessions_ended").facts == {"count": 3}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.MANAGER])
def test_nobody_but_an_owner_ends_anothers(ana: User, role: Role) -> None:
    client = as_user(ana)
    session = DeskSession.objects.get()
    other = as_a(role)
    assert other.get(f"/team/{ana.pk}/sessions/").status_code == 403
    assert other.post(f"/accounts/sessions/{session.pk}/ending/").status_code == 403
    assert other.post(f"/team/{ana.pk}/sessions/endings/").status_code == 403
    assert is_signed_in(client)


def test_an_owner_ends_anybodys(ana: User) -> None:
    owner = make_user(Role.OWNER)
    one, two, theirs = as_user(ana), as_user(ana), as_user(owner)
    session = DeskSession.objects.get(digest=digest_of(key_of(one)))
    page = f"/team/{ana.pk}/sessions/"
    assert theirs.post(f"/accounts/sessions/{session.pk}/ending/")["Location"] == page
    assert not is_signed_in(one) and is_signed_in(two)
    assert theirs.post(f"/team/{ana.pk}/sessions/endings/")["Location"] == page
    assert not is_signed_in(two) and is_signed_in(theirs)
    assert set(DoorEvent.objects.values_list("person", "by")) == {(ana.pk, owner.pk)}
    assert theirs.post(f"/team/{owner.pk}/sessions/endings/").status_code == 302
    assert is_signed_in(theirs), "an owner does not lock themselves out"


def test_a_session_that_is_gone_is_a_404(ana: User) -> None:
    client = as_user(ana)
    for pk in (0, 987_654, 2**62):
        assert client.post(f"/accounts/sessions/{pk}/ending/").status_code == 404


@pytest.mark.parametrize("way", ["save", "update", "admin"])
def test_switched_off_and_on_again_revives_no_session(ana: User, way: str) -> None:
    client = as_user(ana)
    for active in (False, True):
        if way == "save":
            ana.is_active = active
            ana.save(update_fields=["is_active"])
        elif way == "update":
            User.objects.filter(pk=ana.pk).update(is_active=active)
        else:
            form = {"username": "ana", "name": "Ana", "email": "", "role": "operator", "is_active": "on"}
            form = form if active else {name: text for name, text in form.items() if name != "is_active"}
            assert as_a(Role.OWNER).post(f"/admin/accounts/user/{ana.pk}/change/", form).status_code == 302
        assert not is_signed_in(client)
    assert User.objects.get(pk=ana.pk).is_active


@pytest.mark.parametrize("path", ["/accounts/logout/", "/admin/logout/"])
def test_signing_out_has_the_browser_forget_pages_and_storage(path: str) -> None:
    owner = as_a(Role.OWNER)
    answer = owner.post(path)
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not DeskSession.objects.exists()
    assert "Clear-Site-Data" not in Client().get("/accounts/login/")
    assert "Clear-Site-Data" not in as_a(Role.VIEWER).get("/keys/")


def test_the_chore_deletes_what_has_ended_and_nothing_else(ana: User) -> None:
    now = timezone.now()
    ages = [("idle", IDLE, SECOND), ("old", SECOND, ABSOLUTE), ("fresh", SECOND, SECOND)]
    for name, unused, old in ages:
        DeskSession.objects.create(digest=name, user=ana, used_at=now - unused, began_at=now - old, ends_at=now + IDLE)
    assert delete_expired(now) == 2
    assert DeskSession.objects.get().digest == "fresh"
