"""Whatever is answered, what was sent is read to its end: a server that closes earlier breaks the line for nginx."""

from http import HTTPStatus
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.test.client import ClientHandler

from accounts.access import Role
from panel.site.middleware import MOST_BYTES, SHORT_BYTES
from tests.deliveries import SECRET
from tests.makers import make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
LARGE = b"x" * 2_800_000  # more than the desk takes of a form, and less than nginx refuses


def left_of(path: str, body: bytes, **environ: Any) -> tuple[int, int]:
    """The status of the answer to this body, and how many of its bytes nobody has read."""
    sent = BytesIO(body)
    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body)), "wsgi.input": sent}
    asked = RequestFactory().post(path, **environ).environ | form
    answer = ClientHandler(enforce_csrf_checks=True)(asked)
    return answer.status_code, len(body) - sent.tell()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/accounts/login/", HTTPStatus.FORBIDDEN),  # without the token of a form
        ("/healthz", HTTPStatus.FORBIDDEN),
        ("/nowhere/", HTTPStatus.NOT_FOUND),
        ("/webhooks/notpanel/", HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
@pytest.mark.parametrize("size", [SHORT_BYTES + 1, len(LARGE), MOST_BYTES])
def test_what_is_refused_is_read_to_its_end(path: str, status: int, size: int, settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET]
    assert left_of(path, b"x" * size) == (status, 0)


@pytest.mark.parametrize("size", [0, 1, SHORT_BYTES, MOST_BYTES + 1])
def test_what_a_socket_holds_and_what_no_proxy_lets_through_is_left(size: int) -> None:
    assert left_of("/accounts/login/", b"x" * size) == (HTTPStatus.FORBIDDEN, size)


def test_what_a_person_sends_is_read_to_its_end() -> None:
    """A form without its token, one that is too large, and one to a page that takes none."""
    client: Client = as_user(make_user(Role.OPERATOR))
    client.get("/orders/new/")
    cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())
    assert left_of("/orders/new/", LARGE, HTTP_COOKIE=cookies)[1] == 0
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    large = left_of("/orders/new/", LARGE, HTTP_COOKIE=cookies, HTTP_X_CSRFTOKEN=token)
    assert large == (HTTPStatus.BAD_REQUEST, 0)
    assert left_of("/orders/", LARGE, HTTP_COOKIE=cookies, HTTP_X_CSRFTOKEN=token)[1] == 0
