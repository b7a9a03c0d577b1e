"""The pages of mass orders over HTTP: files, what is lost and what is kept, and who sees what."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from orders.models import MassDraft, MassJob, Order
from panel.web.uploads import KEPT_BYTES, TAKEN_AT
from tests.makers import make_service, make_user
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
