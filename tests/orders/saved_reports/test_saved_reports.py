"""A report is saved under a name, for its owner or the team, changed and removed, and its page says when it differs."""

import re

import pytest

from accounts.access import Role
from accounts.models import TrailLine, User
from orders.models import ReportMail, SavedView
from orders.models.saved_view import VIEWS_A_PERSON
from tests.makers import make_order, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
QUERY = "period=7&with=year&split=network"


@pytest.fixture
def ana() -> User:
    """The person who saves the reports."""
    return make_user(Role.OPERATOR, name="Ana", email="ana@example.com")


def save_report(user: User, name: str = "Networks", query: str = QUERY, **fields: str) -> SavedView:
    """Saves a report through the page's form."""
    answer = as_user(user).post("/reports/saved/", {"name": name, "query": query, **fields})
    assert answer.status_code == 302, answer.content.decode()
    view = SavedView.objects.get(owner=user, name=name)
    assert answer["Location"] == view.get_absolute_url()
    return view


def page(user: User, address: str) -> str:
    answer = as_user(user).get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_saved_report_is_listed_and_opens_as_it_was_saved(ana: User) -> None:
    make_order("completed")
    view = save_report(ana)
    assert (view.is_report, view.query) == (True, QUERY)
    opened = page(ana, view.get_absolute_url())
    assert "Networks, the saved report" in re.sub(r"<[^>]+>", "", opened)
    assert "Save changes" not in opened
    assert "Networks" in page(ana, "/reports/")
    assert "Networks, 7 days, by day, compared with the same weekdays" in page(ana, "/reports/saved/")


def test_links_on_a_saved_report_keep_it_and_its_change_is_saved(ana: User) -> None:
    make_order("completed")
    view = save_report(ana)
    opened = page(ana, view.get_absolute_url())
    assert f"period=7&amp;with=year&amp;split=person&amp;view={view.pk}" in opened
    changed = page(ana, f"/reports/?period=7&split=person&view={view.pk}")
    assert "Save changes" in changed
    [kept] = set(re.findall(r'name="query" value="([^"]*)"', changed))
    as_user(ana).post(f"/reports/saved/{view.pk}/", {"query": kept.replace("&amp;", "&")})
    view.refresh_from_db()
    assert (view.query, view.name, view.shared) == ("period=7&split=person", "Networks", False)


def test_a_report_is_seen_by_its_owner_alone_until_it_is_shared(ana: User) -> None:
    view, mate = save_report(ana), make_user(Role.VIEWER, name="Victor")
    assert "Networks, 7 days" not in page(mate, "/reports/saved/")
    for press in ("", "mail/", "removal/"):
        assert as_user(mate).post(f"/reports/saved/{view.pk}/{press}").status_code == 404
    as_user(ana).post(f"/reports/saved/{view.pk}/", {"name": "Networks", "sharing": "yes", "shared": "on"})
    assert "Networks, 7 days" in page(mate, "/reports/saved/")
    assert as_user(mate).post(f"/reports/saved/{view.pk}/", {"name": "Mine"}).status_code == 403
    assert as_user(mate).post(f"/reports/saved/{view.pk}/removal/").status_code == 403
    as_user(make_user(Role.MANAGER)).post(f"/reports/saved/{view.pk}/", {"name": "Ours"})
    view.refresh_from_db()
    assert (view.name, view.shared) == ("Ours", True)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give it a name of up to 60 characters."),
        ("  ", "Give it a name of up to 60 characters."),
        ("x" * 61, "Give it a name of up to 60 characters."),
        ("Networks", "You have a saved report or view of this name already."),
    ],
)
def test_a_name_that_does_not_do_is_refused_in_words_and_loses_nothing(ana: User, name: str, sentence: str) -> None:
    save_report(ana)
    answer = as_user(ana).post("/reports/saved/", {"name": name, "query": "period=28&split=person", "shared": "on"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in text
    assert 'value="split=person"' in text
    assert re.search(r'name="shared" checked', text)
    assert SavedView.objects.count() == 1


def test_a_person_has_a_limited_number_of_views_and_reports(ana: User) -> None:
    SavedView.objects.bulk_create(SavedView(owner=ana, name=f"v{n}", is_report=n > 50) for n in range(VIEWS_A_PERSON))
    answer = as_user(ana).post("/reports/saved/", {"name": "One more", "query": ""})
    assert f"You have {VIEWS_A_PERSON} views" in answer.content.decode()


def test_nonsense_in_a_saved_report_is_dropped(ana: User) -> None:
    assert save_report(ana, query="period=9&split=<script>&view=7&next=//a.example&by=month").query == "by=month"


def test_a_list_of_orders_and_a_report_are_never_taken_for_each_other(ana: User) -> None:
    report = save_report(ana, shared="on")
    view = SavedView.objects.create(owner=ana, name="Big ones", query="least=5", shared=True)
    assert "Networks" not in page(ana, "/orders/views/") + page(ana, "/orders/")
    assert "Big ones" not in page(ana, "/reports/saved/") + page(ana, "/reports/")
    assert as_user(ana).post(f"/orders/views/{report.pk}/pin/", {"pinned": "yes"}).status_code == 404
    assert as_user(ana).post(f"/reports/saved/{view.pk}/removal/").status_code == 404
    assert page(ana, f"/orders/?view={report.pk}")
    assert page(ana, f"/reports/?view={view.pk}")


def test_a_removed_report_takes_its_mails_along(ana: User) -> None:
    view = save_report(ana)
    ReportMail.objects.create(view=view, person=ana, due_at=view.saved_at)
    as_user(ana).post(f"/reports/saved/{view.pk}/removal/")
    assert not SavedView.objects.exists()
    assert not ReportMail.objects.exists()
    assert [line.kind for line in TrailLine.objects.order_by("pk")] == ["report_saved", "report_removed"]


def test_a_split_that_a_reader_may_not_see_is_shown_to_them_as_the_usual_one(ana: User) -> None:
    view, viewer = save_report(ana, query="split=customer", shared="on"), make_user(Role.VIEWER)
    assert "Customers, 28 days" in page(ana, "/reports/saved/")
    assert "Services, 28 days" in page(viewer, "/reports/saved/")
    assert "Customers" not in page(viewer, view.get_absolute_url()).split("<main")[1]
