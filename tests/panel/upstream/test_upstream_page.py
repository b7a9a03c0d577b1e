"""The page about upstream: this minute's calls, who spent them, which workers run, and what is due."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order
from orders.rules.poll_schedule import POLLED_ALONE_FROM
from orders.rules.statuses import Status
from panel.notpanel.budget import Purpose
from panel.site.status_bar import StatusBar
from panel.upstream.models import EVERY_ROLE, ROLES, SILENT_AFTER, Beat, Chore, Window
from panel.worker.heartbeat import Heartbeat
from tests.makers import make_order
from tests.people import as_a, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return as_a("viewer")


def minute(ago: int = 0, **known: int) -> Window:
    ends_at = timezone.now() + timedelta(seconds=30) - timedelta(minutes=ago)
    usual = {"key_limit": 100, "key_left": 63, "ip_limit": 300, "ip_left": 263}
    return Window.objects.create(number=100 - ago, ends_at=ends_at, **{**usual, **known})


def beats(name: str, roles: str = EVERY_ROLE, ago: timedelta = timedelta(0), **more: object) -> Beat:
    now = timezone.now()
    return Beat.objects.create(name=name, roles=roles, started_at=now, beat_at=now - ago, **more)


def page(viewer: Client) -> str:
    return viewer.get("/upstream/").content.decode()


def test_it_says_what_is_left_and_who_spent_it(viewer: Client) -> None:
    minute(place=20, look=17)
    minute(ago=5, look=1200, denied=2)
    said = page(viewer)
    assert "<b>63</b>left" in said
    assert "1,217" in said
    assert "2 denied by upstream" in said


def test_the_tightest_layer_counts(viewer: Client) -> None:
    minute(tier_limit=80, tier_left=9)
    assert "<b>9</b>left" in page(viewer)


def test_before_the_first_call_it_says_what_is_assumed(viewer: Client) -> None:
    said = page(viewer)
    assert "<b>100</b>left" in said
    assert "until upstream’s answers say otherwise" in said


def test_the_chart_puts_each_minute_where_it_was(viewer: Client) -> None:
    minute(look=50)
    minute(ago=59, look=50)
    assert [part.split('"')[0] for part in page(viewer).split('<rect class="k-look" x="')[1:]] == ["1", "591"]


def test_it_lists_what_is_due_and_since_when(viewer: Client) -> None:
    assert "nothing waits" in page(viewer)
    make_order(Status.IN_PROGRESS)
    Order.objects.update(next_look_at=timezone.now() - timedelta(minutes=1))
    make_order(Status.QUEUED).tasks.update(due_at=timezone.now() - timedelta(minutes=1))
    Chore.objects.create(name="catalog", due_at=timezone.now(), trouble="NotPanel could not be reached.")
    said = page(viewer)
    assert "1 order, the first since" in said
    assert "1 task, the first since" in said
    assert "NotPanel could not be reached." in said


def test_a_chore_for_which_there_is_nothing_to_do_is_not_called_due(viewer: Client) -> None:
    Chore.objects.create(name="left out", due_at=timezone.now())
    assert "nothing to do now" in page(viewer)
    make_order(Status.IN_PROGRESS, left_out=POLLED_ALONE_FROM, next_look_at=timezone.now())
    assert "nothing to do now" not in page(viewer)


def test_an_open_page_gets_its_middle_alone(viewer: Client) -> None:
    whole, part = page(viewer), viewer.get("/upstream/", headers=htmx()).content.decode()
    assert part.startswith('<div class="stack" id="calls"')
    assert "<html" in whole
    assert "<html" not in part


@pytest.mark.parametrize("roles", [EVERY_ROLE, "look upkeep"])
def test_workers_say_what_they_do(viewer: Client, roles: str) -> None:
    Heartbeat(roles=roles.split()).beat(timezone.now())
    assert ("everything" if roles == EVERY_ROLE else "look, upkeep") in page(viewer)


def test_workers_that_are_silent_or_stopped_are_told_apart(viewer: Client) -> None:
    beats("a:1")
    beats("b:2", ago=SILENT_AFTER + timedelta(seconds=1))
    beats("c:3", stopped_at=timezone.now())
    said = page(viewer)
    assert [said.count(f">{state}</span>") for state in ("works", "silent", "stopped")] == [1, 1, 1]


def test_many_workers_cost_no_more_questions(viewer: Client) -> None:
    counts = []
    for number in (1, 50):
        for each in range(number):
            beats(f"w:{number}-{each}")
        page(viewer)
        with CaptureQueriesContext(connection) as asked:
            page(viewer)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 11


# ── What nobody does ─────────────────────────────────────────────────────────────────────────────
def test_a_desk_whose_workers_leave_something_out_says_what(viewer: Client) -> None:
    beats("a:1", "place ask")
    beats("b:2", "upkeep desk")
    assert "No running worker asks how orders stand." in page(viewer)
    beats("c:3", "look")
    assert "No running worker" not in page(viewer)


def test_it_is_not_ready_while_something_is_left_out(client: Client) -> None:
    beats("a:1", " ".join(role for role in ROLES if role != Purpose.PLACE))
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["worker"].endswith("; none sends orders")


def test_with_no_worker_at_all_that_alone_is_said() -> None:
    assert StatusBar().worker_silent
    assert StatusBar().undone == ""
