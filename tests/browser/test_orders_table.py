"""The orders page in front of a person: what a row shows, what new orders leave alone, and how much a phone shows."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from accounts.access import Role
from accounts.models import User
from orders.models import Order
from orders.rules.statuses import Status
from panel.upstream.models import Beat
from tests.browser.conftest import NARROW, Desk, Opens
from tests.makers import make_order, make_service, make_user

NAME = "Instagram Reels Views | Instant, Slow After First 10K, Non-Drop, Best Seller Of The Week [R30]"
LINKS = (
    "https://www.instagram.com/harbour.coffee/p/BAbsmg1jWQf/",
    "https://www.tiktok.com/@moss.and.fern/video/730188442112345678",
    "https://www.facebook.com/paper.planes/posts/526136986571439976",
    "https://www.instagram.com.accounts-login.verify-profile.example.com/harbour",
    "https://instagram.com@evil.example/harbour.coffee",
)
# Whether an element's text is cut off.
CUT = "part => part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1"


@pytest.fixture
def ana(desk: Desk) -> User:
    return make_user(Role.OPERATOR, name="Ana Lindqvist")


@pytest.fixture
def orders(ana: User) -> list[Order]:
    """Orders with links of all kinds and long names, in trouble and not; oldest first."""
    service, mate = (
        make_service(name=NAME, category="Instagram › Reels Views"),
        make_user(name="Olivia Hartmann-Kovács"),
    )
    made = [make_order(Status.COMPLETED, service=service, by=mate, link=link, assigned_to=ana) for link in LINKS]
    for status in (Status.REVIEW, Status.REJECTED, Status.QUEUED, Status.IN_PROGRESS):
        made.append(make_order(status, service=service, by=mate))
    answer = "Service not found or temporarily disabled by the administrator of the panel. " * 3
    for order in made[-4:]:
        order.tasks.update(answer=answer)
    return made


def poll(page: Page) -> None:
    page.evaluate("htmx.trigger('#poll', 'desk:poll')")


def ids(page: Page) -> list[int]:
    """The orders on the page, from the top."""
    return [int((row.get_attribute("id") or "").removeprefix("order-")) for row in page.locator("tr.row").all()]


@pytest.mark.parametrize("width", [1440, 1280])
def test_rows_are_of_one_height_and_show_whole_what_tells_orders_apart(
    desk: Desk, opens: Opens, ana: User, orders: list[Order], width: int
) -> None:
    """Accounts, posts, hosts and names; with the usual columns and with others."""
    page = opens(ana, "/orders/", width={"width": width, "height": 900})
    for path in ("/orders/", "/orders/?cols=id,link,service,assigned,upstream,status,who"):
        page.goto(desk.url + path)
        heights = {row.bounding_box()["height"] for row in page.locator("tr.row").all()}  # type: ignore[index]
        assert len(heights) == 1, heights
        cut = [part.inner_text() for part in page.locator(".to-a, .to-p, .to-h, .whole").all() if part.evaluate(CUT)]
        assert cut == []
    row = page.locator(f"#order-{orders[0].pk}")
    expect(row.locator(".net-instagram")).to_have_accessible_name("Instagram harbour.coffee /p/BAbsmg1jWQf/")
    expect(row.locator(".to-a")).to_have_text("harbour.coffee")
    expect(row.locator(".name")).to_have_text(NAME.partition("| ")[2].partition(" [")[0])
    for deceit, host in zip(orders[3:5], ("login.verify-profile.example.com", "evil.example"), strict=True):
        fake = page.locator(f"#order-{deceit.pk}")
        expect(fake.locator(".net-none")).to_be_visible()
        expect(fake.locator(".to b")).to_contain_text(host)


def test_ticks_come_along_when_new_orders_are_let_in(desk: Desk, opens: Opens, ana: User, orders: list[Order]) -> None:
    """Also those of orders that the new ones push off the page, and the number says where they are."""
    ana.page_length = 25
    ana.save()
    by, service = make_user(), make_service()
    for _ in range(25 - len(orders)):
        make_order(Status.COMPLETED, by=by, service=service)
    page = opens(ana, "/orders/")
    lowest, other = orders[0], orders[-1]
    for order in (lowest, other):
        page.get_by_label(f"Pick order {order.pk}", exact=True).check()
    new = make_order(Status.PENDING, by=by, service=service)
    poll(page)
    page.get_by_role("link", name="1 new order").click()
    expect(page.locator(f"#order-{new.pk}")).to_be_visible()
    expect(page.locator("#ticked")).to_have_text("the 2 ticked")
    expect(page.locator("#ticked-where")).to_have_text(", 1 of them further down")
    expect(page.get_by_label(f"Pick order {other.pk}", exact=True)).to_be_checked()
    page.get_by_role("button", name="Refill…").click()
    expect(page.get_by_role("main")).to_contain_text("Refill 2:")


def test_ones_own_order_comes_to_an_open_page_without_a_press(
    desk: Desk, opens: Opens, ana: User, orders: list[Order]
) -> None:
    """From another tab; a teammate's waits behind the pill, and what is ticked and in focus stays."""
    page = opens(ana, "/orders/")
    page.evaluate("window.stayed = true")
    tick = page.get_by_label(f"Pick order {orders[-1].pk}", exact=True)
    tick.check()
    mine, theirs = make_order(by=ana), make_order()
    poll(page)
    expect(page.locator(f"#order-{mine.pk}")).to_be_visible()
    assert ids(page)[0] == mine.pk
    expect(page.get_by_role("link", name="1 new order")).to_be_visible()
    expect(page.locator(f"#order-{theirs.pk}")).to_have_count(0)
    expect(tick).to_be_checked()
    page.get_by_label(f"Pick order {mine.pk}", exact=True).check()
    expect(page.locator("#ticked")).to_have_text("the 2 ticked")
    assert page.evaluate("window.stayed")


