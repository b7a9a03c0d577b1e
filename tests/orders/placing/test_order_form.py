"""The order form: what is wrong stands beside the field, nothing typed is lost, and one form is one order."""

import re
import time
import uuid
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import BalanceReading, DeskSession, User
from catalog.models import Service
from orders.models import Order
from tests.makers import PASSWORD, make_order, make_service, make_user, place_order
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db
LINK = "https://instagram.com/lumen.studio"


@pytest.fixture
def service() -> Service:
    return make_service(minimum=50, maximum=10_000)


def filled(service: Service, /, **typed: object) -> dict[str, str]:
    """The fields of a form without errors, but for what is `typed`."""
    fields = {"service": service.upstream_id, "link": LINK, "quantity": 1000, "token": uuid.uuid4(),
              "seen": service.as_seen, **typed}  # fmt: skip
    return {name: str(value) for name, value in fields.items()}


def test_a_right_form_leads_to_the_orders_page(operator: Client, service: Service) -> None:
    answer = operator.post("/orders/new/", filled(service), follow=True)
    order = Order.objects.get()
    assert answer.redirect_chain == [(f"/orders/{order.pk}/", 302)]
    assert f"Order {order.pk}" in answer.content.decode().replace("<b>", "").replace("</b>", "")


def test_sent_three_times_it_is_one_order_and_one_page(operator: Client, service: Service) -> None:
    form = filled(service)
    answers = [operator.post("/orders/new/", form)["Location"] for _ in range(3)]
    assert len(set(answers)) == 1
    assert Order.objects.count() == 1


def test_somebody_elses_form_is_not_answered_with_their_order(operator: Client, service: Service) -> None:
    form = filled(service)
    operator.post("/orders/new/", form)
    answer = as_a("operator").post("/orders/new/", form)
    assert answer.status_code == 422
    assert Order.objects.count() == 1


def test_the_same_form_with_something_else_in_it_is_not_swallowed(operator: Client, service: Service) -> None:
    """Back, another link, Place: the page was kept by the browser, and its token with it."""
    form = filled(service)
    operator.post("/orders/new/", form)
    answer = operator.post("/orders/new/", {**form, "link": "https://instagram.com/another"})
    assert answer.status_code == 422
    assert f"This form already became order {Order.objects.get().pk}" in answer.content.decode()


