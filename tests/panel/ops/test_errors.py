"""Error pages are in the desk's own style, and nonsense in a request is never a 500."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from django.db import OperationalError, connection
from django.test import Client

from accounts.access import Role
from panel.web.headers import POLICY
from tests.addresses import address, one_of_everything, routes
from tests.makers import make_service
from tests.people import STRANGER, as_a

pytestmark = pytest.mark.django_db
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
NONSENSE = ["", "nonsense", "-1", str(9**50), "9" * 5000, "1.5", "%00", "a%00b", "%FF", "%ED%A0%80", "%0A", "%", "１",
            "[]", "' OR 1=1 --", "<script>", "None", "1:" + "9" * 400]  # fmt: skip
MUCH_CHARACTERS = 50_000  # more than any server lets through
HUGE = ["x" * 100_000, "1 " * 50_000, "1:1," * 25_000]
ASKED = ["status", "before", "after", "newest", "top", "v", "bar", "q", "category", "service", "link", "quantity",
         "open", "network", "by", "assigned", "host", "from", "to", "least", "most", "sort", "cols", "view",
         "name", "past", "money", "category_now"]  # fmt: skip
KINDS = [FORM, f"{FORM}; charset=nonsense", PARTS, f"{PARTS}; boundary=x", "application/json", ""]
BODIES = [b"--x", b"\xff\xfe", b"{}", b'--x\r\nContent-Disposition: form-data; name="service"\r\n\r\n', b"=&=&&="]


def heading(page: Any) -> str:
    """The page's heading, or "" when the page does not use our stylesheet."""
    text = page.content.decode()
    match = re.search(r"<h1>(.*?)</h1>", text)
    return match[1] if match and re.search(r'href="/static/css/desk(\.\w+)?\.css"', text) else ""


@contextmanager
def no_database() -> Iterator[None]:
    """Inside, every query fails."""

    def away(*args: object) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(away):
        yield


def broken(*args: object, **kwargs: object) -> None:
    """In place of a function of ours that has a mistake."""
    raise RuntimeError("a secret of the house")


@pytest.fixture
def viewer() -> Client:
    """A viewer, signed in, who gets the page of a 500 instead of the exception."""
    client = as_a(Role.VIEWER)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("path", ["/nothing/", "/orders/999999/", f"/orders/{9**50}/", f"/orders/{'9' * 5000}/"])
def test_a_page_that_does_not_exist_is_a_404_in_our_style(viewer: Client, path: str) -> None:
    page = viewer.get(path)
    assert (page.status_code, heading(page)) == (404, "Page not found")


def test_a_stranger_gets_the_same_404() -> None:
    page = Client().get("/nothing/")
    assert (page.status_code, heading(page)) == (404, "Page not found")


def test_a_page_that_is_not_allowed_is_a_403_that_says_why(viewer: Client) -> None:
    page = viewer.get("/orders/new/")
    assert (page.status_code, heading(page)) == (403, "You have no access to this")
    assert "Only operators, managers and owners may place orders." in page.content.decode()


@pytest.mark.parametrize("person", [STRANGER, Role.VIEWER])
def test_a_request_for_another_host_is_a_400(person: str) -> None:
    page = as_a(person).get("/orders/", headers={"Host": "evil.example"})
    assert (page.status_code, heading(page)) == (400, "The desk did not understand that request")


def test_a_form_with_too_many_fields_is_a_400(viewer: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 5
    page = viewer.post("/accounts/password/change/", {f"n{number}": "1" for number in range(9)})
    assert (page.status_code, heading(page)) == (400, "The desk did not understand that request")


def test_a_form_that_was_open_too_long_says_that_nothing_was_done() -> None:
    page = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "ana"})
    assert (page.status_code, heading(page)) == (403, "This page was open too long")


