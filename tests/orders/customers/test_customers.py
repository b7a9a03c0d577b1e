"""The register of customers: added once, changed, found by typing, and named by an order."""

import csv
import io
import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from django.test import Client

from accounts.access import Role
from accounts.models import TrailLine
from orders.answers.edit import text_row
from orders.customers.change import Details, add_customer, add_payment, change_customer, set_customer
from orders.customers.find import find_customer
from orders.models import Customer, Order, Payment
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.statistics.customer_sums import sums_of
from panel.format.money import stored
from panel.notpanel.client import Client as Phone
from tests.accounts.roles.switched import switch
from tests.makers import make_order, make_service, make_user, sold_by
from tests.orders.customers.shops import make_customer, pay, rule_for_all, sold_to
from tests.orders.placing.test_order_form import filled
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db


# ── The register ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("twice", ["Northside Gym", "northside  gym", "NORTHSIDE GYM ", "Nórthside Gym"])
def test_a_name_is_in_the_register_once_in_whatever_letters(twice: str) -> None:
    make_customer("Northside Gym")
    with pytest.raises(Refusal, match="There is a customer called “Northside Gym” already"):
        make_customer(twice)
    assert Customer.objects.count() == 1


def test_a_form_with_a_name_that_is_taken_keeps_what_was_typed(operator: Client) -> None:
    make_customer("Northside Gym")
    answer = operator.post("/customers/new/", {"name": "northside gym", "contact": "@north", "note": "Calls at noon."})
    page = answer.content.decode()
    assert answer.status_code == 422 and "There is a customer called “Northside Gym” already." in page
    assert "@north" in page and "Calls at noon." in page


def test_a_customer_is_added_and_changed_and_the_trail_has_no_word_of_it(operator: Client) -> None:
    operator.post("/customers/new/", {"name": "Northside Gym", "contact": "@north", "language": "de"})
    customer = Customer.objects.get()
    operator.post(f"/customers/{customer.pk}/change/", {"name": "Southside Gym", "contact": "@south", "language": "es",
                                                        "note": "Ask for Lina.", "credit_limit": "500"})  # fmt: skip
    customer.refresh_from_db()
    assert (customer.name, customer.contact, customer.language) == ("Southside Gym", "@south", "es")
    assert customer.credit_limit == 500
    lines = [*TrailLine.objects.filter(thing="customer")]
    assert [line.kind for line in lines] == ["customer_changed", "customer_added"]
    kept = " ".join(f"{line.label} {line.facts} {line.before} {line.after}" for line in lines)
    for word in ("side", "@north", "@south", "Lina", "Ask"):
        assert word not in kept
    assert "the name, the contact, the note, the language, the credit limit of customer" in lines[0].sentence.plain
    assert lines[0].after["language"] == "es" and lines[0].after["credit_limit"] == "$500.00"


def test_saving_what_was_there_already_changes_nothing() -> None:
    customer = make_customer(contact="@north")
    assert not change_customer(customer, Details.of(customer), by=make_user())
    assert TrailLine.objects.filter(kind="customer_changed").count() == 0


@pytest.mark.parametrize(
    ("sent", "why"),
    [({"name": ""}, "Write the customer’s name."), ({"name": "\u200b"}, "Write the customer’s name."),
     ({"name": "x" * 101}, "At most 100 characters; these are 101."),
     ({"name": "Shop", "credit_limit": "lots"}, "Write a number, such as 20"),
     ({"name": "Shop", "language": "klingon"}, "This language cannot be chosen.")],
)  # fmt: skip
def test_what_is_wrong_with_a_customer_stands_beside_its_field(
    operator: Client, sent: dict[str, str], why: str
) -> None:
    answer = operator.post("/customers/new/", sent)
    assert answer.status_code == 422 and why in answer.content.decode()
    assert not Customer.objects.exists()


def test_the_register_is_searched_by_name_and_contact_and_no_address_has_the_words(operator: Client) -> None:
    make_customer("Northside Gym", contact="@north")
    make_customer("Harbour Coffee", contact="lina@harbour.example")
    for typed, found, other in (("NORTH", "Northside", "Harbour"), ("lina", "Harbour", "Northside")):
        answer = operator.post("/customers/", {"q": typed})
        assert answer.status_code == 200
        assert found in answer.content.decode() and other not in answer.content.decode()
    assert "No customer has this in name or contact" in operator.post("/customers/", {"q": "zzz"}).content.decode()


