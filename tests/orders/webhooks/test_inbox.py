"""The inbox: deliveries that come together share a commit, and none is told as kept that is not."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from orders.models import Arrival, Delivery
from orders.webhooks import inbox
from orders.webhooks.inbox import Inbox, NotKept
from tests.deliveries import stored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many rows each commit had; the first is held back until six more wait."""
    found: list[int] = []
    usual = inbox.insert_deliveries

    def write(arrivals: list[Arrival]) -> None:
        if not found:
            time.sleep(0.5)
        found.append(len(arrivals))
        usual(arrivals)

    monkeypatch.setattr(inbox, "insert_deliveries", write)
    yield found


def an_arrival(key: str) -> Arrival:
    return Arrival(key=key, digest=key, body="{}", received_at=timezone.now())


def outcome(box: Inbox, key: str) -> str:
    try:
        box.put(an_arrival(key))
    except NotKept:
        return "not kept"
    # Read over a connection of this thread's own: what is not committed is not seen.
    found = Delivery.objects.filter(key=key).exists()
    connections.close_all()
    return "kept" if found else "lost"


def together(box: Inbox, keys: list[str]) -> list[str]:
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: outcome(box, key), keys))


def test_those_that_come_together_share_a_commit_and_each_is_on_the_disk_when_it_is_told(writes: list[int]) -> None:
    assert together(Inbox(), [str(n) for n in range(12)]) == ["kept"] * 12
    assert sum(writes) == 12
    assert len(writes) <= 4


def test_repeats_among_those_that_come_together_are_kept_once(writes: list[int]) -> None:
    assert together(Inbox(), ["a", "b", "a", "a", "b", "a"]) == ["kept"] * 6
    assert sorted(delivery.key for delivery in stored()) == ["a", "b"]


def test_a_commit_that_fails_is_told_to_each_and_the_next_fares_better(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Inbox()

    def full(_: list[Arrival]) -> None:
        time.sleep(0.2)
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "insert_deliveries", full)
        assert together(box, ["a", "b", "c"]) == ["not kept"] * 3
    assert stored() == []
    assert outcome(box, "a") == "kept"


def test_a_commit_that_fails_at_its_very_end_keeps_none(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Inbox()

    def fails(*_: object, **__: object) -> None:
        raise OperationalError("could not be committed")

    with monkeypatch.context() as patched:
        patched.setattr(BaseDatabaseWrapper, "_commit", fails)
        assert outcome(box, "a") == "not kept"
    assert stored() == []


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    usual = inbox.insert_deliveries
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(inbox, "insert_deliveries", lambda some: (go.wait(10), usual(some)))
    box = Inbox()
    with pytest.raises(NotKept):
        box.put(an_arrival("late"))
    go.set()
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 10)
    assert outcome(box, "late") == "kept"


def test_it_goes_on_after_a_rest_with_a_connection_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "AT_REST_SECONDS", 0.05)
    box = Inbox()
    for key in ("a", "b"):
        assert outcome(box, key) == "kept"
        time.sleep(0.3)


def test_a_child_of_a_process_that_has_written_writes_too() -> None:
    """gunicorn forks its workers, perhaps from a process that had a delivery."""
    assert outcome(inbox.INBOX, "parent") == "kept"
    connections.close_all()
    if (child := os.fork()) == 0:
        well = False
        try:
            well = outcome(inbox.INBOX, "child") == "kept"
        finally:
            os._exit(0 if well else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert {delivery.key for delivery in stored()} == {"parent", "child"}


def test_in_a_transaction_of_the_callers_it_stands_or_falls_with_that() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        Inbox().put(an_arrival("a"))
        assert len(stored()) == 1
        raise RuntimeError
    assert stored() == []