def test_a_mistake_of_ours_is_a_500_that_shows_no_details(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.table.views.Listing.read", broken)
    page = viewer.get("/orders/")
    assert (page.status_code, heading(page)) == (500, "Something broke on our side")
    assert "secret of the house" not in page.content.decode()


@pytest.mark.parametrize("path", ["/orders/", "/orders/changes/", "/admin/", "/nothing/", "/accounts/login/"])
def test_without_a_database_every_page_is_the_500_with_the_policy(viewer: Client, path: str) -> None:
    with no_database():
        page = viewer.get(path)
    assert (page.status_code, heading(page)) == (500, "Something broke on our side")
    assert page["Content-Security-Policy"] == POLICY
    assert page["X-Request-ID"]


def test_without_a_database_the_process_still_answers() -> None:
    with no_database():
        assert Client().get("/healthz").status_code == 200
        assert Client().get("/healthz/ready").status_code == 503
        assert heading(Client().get("/nothing/")) == "Page not found"


def test_the_500_is_shown_when_the_status_bar_is_broken(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.site.status_bar.StatusBar.columns", property(broken))
    page = viewer.get("/orders/")
    assert (page.status_code, heading(page)) == (500, "Something broke on our side")


def as_typed(nonsense: str) -> str:
    """The text escaped for an address, unless it looks escaped already."""
    return nonsense if "%" in nonsense else quote(nonsense)


@pytest.mark.slow
@pytest.mark.parametrize("texts", [NONSENSE, HUGE], ids=["short", "huge"])
def test_nonsense_in_an_address_is_never_a_500(texts: list[str]) -> None:
    order, client = one_of_everything(), as_a(Role.OWNER)
    ours = [address(route) for route, view in routes() if hasattr(view, "needs")]
    for nonsense in map(as_typed, texts):
        asked = "&".join(f"{name}={nonsense}" for name in (("v", "q") if len(nonsense) > MUCH_CHARACTERS else ASKED))
        for path in (f"{here}?{asked}" for here in ours):
            assert client.get(path).status_code < 500, path[:80]
        of_a_service = f"/orders/new/receipt/?service={order.service.upstream_id}&quantity={nonsense}"
        assert client.get(of_a_service).status_code == 200, nonsense[:20]


@pytest.mark.parametrize("here", ["/admin/orders/order/", "/admin/accounts/user/"])
def test_nonsense_in_the_admins_addresses_is_never_a_500(here: str) -> None:
    one_of_everything()
    client = as_a(Role.OWNER)
    for nonsense in map(as_typed, [str(9**50), "%00", "%FF", *HUGE[:2]]):
        asked = [f"{here}?{name}={nonsense}" for name in ("q", "p", "o", "status__exact", "id__exact")]
        for path in (*asked, f"{here}{nonsense}/change/", f"/admin/panel/chore/{nonsense}/change/"):
            assert client.get(path).status_code < 500, path[:60]


@pytest.mark.slow
def test_nonsense_in_a_form_is_refused_with_a_reason() -> None:
    usual = {"service": make_service().upstream_id, "link": "https%3A//a.b/", "quantity": "100", "token": "1"}
    client = as_a(Role.OPERATOR)
    for nonsense in map(as_typed, NONSENSE + HUGE):
        for name in (*usual, "q"):
            body = "&".join(f"{k}={v}" for k, v in {**usual, name: nonsense}.items())
            assert client.post("/orders/new/", body, FORM).status_code == 422, (name, nonsense[:20])


@pytest.mark.parametrize("cookie", ["sessionid", "csrftoken", "messages"])
@pytest.mark.parametrize("value", ["nonsense", "%00", "x" * 4000, "é", '"', "a:b:c"])
def test_a_cookie_of_nonsense_is_ignored(cookie: str, value: str) -> None:
    client = Client()
    client.cookies[cookie] = value
    assert client.get("/orders/").status_code == 302
    assert client.get("/accounts/login/").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_nonsense_is_never_a_500(kind: str) -> None:
    client = as_a(Role.OPERATOR)
    for body in BODIES:
        assert client.generic("POST", "/orders/new/", body, kind).status_code < 500, body
