"""The pages of mass orders over HTTP: files, what is lost and what is kept, and who sees what."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from orders.mass.check import Preview
from orders.mass.draft import DRAFTS_KEPT, TOO_MANY
from orders.mass.place import place_list
from orders.models import MassDraft, MassJob, Order
from orders.rules.refusal import Refusal
from panel.web.uploads import KEPT_BYTES, TAKEN_AT
from tests.accounts.roles.switched import switch
from tests.makers import make_service, make_user
from tests.orders.customers.shops import rule_for_all
from tests.orders.mass.lists import lines_for, pasted, placed
from tests.people import as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return make_user()


@pytest.fixture
def browser(ana: User) -> Client:
    return as_user(ana)


def test_a_file_becomes_a_draft(browser: Client) -> None:
    service = make_service()
    file = SimpleUploadedFile("friday.csv", f"service;link;quantity\n{service.upstream_id};a.b/c;100".encode())
    answer = browser.post("/orders/mass/", {"text": "", "file": file})
    draft = MassDraft.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/orders/mass/drafts/{draft.pk}/")
    assert (draft.source, draft.lines[0]["typed"]["quantity"]) == ("the file friday.csv", "100")


def test_files_are_taken_where_lists_are_and_nowhere_else(browser: Client) -> None:
    assert {reverse("orders:mass_new")} == TAKEN_AT
    file = SimpleUploadedFile("a.csv", b"1;a.b/c;1")
    assert browser.post("/orders/new/", {"file": file}).status_code == 400
    large = browser.post("/orders/mass/", {"file": SimpleUploadedFile("a.csv", b"x" * (KEPT_BYTES + 10))})
    assert large.status_code == 422
    assert "This file has more than 2 MB." in large.content.decode()


def test_what_cannot_be_read_stays_in_the_box(browser: Client) -> None:
    answer = browser.post("/orders/mass/", {"text": "Monday & <b>orders</b>"})
    assert answer.status_code == 422
    assert "Monday &amp; &lt;b&gt;orders&lt;/b&gt;</textarea>" in answer.content.decode()


def test_back_to_the_text_shows_the_lines_and_replaces_them(browser: Client, ana: User) -> None:
    draft = pasted(lines_for(make_service(), 2), ana)
    assert "A1bcdEf | 100</textarea>" in browser.get(f"/orders/mass/?draft={draft.pk}").content.decode()
    browser.post("/orders/mass/", {"text": "7 | a.b/c | 1", "draft": str(draft.pk)})
    assert MassDraft.objects.get().lines[0]["typed"]["service"] == "7"


def test_the_address_of_a_placed_draft_leads_to_its_list(browser: Client, ana: User) -> None:
    job = placed(lines_for(make_service(category="Instagram › Likes", name="Likes"), 2), ana)
    address = f"/orders/mass/drafts/{job.token}/"
    assert browser.get(address)["Location"] == job.get_absolute_url()
    assert browser.post(f"{address}placement/", {"seen": "x"})["Location"] == job.get_absolute_url()
    assert (Order.objects.count(), MassJob.objects.count()) == (2, 1)


def test_a_draft_is_its_persons_alone(ana: User) -> None:
    draft = pasted(lines_for(make_service(), 1), ana)
    stranger = as_user(make_user())
    assert stranger.get(draft.get_absolute_url()).status_code == 404
    stranger.post(f"{draft.get_absolute_url()}removal/")
    assert MassDraft.objects.exists()


def test_a_list_of_several_services_splits_into_one_for_each(browser: Client, ana: User) -> None:
    """No line is lost or doubled, each keeps its number and its yes; no person gets too many drafts."""
    first, second = make_service(), make_service()
    draft = pasted(f"{lines_for(first, 2)}\n{lines_for(second, 1)}\n", ana)
    assert "Split by service" in browser.get(draft.get_absolute_url()).content.decode()
    browser.post(f"{draft.get_absolute_url()}lines/", {"tick": "3:out"})
    answer = browser.post(f"{draft.get_absolute_url()}lines/", {"split": "1"})
    assert answer["Location"] == "/orders/mass/"
    kept = {tuple(line["n"] for line in each.lines): each for each in MassDraft.objects.filter(owner=ana)}
    assert kept.keys() == {(1, 2), (3,)}
    assert kept[1, 2].pk == draft.pk
    assert kept[3,].lines[0]["out"] is True
    assert {each.source for each in kept.values()} == {"a pasted list"}
    # One service is not split, nor is a list that would become too many.
    browser.post(f"{draft.get_absolute_url()}lines/", {"split": "1"})
    many = pasted("\n".join(lines_for(make_service(), 1) for _ in range(DRAFTS_KEPT)), ana)
    said = browser.post(f"{many.get_absolute_url()}lines/", {"split": "1"}, follow=True).content.decode()
    assert TOO_MANY in said
    assert MassDraft.objects.count() == 3


def test_what_customers_pay_is_seen_before_the_press_by_those_who_may_see_money(browser: Client, ana: User) -> None:
    rule_for_all("-50")
    service = make_service(category="Instagram › Likes", name="Likes", rate="2.00")
    draft = pasted(lines_for(service, 2, quantity=1_000), ana)
    page = browser.get(draft.get_absolute_url()).content.decode()
    assert page.count("they pay $1.00") == 2
    assert "<dt>Customers pay</dt><dd>$2.00</dd>" in page
    assert "2 lines would earn too" in page
    assert page.count("They pay less than this order costs us.") == 2
    seen = Preview(draft, ana).mark
    rule_for_all("50")
    with pytest.raises(Refusal, match="Something moved since you looked"):
        place_list(draft.pk, seen, by=ana)
    switch(operator_money=False)
    page = browser.get(draft.get_absolute_url()).content.decode()
    assert "they pay" not in page and "Customers pay" not in page