def test_a_phone_shows_the_first_order_at_once_and_the_rest_behind_one_button(
    desk: Desk, opens: Opens, ana: User, orders: list[Order]
) -> None:
    """One line of controls above the tabs; all lists in three presses at most."""
    Beat.objects.create(name="here:1", started_at=timezone.now(), beat_at=timezone.now())
    page = opens(ana, "/orders/", width=NARROW)
    first = page.locator("tr.row").first.bounding_box()
    assert first
    assert first["y"] + first["height"] <= NARROW["height"] / 2
    page.locator(".tools summary", has_text="More").click()
    expect(page.get_by_role("button", name="Export as CSV")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".title-menu summary").click()
    page.get_by_role("link", name="Late", exact=True).click()
    expect(page.locator(".title-menu summary")).to_contain_text("Late")
    page.locator(".rail summary", has_text="More").click()
    page.locator(".more").get_by_role("link", name="System").click()
    expect(page.get_by_role("heading", name="System")).to_be_visible()


@pytest.mark.parametrize("size", [NARROW, ViewportSize(width=320, height=568)], ids=["phone", "small phone"])
def test_a_phone_places_an_order_without_a_long_scroll(desk: Desk, opens: Opens, ana: User, size: ViewportSize) -> None:
    """The button and what the order costs stay on the screen, wherever one is in the form."""
    service = make_service()
    page = opens(ana, f"/orders/new/?service={service.upstream_id}&quantity=1000", width=size)
    button, cost = page.get_by_role("button", name="Place order"), page.locator(".receipt .sum")
    for _ in range(2):
        expect(button).to_be_in_viewport(ratio=1)
        expect(cost).to_be_in_viewport(ratio=1)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.get_by_label("Link").fill("https://www.instagram.com/lumen.studio")
    button.click()
    page.wait_for_url(re.compile(r"/orders/\d+/"))
    assert Order.objects.get().quantity == 1000


def test_a_shared_view_is_a_teammates_tab(desk: Desk, opens: Opens, ana: User, orders: list[Order]) -> None:
    """Four presses: Save view, the tick, the button; the name is typed where the focus is."""
    page = opens(ana, "/orders/?status=completed")
    page.locator("summary", has_text="Save view").click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Done today")
    page.get_by_label("The team sees it too").check()
    page.get_by_role("button", name="Save view").click()
    mate = opens("viewer", "/orders/")
    mate.get_by_role("navigation", name="Pinned views").get_by_role("link", name="Done today").click()
    expect(mate.locator(".tabs [aria-current]")).to_contain_text("Completed")
