"""200 presses at once by one person near their limit, over HTTP to a server that answers in threads."""

import http.client
import re
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from urllib.parse import urlencode

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Service
from orders.models import Approval, Order, Task
from orders.rules.statuses import Status
from tests.makers import make_service, make_user
from tests.orders.limits.desk_limits import own, set_limits, sums, sums_of_orders
from tests.people import as_user

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PRESSES, AT_ONCE = 200, 20
CSRF = "k" * 32
PLACED, REFUSED = http.client.FOUND, http.client.UNPROCESSABLE_ENTITY
REASON = re.compile(r"you have \$[\d.,]+ of \$[\d.,]+ left today|the team has \$[\d.,]+ of \$[\d.,]+ left today")


def pressed(server: LiveServer, person: User, service: Service, **more: str) -> list[tuple[int, str]]:
    """The answer to each press: its status, and which limit it names."""
    session = as_user(person).cookies[settings.SESSION_COOKIE_NAME].value
    cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies}
    ready, host = Barrier(AT_ONCE), server.url.removeprefix("http://")

    def client(number: int) -> list[tuple[int, str]]:
        line, answers = http.client.HTTPConnection(host, timeout=60), []
        ready.wait(30)
        for press in range(number, PRESSES, AT_ONCE):
            form = {
                "csrfmiddlewaretoken": CSRF, "service": service.upstream_id, "quantity": 1000, "seen": service.as_seen,
                "link": f"https://instagram.com/person{press}", "token": uuid.uuid4(), **more,
            }  # fmt: skip
            line.request("POST", "/orders/new/", urlencode(form), headers)
            answer = line.getresponse()
            said = REASON.search(answer.read().decode())
            answers.append((answer.status, said[0] if said else ""))
        line.close()
        return answers

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [answer for answers in pool.map(client, range(AT_ONCE)) for answer in answers]


@pytest.fixture
def service() -> Service:
    return make_service(rate=Decimal(1))


def test_a_person_never_orders_for_more_than_they_have_left_and_is_always_told_why(
    live_server: LiveServer, service: Service
) -> None:
    ana = own(make_user(), day="7.5")
    answers = pressed(live_server, ana, service)
    assert Counter(status for status, _ in answers) == {PLACED: 7, REFUSED: PRESSES - 7}
    assert all(said for status, said in answers if status == REFUSED)
    assert Order.objects.count() == Task.objects.count() == 7
    assert sums(ana.pk) == sums_of_orders(ana.pk) == (7, 0)


def test_nor_for_more_than_the_team_has_when_all_of_them_ask_for_approval(
    live_server: LiveServer, service: Service
) -> None:
    set_limits(team_day_limit="9.9", operator_day_limit="3.5")
    ana = make_user()
    answers = pressed(live_server, ana, service, ask="1", reason="They paid.")
    assert Counter(status for status, _ in answers) == {PLACED: 9, REFUSED: PRESSES - 9}
    assert sums(ana.pk) == sums_of_orders(ana.pk) == (3, 6)
    assert Approval.objects.count() == Order.objects.filter(status=Status.APPROVAL).count() == 6
    assert Task.objects.count() == 3
