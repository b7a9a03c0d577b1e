"""From a draft to a plan whose part the worker sends to the supplier, as a person sees it; also without a script."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import ViewportSize, expect

from catalog.models import Service
from orders.models import Order, PlanPart
from panel.worker.recurring import create_rows
from tests.browser.conftest import NARROW, WIDE, Desk, Opens
from tests.browser.test_every_page import faults
from tests.makers import make_user, sold_by
from tests.orders.mass.lists import pasted


@pytest.mark.parametrize(("script", "width"), [(True, WIDE), (False, NARROW)])
def test_a_draft_becomes_a_plan_and_the_worker_sends_its_first_part(
    desk: Desk, opens: Opens, script: bool, width: ViewportSize
) -> None:
    ana, service = make_user(name="Ana"), sold_by(desk.phone)
    assert isinstance(service, Service)
    where = f"{service.upstream_id} | https://example.com"
    draft = pasted(f"{where}/a | 1000\n{where}/b | 1000", ana)
    page = opens(ana, draft.get_absolute_url(), script=script, width=width)
    page.get_by_role("button", name=re.compile("^Yes to all")).click()
    page.get_by_role("link", name="Send in parts").click()
    page.get_by_label("Lines in a part").fill("0")
    page.get_by_role("button", name="Show the parts").click()
    expect(page.locator("#id_part_lines_error")).to_have_text("At least 1.")
    page.get_by_label("Lines in a part").fill("1")
    page.get_by_label("First part at").fill(f"{timezone.now() + timedelta(days=1):%Y-%m-%dT09:00}")
    page.get_by_role("button", name="Show the parts").click()
    expect(page.get_by_role("heading", name="2 parts")).to_be_visible()
    assert not (script and [*faults(page, "schedule")])
    page.get_by_role("button", name="Plan 2 orders").click()
    expect(page.get_by_role("heading", name=re.compile("2 lines in 2 parts"))).to_be_visible()
    assert desk.upstream.calls("add") == 0
    now = timezone.now()
    PlanPart.objects.filter(number=1).update(due_at=now, next_at=now)
    create_rows(now)
    desk.work()
    assert desk.upstream.calls("add") == Order.objects.count() == 1
    page.reload()
    expect(page.get_by_role("link", name=re.compile(r"^List \d+$"))).to_be_visible()
    page.get_by_role("button", name="Stop the plan").click()
    expect(page.get_by_text("Nothing more of it is placed")).to_be_visible()
    assert not (script and [*faults(page, "plan")])
    page.get_by_role("button", name="Drop what is to come").click()
    expect(page.locator("#p2 .pl-st")).to_have_text("dropped")
