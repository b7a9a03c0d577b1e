"""Saved views: a list gets a name and a tab, may be shared, and the page says when the list differs from it."""

import re
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
    """The person who saves the views."""
    return make_user(Role.OPERATOR, name="Ana")


def save_view(user: User, name: str = "Big ones", query: str = "least=5&sort=dearest", **fields: str) -> SavedView:
    """Saves a list as this person's view, through the page's form."""
    answer = as_user(user).post("/orders/views/new/", {"name": name, "query": query, **fields})
    assert answer.status_code == 302, answer.content.decode()
    return SavedView.objects.get(owner=user, name=name)


def test_a_saved_list_becomes_a_tab(ana: User) -> None:
    """The view's own address shows the list as unchanged."""
    make_order(Status.COMPLETED, charge=9)
    view = save_view(ana)
    page = as_user(ana).get("/orders/").content.decode()
    assert f"view={view.pk}" in page
    opened = as_user(ana).get(view.get_absolute_url()).content.decode()
    assert "changed</span>" not in opened
    assert "Save changes" not in opened


def test_the_page_says_that_a_list_differs_from_its_view_and_saves_the_change(ana: User) -> None:
    """Columns and their order are part of the view."""
    view = save_view(ana)
    other = f"/orders/?least=7&sort=dearest&view={view.pk}"
    assert "changed</span>" in as_user(ana).get(other).content.decode()
    as_user(ana).post(f"/orders/views/{view.pk}/", {"query": "least=7&sort=dearest&cols=id,charge,status"})
    view.refresh_from_db()
    assert view.query == "least=7&sort=dearest&cols=id%2Ccharge%2Cstatus", "columns and order are kept too"
    page = as_user(ana).get(view.get_absolute_url()).content.decode()
    assert "changed</span>" not in page
    assert 'class="c-service"' not in page


def test_a_private_view_is_hidden_from_teammates(ana: User) -> None:
    """Even an owner cannot pin it, and its number in an address reveals nothing."""
    view, other = save_view(ana), as_user(make_user(Role.OWNER))
    assert "Big ones" not in other.get("/orders/views/").content.decode()
    assert other.post(f"/orders/views/{view.pk}/pin/", {"pinned": "yes"}).status_code == 404
    assert other.get(f"/orders/?view={view.pk}").status_code == 200, "the address alone tells nothing of it"


def test_teammates_see_and_pin_a_shared_view_but_cannot_change_it(ana: User) -> None:
    """When it is shared no longer, it leaves their tabs."""
    view, mate = save_view(ana, shared="on"), make_user(Role.OPERATOR, name="Tomás")
    assert "Big ones" in as_user(mate).get("/orders/views/").content.decode()
    as_user(mate).post(f"/orders/views/{view.pk}/pin/", {"pinned": "yes"})
    assert "Big ones" in as_user(mate).get("/orders/").content.decode()
    assert as_user(mate).post(f"/orders/views/{view.pk}/", {"name": "Mine now"}).status_code == 403
    assert as_user(mate).post(f"/orders/views/{view.pk}/removal/").status_code == 403
    as_user(ana).post(f"/orders/views/{view.pk}/", {"name": "Big ones", "sharing": "yes"})
    assert "Big ones" not in as_user(mate).get("/orders/").content.decode(), "no longer shared, no longer a tab"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_bad_name_is_refused_and_the_form_keeps_its_list(ana: User, name: str) -> None:
    """A name is bad when it is empty, blank, or longer than sixty characters."""
    answer = as_user(ana).post("/orders/views/new/", {"name": name, "query": "least=5"})
    assert answer.status_code == 422
    assert "Give it a name" in answer.content.decode()
    assert 'value="least=5"' in answer.content.decode()
    assert not SavedView.objects.exists()


def test_a_second_view_of_the_same_name_is_refused_in_words(ana: User) -> None:
    """The constraint's message reaches the form."""
    save_view(ana)
    answer = as_user(ana).post("/orders/views/new/", {"name": "Big ones", "query": "most=1"})
    assert answer.status_code == 422
    assert "You have a view of this name already." in answer.content.decode()


def test_a_person_has_a_limited_number_of_views(ana: User) -> None:
    """The page says what the limit is."""
    SavedView.objects.bulk_create(SavedView(owner=ana, name=f"v{n}") for n in range(VIEWS_A_PERSON))
    answer = as_user(ana).post("/orders/views/new/", {"name": "one more", "query": ""})
    assert f"You have {VIEWS_A_PERSON} views" in answer.content.decode()


def test_nonsense_in_a_saved_list_is_dropped(ana: User) -> None:
    """The view keeps the parameters that make sense, and its page opens."""
    view = save_view(ana, query="least=abc&status=nope&q=" + quote("<script>") + "&view=999")
    assert view.query == "q=%3Cscript%3E"
    assert as_user(ana).get(view.get_absolute_url()).status_code == 200


def test_a_removed_view_is_gone_and_its_orders_are_not(ana: User) -> None:
    """An old link to it still shows the list that its other parameters describe."""
    order, view = make_order(), save_view(ana)
    as_user(ana).post(f"/orders/views/{view.pk}/removal/")
    page = as_user(ana).get(view.get_absolute_url()).content.decode()
    assert f'id="order-{order.pk}"' not in page, "the filter in the address still holds"
    assert "Big ones" not in page


def tabs(user: User) -> list[str]:
    """The views that this person has as tabs."""
    nav = re.search(r'<nav class="views pins".*?</nav>', as_user(user).get("/orders/").content.decode(), re.S)
    return re.findall(r"<bdi>(.*?)</bdi>", nav[0]) if nav else []


def test_what_the_team_sees_too_is_a_tab_for_everybody_until_they_unpin_it(ana: User) -> None:
    """Unpinning is each person's own, and can be undone."""
    mate, other = make_user(Role.OPERATOR), make_user(Role.VIEWER)
    view = save_view(ana, shared="on")
    assert tabs(ana) == tabs(mate) == tabs(other) == ["Big ones"]
    as_user(mate).post(f"/orders/views/{view.pk}/pin/", {"pinned": "no"})
    assert (tabs(mate), tabs(other)) == ([], ["Big ones"])
    assert "Pin<span" in as_user(mate).get("/orders/views/").content.decode()
    as_user(mate).post(f"/orders/views/{view.pk}/pin/", {"pinned": "yes"})
    assert tabs(mate) == ["Big ones"]


def test_ones_own_view_is_nobody_elses_tab(ana: User) -> None:
    """Until it is shared; and its owner may unpin a shared one too."""
    view, mate = save_view(ana), make_user(Role.OPERATOR)
    assert (tabs(ana), tabs(mate)) == (["Big ones"], [])
    as_user(ana).post(f"/orders/views/{view.pk}/", {"name": "Big ones", "sharing": "yes", "shared": "on"})
    assert tabs(mate) == ["Big ones"]
    as_user(ana).post(f"/orders/views/{view.pk}/pin/", {"pinned": "no"})
    assert (tabs(ana), tabs(mate)) == ([], ["Big ones"])


def test_the_form_begins_in_the_name(ana: User) -> None:
    """As a panel of the orders page and as a page."""
    assert re.search(r'<input [^>]*id="v-name"[^>]* autofocus', as_user(ana).get("/orders/views/new/").content.decode())
