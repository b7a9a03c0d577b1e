"""Refills and cancels as lists: each state apart, in words and in its tab, and the way to the order and back."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.aftersale.states import STATES, state_key
from orders.aftersale.task_list import DEFAULT_OLD_AGE, FEWEST_MEASURED_REFILLS, usual_age
from orders.models import Task
from tests.makers import make_order, make_user
from tests.people import as_a

pytestmark = pytest.mark.django_db
Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled


def make_task(kind: str, **fields: Any) -> Task:
    """A task of an order of its own: ended when `over_how` is given, answered when `outcome` is."""
    order, now = make_order("completed" if kind == Kind.REFILL else "in_progress"), timezone.now()
    settled = fields.get("outcome") or fields.get("over_how")
    times = {"due_at": None if settled else now, "settled_at": now if settled else None,
             "over_at": now if fields.get("over_how") else None}  # fmt: skip
    return Task.objects.create(order=order, kind=kind, asked_by=make_user(name="Ana"), **{**times, **fields})


def one_of_each(kind: str) -> list[Task]:
    tasks = [make_task(kind), make_task(kind, outcome=Outcome.DONE), make_task(kind, outcome=Outcome.UNCLEAR)]
    return tasks + [make_task(kind, over_how=how) for how in Settled]


@pytest.mark.parametrize("kind", Task.AFTERSALE)
def test_every_task_is_in_the_one_state_that_its_tab_finds(kind: str) -> None:
    tasks = one_of_each(kind)
    for task in tasks:
        matching_keys = [
            key
            for key, state in STATES[kind].items()
            for index in state.index_rows(kind)
            if index.rows.filter(pk=task.pk).exists()
        ]
        if state_key(task) in STATES[kind]:  # a cancel is never presumed, a refill never agreed to
            assert matching_keys == [state_key(task)]
    assert {state_key(task) for task in tasks} >= set(STATES[kind])


@pytest.mark.parametrize("kind", Task.AFTERSALE)
def test_a_tab_shows_its_own_and_leads_to_the_order(viewer: Client, kind: str) -> None:
    waiting, refused = (
        make_task(kind),
        make_task(kind, over_how=Settled.REFUSED, outcome="refused", answer="No, thanks"),
    )
    page = viewer.get(f"/orders/{kind}s/?state=refused").content.decode()
    assert f'href="/orders/{refused.order_id}/"' in page
    assert "No, thanks" in page
    assert f'href="/orders/{waiting.order_id}/"' not in page
    assert f'href="/orders/{kind}s/"' in viewer.get("/orders/").content.decode()


def test_an_unknown_state_shows_all(viewer: Client) -> None:
    task = make_task(Kind.REFILL)
    assert f"/orders/{task.order_id}/" in viewer.get("/orders/refills/?state=%00&before=x").content.decode()


def test_fifty_a_page_and_no_query_more_for_them(viewer: Client, django_assert_num_queries: Any) -> None:
    make_task(Kind.CANCEL)
    with django_assert_num_queries(5):
        viewer.get("/orders/cancels/")
    for _ in range(51):
        make_task(Kind.CANCEL)
    with django_assert_num_queries(5):
        page = viewer.get("/orders/cancels/").content.decode()
    assert page.count('class="w-id" role="rowheader"') == 50
    oldest = Task.objects.filter(kind=Kind.CANCEL).order_by("pk")[2]
    older = viewer.get(f"/orders/cancels/?before={oldest.pk}").content.decode()
    assert older.count('class="w-id" role="rowheader"') == 2


def test_a_refill_older_than_usual_stands_out(viewer: Client) -> None:
    old = make_task(Kind.REFILL, outcome=Outcome.DONE, known_at=timezone.now() - DEFAULT_OLD_AGE - timedelta(minutes=1))
    page = viewer.get("/orders/refills/").content.decode()
    assert page.count("longer than refills usually take") == 1
    Task.objects.filter(pk=old.pk).update(known_at=timezone.now())
    assert "longer than refills usually" not in viewer.get("/orders/refills/").content.decode()


def test_what_is_usual_is_learnt_from_refills_whose_end_was_told() -> None:
    now = timezone.now()
    for hours in range(FEWEST_MEASURED_REFILLS - 1):
        make_task(Kind.REFILL, over_how=Settled.MARKED, outcome="done", known_at=now - timedelta(hours=hours))
    assert usual_age() == DEFAULT_OLD_AGE
    make_task(Kind.REFILL, over_how=Settled.PRESUMED, outcome="done", known_at=now - timedelta(hours=99))
    assert usual_age() == DEFAULT_OLD_AGE  # what is presumed teaches nothing
    make_task(Kind.REFILL, over_how=Settled.FOLLOWED, outcome="done", known_at=now - timedelta(hours=19))
    assert timedelta(hours=17) < usual_age() < timedelta(hours=19)


def test_a_stranger_sees_none() -> None:
    make_task(Kind.REFILL)
    assert as_a("stranger").get("/orders/refills/").status_code == 302
