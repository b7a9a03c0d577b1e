"""To look changes nothing: a link in a message, a prefetch or a crawler may GET every address."""

import re
from http import HTTPStatus

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import Role
from accounts.models import User
from orders.models import Mention, Note
from tests.addresses import address, one_of_everything, routes
from tests.people import STRANGER, as_a

pytestmark = pytest.mark.django_db
WRITES = re.compile(r'(?:INSERT(?: OR IGNORE)? INTO|UPDATE|DELETE FROM) "(\w+)"')
# Who has an order's page open is told by that page's own polls, and forgotten a minute later. `/healthz/ready` tries
# whether anything can be written, and whoever comes to a page of sign-in is counted there.
ALLOWED = {
    "orders/<pk>/": {"orders_presence"}, "healthz/ready": {"desk_cache"},
    "accounts/login/": {"desk_cache"}, "accounts/login/passkey/": {"desk_cache"},
    "accounts/password/change/": {"desk_cache"},
    # What is being set up waits in one's own session, which a proof has opened.
    "accounts/factors/app/": {"accounts_desksession"}, "accounts/factors/passkeys/": {"accounts_desksession"},
}  # fmt: skip
FORBIDDEN = {"accounts_trailline", "accounts_signincount"}  # that a person asked for what they may not is recorded


@pytest.mark.parametrize(
    ("method", "person"),
    [
        ("get", STRANGER),
        ("get", Role.OWNER),
        *(pytest.param("get", role, marks=pytest.mark.slow) for role in Role if role != Role.OWNER),
        pytest.param("head", Role.OWNER, marks=pytest.mark.slow),
    ],
)
def test_no_address_writes_when_it_is_looked_at(method: str, person: str) -> None:
    """HEAD goes the way of GET, so the one who comes everywhere tries it."""
    one_of_everything()
    client, written = as_a(person), dict[str, set[str]]()
    unread = [Mention(note=Note.objects.latest("pk"), user=user) for user in User.objects.all()]
    Mention.objects.bulk_create(unread, ignore_conflicts=True)
    for route, _ in routes():
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(client, method)(address(route))
        allowed = ALLOWED.get(route, set()) | (FORBIDDEN if answer.status_code == HTTPStatus.FORBIDDEN else set())
        tables = {table for query in queries.captured_queries for table in WRITES.findall(str(query["sql"]))}
        if tables - allowed:
            written[route] = tables
    assert not written
