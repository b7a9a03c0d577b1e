"""Activity in a browser: filters by hand, an entry with its details, and the chain when it is broken."""

from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.access import Role
from accounts.models import ChainHead
from accounts.trail import watch
from accounts.trail.record import record_change
from tests.browser.conftest import NARROW, WIDE, Desk
from tests.makers import make_order, make_user
from tests.tampering import past_the_desk, seal_everything


def test_filters_lead_to_the_entry_and_its_details(desk: Desk, page: Page) -> None:
    owner, mira = make_user(Role.OWNER, name="Olivia Hartmann"), make_user(Role.MANAGER, name="Mira Kovács")
    order = make_order("completed", by=owner)
    order.record("moved", was="Pending", to="Completed")
    order.record("noted", by=owner, text="They paid twice.")
    line = record_change("service_held", by=mira, thing="service", thing_id=order.service.pk, label="149",
                         before={"sale": "on sale"}, after={"sale": "held"}, reason="Too dear")  # fmt: skip
    seal_everything()
    desk.sign_in(page.context, owner)
    page.set_viewport_size(WIDE)
    page.goto(f"{desk.url}/activity/")
    expect(page.get_by_text("They paid twice.")).to_be_visible()
    expect(page.get_by_text("became")).to_have_count(0)
    page.get_by_label("Done by").select_option("Everything")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("became")).to_be_visible()
    page.get_by_label("Notes and assignment").check()
    page.get_by_label("Prices and services").check()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("became")).to_have_count(0)
    expect(page.get_by_text("They paid twice.")).to_be_visible()
    page.get_by_role("link", name="Remove: kind Notes and assignment").click()
    page.get_by_label("Who", exact=True).select_option("Mira Kovács")
    page.get_by_label("About").fill("service 149")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Remove: about service 149").click()
    expect(page.get_by_role("row").filter(has_text="held service")).to_contain_text("was on sale is now held")
    page.get_by_role("link", name=f"Details of entry {line.pk}").click()
    expect(page.get_by_text("Too dear")).to_be_visible()
    expect(page.get_by_text("in the chain", exact=True)).to_be_visible()
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing stands out at the side"
    page.get_by_text("Filters, 3 in use").click()
    expect(page.get_by_label("From")).to_be_visible()


def test_a_broken_chain_is_red_for_owners_and_says_what_to_do(desk: Desk, page: Page) -> None:
    owner = make_user(Role.OWNER, name="Olivia Hartmann")
    line = record_change("sync_asked", by=owner)
    seal_everything()
    assert ChainHead.objects.get().lines
    with past_the_desk() as cursor:
        cursor.execute("UPDATE accounts_trailline SET label = 'x' WHERE id = %s", [line.pk])
    watch.verify_piece(timezone.now())
    desk.sign_in(page.context, owner)
    page.goto(f"{desk.url}/activity/")
    alert = page.get_by_role("alert").filter(has_text="The chain breaks at entry")
    expect(alert).to_contain_text(f"Line {line.pk} was changed")
    alert.get_by_role("link", name=f"Look at entry {line.pk}").click()
    expect(page.get_by_text("asked to read the catalog now.")).to_be_visible()
    page.get_by_role("link", name="What to do now").click()
    expect(page.get_by_role("heading", name="What to do now")).to_be_visible()
