"""What happens at the door is recorded, logged in one line, and shown to owners."""

import logging
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client, RequestFactory

from accounts.access import Role
from accounts.models import DoorEvent, KnownDevice, User
from accounts.sign_in.devices import ROWS_A_PERSON
from accounts.sign_in.record import GROUPS, KINDS, detail_of, record_door
from accounts.sign_in.views import EVENTS_A_PAGE
from panel.ops.logs import Json
from tests.makers import PASSWORD, make_user
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db
LOGIN, LOGOUT = "/accounts/login/", "/accounts/logout/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.fixture
def ana() -> User:
    """An operator who signs in."""
    return make_user(username="ana", email="ana@example.com", name="Ana")


def kinds() -> list[str]:
    """The kinds of all events, oldest first."""
    return list(DoorEvent.objects.order_by("pk").values_list("kind", flat=True))


def sign_in(client: Client, login: str = "ana", password: str = PASSWORD, agent: str = FIREFOX) -> Any:
    """The answer to the sign-in form."""
    return client.post(LOGIN, {"login": login, "password": password}, headers={"User-Agent": agent})


def test_a_day_at_the_door_leaves_a_row_of_each_thing(ana: User) -> None:
    client = Client()
    sign_in(client, password="wrong")
    sign_in(client, login="nobody")
    sign_in(client)
    client.get("/team/security/")
    client.post(LOGOUT)
    sign_in(Client(), agent=CHROME)
    assert kinds() == ["failed", "failed", "signed_in", "forbidden", "signed_out", "new_device"]
    rows = list(DoorEvent.objects.order_by("pk"))
    assert [row.person for row in rows] == [ana, None, ana, ana, ana, ana]
    assert {row.address for row in rows} == {"127.0.0.1"}
    assert rows[2].facts == {"how": "password"}
    assert rows[0].device == "Firefox on Linux" and rows[-1].device == "Chrome on Windows"
    assert detail_of(rows[3]) == "GET /team/security/"


def test_nothing_that_was_typed_is_recorded(ana: User, caplog: pytest.LogCaptureFixture) -> None:
    """People type their password into the field of the name."""
    caplog.set_level(logging.DEBUG)
    sign_in(Client(), login="my-secret-pass", password="other-secret")
    sign_in(Client(), password="third-secret")
    written = caplog.text + repr(list(DoorEvent.objects.values()))
    assert "secret" not in written


