"""Each person stars services for themselves; it needs no script, and two presses make one star."""

import re

import pytest

from catalog.models import Favourite, Service
from tests.makers import make_service, make_user
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db


def star_url(service: Service) -> str:
    """The address that a press on the star posts to."""
    return f"/services/{service.pk}/favourite/"


def names_on(page: str) -> list[str]:
    """The names of the services on a page, if they are S and a number."""
    return re.findall(r"<bdi>(S\d+)</bdi>", page)


def test_a_star_is_given_and_taken() -> None:
    service, client = make_service(), as_user(make_user())
    for on, stars in (("1", 1), ("1", 1), ("0", 0), ("0", 0)):
        assert client.post(star_url(service), {"on": on}).status_code == 302
        assert Favourite.objects.count() == stars


def test_htmx_gets_the_star_and_the_number_of_stars() -> None:
    service, client = make_service(), as_user(make_user())
    answer = client.post(star_url(service), {"on": "1"}, headers=htmx()).content.decode()
    assert f'id="star-{service.upstream_id}"' in answer
    assert 'aria-pressed="true"' in answer
    assert re.search(r'id="stars" hx-swap-oob="true">1<', answer)


def test_without_a_script_a_star_leads_back_to_the_same_list() -> None:
    service, client = make_service(), as_user(make_user())
    page = client.get("/services/?q=instagram&refill=1").content.decode()
    back = re.findall(r'name="back" value="([^"]+)"', page)[0].replace("&amp;", "&")
    assert client.post(star_url(service), {"on": "1", "back": back})["Location"] == "/services/?q=instagram&refill=1"


def test_each_person_has_their_own_favourites() -> None:
    services = [make_service(name=f"S{number}") for number in range(3)]
    ana, ben = as_user(make_user()), as_user(make_user())
    ana.post(star_url(services[1]), {"on": "1"})
    assert names_on(ana.get("/services/?only=favourites").content.decode()) == ["S1"]
    assert names_on(ben.get("/services/?only=favourites").content.decode()) == []


def test_a_favourite_that_went_off_sale_is_still_listed() -> None:
    service, client = make_service(name="S1", active=False), as_user(make_user())
    client.post(star_url(service), {"on": "1"})
    assert names_on(client.get("/services/?only=favourites").content.decode()) == ["S1"]


def test_favourites_come_first_in_the_order_form_also_among_what_is_searched_for() -> None:
    services = [make_service(name=f"S{number}") for number in range(30)]
    client = as_user(make_user())
    client.post(star_url(services[27]), {"on": "1"})
    assert names_on(client.get("/services/found/").content.decode())[:2] == ["S27", "S0"]
    assert names_on(client.get("/orders/new/").content.decode())[:2] == ["S27", "S0"]
    typed = names_on(client.get("/services/found/?q=instagram").content.decode())
    assert typed[:2] == ["S27", "S0"]
    assert len(typed) == len(set(typed)) == 20


def test_an_unknown_service_has_no_star() -> None:
    assert as_user(make_user()).post("/services/999999/favourite/", {"on": "1"}).status_code == 404
