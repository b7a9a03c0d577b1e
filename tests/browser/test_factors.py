"""Coming in with a second factor, in a real browser: with a passkey alone, with an app and no script, and by a link."""

import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from playwright.sync_api import Page, expect

from accounts.access import Role
from accounts.factors.proof import PROOF_SECONDS, PROVED_AT
from accounts.invitations import links
from accounts.models import DeskSettings, User
from accounts.sessions.store import SessionStore
from tests.accounts.factors.people import code_now, with_app
from tests.browser.conftest import NARROW, WIDE, Desk, Opens
from tests.browser.hands import Hands
from tests.browser.test_every_page import faults, picture
from tests.makers import PASSWORD, make_user

NEW = "seven-grey-herons"
KEY = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
       "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip


def plug_in_a_key(page: Page) -> None:
    """Gives the browser a passkey device, whose owner always presses its button."""
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})


Look = Callable[[Page, str], None]


@pytest.fixture(params=[pytest.param(False, id="quick"), pytest.param(True, id="looks", marks=pytest.mark.slow)])
def looked_at(request: pytest.FixtureRequest) -> Look:
    """Whether axe and the borders are content with a page. Four times slower, so the quick tests leave it out."""
    return look_at if request.param else lambda page, name: None


def look_at(page: Page, name: str) -> None:
    """Once wide and light, once narrow and dark; with a picture of each where some are wanted."""
    for size, looks in ((WIDE, ("dark", "light")), (NARROW, ("light", "dark"))):
        page.set_viewport_size(size)
        for colours in looks:
            page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type]
            picture(page, name)
        assert list(faults(page, name)) == []
    page.set_viewport_size(WIDE)


def leave(page: Page, to: str) -> None:
    """Goes there as a stranger; from an empty page, because a page that polls would go to sign in by itself."""
    page.goto("about:blank")
    page.context.clear_cookies()
    page.goto(to)


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words).or_(page.get_by_role("link", name=words)).first.click()


def let_the_proof_grow_old(page: Page) -> None:
    """Of the session that this browser has."""
    cookies = {cookie.get("name"): cookie.get("value") for cookie in page.context.cookies()}
    session = SessionStore(cookies[settings.SESSION_COOKIE_NAME])
    session[PROVED_AT] = time.time() - PROOF_SECONDS - 1
    session.save()