def test_the_line_in_the_log_is_one_and_names_who_and_where(ana: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sign_in(Client())
    (record,) = [record for record in caplog.records if record.name == "accounts.sign_in.record"]
    line = Json().format(record)
    assert "\n" not in line
    for part in (
        '"door": "signed_in"',
        f'"person": {ana.pk}',
        '"address": "127.0.0.1"',
        '"device": "Firefox on Linux"',
    ):
        assert part in line


def test_an_event_is_never_changed(ana: User) -> None:
    event = record_door("password_changed", ana, None)
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()


def test_who_did_it_is_recorded(ana: User) -> None:
    owner, request = make_user(Role.OWNER), RequestFactory().get("/")
    request.user = owner
    assert record_door("factor_reset", ana, request, reason="Lost the phone").by == owner
    request.user = ana
    assert record_door("password_changed", ana, request).by == ana
    request.user = AnonymousUser()
    assert record_door("invitation_used", ana, request).by == ana, "who has the link is taken for the person"
    assert record_door("failed", ana, request, why="wrong password").by is None, "a stranger may have been"


def test_a_kind_that_nobody_knows_is_a_mistake(ana: User) -> None:
    with pytest.raises(KeyError):
        record_door("danced", ana, None)


def test_long_facts_are_cut(ana: User) -> None:
    assert len(record_door("factor_reset", ana, None, reason="x" * 9_999).facts["reason"]) == 200


def test_each_kind_is_in_a_group_and_needs_no_fact() -> None:
    assert {kind.group for kind in KINDS.values()} == set(GROUPS)
    for name in KINDS:
        assert "{" not in detail_of(DoorEvent(kind=name)), name


def test_a_person_who_asks_again_and_again_leaves_few_rows() -> None:
    client = as_a(Role.VIEWER)
    for _ in range(30):
        assert client.get("/team/security/").status_code == 403
    assert kinds() == ["forbidden"] * 20


def test_a_stranger_leaves_no_row_by_what_is_forbidden() -> None:
    Client(enforce_csrf_checks=True).post(LOGIN)
    Client().get("/orders/")
    assert kinds() == []


WHY = "wrong password"


def shown(owner: Client, query: str) -> list[str]:
    """What the rows of the page say happened."""
    page = owner.get(f"/team/security/{query}").content.decode()
    cells = re.findall(r'data-l="What">(.*?)</td>', page, re.DOTALL)
    return [" ".join(re.sub("<[^>]+>", " ", unescape(cell)).split()) for cell in cells]


# ── The page ─────────────────────────────────────────────────────────────────────────────────────
def test_owners_read_the_record_and_nobody_else(ana: User) -> None:
    record_door("failed", ana, None, why="wrong password")
    page = as_a(Role.OWNER).get("/team/security/").content.decode()
    assert "Failed to sign in" in page and "Ana" in page and "wrong password" in page
    for role in (Role.VIEWER, Role.OPERATOR, Role.MANAGER):
        assert as_a(role).get("/team/security/").status_code == 403


def test_the_page_is_filtered_by_what_and_by_whom(ana: User) -> None:
    mira = make_user(username="mira", name="Mira")
    for person in (ana, mira):
        record_door("failed", person, None, why="wrong password")
        record_door("signed_in", person, None)
    owner = as_a(Role.OWNER)
    assert shown(owner, f"?what=refused&person={ana.pk}") == [f"Failed to sign in {WHY}"]
    assert len(shown(owner, f"?person={mira.pk}")) == 2
    assert len(shown(owner, "?what=sign_in")) == 2
    for nonsense in ("what=%00", "person=x", "person=99999999999999999999", "before=-1", "what=nothing", "person=7777"):
        assert owner.get(f"/team/security/?{nonsense}").status_code == 200


def test_the_page_goes_on_by_keyset_and_keeps_its_filter(ana: User) -> None:
    for _ in range(EVENTS_A_PAGE + 5):
        record_door("signed_in", ana, None)
    owner = as_a(Role.OWNER)
    assert len(shown(owner, "?what=sign_in")) == EVENTS_A_PAGE
    (older,) = re.findall(r'href="([^"]+)" rel="next"', owner.get("/team/security/?what=sign_in").content.decode())
    assert older.startswith("?what=sign_in&amp;before=")
    assert len(shown(owner, unescape(older))) == 5
    assert "Nothing older" in owner.get("/team/security/?before=1").content.decode()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL rightly reads a few rows whole")
def test_the_newest_at_the_door_are_read_by_their_own_index_which_sorts_them() -> None:
    """With statistics and without. By the index of all groups, all that ever happened there would be sorted."""
    newest = DoorEvent.objects.order_by("-id")[:EVENTS_A_PAGE]
    plan = r"\d+ 0 0 SCAN accounts_trailline USING INDEX trail_at_the_door_by_id"
    assert re.fullmatch(plan, newest.explain())
    for _ in range(EVENTS_A_PAGE):
        record_door("failed", None, None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert re.fullmatch(plan, newest.explain())


def test_hostile_text_is_only_text(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(name="<script>alert(1)</script>")
    ana.refresh_from_db()
    client = as_user(ana)
    client.get("/team/security/?<script>", headers={"User-Agent": "<script>alert(2)</script>"})
    page = as_a(Role.OWNER).get("/team/security/").content.decode()
    assert "<script>alert" not in page
    assert "alert(2)" not in page, "the device is told in words of ours"


# ── Devices ──────────────────────────────────────────────────────────────────────────────────────
def test_the_cookie_of_a_device_is_kept_only_as_a_hash(ana: User) -> None:
    client = Client()
    sign_in(client)
    cookie = client.cookies["desk_device"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert cookie.value not in repr(list(KnownDevice.objects.values()))


def test_the_same_device_is_one_row_and_no_news(ana: User) -> None:
    client = Client()
    for _ in range(3):
        sign_in(client)
        client.post(LOGOUT)
    device = KnownDevice.objects.get()
    assert device.mail_due_at is None, "the first device of an account is not new to its person"
    assert "new_device" not in kinds()
    sign_in(Client(), agent=SAFARI)
    assert KnownDevice.objects.get(device="Safari on iPhone").mail_due_at is not None


def test_a_person_keeps_their_latest_devices(ana: User) -> None:
    first = Client()
    sign_in(first)
    for _ in range(ROWS_A_PERSON):
        sign_in(Client())
    assert KnownDevice.objects.count() == ROWS_A_PERSON
    assert sign_in(first).status_code == 302, "forgotten, and let in all the same"


def test_failed_guesses_do_not_vouch_for_a_device(ana: User) -> None:
    client = Client()
    sign_in(client, password="wrong")
    assert "desk_device" not in client.cookies
    assert not KnownDevice.objects.exists()


def test_a_forbidden_path_with_a_nul_is_recorded_as_it_can_be_read() -> None:
    """PostgreSQL keeps no NUL in its JSON, and a path may have one."""
    answer = as_a("viewer").get("/admin/panel/notice/a%00b/delete/")
    owners = as_a("owner").get("/admin/panel/notice/a%00b/delete/")
    assert {answer.status_code, owners.status_code} <= {302, 403, 404}
    paths = [event.facts["path"] for event in DoorEvent.objects.filter(kind="forbidden")]
    assert paths and all(path == "/admin/panel/notice/a\\x00b/delete/" for path in paths)
