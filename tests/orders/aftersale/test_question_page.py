"""The page that asks before a refill, a cancel or a withdrawal, where no script asks beside the button."""

import re
from typing import Any

import pytest

from accounts.access import Role
from orders.models import Order, Task
from orders.rules.statuses import Status
from tests.makers import make_order, make_service, make_user, place_order
from tests.people import as_a

pytestmark = pytest.mark.django_db
LIST = "http://testserver/orders/?status=in_progress&sort=dearest"


@pytest.fixture
def moving() -> Order:
    return make_order(Status.IN_PROGRESS, quantity=2500, remains=1825)


def test_it_says_what_the_row_says_and_asks_for_nothing(moving: Order) -> None:
    ana = as_a(Role.OPERATOR)
    row = ana.get("/orders/").content.decode()
    page = ana.get(f"/orders/{moving.pk}/cancellation/question/", headers={"Referer": LIST}).content.decode()
    asked = (
        f"Ask to cancel order {moving.pk}? The supplier decides. What is delivered, 675 of 2,500, stays and is charged."
    )
    assert asked in row
    assert asked in page
    assert f'action="/orders/{moving.pk}/cancellation/"' in page
    assert 'href="/orders/?status=in_progress&amp;sort=dearest"' in page
    assert not Task.objects.filter(kind=Task.Kind.CANCEL).exists()


def test_a_yes_leads_back_to_the_list_and_nowhere_else(moving: Order) -> None:
    ana, question = as_a(Role.OPERATOR), f"http://testserver/orders/{moving.pk}/cancellation/question/"
    for back, leads in (
        ("/orders/?status=in_progress", "/orders/?status=in_progress"),
        ("//elsewhere.example/", "/orders/"),
        ("https://elsewhere.example/", "/orders/"),
        ("javascript:alert(1)", "/orders/"),
    ):
        answer = ana.post(f"/orders/{moving.pk}/cancellation/", {"back": back}, headers={"Referer": question})
        assert answer["Location"] == leads
    assert Task.objects.filter(kind=Task.Kind.CANCEL).count() == 1


@pytest.mark.parametrize("referer", ["", "http://[", "https://elsewhere.example/orders/"])
def test_who_comes_from_nowhere_goes_back_to_the_order(moving: Order, referer: str) -> None:
    page = as_a(Role.OPERATOR).get(f"/orders/{moving.pk}/refills/question/", headers={"Referer": referer})
    assert f'href="/orders/{moving.pk}/"' in page.content.decode()
    assert "elsewhere" not in page.content.decode()


def test_what_may_not_be_asked_for_has_its_reason_and_no_button(moving: Order) -> None:
    ana = as_a(Role.OPERATOR)
    for what, why in (("refills", "Only completed or partial orders"), ("withdrawal", "Too late to undo")):
        page = ana.get(f"/orders/{moving.pk}/{what}/question/").content.decode()
        assert why in page
        assert f'action="/orders/{moving.pk}/{what}/"' not in page


def test_no_button_of_a_row_asks_for_anything_by_itself(settings: Any) -> None:
    """Only Undo acts at once: it is itself the second thought."""
    settings.SEND_DELAY_SECONDS = 60
    service = make_service()
    for status in set(Status) - {Status.QUEUED}:
        make_order(status, service=service)
    waits = place_order(service=service, by=make_user())
    ana = as_a(Role.OPERATOR)
    pages = [
        ana.get(path).content.decode() for path in ("/orders/", *(o.get_absolute_url() for o in Order.objects.all()))
    ]
    posted = {to for page in pages for to in re.findall(r'form="act"\s+formaction="([^"]+)"', page)}
    forms = {to for page in pages for to in re.findall(r'<form[^>]+action="([^"]+)"', page)}
    assert f"/orders/{waits.pk}/withdrawal/" in posted
    costly = re.compile(r"/(refills|cancellation|withdrawal)/$")
    assert {to for to in posted | forms if costly.search(to)} == {f"/orders/{waits.pk}/withdrawal/"}


def test_a_viewer_is_asked_nothing(moving: Order) -> None:
    viewer = as_a(Role.VIEWER)
    assert viewer.get(f"/orders/{moving.pk}/cancellation/question/").status_code == 403
    assert "data-ask" not in viewer.get("/orders/").content.decode()
