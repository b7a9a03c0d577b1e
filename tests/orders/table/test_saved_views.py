"""A list gets a name, a tab, teammates who see it; and it says when it was changed."""

from urllib.parse import quote

import pytest

from accounts.access import Role
from accounts.models import User
from orders.models import SavedView
from orders.models.saved_view import VIEWS_A_PERSON
from orders.rules.statuses import Status
from tests.makers import make_order, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return make_user(Role.OPERATOR, name="Ana")


def saved(user: User, name: str = "Big ones", query: str = "least=5&sort=dearest", **more: str) -> SavedView:
    answer = as_user(user).post("/orders/views/new/", {"name": name, "query": query, **more})
    assert answer.status_code == 302, answer.content.decode()
    return SavedView.objects.get(owner=user, name=name)


def test_a_list_is_named_and_becomes_a_tab(ana: User) -> None:
    make_order(Status.COMPLETED, charge=9)
    view = saved(ana)
    page = as_user(ana).get("/orders/").content.decode()
    assert f"view={view.pk}" in page
    opened = as_user(ana).get(view.get_absolute_url()).content.decode()
    assert "changed</span>" not in opened
    assert "Save changes" not in opened


def test_it_says_that_it_was_changed_and_keeps_the_change_when_asked(ana: User) -> None:
    view = saved(ana)
    other = f"/orders/?least=7&sort=dearest&view={view.pk}"
    assert "changed</span>" in as_user(ana).get(other).content.decode()
    as_user(ana).post(f"/orders/views/{view.pk}/", {"query": "least=7&sort=dearest&cols=id,charge,status"})
    view.refresh_from_db()
    assert view.query == "least=7&sort=dearest&cols=id%2Ccharge%2Cstatus", "columns and order are kept too"
    page = as_user(ana).get(view.get_absolute_url()).content.decode()
    assert "changed</span>" not in page
    assert 'class="c-service"' not in page


def test_a_private_one_is_nobody_elses(ana: User) -> None:
    view, other = saved(ana), as_user(make_user(Role.OWNER))
    assert "Big ones" not in other.get("/orders/views/").content.decode()
    assert other.post(f"/orders/views/{view.pk}/pin/", {"pinned": "yes"}).status_code == 404
    assert other.get(f"/orders/?view={view.pk}").status_code == 200, "the address alone tells nothing of it"


def test_a_shared_one_is_seen_and_pinned_but_not_changed_by_teammates(ana: User) -> None:
    view, mate = saved(ana, shared="on"), make_user(Role.OPERATOR, name="Tomás")
    assert "Big ones" in as_user(mate).get("/orders/views/").content.decode()
    as_user(mate).post(f"/orders/views/{view.pk}/pin/", {"pinned": "yes"})
    assert "Big ones" in as_user(mate).get("/orders/").content.decode()
    assert as_user(mate).post(f"/orders/views/{view.pk}/", {"name": "Mine now"}).status_code == 403
    assert as_user(mate).post(f"/orders/views/{view.pk}/removal/").status_code == 403
    as_user(ana).post(f"/orders/views/{view.pk}/", {"name": "Big ones", "sharing": "yes"})
    assert "Big ones" not in as_user(mate).get("/orders/").content.decode(), "no longer shared, no longer a tab"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_bad_name_is_told_and_nothing_is_lost(ana: User, name: str) -> None:
    answer = as_user(ana).post("/orders/views/new/", {"name": name, "query": "least=5"})
    assert answer.status_code == 422
    assert "Give it a name" in answer.content.decode()
    assert 'value="least=5"' in answer.content.decode()
    assert not SavedView.objects.exists()


def test_a_second_one_of_the_same_name_is_refused_in_words(ana: User) -> None:
    saved(ana)
    answer = as_user(ana).post("/orders/views/new/", {"name": "Big ones", "query": "most=1"})
    assert answer.status_code == 422
    assert "You have a view of this name already." in answer.content.decode()


def test_nobody_has_views_without_end(ana: User) -> None:
    SavedView.objects.bulk_create(SavedView(owner=ana, name=f"v{n}") for n in range(VIEWS_A_PERSON))
    answer = as_user(ana).post("/orders/views/new/", {"name": "one more", "query": ""})
    assert f"You have {VIEWS_A_PERSON} views" in answer.content.decode()


def test_nonsense_in_a_kept_list_does_no_harm(ana: User) -> None:
    view = saved(ana, query="least=abc&status=nope&q=" + quote("<script>") + "&view=999")
    assert view.query == "q=%3Cscript%3E"
    assert as_user(ana).get(view.get_absolute_url()).status_code == 200


def test_a_removed_one_is_gone_and_its_orders_are_not(ana: User) -> None:
    order, view = make_order(), saved(ana)
    as_user(ana).post(f"/orders/views/{view.pk}/removal/")
    page = as_user(ana).get(view.get_absolute_url()).content.decode()
    assert f'id="order-{order.pk}"' not in page, "the filter in the address still holds"
    assert "Big ones" not in page
