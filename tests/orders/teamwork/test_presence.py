"""Who else has an order's page open: live, deleted soon, and never the reason why a page fails or waits."""

import threading
import time
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import DeskSession, User
from orders.models import Order, Presence, team
from orders.models.team import STILL_THERE
from orders.rules.statuses import Status
from orders.teamwork import presence
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_user
from tests.orders.teamwork.conftest import page
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def ana() -> User:
    """An operator."""
    return make_user(Role.OPERATOR, name="Ana")


@pytest.fixture
def tomas() -> User:
    """Another operator."""
    return make_user(Role.OPERATOR, name="Tomás")


def poll_address(order: Order, version: object) -> str:
    """The address that an open page of this version polls."""
    return f"{order.get_absolute_url()}?v={version}&bar={StatusBar().version}"


def test_a_person_sees_others_and_not_themselves(ana: User, tomas: User, order: Order) -> None:
    mine = as_user(ana)
    assert "looking at this too" not in page(mine, order)
    assert "looking at this too" not in page(mine, order), "nor in a second tab"
    assert "<b><bdi>Ana</bdi></b> is looking at this too" in page(as_user(tomas), order)
    page(as_user(make_user(Role.VIEWER, name="Bo")), order)
    assert "<b><bdi>Bo</bdi></b> and <b><bdi>Tomás</bdi></b> are looking at this too" in page(mine, order)


def test_a_poll_answers_when_somebody_comes_and_goes(ana: User, tomas: User, order: Order) -> None:
    mine = as_user(ana)
    page(mine, order)
    assert mine.get(poll_address(order, order.version), headers=htmx()).status_code == 204
    page(as_user(tomas), order)
    joined = mine.get(poll_address(order, order.version), headers=htmx())
    assert "Tomás" in joined.content.decode()
    version = presence.page_version(order.version, ["Tomás"])
    assert f'data-v="{version}"' in joined.content.decode()
    assert mine.get(poll_address(order, version), headers=htmx()).status_code == 204
    Presence.objects.filter(user=tomas).update(seen_at=timezone.now() - STILL_THERE)
    left = mine.get(poll_address(order, version), headers=htmx())
    assert left.status_code == 200
    assert "looking at this too" not in left.content.decode()


def test_a_poll_keeps_a_person_present_and_touches_no_session(ana: User, order: Order) -> None:
    mine = as_user(ana)
    page(mine, order)
    sessions, long_ago = list(DeskSession.objects.values()), timezone.now() - 20 * SECOND
    Presence.objects.update(seen_at=long_ago)
    answer = mine.get(poll_address(order, order.version), headers=htmx())
    assert answer.status_code == 204
    assert not answer.cookies
    assert Presence.objects.get().seen_at > long_ago
    assert list(DeskSession.objects.values()) == sessions


def test_presence_is_written_at_most_once_in_ten_seconds(ana: User, order: Order) -> None:
    now = timezone.now()

    def written(at: datetime) -> bool:
        with CaptureQueriesContext(connection) as queries:
            presence.mark_present(order.pk, ana, at)
        return any(query["sql"].startswith("INSERT") for query in queries)

    assert [written(now + seconds * SECOND) for seconds in (0, 1, 9, 10, 11, 19, 20, 60)] == [
        True, False, False, True, False, False, True, True,
    ]  # fmt: skip
    assert Presence.objects.count() == 1


def test_presence_older_than_an_hour_is_deleted(ana: User) -> None:
    now, service_order = timezone.now(), make_order(Status.IN_PROGRESS)
    other = make_order(Status.IN_PROGRESS, service=service_order.service)
    presence.mark_present(service_order.pk, ana, now - timedelta(hours=2))
    presence.mark_present(other.pk, ana, now)
    assert list(Presence.objects.values_list("order", flat=True)) == [other.pk]


def test_a_page_does_not_fail_with_its_write_of_presence(
    ana: User, tomas: User, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(as_user(tomas), order)
    # The database refuses the row, for it knows no such table.
    monkeypatch.setattr(team.Presence._meta, "db_table", "no_such_table")
    presence.write_presence(order.pk, ana, timezone.now())
    monkeypatch.undo()
    assert "Tomás" in page(as_user(ana), order)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="only there do all writers wait for one another")
def test_a_page_does_not_wait_for_a_long_writer() -> None:
    ana, order = make_user(), make_order(Status.IN_PROGRESS)
    has_begun, may_end = threading.Event(), threading.Event()

    def writes_for_long() -> None:
        with transaction.atomic():
            Order.objects.filter(pk=order.pk).update(version=1)
            has_begun.set()
            may_end.wait(30)
        connections.close_all()

    writer = threading.Thread(target=writes_for_long)
    writer.start()
    has_begun.wait(30)
    began = time.monotonic()
    assert presence.mark_present(order.pk, ana, timezone.now()) == []
    took = time.monotonic() - began
    may_end.set()
    writer.join()
    assert took < 5, "seconds; the desk's own patience is 20"
    assert not Presence.objects.exists()
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)
    presence.mark_present(order.pk, ana, timezone.now())
    assert Presence.objects.exists()


def test_hostile_names_are_text_and_change_the_version(order: Order) -> None:
    mallory = make_user(Role.VIEWER, name="</script><script>alert(1)</script>\u202e")
    page(as_user(mallory), order)
    text = page(as_user(make_user()), order)
    assert "<script>alert" not in text
    assert "&lt;/script&gt;" in text


def test_the_version_is_the_orders_own_while_nobody_else_is_present() -> None:
    assert presence.page_version(7, []) == "7"
    assert len({presence.page_version(7, names) for names in ([], ["Ana"], ["Ana", "Bo"], ["Bo"])}) == 4
    assert presence.page_version(7, ["Ana"]) != presence.page_version(8, ["Ana"])
