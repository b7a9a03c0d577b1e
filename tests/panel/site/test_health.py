"""Whether the process answers, and whether the desk can do its work, in words."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from panel.ops.database import ONLY_ROW
from panel.upstream.models import SILENT_AFTER, Beat, Upstream
from tests.people import as_a


@pytest.fixture
def heartbeat() -> Beat:
    """A worker with a heartbeat just now."""
    now = timezone.now()
    return Beat.objects.create(name="here:1", started_at=now, beat_at=now)


def test_the_process_answers_without_the_database(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"  # without the db mark: a query here would fail


@pytest.mark.django_db
def test_a_desk_with_a_worker_is_ready(client: Client, heartbeat: Beat) -> None:
    Upstream.objects.update_or_create(pk=ONLY_ROW, defaults={"spoke_at": timezone.now() - timedelta(seconds=12)})
    answer = client.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.json() == {"database": "answers", "worker": "last beat 0 s ago"}
    assert as_a("viewer").get("/healthz/ready").json() == {**answer.json(), "upstream": "last answered 12 s ago"}


@pytest.mark.django_db
def test_a_silent_worker_makes_the_desk_unready(client: Client, heartbeat: Beat) -> None:
    Beat.objects.update(beat_at=timezone.now() - SILENT_AFTER - timedelta(seconds=30))
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert "silent" in answer.json()["worker"]


@pytest.mark.django_db
def test_a_desk_that_never_had_a_worker_says_so(client: Client) -> None:
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["worker"][:15]) == (503, "last beat never")


@pytest.mark.django_db
def test_trouble_with_upstream_is_told_to_the_team_and_leaves_the_desk_ready(client: Client, heartbeat: Beat) -> None:
    Upstream.objects.update_or_create(pk=ONLY_ROW, defaults={"trouble": "Account suspended"})
    answer = as_a("viewer").get("/healthz/ready")
    assert (answer.status_code, answer.json()["upstream"]) == (200, "last answered never; now: Account suspended")
    assert (client.get("/healthz/ready").status_code, "upstream" in client.get("/healthz/ready").json()) == (200, False)


@pytest.mark.django_db
def test_a_database_that_is_away_makes_the_desk_unready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr("panel.site.views.connection.ensure_connection", away)
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")
