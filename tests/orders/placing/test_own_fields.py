"""An order's page shows what its type asked for beside link and quantity, to be read and never to be run."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from orders.detail.ordered_fields import ordered_fields
from orders.models import Order
from panel.site.status_bar import StatusBar
from tests.makers import make_service, place_order
from tests.people import htmx

pytestmark = pytest.mark.django_db
HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}</pre><img src=x onerror=alert(2)> \u202eevil'


def ordered(type: str, **fields: str) -> Order:
    return place_order(service=make_service(type=type), fields=fields)


def page_of(client: Client, order: Order) -> str:
    return client.get(f"/orders/{order.pk}/").content.decode()


def facts_of(page: str) -> dict[str, str]:
    """Label → value, as text."""
    pairs = re.findall(r"<dt[^>]*>(.*?)</dt><dd[^>]*>(.*?)</dd>", page.partition('class="facts"')[2], re.S)
    return {plain(re.sub(r"<button.*?</button>", "", label, flags=re.S)): plain(value) for label, value in pairs}


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def test_a_subscription_says_whom_and_how_much(viewer: Client) -> None:
    order = ordered(
        "Subscriptions", username="lumen.studio", min="600", max="1000", posts="5", old_posts="0", delay="30",
        expiry="31/12/2099",
    )  # fmt: skip
    expected = {
        "User name": "@lumen.studio", "Least per post": "600", "Most per post": "1,000", "New posts": "5",
        "Old posts": "0", "Delay": "30 min", "Until": "31/12/2099",
    }  # fmt: skip
    assert expected.items() <= facts_of(page_of(viewer, order)).items()


@pytest.mark.parametrize(
    ("type", "fields", "label", "text"),
    [
        ("Poll", {"answer_number": "2"}, "Answer", "2"),
        ("Mentions", {"usernames": "@ana\n@ben"}, "User names, 2 lines", "@ana\n@ben"),
        ("Custom Comments", {"comments": "مرحبا\nNice!"}, "Comments, 2 lines", "مرحبا\nNice!"),
        ("Comment Replies", {"groups_url": "https://a.test"}, "groups_url", "https://a.test"),
        ("Comment Replies", {"hashtags": "one\ntwo"}, "hashtags, 2 lines", "one\ntwo"),
        ("Comment Replies", {"note": "x" * 500}, "note, 1 line", "x" * 500),
    ],
)
def test_each_type_s_fields_are_there_by_their_labels(
    viewer: Client, type: str, fields: dict[str, str], label: str, text: str
) -> None:
    facts = facts_of(page_of(viewer, ordered(type, **fields)))
    assert facts[label].removeprefix("Show itFold").strip() == text


def test_what_the_order_says_anyway_is_not_said_twice(viewer: Client) -> None:
    order = place_order(service=make_service(dripfeed=True), runs=3, interval=30, coupon="SPRING")
    assert ordered_fields(order.body) == []
    assert page_of(viewer, order).count("SPRING") == 1


@pytest.mark.parametrize("name", ["comments", "username", "answer_number", "surprise"])
@pytest.mark.parametrize("lines", [1, 2])
def test_hostile_text_is_text(viewer: Client, name: str, lines: int) -> None:
    order = ordered("Comment Replies", **{name: "\n".join([HOSTILE] * lines)})
    page = page_of(viewer, order)
    assert "<script>alert" not in page and "<img src=x" not in page
    assert "{{ 7 * 7 }}" in page
    assert page.count(str(html.escape(HOSTILE)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")) == lines


def test_five_thousand_comments_are_folded_counted_and_sent_once(viewer: Client) -> None:
    comments = "\n".join(f"Comment no. {number}, with some words more" for number in range(5000))
    order = ordered("Custom Comments", comments=comments)
    page = page_of(viewer, order)
    assert "Comments, 5,000 lines" in facts_of(page)
    assert "Show all 5,000" in page
    assert page.count("Comment no. 4999,") == 1, "the copy button points at it"
    poll = viewer.get(f"/orders/{order.pk}/?v=0&bar={StatusBar().version}", headers=htmx()).content.decode()
    assert len(poll) < 20_000, "a poll brings the box's place and not its text"
    [box] = re.findall(r'<div id="([^"]+)" hx-preserve>\s*</div>', poll)
    assert f'id="{box}"' in page


@pytest.mark.parametrize("text", ["9" * 400, "٣", "-1", "", "1e3", "{}"])
def test_a_number_that_is_none_is_shown_as_it_is(text: str) -> None:
    [field] = ordered_fields({"min": text})
    assert field.text == text


def test_a_body_of_any_shape_is_shown(viewer: Client) -> None:
    order = place_order()
    body: dict[str, Any] = {"service": 1, "comments": None, "min": 5, "x y\"'>": ["a"]}
    Order.objects.filter(pk=order.pk).update(body=body)
    assert viewer.get(f"/orders/{order.pk}/").status_code == 200