def test_the_register_is_read_page_by_page_in_as_many_queries(
    operator: Client, django_assert_max_num_queries: object
) -> None:
    by = make_user()
    for number in range(53):
        make_customer(f"Shop {number:03}", by=by)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        page = operator.get("/customers/").content.decode()
    assert page.count('class="cu-name"') == 51 and "Shop 049" in page and "Shop 050" not in page
    last = Customer.objects.get(name="Shop 049")
    further = operator.get(f"/customers/?after={last.pk}").content.decode()
    assert "Shop 050" in further and "Shop 049" not in further


def test_viewers_see_no_customer_anywhere() -> None:
    order = sold_to(make_customer("Northside Gym"), "INV-2231")
    viewer = as_a(Role.VIEWER)
    for path in ("/customers/", f"/customers/{order.customer_id}/", f"/orders/?customer={order.customer_id}"):
        assert viewer.get(path).status_code == 403
    page = viewer.get(f"/orders/{order.pk}/").content.decode()
    assert "Northside" not in page and "customer-names" not in page
    assert "customer" not in viewer.post("/orders/export/", {"format": "csv"}).getvalue().decode().split("\n")[0]


def test_who_may_not_see_customers_learns_no_name_from_the_form() -> None:
    make_customer("Northside Gym")
    switch(operator_customers=False)
    client = as_a(Role.OPERATOR)
    service = make_service()
    typed = filled(service, customer="Nortside Gym", customer_reference="INV-1")
    for path in ("/orders/new/receipt/", "/orders/new/"):
        assert "Northside" not in client.post(path, typed, follow=True).content.decode()
    assert Order.objects.get().customer is None
    assert client.get("/customers/").status_code == client.post("/customers/found/", {}).status_code == 403


def test_a_credit_limit_is_agreed_to_by_who_sees_no_sum() -> None:
    rule_for_all()
    make_customer("Northside Gym", credit_limit=Decimal(1))
    switch(operator_money=False)
    typed = filled(make_service(), customer="Northside Gym")
    page = as_a(Role.OPERATOR).post("/orders/new/receipt/", typed).content.decode()
    assert "Above the credit limit of <bdi>Northside Gym</bdi>" in page and "1.35" not in page and "$" not in page


