"""What trouble and choice look like: each state of a promise, light and dark, wide and narrow, accessible and whole."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import ViewportSize, expect

from accounts.access import Role
from accounts.models import BalanceReading
from catalog.models import Service
from orders.models import Attempt, Order, Task
from orders.placing import send_switch
from orders.rules.statuses import Status
from panel.notpanel.errors import PutOff
from panel.upstream.models import Beat
from tests.browser.conftest import Desk, Opens
from tests.browser.test_every_page import TWO_LOOKS, faults, picture
from tests.makers import make_order, make_service, make_user, place_order, sold_by

LINK = "https://www.instagram.com/lumen.studio"
NO_ANSWER, FAILED = "No answer within 30 s.", "NotPanel answered with HTTP 500."
LATER = timedelta(seconds=70)


def reading(amount: str, minutes: int) -> None:
    at = timezone.now() + timedelta(minutes=minutes)
    BalanceReading.objects.create(amount=Decimal(amount), first_asked_at=at, asked_at=at)


def for_a_look(service: Service) -> Order:
    """Asked three times; the last answer was a no."""
    order, now = make_order(Status.REVIEW, service=service, link=LINK), timezone.now()
    task = order.tasks.get()
    for number, (ending, said) in enumerate(
        (("unclear", NO_ANSWER), ("unclear", "502 Bad Gateway"), ("refused", "No"))
    ):
        began = now - timedelta(minutes=30 - number)
        Attempt.objects.create(
            task=task, began_at=began, ended_at=began + timedelta(seconds=30), ending=ending, said=said
        )
    Task.objects.filter(pk=task.pk).update(attempts=3, unclear_since=now - timedelta(minutes=30), answer="No")
    order.record(
        "review", why="upstream refused a repeat after a lost answer, so the order may exist there.", said="No"
    )
    return order


@pytest.fixture
def states(desk: Desk, settings: Any) -> dict[str, Order]:
    """One order in each kind of trouble, the newest on top."""
    now = timezone.now()
    Beat.objects.create(name="here:1", started_at=now, beat_at=now)
    service = make_service(dripfeed=True)
    reading("212.40", -60)
    review = for_a_look(service)
    for_a_look(make_service())
    reading("0.41", -5)
    lost = make_order(service=service, link=LINK)
    lost.tasks.update(attempts=2, unclear_since=now, answer=NO_ANSWER, due_at=now + timedelta(seconds=40))
    failed = make_order(service=service, link=LINK)
    failed.tasks.update(attempts=1, unclear_since=now, answer=FAILED, due_at=now + timedelta(seconds=14))
    Attempt.objects.create(
        task=failed.tasks.get(), began_at=now, ended_at=now, ending="unclear", said=f"{FAILED} Internal server error"
    )
    put_off = make_order(service=service, link=LINK)
    put_off.tasks.update(answer=str(PutOff("System is under maintenance, try again later")), due_at=now + LATER)
    short = make_order(service=service, link=LINK)
    short.tasks.update(attempts=1, needs=Decimal("0.90"), answer="Insufficient balance")
    comments = place_order(
        service=make_service(type="Custom Comments", name="Instagram Comments"), link=LINK, quantity=60,
        fields={"comments": "\n".join(["So calm, love this.", "Where was this taken?", "مرحبا"] * 20)},
    )  # fmt: skip
    missing = make_order(Status.IN_PROGRESS, service=service, link=LINK, left_out=4, missing_since=now, reported_at=now)
    settings.SEND_DELAY_SECONDS = 600
    return {
        "review": review,
        "missing": missing,
        "failed": failed,
        "put-off": put_off,
        "short": short,
        "comments": comments,
        "undo": make_order(service=service, link=LINK),
    }


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), TWO_LOOKS, ids=["wide", "narrow-dark"])
def test_each_state_is_accessible_and_within_its_borders(
    desk: Desk, opens: Opens, states: dict[str, Order], width: ViewportSize, dark: bool
) -> None:
    boss, found = make_user(Role.MANAGER, name="Bo"), list[str]()
    page = opens(boss, "/orders/", width=width, dark=dark)

    def looks(name: str) -> None:
        found.extend(faults(page, name))
        picture(page, f"state-{name}")

    looks("rows")
    page.locator("summary", has_text="Stop sending").click()
    looks("stop-menu")
    for name, path in pages(states):
        page.goto(desk.url + path)
        if name == "comments":
            page.get_by_text("Show all 60").click()
        looks(name)
    send_switch.stop("Prices look wrong since noon; I am asking the supplier.", by=boss)
    page.goto(desk.url + "/orders/")
    looks("stopped")
    page.goto(desk.url + f"/orders/{states['undo'].pk}/")
    looks("stopped-order")
    assert not found, "\n".join(found)


def pages(states: dict[str, Order]) -> Iterator[tuple[str, str]]:
    yield "needs-a-look", "/orders/?status=review"
    for name, order in states.items():
        yield name, f"/orders/{order.pk}/"
    drip = states["undo"].service
    asked = f"service={drip.upstream_id}&link={LINK}&quantity=100&runs=10&interval=30"
    yield "form-drip", f"/orders/new/?{asked}"
    yield "form-short", f"/orders/new/?service={drip.upstream_id}&link=@someone.else&quantity=5000&send_when_funded=0"


@pytest.mark.slow
def test_a_row_keeps_its_height_when_its_order_is_sent(desk: Desk, opens: Opens, settings: Any) -> None:
    settings.SEND_DELAY_SECONDS = 600
    order = place_order(service=sold_by(desk.phone))
    page = opens("operator", "/orders/")
    row = page.locator(f"#order-{order.pk}")
    expect(row.get_by_role("button", name="Undo")).to_be_visible()
    tall = row.bounding_box()
    order.tasks.update(due_at=timezone.now())
    desk.work()
    expect(row.get_by_role("button", name="Undo")).to_have_count(0)
    sent = row.bounding_box()
    assert tall and sent and tall["height"] == sent["height"]


@pytest.mark.parametrize("width", [320, 390, 820, 1440])
def test_the_stop_menu_stays_on_the_screen(desk: Desk, opens: Opens, width: int) -> None:
    """What reaches beyond the left edge makes no page scroll, so no other test sees it."""
    page = opens("manager", "/orders/", width={"width": width, "height": 800})
    page.locator("summary", has_text="Stop sending").click()
    box = page.locator(".drop-form").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
