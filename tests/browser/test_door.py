"""A person ends a session that they forgot, an owner finds out who tried, and a flood keeps nobody out."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from accounts.access import Role
from accounts.models import DeskSession
from tests.accounts.sign_in.flood import LOGIN
from tests.browser.conftest import Desk, Opens
from tests.browser.hands import Hands
from tests.makers import PASSWORD, make_user


@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_a_person_ends_the_session_they_left_open_and_signs_out(desk: Desk, opens: Opens, script: bool) -> None:
    ana = make_user(Role.OPERATOR, username="ana", name="Ana")
    forgotten = Client(headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0"})
    forgotten.post(LOGIN, {"login": "ana", "password": PASSWORD})
    page = opens(ana, "/orders/", script=script)
    hands = Hands(page) if script else None
    page.locator("summary.me").click()
    page.get_by_role("link", name="Your sessions").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="End Chrome on Windows, 127.0.0.1").click()
    expect(page.get_by_text("That session has ended.")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    assert hands is None or hands.clicks == 3
    assert forgotten.get("/orders/").status_code == 302
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("That session has ended.")).to_have_count(0)
    assert not DeskSession.objects.filter(user=ana).exists()


def test_an_owner_sees_who_tried_and_the_person_comes_in_all_the_same(desk: Desk, opens: Opens) -> None:
    make_user(Role.OPERATOR, username="ana", name="Ana")
    person = opens("stranger", "/accounts/login/")

    def sign_in(password: str) -> None:
        person.get_by_label("Username or e-mail").fill("ana")
        person.get_by_label("Password").fill(password)
        person.get_by_role("button", name="Sign in", exact=True).click()

    sign_in(PASSWORD)
    expect(person.get_by_role("heading", name="Orders", exact=True)).to_be_visible()
    person.goto(f"{desk.url}/accounts/logout/")
    person.get_by_role("main").get_by_role("button", name="Sign out").click()
    for number in range(8):  # from elsewhere
        Client().post(LOGIN, {"login": "ana", "password": f"guess-{number}"}, REMOTE_ADDR="198.51.100.9")
    sign_in(PASSWORD)
    expect(person.get_by_role("heading", name="Orders", exact=True)).to_be_visible()

    owner = opens(make_user(Role.OWNER, name="Olivia"), "/team/")
    owner.get_by_role("navigation", name="Team").get_by_role("link", name="Security").click()
    owner.get_by_label("What", exact=True).select_option("Failures")
    owner.get_by_role("button", name="Show").click()
    expect(owner.get_by_role("row")).to_have_count(5)
    expect(owner.get_by_text("after too many failures")).to_be_visible()
    expect(owner.get_by_text("198.51.100.9")).to_have_count(4)


def test_whoever_has_to_wait_reads_how_long(desk: Desk, opens: Opens) -> None:
    page = opens("stranger", "/accounts/login/")
    for _ in range(4):
        page.get_by_label("Username or e-mail").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_load_state()
    expect(page.get_by_role("alert")).to_contain_text("Too many failed sign-ins. Wait 10 min, then try again.")
    expect(page.get_by_label("Username or e-mail")).to_have_value("nobody")