def test_each_form_has_a_token_of_its_own(operator: Client) -> None:
    tokens = {
        re.findall(r'name="token" value="([^"]+)"', operator.get("/orders/new/").content.decode())[0] for _ in "12"
    }
    assert len(tokens) == 2


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"service": ""}, "Choose a service."),
        ({"service": "99999999"}, "There is no such service."),
        ({"service": "abc"}, "There is no such service."),
        ({"link": ""}, "Where shall it be delivered?"),
        ({"link": "lumen"}, "beginning with https://"),
        ({"link": "javascript:alert(1)"}, "Only links that begin with https://"),
        ({"link": "https://user:secret@instagram.com/x"}, "user name or password"),
        ({"link": "https://instagram.com/a b"}, "a blank or an invisible character"),
        ({"link": "https://instagram.com/\u202ex"}, "a blank or an invisible character"),
        ({"link": "https://[x"}, "not a link"),
        ({"link": "https://instagram.com/" + "a" * 1000}, "up to 1000 characters; this one has 1022"),
        ({"quantity": ""}, "How many?"),
        ({"quantity": "lots"}, "as a whole number"),
        ({"quantity": "-5"}, "as a whole number"),
        ({"quantity": "1e3"}, "as a whole number"),
        ({"quantity": "٣٠٠"}, "as a whole number"),
        ({"quantity": "9" * 40}, "as a whole number"),
        ({"quantity": "49"}, "At least 50 for this service; 49 is too few."),
        ({"quantity": "10,001"}, "At most 10,000 for this service; 10,001 is too many."),
        ({"token": ""}, "Load the page again."),
        ({"token": "x"}, "Load the page again."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    operator: Client, service: Service, typed: dict[str, str], sentence: str
) -> None:
    form = filled(service, **typed)
    answer = operator.post("/orders/new/", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert f'value="{form["quantity"]}"' in page or not form["quantity"]
    assert not Order.objects.exists()


def test_the_service_stays_chosen_when_something_else_is_wrong(operator: Client, service: Service) -> None:
    page = operator.post("/orders/new/", filled(service, quantity="")).content.decode()
    assert re.search(rf'<input[^>]*value="{service.upstream_id}"[^>]*checked', page)
    assert f'value="{LINK}"' in page


def test_a_service_that_went_away_meanwhile_is_said(operator: Client, service: Service) -> None:
    form = filled(service)
    Service.objects.update(active=False)
    assert "no longer sells service" in operator.post("/orders/new/", form).content.decode()


def test_a_package_needs_no_quantity(operator: Client) -> None:
    package = make_service(type="Package", minimum=1, maximum=1)
    operator.post("/orders/new/", filled(package, quantity=""))
    assert Order.objects.get().quantity == 1


def test_the_address_opens_it_filled_in(operator: Client, service: Service) -> None:
    page = operator.get(f"/orders/new/?service={service.upstream_id}&quantity=77").content.decode()
    assert re.search(rf'<input[^>]*value="{service.upstream_id}"[^>]*checked', page)
    assert 'value="77"' in page


def test_searching_without_a_script_keeps_what_was_typed(operator: Client, service: Service) -> None:
    make_service(name="YouTube Views")
    answer = operator.post("/orders/new/", {**filled(service, quantity="500"), "q": "youtube", "search": "1"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert not Order.objects.exists()
    assert "YouTube Views" in page
    assert f'value="{LINK}"' in page


def test_the_receipt_says_what_it_would_cost(operator: Client, service: Service) -> None:
    page = operator.get(
        "/orders/new/receipt/", {"service": str(service.upstream_id), "quantity": "2000"}
    ).content.decode()
    assert "$1.80" in page


@pytest.mark.parametrize("currency", ["USD", ""])
def test_the_receipt_says_what_is_left_of_the_balance(operator: Client, service: Service, currency: str) -> None:
    """A balance without a currency counts as dollars, as it does in the bar."""
    now = timezone.now()
    BalanceReading.objects.create(amount=Decimal("20.10"), currency=currency, first_asked_at=now, asked_at=now)
    typed = {"service": str(service.upstream_id), "quantity": "2000"}
    page = operator.get("/orders/new/receipt/", typed).content.decode()
    assert re.search(r"Balance after.{1,40}\$18\.30", page)


def test_the_receipt_survives_nonsense(operator: Client) -> None:
    for query in ("", "service=x&quantity=y", f"service={9**40}", "service=1&quantity=%00"):
        assert operator.get(f"/orders/new/receipt/?{query}").status_code == 200


def test_a_viewer_has_no_form(service: Service) -> None:
    viewer = as_a("viewer")
    assert viewer.get("/orders/new/").status_code == 403
    assert viewer.post("/orders/new/", filled(service)).status_code == 403
    assert not Order.objects.exists()


def test_the_order_page_shows_the_request_id(operator: Client) -> None:
    order = make_order("completed")
    assert str(order.request_id) in operator.get(f"/orders/{order.pk}/").content.decode()


def test_the_receipt_says_why_there_is_no_price(operator: Client, service: Service) -> None:
    page = operator.get("/orders/new/receipt/", {"service": str(service.upstream_id), "quantity": "3"}).content.decode()
    assert "At least 50 for this service; 3 is too few." in page


def test_only_what_is_sold_is_offered(operator: Client, service: Service) -> None:
    gone = make_service(active=False, name="Gone")
    page = operator.get("/services/found/").content.decode()
    assert service.name in page
    assert gone.name not in page


def test_sent_again_after_the_service_went_away_it_still_leads_to_its_order(operator: Client, service: Service) -> None:
    form = filled(service)
    first = operator.post("/orders/new/", form)["Location"]
    Service.objects.update(active=False, rate="7", minimum=5000)
    assert operator.post("/orders/new/", form)["Location"] == first


def test_the_receipt_says_what_the_service_allows_later(operator: Client) -> None:
    service = make_service(refill=False, cancel=True)
    page = operator.get("/orders/new/receipt/", {"service": str(service.upstream_id)}).content.decode()
    assert "<dt>Later: refill</dt><dd>no</dd>" in page
    assert "<dt>Later: cancel</dt><dd>yes, also in flight</dd>" in page


def test_the_receipt_comes_by_post_too_so_that_a_link_stands_in_no_address(operator: Client, service: Service) -> None:
    page = operator.post("/orders/new/receipt/", filled(service, link="@lumen.studio")).content.decode()
    assert "https://instagram.com/lumen.studio" in page
    assert not Order.objects.exists()


# ── A session that ended in mid-form ─────────────────────────────────────────────────────────────
def proof(page: str) -> str:
    return re.findall(r'name="made_for" value="([^"]+)"', page)[0]  # type: ignore[no-any-return]


def sign_in(client: Client, user: User, login_url: str) -> str:
    """Signs in by the sign-in page, as a person does, and returns the page that it leads to."""
    query = parse_qs(urlsplit(login_url).query)
    credentials = {"login": user.username, "password": PASSWORD, "next": query["next"][0]}
    page: str = client.post("/accounts/login/", credentials, follow=True).content.decode()
    return page


def test_a_session_that_ended_in_mid_form_leads_back_to_the_filled_form(service: Service) -> None:
    user, form = make_user(), filled(service, quantity="777", coupon="SANDBOX10")
    form["made_for"] = proof(as_user(user).get("/orders/new/").content.decode())
    stranger = Client()
    answer = stranger.post("/orders/new/", form)
    assert "secret" not in answer["Location"] and "lumen" not in answer["Location"]
    page = sign_in(stranger, user, answer["Location"])
    for typed in (LINK, "777", "SANDBOX10", form["token"]):
        assert f'value="{typed}"' in page
    assert re.search(rf'<input[^>]*value="{service.upstream_id}"[^>]*checked', page)
    assert not Order.objects.exists()


def test_what_one_person_typed_is_not_shown_to_another_who_signs_in(service: Service) -> None:
    form = filled(service, quantity="777")
    form["made_for"] = proof(as_a("operator").get("/orders/new/").content.decode())
    stranger = Client()
    answer = stranger.post("/orders/new/", form)
    page = sign_in(stranger, make_user(), answer["Location"])
    assert LINK not in page and 'value="777"' not in page


def test_a_form_that_was_made_for_nobody_is_not_kept(service: Service) -> None:
    stranger = Client()
    answer = stranger.post("/orders/new/", filled(service, made_for="forged"))
    assert "kept" not in answer["Location"]
    assert not DeskSession.objects.exists()


def test_a_form_proves_whom_it_was_made_for_a_day_long(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    made_for = proof(as_a("operator").get("/orders/new/").content.decode())
    now = time.time()
    for hours, kept in ((23, True), (25, False)):
        monkeypatch.setattr("django.core.signing.time.time", lambda then=now + hours * 3600: then)
        answer = Client().post("/orders/new/", filled(service, made_for=made_for))
        assert ("kept" in answer["Location"]) == kept


def test_one_person_has_only_so_many_kept_forms(service: Service) -> None:
    """A proof may be stolen: without a cap, whoever has it could fill the database."""
    made_for = proof(as_a("operator").get("/orders/new/").content.decode())
    answers = [Client().post("/orders/new/", filled(service, made_for=made_for)) for _ in range(25)]
    assert ["kept" in answer["Location"] for answer in answers] == [True] * 20 + [False] * 5
    assert DeskSession.objects.filter(user=None).count() == 20


def test_a_form_that_a_script_brought_back_orders_nothing(operator: Client, service: Service) -> None:
    answer = operator.post("/orders/new/", filled(service, keep="1"))
    assert answer.status_code == 200
    assert f'value="{LINK}"' in answer.content.decode()
    assert not Order.objects.exists()


def test_the_same_again_is_filled_in_and_nothing_is_ordered() -> None:
    service = make_service(type="Custom Comments", minimum=1)
    user = make_user()
    fields = {"comments": "Nice!\n<b>Great</b>"}
    order = place_order(by=user, service=service, quantity=2, fields=fields, coupon="SPRING")
    page = as_user(make_user()).get(f"/orders/new/?like={order.pk}").content.decode()
    assert "Nice!\n&lt;b&gt;Great&lt;/b&gt;</textarea>" in page
    assert order.link in page
    assert "SPRING" not in page  # a coupon is asked for anew
    assert Order.objects.count() == 1


def test_the_same_again_of_an_order_that_is_not_there_is_an_empty_form() -> None:
    assert as_a("operator").get("/orders/new/?like=99999999999999999999").status_code == 200