@pytest.mark.slow
def test_a_passkey_is_added_and_then_is_the_only_step_of_a_sign_in(desk: Desk, opens: Opens, looked_at: Look) -> None:
    page = opens(make_user(Role.OWNER, username="olga"), "/accounts/factors/")
    plug_in_a_key(page)
    looked_at(page, "factors-none")
    hands = Hands(page)
    press(page, "Add a passkey")
    looked_at(page, "passkey")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Sign in with it alone").check()
    press(page, "Add it")
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    looked_at(page, "codes")
    press(page, "I have kept them")
    expect(page.get_by_text("signs in alone")).to_be_visible()
    assert hands.clicks <= 5
    looked_at(page, "factors")
    passkey = Authenticator.objects.get(type="webauthn")
    assert passkey.data["alone"] is True

    leave(page, f"{desk.url}/accounts/login/?next=/services/")
    before = hands.clicks
    press(page, "Sign in with a passkey")
    expect(page.get_by_role("heading", name="Services", exact=True)).to_be_visible()
    assert hands.clicks - before == 1

    passkey.data = {**passkey.data, "alone": False}  # its owner wants it as a second step only
    passkey.save()
    leave(page, f"{desk.url}/accounts/login/")
    press(page, "Sign in with a passkey")
    expect(page.get_by_text("This passkey is a second step only.")).to_be_visible()
    page.get_by_label("Username or e-mail").fill("olga")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    looked_at(page, "second-step")
    press(page, "Use a passkey")
    expect(page.get_by_role("heading", name="Orders", exact=True)).to_be_visible()

    let_the_proof_grow_old(page)
    page.goto(f"{desk.url}/accounts/factors/codes/")
    press(page, "Make new codes")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    looked_at(page, "proof")
    press(page, "Use a passkey")
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_from_an_invitation_to_a_second_factor(desk: Desk, opens: Opens, looked_at: Look, script: bool) -> None:
    """An owner invites; the person chooses a password, and because owners want no delay sets up an app at once."""
    look = looked_at if script else lambda page, name: None  # axe is a script itself
    DeskSettings.objects.create(pk=1, chosen={"factor_grace_days": "0"})
    owner = make_user(Role.OWNER)
    with_app(owner)
    page = opens(owner, "/team/", script=script)
    press(page, "Invite a person")
    look(page, "invite")
    page.get_by_label("Username").fill("mira")
    page.get_by_label("Shown name").fill("Mira Kovács")
    page.get_by_label("Role").select_option("manager")
    press(page, "Invite")
    link = page.locator("#the-link").inner_text()
    look(page, "link")
    press(page, "Done")
    expect(page.get_by_text("has not chosen a password yet")).to_be_visible()
    look(page, "person")

    page = opens("stranger", link.removeprefix(desk.url), script=script)
    assert "?t=" not in page.url
    look(page, "choose")
    page.get_by_label("New password").fill("Password2026!")
    page.get_by_label("The same again").fill("Password2026!")
    press(page, "Keep this password")
    expect(page.get_by_text("tried first")).to_be_visible()
    look(page, "choose-refused")
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("The same again").fill(NEW)
    press(page, "Keep this password")
    page.get_by_label("Username or e-mail").fill("mira")
    page.get_by_label("Password", exact=True).fill(NEW)
    look(page, "sign-in-again")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    look(page, "shut-out")
    press(page, "Set up an app")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    look(page, "app")
    page.get_by_text("No camera?").click()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill("000000")
    press(page, "Switch it on")
    expect(page.get_by_text("This code is not right.")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(code_now(secret))
    press(page, "Switch it on")
    press(page, "I have kept them")
    page.goto(f"{desk.url}/orders/")
    expect(page.get_by_role("heading", name="Orders", exact=True)).to_be_visible()


def test_a_proof_loses_nothing_that_was_typed(desk: Desk, opens: Opens, looked_at: Look) -> None:
    page = opens("owner", "/upstream/settings/")
    let_the_proof_grow_old(page)
    looked_at(page, "settings")
    page.get_by_label("Low balance").fill("35")
    page.get_by_label("Second factor").select_option("operator")
    press(page, "Save")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.get_by_label("Your password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong")).to_be_visible()
    looked_at(page, "proof-wrong")
    page.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved. It holds from now on")).to_be_visible()
    assert page.url.endswith("/upstream/settings/")
    assert DeskSettings.objects.get().chosen == {"low_balance": "35", "factor_from": "operator"}


def test_an_owner_resets_and_makes_a_link_in_a_few_presses(desk: Desk, opens: Opens, looked_at: Look) -> None:
    ana = make_user(Role.OPERATOR, username="ana", name="Ana Lindqvist")
    with_app(ana)
    page = opens("owner", "/team/")
    hands = Hands(page)
    page.get_by_role("link", name="Open Ana Lindqvist").click()
    looked_at(page, "person-with-factor")
    page.get_by_label("Why do you reset it?").fill("Lost the phone")
    press(page, "Reset the second factor")
    expect(page.get_by_text("has no second factor any more")).to_be_visible()
    press(page, "Make a link to choose a password")
    expect(page.locator("#the-link")).to_be_visible()
    press(page, "Copy the link")
    assert links.find(hands.clipboard().partition("?t=")[2])
    assert hands.clicks <= 5
    assert User.objects.get(username="ana").factor_asked_at is None


def test_a_link_that_works_no_more_says_what_to_do(opens: Opens, looked_at: Look) -> None:
    page = opens("stranger", "/accounts/password/choice/")
    expect(page.get_by_text("Ask an owner of the desk for a new link.")).to_be_visible()
    looked_at(page, "gone")
