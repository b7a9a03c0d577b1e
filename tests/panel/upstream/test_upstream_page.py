"""The page about upstream: this minute's calls, who spent them, which workers run, and what is due."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Poll
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
    """A teammate who may only look on, signed in."""
    return as_a("viewer")


def make_window(minutes_ago: int = 0, **columns: int) -> Window:
    """A minute of calls: the current one, or one that ended earlier."""
    ends_at = timezone.now() + timedelta(seconds=30) - timedelta(minutes=minutes_ago)
    usual = {"key_limit": 100, "key_left": 63, "ip_limit": 300, "ip_left": 263}
    return Window.objects.create(number=100 - minutes_ago, ends_at=ends_at, **{**usual, **columns})


def make_worker(name: str, roles: str = EVERY_ROLE, ago: timedelta = timedelta(0), **columns: object) -> Beat:
    """A worker whose last heartbeat was so long ago."""
    now = timezone.now()
    return Beat.objects.create(name=name, roles=roles, started_at=now, beat_at=now - ago, **columns)


def page(viewer: Client) -> str:
    """The whole page about upstream."""
    return viewer.get("/upstream/").content.decode()


def test_it_says_how_many_calls_are_left_and_what_they_were_for(viewer: Client) -> None:
    make_window(place=20, look=17)
    make_window(minutes_ago=5, look=1200, denied=2)
    text = page(viewer)
    assert "<b>63</b>left" in text
    assert "1,217" in text
    assert "2 denied by the supplier" in text


def test_the_tightest_layer_counts(viewer: Client) -> None:
    make_window(tier_limit=80, tier_left=9)
    assert "<b>9</b>left" in page(viewer)


def test_before_the_first_call_it_says_which_limit_is_assumed(viewer: Client) -> None:
    text = page(viewer)
    assert "<b>100</b>left" in text
    assert "until the supplier’s answers say otherwise" in text


def test_the_chart_puts_each_minute_where_it_was(viewer: Client) -> None:
    make_window(look=50)
    make_window(minutes_ago=59, look=50)
    assert [part.split('"')[0] for part in page(viewer).split('<rect class="k-look" x="')[1:]] == ["1", "591"]


def test_it_lists_what_is_due_and_since_when(viewer: Client) -> None:
    assert "nothing waits" in page(viewer)
    make_order(Status.IN_PROGRESS)
    Poll.objects.update(next_poll_at=timezone.now() - timedelta(minutes=1))
    make_order(Status.QUEUED).tasks.update(due_at=timezone.now() - timedelta(minutes=1))
    Chore.objects.create(name="catalog", due_at=timezone.now(), trouble="NotPanel could not be reached.")
    text = page(viewer)
    assert "1 order, the oldest since" in text
    assert "1 request, the oldest since" in text
    assert "NotPanel could not be reached." in text


def test_recurring_work_with_nothing_to_do_is_not_called_due(viewer: Client) -> None:
    Chore.objects.create(name="left out", due_at=timezone.now())
    assert "nothing to do now" in page(viewer)
    make_order(Status.IN_PROGRESS, left_out=POLLED_ALONE_FROM, next_poll_at=timezone.now())
    assert "nothing to do now" not in page(viewer)


def test_an_open_page_gets_its_middle_alone(viewer: Client) -> None:
    whole, part = page(viewer), viewer.get("/upstream/", headers=htmx()).content.decode()
    assert part.startswith('<div class="stack" id="calls"')
    assert "<html" in whole
    assert "<html" not in part


@pytest.mark.parametrize("roles", [EVERY_ROLE, "look upkeep"])
def test_workers_say_what_they_do(viewer: Client, roles: str) -> None:
    Heartbeat(roles=roles.split()).record(timezone.now())
    assert ("everything" if roles == EVERY_ROLE else "look, upkeep") in page(viewer)


def test_workers_that_are_silent_or_stopped_are_told_apart(viewer: Client) -> None:
    make_worker("a:1")
    make_worker("b:2", ago=SILENT_AFTER + timedelta(seconds=1))
    make_worker("c:3", stopped_at=timezone.now())
    text = page(viewer)
    assert [text.count(f">{state}</span>") for state in ("running", "silent", "stopped")] == [1, 1, 1]


def test_many_workers_cost_no_more_queries(viewer: Client) -> None:
    counts = []
    for number in (1, 50):
        for each in range(number):
            make_worker(f"w:{number}-{each}")
        page(viewer)
        with CaptureQueriesContext(connection) as queries:
            page(viewer)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 11


# ── Roles that no worker has ─────────────────────────────────────────────────────────────────────
def test_a_desk_says_which_roles_no_worker_has(viewer: Client) -> None:
    make_worker("a:1", "place ask")
    make_worker("b:2", "upkeep desk")
    assert "No running worker asks how orders stand." in page(viewer)
    make_worker("c:3", "look")
    assert "No running worker" not in page(viewer)


def test_it_is_not_ready_while_a_role_has_no_worker(client: Client) -> None:
    make_worker("a:1", " ".join(role for role in ROLES if role != Purpose.PLACE))
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["worker"].endswith("; none sends orders")


def test_with_no_worker_at_all_no_single_role_is_named() -> None:
    assert StatusBar().worker_silent
    assert StatusBar().undone == ""
