"""Ordering a service on hold takes consent to the hold that was shown, through every entry point."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from catalog.changes import accept, hold, release
from catalog.models import Change, Service
from orders.models import Order
from orders.rules.refusal import Refusal
from tests.makers import make_service, make_user, place_order
from tests.orders.placing.test_order_form import LINK, filled
from tests.people import as_a, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    """A service that Mira has put on hold."""
    return put_on_hold(make_service(rate=Decimal("1.12")))


def put_on_hold(service: Service, was: str = "1") -> Service:
    """The service, put on hold by Mira over a rate that rose from `was`."""
    moved = {"rate": [was, "1.12"], "refill": [False, True]}
    change = Change.objects.create(service=service, moved=moved, at=timezone.now())
    assert hold(change.pk, by=make_user(Role.MANAGER, name="Mira"), at=timezone.now())
    service.refresh_from_db()
    return service


# ── Ordering ─────────────────────────────────────────────────────────────────────────────────────
def test_the_form_says_who_holds_the_service_and_why(operator: Client, service: Service) -> None:
    page = operator.get(f"/orders/new/?service={service.upstream_id}").content.decode()
    hold_html = page.partition('id="hold"')[2].partition("</label>")[0]
    for words in ("Mira held it", "<time", "$1.00", "$1.12", "12 %", "Refill", "Order although it is on hold"):
        assert words in hold_html


def test_the_live_receipt_shows_the_hold_of_a_service_when_it_is_chosen(operator: Client, service: Service) -> None:
    page = operator.post("/orders/new/receipt/", filled(service, despite_hold=service.held_over_id)).content.decode()
    hold_html = page.partition('id="hold"')[2]
    assert 'hx-swap-oob="true"' in hold_html
    assert " checked" in hold_html.partition("</label>")[0], "what was ticked stays ticked"
    page = operator.post("/orders/new/receipt/", filled(make_service())).content.decode()
    assert "Order although" not in page


def test_without_consent_nothing_is_ordered_and_nothing_typed_is_lost(operator: Client, service: Service) -> None:
    answer = operator.post("/orders/new/", filled(service, quantity="777"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f"Mira put service {service.upstream_id} on hold." in page
    assert f'value="{LINK}"' in page and 'value="777"' in page
    assert not Order.objects.exists()


def test_with_consent_it_is_ordered_and_the_order_says_so(operator: Client, service: Service) -> None:
    page = operator.post("/orders/new/", filled(service, despite_hold=service.held_over_id), follow=True)
    assert Order.objects.count() == 1
    assert "ordered it although the service was on hold" in page.content.decode()


def test_consent_is_to_the_hold_that_was_shown(operator: Client, service: Service) -> None:
    older = service.held_over_id
    put_on_hold(service, was="0.50")
    assert operator.post("/orders/new/", filled(service, despite_hold=older)).status_code == 422
    assert not Order.objects.exists()


@pytest.mark.parametrize("typed", ["", "on", "1e9", "\0"])
def test_nonsense_is_no_consent(operator: Client, service: Service, typed: str) -> None:
    assert operator.post("/orders/new/", filled(service, despite_hold=typed)).status_code == 422


def test_the_verb_itself_refuses_without_consent(service: Service) -> None:
    with pytest.raises(Refusal, match="on hold"):
        place_order(service=service)
    assert place_order(service=service, despite_hold=True).pk


def test_a_form_whose_order_exists_leads_to_it_even_if_the_service_is_on_hold_now(operator: Client) -> None:
    service = make_service(rate=Decimal("1.12"))
    form = filled(service)
    first = operator.post("/orders/new/", form)["Location"]
    put_on_hold(service)
    assert operator.post("/orders/new/", form)["Location"] == first


# ── Releasing ────────────────────────────────────────────────────────────────────────────────────
def test_a_manager_releases_a_hold_from_the_services_page(service: Service) -> None:
    change = service.held_over_id
    page = as_a("manager").get("/services/").content.decode()
    assert f'formaction="/services/changes/{change}/decision/" name="decision" value="released"' in page
    assert 'value="released"' not in as_a("operator").get("/services/").content.decode()
    as_a("manager").post(f"/services/changes/{change}/decision/", {"decision": "released"})
    service.refresh_from_db()
    assert service.held_over_id is None
    lifted = Change.objects.get()
    assert (lifted.decision, lifted.released_by is not None, lifted.released_at is not None) == ("held", True, True)


def test_an_operator_releases_nothing(operator: Client, service: Service) -> None:
    url = f"/services/changes/{service.held_over_id}/decision/"
    assert operator.post(url, {"decision": "released"}).status_code == 403
    service.refresh_from_db()
    assert service.held_over_id


def test_the_second_person_to_release_is_told(service: Service) -> None:
    url = f"/services/changes/{service.held_over_id}/decision/"
    as_a("manager").post(url, {"decision": "released"})
    answer = as_a("manager").post(url, {"decision": "released"}, headers=htmx())
    assert answer.status_code == 409
    assert re.search(r"Ana \d+ released it at \d\d:\d\d UTC, before you.", answer.content.decode())


def test_a_newer_hold_replaces_the_older_and_is_not_lifted_with_it(service: Service) -> None:
    older, manager = service.held_over_id, make_user(Role.MANAGER)
    put_on_hold(service, was="0.50")
    assert older is not None
    assert not release(older, by=manager, at=timezone.now())
    service.refresh_from_db()
    assert service.held_over_id not in (None, older)
    assert Change.objects.holding().count() == 1


def test_accepting_a_newer_change_lifts_the_hold(service: Service) -> None:
    since = Change.objects.create(service=service, moved={"rate": ["1.12", "1"]}, at=timezone.now())
    assert accept([since.pk], by=make_user(Role.MANAGER), at=timezone.now()) == 1
    service.refresh_from_db()
    assert service.held_over_id is None
    assert not Change.objects.holding().exists()


def test_lists_and_the_picker_say_that_a_service_is_on_hold(operator: Client, service: Service) -> None:
    for url in ("/services/", "/services/found/", "/services/changes/?view=held"):
        assert "On hold" in operator.get(url).content.decode(), url
