"""Two people, one order: who is at it is seen in the list, and a press beside somebody who decides is asked about."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from orders.following.triage import mark_seen
from orders.models import Order, Presence, Task
from orders.models.team import ABOUT, STILL_THERE
from orders.placing import review
from orders.rules.refusal import Refusal
from orders.teamwork.presence import mark_about
from tests.makers import make_order, make_user
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def tomas() -> User:
    return make_user(Role.MANAGER, username="tomas", name="Tomás")


@pytest.fixture
def mira() -> Client:
    return as_user(make_user(Role.MANAGER, username="mira", name="Mira"))


def version_of(html: str, order: Order) -> str:
    found = re.search(rf'id="order-{order.pk}"[^>]*?data-v="([^"]*)"', html, re.S)
    assert found
    return found[1]


def about_to(user: User, order: Order, about: str) -> None:
    mark_about(order.pk, user, about, timezone.now())


# ── Seen in the list ─────────────────────────────────────────────────────────────────────────────
def test_who_is_at_an_order_is_seen_in_its_row_and_moves_with_the_poll(mira: Client, order: Order, tomas: User) -> None:
    before = version_of(mira.get("/orders/").content.decode(), order)
    bar = re.search(r'id="bar" data-version="(\w+)"', mira.get("/orders/").content.decode())
    assert bar

    def poll(shown: str) -> str:
        return f"/orders/changes/?v={order.pk}:{shown}&bar={bar[1]}&top={order.pk}"

    assert mira.get(poll(before), headers=htmx()).status_code == 204
    as_user(tomas).get(order.get_absolute_url())
    came = mira.get(poll(before), headers=htmx()).content.decode()
    assert 'title="Tomás has this order open."' in came
    assert '<span class="vh">Tomás has this order open.</span>' in came
    now = version_of(came, order)
    assert now != before
    Presence.objects.update(seen_at=timezone.now() - STILL_THERE)
    left = mira.get(poll(now), headers=htmx()).content.decode()
    assert "Tomás has" not in left
    assert version_of(left, order) == before


def test_nobody_sees_themselves_and_names_are_escaped(order: Order) -> None:
    me = make_user(name="<b>Me")
    other = make_user(name="<i>Other")
    for user in (me, other):
        as_user(user).get(order.get_absolute_url())
    html = as_user(me).get("/orders/").content.decode()
    assert "&lt;i&gt;Other has this order open." in html
    assert "Me has this order open." not in html


def test_the_list_and_its_poll_take_no_more_queries_for_it(mira: Client, order: Order, tomas: User) -> None:
    counts = []
    mira.get("/orders/")  # the first page of a new desk makes a row
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            mira.get("/orders/")
        counts.append(len(queries))
        about_to(tomas, order, "cancellation")
    assert counts[0] == counts[1]


# ── Asked first ──────────────────────────────────────────────────────────────────────────────────
PRESSES = [
    ("in_progress", "cancellation/", {}),
    ("completed", "refills/", {}),
    ("queued", "withdrawal/", {}),
    ("review", "closing/", {"reason": "They do not have it."}),
    ("review", "adoption/", {"upstream_id": "ord_x"}),
    ("review", "tries/", {}),
]


@pytest.mark.parametrize(("status", "what", "form"), PRESSES)
def test_a_press_beside_somebody_who_decides_asks_once_more_and_then_is_done(
    mira: Client, tomas: User, status: str, what: str, form: dict[str, str]
) -> None:
    order = make_order(status)
    order.tasks.update(unclear_since=timezone.now() if status == "review" else None)
    about_to(tomas, order, "cancellation")
    events = order.events.count()
    asked = mira.post(f"{order.get_absolute_url()}{what}", form)
    assert asked.status_code == 409
    html = asked.content.decode()
    assert "Tomás has this order open, and is about to cancel it." in html
    assert order.events.count() == events, "nothing was done"
    for name, text in form.items():
        assert f'name="{name}" value="{text}"' in html, "and nothing is lost"
    done = mira.post(f"{order.get_absolute_url()}{what}", {**form, "despite": tomas.pk})
    assert done.status_code == 302
    assert order.events.count() == events + 1


def test_who_only_looks_is_named_in_the_question_and_hinders_nobody(mira: Client, tomas: User) -> None:
    order = make_order("in_progress")
    as_user(tomas).get(order.get_absolute_url())
    question = mira.get(f"{order.get_absolute_url()}cancellation/question/").content.decode()
    assert "Tomás has this order open." in question
    assert 'name="despite"' not in question
    assert mira.post(f"{order.get_absolute_url()}cancellation/").status_code == 302
    assert Task.objects.filter(kind="cancel").count() == 1


def test_a_yes_holds_for_those_whom_the_question_named(mira: Client, tomas: User) -> None:
    order, ana = make_order("in_progress"), make_user(name="Ana")
    about_to(tomas, order, "cancellation")
    question = mira.get(f"{order.get_absolute_url()}cancellation/question/").content.decode()
    assert f'name="despite" value="{tomas.pk}"' in question
    about_to(ana, order, "decision")
    asked = mira.post(f"{order.get_absolute_url()}cancellation/", {"despite": tomas.pk})
    assert asked.status_code == 409
    assert "Ana has this order open, and is about to decide about it." in asked.content.decode()


def test_in_the_list_the_press_leads_to_a_page_that_asks(mira: Client, tomas: User) -> None:
    order = make_order("in_progress")
    about_to(tomas, order, "refills")
    asked = mira.post(f"{order.get_absolute_url()}cancellation/", headers=htmx())
    assert asked["HX-Redirect"] == f"{order.get_absolute_url()}cancellation/question/"
    assert not Task.objects.filter(kind="cancel").exists()


def test_what_somebody_was_about_to_do_is_forgotten_after_half_a_minute(mira: Client, tomas: User) -> None:
    order = make_order("in_progress")
    about_to(tomas, order, "cancellation")
    Presence.objects.update(about_at=timezone.now() - STILL_THERE)
    assert mira.post(f"{order.get_absolute_url()}cancellation/").status_code == 302


def test_a_question_tells_and_is_told_and_untold(mira: Client, tomas: User, order: Order) -> None:
    client = as_user(tomas)
    address = f"{order.get_absolute_url()}deciding/"
    assert client.post(address, {"about": "cancellation"}).status_code == 204
    told = mira.post(address, {"about": "decision"})
    assert told.content.decode().strip() == "Tomás has this order open, and is about to cancel it."
    client.post(address, {"about": ""})
    assert mira.post(address, {"about": ""}).content.decode().strip() == "Tomás has this order open."
    client.post(address, {"about": "x" * 500})
    assert not Presence.objects.filter(about__in=ABOUT).exists()
    assert client.post("/orders/999999/deciding/", {"about": ""}).status_code == 404


def test_the_dry_run_names_the_orders_that_somebody_is_at(mira: Client, tomas: User) -> None:
    orders = [make_order("completed") for _ in "12"]
    about_to(tomas, orders[0], "refills")
    html = mira.post("/orders/bulks/new/", {"kind": "refill", "order": [order.pk for order in orders]}).content.decode()
    assert "1 of these orders is open at a colleague’s." in html
    assert "Tomás has this order open, and is about to ask for a refill of it." in html


# ── Too late ─────────────────────────────────────────────────────────────────────────────────────
def test_who_comes_too_late_reads_who_did_what_and_when(tomas: User) -> None:
    ana = make_user(Role.MANAGER, name="Ana")
    order = make_order("review")
    review.close(order, "They do not have it.", by=tomas)
    with pytest.raises(Refusal, match=r"Tomás closed it as not placed: They do not have it, at \d\d:\d\d UTC\."):
        review.adopt(order, "ord_x", by=ana)
    odd = make_order("completed", doubts="charge")
    mark_seen(odd, "charge", by=tomas)
    with pytest.raises(Refusal, match=r"Tomás reviewed the unusual values: charge, at \d\d:\d\d UTC\."):
        mark_seen(odd, "charge", by=ana)


def test_presence_of_an_hour_ago_says_nothing_of_now(mira: Client, tomas: User, order: Order) -> None:
    Presence.objects.create(order=order, user=tomas, seen_at=timezone.now() - timedelta(hours=1), about="refills")
    assert "Tomás has this order open" not in mira.get("/orders/").content.decode()
