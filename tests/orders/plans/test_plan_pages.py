"""The pages of plans over HTTP: the schedule, the parts with what came of them, and who may do what there."""

import pytest
from django.test import Client

from accounts.access import Role
from accounts.models import User
from catalog.models import Service
from orders.models import MassDraft, Plan
from orders.plans.due import LATEST
from tests.makers import make_service, make_user
from tests.orders.customers.shops import make_customer
from tests.orders.mass.lists import lines_for, pasted
from tests.orders.plans.plans import TOMORROW, part_of, planned, time_comes
from tests.people import as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return make_service(upstream_id=149, name="Instagram Likes", category="Instagram › Likes", minimum=50)


@pytest.fixture
def ana() -> User:
    return make_user(name="Ana")


@pytest.fixture
def browser(ana: User) -> Client:
    return as_user(ana)


def text_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


def test_the_schedule_offers_the_customers_zone_and_shows_each_part_before_it_is_made(
    browser: Client, service: Service, ana: User
) -> None:
    make_customer("<Harbour>", time_zone="Asia/Kathmandu")
    lines = "\n".join(f"149 | https://instagram.com/p/A{n}bcd | 100 | <harbour>" for n in range(3))
    address = f"{pasted(lines, ana).get_absolute_url()}plan/"
    page = text_of(browser, address)
    assert 'value="Asia/Kathmandu"' in page
    assert "It is that of &lt;Harbour&gt;, unless you choose another" in page
    form = {
        "first": "2000-01-01T09:00",
        "zone": "Berlin",
        "part_lines": "2",
        "every": "3",
        "unit": "hours",
        "make": "1",
    }
    answer = browser.post(address, form)
    assert (answer.status_code, "This time has been already." in answer.content.decode()) == (422, True)
    stale = browser.post(address, {**form, "first": "2099-01-01T09:00"})
    assert "in more than a year" in stale.content.decode()
    assert not Plan.objects.exists()


def test_a_press_makes_the_plan_once_and_leads_to_it(browser: Client, service: Service, ana: User) -> None:
    draft = pasted(lines_for(service, 3), ana)
    address = f"{draft.get_absolute_url()}plan/"
    first = f"{draft.changed_at + TOMORROW:%Y-%m-%dT09:00}"
    form = {"first": first, "zone": "Berlin", "part_lines": "2", "every": "3", "unit": "hours"}
    shown = browser.post(address, {**form, "show": "1"}).content.decode()
    assert '<h2 id="parts">2 parts</h2>' in shown
    assert not Plan.objects.exists()
    assert browser.post(address, {**form, "make": "1", "seen": "x"}).status_code == 422
    mark = shown.split('name="seen" value="')[1].split('"')[0]
    answer = browser.post(address, {**form, "make": "1", "seen": mark})
    plan = Plan.objects.get()
    assert (answer["Location"], plan.zone, plan.parts.count()) == (plan.get_absolute_url(), "Europe/Berlin", 2)
    assert browser.post(address, {**form, "make": "1", "seen": mark})["Location"] == plan.get_absolute_url()
    assert browser.get(address)["Location"] == plan.get_absolute_url()
    assert as_user(make_user()).get(address).status_code == 404


def test_a_plan_shows_what_waits_and_why_and_colleagues_may_take_it_over(
    browser: Client, service: Service, ana: User
) -> None:
    plan = planned(lines_for(service, 2), ana, unit="hours")
    time_comes(plan, 1, LATEST + TOMORROW)
    page = plan.get_absolute_url()
    assert "1 line waits for a person.</b> It was due at" in text_of(browser, page)
    assert f'href="/orders/mass/drafts/{part_of(plan).rest}/"' in text_of(browser, page)
    tomas, viewer = as_user(make_user(name="Tomás")), as_user(make_user(Role.VIEWER))
    assert "Ana has it as a list that is not placed yet." in text_of(tomas, page)
    for text in ("Check it", "Leave unordered", "Stop the plan"):
        assert text not in text_of(viewer, page)
    assert "Ana has these lines open" in tomas.post(f"{page}parts/1/", follow=True).content.decode()
    User.objects.filter(pk=ana.pk).update(is_active=False)
    answer = tomas.post(f"{page}parts/1/")
    draft = MassDraft.objects.get(pk=part_of(plan).rest)
    assert (answer["Location"], draft.owner.name) == (draft.get_absolute_url(), "Tomás")
    tomas.post(f"{page}parts/2/", {"then": "leave"})
    assert (part_of(plan, 1).left, part_of(plan, 2).left) == (1, 0)
    assert "instagram.com/p/A0bcdEf" in text_of(viewer, f"{page}?part=1")
    assert tomas.post(f"{page}parts/9/").status_code == 404
    assert "needs a person" in text_of(viewer, "/orders/plans/")


def test_stop_go_on_and_drop_are_presses(browser: Client, service: Service, ana: User) -> None:
    plan = planned(lines_for(service, 2), ana)
    page = plan.get_absolute_url()
    for then, words in (("stop", "The plan is stopped."), ("go", "The plan goes on."), ("drop", "is dropped.")):
        said = browser.post(f"{page}going/", {"then": then}, HTTP_REFERER=f"http://testserver{page}", follow=True)
        assert words in said.content.decode()
    assert "No part of this plan is still to come." in browser.post(f"{page}going/", follow=True).content.decode()


def test_a_customers_zone_is_typed_by_its_city_and_may_be_empty(browser: Client) -> None:
    customer = make_customer("Harbour")
    address = f"/customers/{customer.pk}/change/"
    for typed, kept in (("new york", "America/New_York"), ("", ""), ("UTC", "UTC")):
        assert browser.post(address, {"name": "Harbour", "time_zone": typed}).status_code == 302
        customer.refresh_from_db()
        assert customer.time_zone == kept
    wrong = browser.post(address, {"name": "Harbour", "time_zone": "Nowhere"})
    assert (wrong.status_code, "does not know this time zone" in wrong.content.decode()) == (422, True)