# ── An order for somebody ────────────────────────────────────────────────────────────────────────
def test_an_order_names_a_customer_and_nothing_of_it_goes_upstream(
    operator: Client, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads the body that was sent."""
    sent: list[str] = []
    send = requests.Session.send

    def recording(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        sent.append(f"{request.url} {request.headers} {request.body!r}")
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", recording)
    make_customer("Northside Gym", contact="@north")
    service = sold_by(phone)
    rule_for_all()
    typed = filled(service, customer="northside gym", customer_reference="INV-2231")
    assert operator.post("/orders/new/", typed).status_code == 302
    order = Order.objects.get()
    assert (str(order.customer), order.customer_reference) == ("Northside Gym", "INV-2231")
    assert order.sold_for == stored(order.expected_charge * 3 / 2), "frozen when it was placed"
    sent.clear()
    assert submit_one(phone)
    order.refresh_from_db()
    assert order.upstream_id and len(sent) == 1 and "add" in sent[0]
    for word in ("Northside", "north", "INV-2231", "INV", "customer", "sold", f"{order.sold_for.normalize():f}"):
        assert word not in sent[0]


def test_a_name_that_nobody_has_is_a_sentence_and_adds_nobody(operator: Client) -> None:
    make_customer("Northside Gym")
    answer = operator.post("/orders/new/", filled(make_service(), customer="Nortside Gym"))
    page = answer.content.decode()
    assert answer.status_code == 422 and "No customer is called “Nortside Gym”. Did you mean “Northside Gym”?" in page
    assert 'value="Nortside Gym"' in page
    with pytest.raises(Refusal, match="Add them under Customers first, or leave it empty"):
        find_customer("Zebra")
    assert Customer.objects.count() == 1 and not Order.objects.exists()


def test_whom_an_order_is_for_is_changed_afterwards_and_its_price_stays(operator: Client) -> None:
    rule_for_all()
    order, customer = sold_to(None), make_customer("Northside Gym")
    rule_for_all("100")
    answer = operator.post(f"/orders/{order.pk}/customer/", {"customer": "Northside Gym", "reference": "INV-1"})
    assert answer.status_code == 302
    order.refresh_from_db()
    assert (order.customer, order.customer_reference, order.sold_for) == (customer, "INV-1", Decimal("1.35"))
    said = " ".join(event.sentence.plain for event in order.events.all())
    assert f"wrote down whom this order is for: customer {customer.pk}." in said
    assert "Northside" not in said and "INV-1" not in said
    refused = operator.post(f"/orders/{order.pk}/customer/", {"customer": "Zebra", "reference": "INV-2"})
    assert refused.status_code == 422 and 'value="INV-2"' in refused.content.decode()
    assert "No customer is called “Zebra”." in refused.content.decode()


def test_an_order_is_found_by_its_reference_in_the_search_and_by_filters(operator: Client) -> None:
    customer = make_customer("Northside Gym")
    order, other = sold_to(customer, "INV-2231-3"), sold_to(None)
    assert set_customer(order, customer, "INV-2231-4", by=make_user())

    def shown(query: str) -> set[int]:
        page = operator.get(f"/orders/?{query}").content.decode()
        return {one.pk for one in (order, other) if f'href="/orders/{one.pk}/' in page}

    assert shown("q=inv-2231-4") == shown("reference=inv-2231-4") == {order.pk}
    assert shown(f"customer={customer.pk}") == shown("customer=northside+gym") == {order.pk}
    assert shown("q=inv-2231-3") == shown("reference=INV-2231-3") == set()
    leads = operator.post("/orders/searches/", {"q": "customer: northside gym"})["Location"]
    assert parse_qs(leads.partition("?")[2]) == {"customer": [str(customer.pk)]}
    assert "reference=INV-2231-4" in operator.post("/orders/searches/", {"q": "Reference: INV-2231-4"})["Location"]


def test_the_customers_page_finds_an_order_by_their_reference(operator: Client) -> None:
    customer, other = make_customer("Northside Gym"), make_customer("Harbour Coffee")
    ours, theirs = sold_to(customer, "INV-2231-1"), sold_to(other, "INV-2231-2")
    page = operator.post(f"/customers/{customer.pk}/", {"ref": "INV-2231"}).content.decode()
    assert f">{ours.pk}</a>" in page and f">{theirs.pk}</a>" not in page
    assert f">{ours.pk}</a>" in operator.post(f"/customers/{customer.pk}/", {"ref": str(ours.pk)}).content.decode()
    nothing = operator.post(f"/customers/{customer.pk}/", {"ref": "INV-2231-2"}).content.decode()
    assert "None of their orders has this" in nothing


def test_a_file_of_orders_has_the_customer_and_what_they_pay(operator: Client) -> None:
    rule_for_all()
    order = sold_to(make_customer("Northside Gym"), "INV-1")
    Order.objects.filter(pk=order.pk).update(status="partial", remains=500, charge=Decimal("0.45"), currency="USD")
    head, row = csv.reader(io.StringIO(operator.post("/orders/export/", {"format": "csv"}).getvalue().decode()))
    cells = dict(zip(head, row, strict=True))
    assert cells["customer"] == "Northside Gym" and cells["customer's reference"] == "INV-1"
    assert cells["sold for in USD"] == "1.35"
    assert cells["they pay in USD"] == "0.675" and cells["margin in USD"] == "0.225"


def test_the_record_of_a_file_names_no_customer(operator: Client) -> None:
    customer = make_customer("Northside Gym")
    sold_to(customer, "INV-7")
    answer = operator.post(f"/orders/export/?customer={customer.pk}&reference=INV-7", {"format": "csv"})
    line = TrailLine.objects.get(kind="exported")
    assert line.facts["filter"] == "All statuses, newest first, for a customer"
    for word in ("Northside", "northside", "INV-7", "inv-7"):
        assert word not in f"{line.facts} {answer['Content-Disposition']}"


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────
def test_an_answer_is_in_the_customers_language_and_may_say_their_reference(operator: Client) -> None:
    manager = as_user(make_user(Role.MANAGER))
    text = {"text": "Pedido [{reference}]: listo.", "saw": text_row("completed", "es").text, "language": "es"}
    assert manager.post("/orders/answers/texts/completed/", text).status_code == 302
    order = make_order("completed")
    set_customer(order, make_customer(language="es"), "INV-7", by=make_user())
    page = operator.get(f"/orders/{order.pk}/").content.decode()
    assert "Pedido INV-7: listo." in page
    assert "Pedido INV-7" not in operator.get(f"/orders/{order.pk}/?language=en").content.decode()


# ── What they owe ────────────────────────────────────────────────────────────────────────────────
def test_an_order_above_the_credit_limit_takes_a_yes(operator: Client) -> None:
    rule_for_all()
    customer = make_customer("Northside Gym", credit_limit=Decimal(2))
    sold_to(customer, link="https://instagram.com/another")
    service = make_service()
    refused = operator.post("/orders/new/", filled(service, customer="Northside Gym"))
    page = refused.content.decode()
    assert refused.status_code == 422 and "They owe $1.35 of $2.00. This order adds $1.35." in page
    with pytest.raises(Refusal, match="owes more than their credit limit"):
        sold_to(customer, service=service)
    agreed = filled(service, customer="Northside Gym", despite_credit=customer.pk)
    assert operator.post("/orders/new/", agreed).status_code == 302
    order = Order.objects.latest("pk")
    assert order.events.filter(kind="despite_credit").exists()
    pay(customer, "2.70")
    assert operator.post("/orders/new/", filled(make_service(), customer="Northside Gym")).status_code == 302


def test_a_payment_counts_once_however_often_its_form_is_sent(operator: Client) -> None:
    customer, token = make_customer(), uuid.uuid4()
    for _ in range(3):
        operator.post(f"/customers/{customer.pk}/payments/", {"amount": "25", "token": token})
    add_payment(customer, Decimal(-5), uuid.uuid4(), by=make_user())
    assert Payment.objects.count() == 2
    assert sums_of([customer.pk])[customer.pk].owes == -20
    wrong = operator.post(f"/customers/{customer.pk}/payments/", {"amount": "much", "token": uuid.uuid4()})
    assert wrong.status_code == 422 and "Write a number, such as 20" in wrong.content.decode()
    assert 'value="much"' in wrong.content.decode()


# ── What is kept of them ─────────────────────────────────────────────────────────────────────────
def test_all_that_is_kept_of_a_customer_is_one_file(operator: Client) -> None:
    customer = make_customer("Northside Gym", contact="@north", note="Calls at noon.")
    order = sold_to(customer, "INV-2231")
    sold_to(None)
    kept = operator.post(f"/customers/{customer.pk}/file/").json()
    assert (kept["name"], kept["contact"], kept["note"]) == ("Northside Gym", "@north", "Calls at noon.")
    assert [(each["order"], each["their reference"]) for each in kept["orders"]] == [(order.pk, "INV-2231")]
    assert TrailLine.objects.filter(kind="customer_exported", thing_id=customer.pk).count() == 1


def test_erasing_takes_the_name_and_leaves_the_orders() -> None:
    customer = make_customer("Northside Gym", contact="@north", note="Calls at noon.")
    order = sold_to(customer, "INV-2231")
    manager = as_user(make_user(Role.MANAGER))
    asked = manager.get(f"/customers/{customer.pk}/erasure/").content.decode()
    assert "Erase Northside Gym" in asked and Customer.objects.get().erased_at is None
    manager.post(f"/customers/{customer.pk}/erasure/", {"sure": "yes"})
    customer.refresh_from_db()
    assert (customer.name, customer.contact, customer.note, customer.search_text) == ("", "", "", "")
    order.refresh_from_db()
    assert order.customer == customer and str(customer) == f"Erased customer {customer.pk}"
    everything = " ".join(f"{line.label} {line.facts} {line.before} {line.after}" for line in TrailLine.objects.all())
    for path in ("/customers/", f"/customers/{customer.pk}/", f"/orders/{order.pk}/", "/activity/"):
        everything += manager.get(path).content.decode()
    for word in ("Northside", "@north", "noon"):
        assert word not in everything
    with pytest.raises(Refusal, match="What was kept of this customer is erased"):
        change_customer(customer, Details("Northside Gym"), by=make_user())
    add_customer(Details("Northside Gym"), by=make_user())  # the name is free again


def test_erasing_takes_a_press_that_is_sure() -> None:
    customer = make_customer("Northside Gym")
    as_user(make_user(Role.MANAGER)).post(f"/customers/{customer.pk}/erasure/", {})
    assert as_a(Role.OPERATOR).post(f"/customers/{customer.pk}/erasure/", {"sure": "yes"}).status_code == 403
    customer.refresh_from_db()
    assert customer.name == "Northside Gym"
