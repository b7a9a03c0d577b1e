"""The palette finds places, services and orders; the page of keys says what static/keys.js does."""

import html
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order
from panel.site.palette import FOUND_AT_MOST, PLACES
from tests.makers import make_order, make_service, make_user
from tests.people import as_a, htmx

pytestmark = pytest.mark.django_db


def found_links(client: Client, q: str) -> list[str]:
    """Where the links lead that the palette shows for this query."""
    page = client.get("/palette/", {"q": q}, headers=htmx()).content.decode()
    return re.findall(r'class="go-to"[^>]* href="([^"]+)"', page)


@pytest.fixture
def order() -> Order:
    """An order that upstream has completed."""
    return make_order("completed", link="https://www.instagram.com/p/CxYz81/")


@pytest.mark.parametrize("how", ["{0.pk}", "#{0.pk}", "{0.upstream_id}", "{0.request_id}", "{0.link}"])
def test_an_order_is_found_by_anything_that_names_it(operator: Client, order: Order, how: str) -> None:
    assert found_links(operator, how.format(order))[0] == f"/orders/{order.pk}/"


def test_a_service_is_found_by_words_and_by_id_also_when_it_is_off_sale(operator: Client) -> None:
    sold, gone = make_service(name="Quiet Followers", upstream_id=7001), make_service(upstream_id=7002, active=False)
    links = found_links(operator, "quiet foll")
    assert links[:2] == ["/services/?q=7001", "/orders/new/?service=7001"]
    assert found_links(operator, str(gone.upstream_id))[0] == "/services/?q=7002"
    assert found_links(as_a("viewer"), str(sold.upstream_id))[0] == "/services/?q=7001"
    assert "/orders/new/?service=7001" not in found_links(as_a("viewer"), "quiet")


def test_places_are_those_that_the_person_may_go_to(operator: Client) -> None:
    assert found_links(as_a("owner"), "") == [reverse(place.name) for place in PLACES]
    assert "/orders/new/" in found_links(operator, "")
    assert "/orders/new/" not in found_links(as_a("viewer"), "")
    assert "/admin/" not in found_links(operator, "adm")
    assert found_links(operator, "REF")[0] == "/orders/refills/"


def test_whatever_is_typed_can_be_searched_for(operator: Client) -> None:
    assert found_links(operator, "50% <b>&") == ["/orders/?q=50%25+%3Cb%3E%26"]
    assert found_links(operator, "a\0b" + "c" * 5000)[-1].startswith("/orders/?q=a+bccc")


def test_it_shows_a_few_and_costs_the_same_queries_for_one_as_for_many(operator: Client) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            found_links(operator, "https://www.instagram.com/p/same/ followers")
        return len(queries)

    by, service = make_user(), make_service()
    make_order("completed", by=by, service=service, link="https://www.instagram.com/p/same/")
    found_links(operator, "warm")
    queries_for_one = count_queries()
    for _ in range(FOUND_AT_MOST + 2):
        make_order("completed", by=by, service=make_service(), link="https://www.instagram.com/p/same/")
    assert count_queries() == queries_for_one
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True)[:FOUND_AT_MOST]
    links = found_links(operator, "https://www.instagram.com/p/same/")
    assert links[:-1] == [f"/orders/{pk}/" for pk in newest]
    assert sum(link.startswith("/services/") for link in found_links(operator, "instagram")) == FOUND_AT_MOST


def test_without_a_script_it_is_a_page_with_a_form(operator: Client, order: Order) -> None:
    page = operator.get("/palette/", {"q": str(order.upstream_id)}).content.decode()
    assert "<html" in page
    assert f'href="/orders/{order.pk}/"' in page
    assert 'role="option"' not in page


def test_the_body_hands_the_script_the_places_that_the_page_of_keys_says(operator: Client) -> None:
    page = operator.get("/keys/").content.decode()
    paths = json.loads(html.unescape(page.split('data-go-keys="')[1].split('"')[0]))
    assert paths == {place.keys[2:]: reverse(place.name) for place in PLACES if place.keys.startswith("g ")}
    assert paths["o"] == "/orders/"
    assert all(f"<kbd>{key}</kbd>" in page for key in paths)


def test_the_page_of_keys_says_every_key_of_the_script(operator: Client) -> None:
    script = (Path(settings.BASE_DIR) / "static" / "keys.js").read_text()
    page = operator.get("/keys/").content.decode()
    for key in re.findall(r'^  "?([^\s":]+)"?: \(|, "?([^\s":]+)"?: \(\) =>', script, re.MULTILINE):
        name = {"X": "Shift", "palette": "Ctrl"}.get(key[0] or key[1], key[0] or key[1])
        assert f"<kbd>{name}</kbd>" in page, name
