"""The inbox: deliveries that come together share a commit, and `put` returns only for those that are committed."""

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
    """The number of rows of each commit. The first commit waits half a second, until more deliveries wait."""
    rows: list[int] = []
    usual = inbox.insert_deliveries

    def write(arrivals: list[Arrival]) -> None:
        if not rows:
            time.sleep(0.5)
        rows.append(len(arrivals))
        usual(arrivals)

    monkeypatch.setattr(inbox, "insert_deliveries", write)
    yield rows


def an_arrival(key: str) -> Arrival:
    """A delivery with this key, not stored yet."""
    return Arrival(key=key, digest=key, body="{}", received_at=timezone.now())


def outcome_of(box: Inbox, key: str) -> str:
    """Puts a delivery: `kept` if it is in the database then, `lost` if not, `not kept` if `put` says so."""
    try:
        box.put(an_arrival(key))
    except NotKept:
        return "not kept"
    # Read over a connection of this thread's own, which sees only what is committed.
    committed = Delivery.objects.filter(key=key).exists()
    connections.close_all()
    return "kept" if committed else "lost"


def together(box: Inbox, keys: list[str]) -> list[str]:
    """The outcomes of deliveries that are put at the same time, each by a thread of its own."""
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: outcome_of(box, key), keys))


def test_deliveries_that_come_together_share_a_commit_and_are_committed_when_put_returns(writes: list[int]) -> None:
    assert together(Inbox(), [str(n) for n in range(12)]) == ["kept"] * 12
    assert sum(writes) == 12
    assert len(writes) <= 4


def test_repeats_that_come_together_are_stored_once(writes: list[int]) -> None:
    assert together(Inbox(), ["a", "b", "a", "a", "b", "a"]) == ["kept"] * 6
    assert sorted(delivery.key for delivery in stored()) == ["a", "b"]


def test_a_commit_that_fails_raises_for_each_delivery_and_the_next_may_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Inbox()

    def full(_: list[Arrival]) -> None:
        time.sleep(0.2)
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(inbox, "insert_deliveries", full)
        assert together(box, ["a", "b", "c"]) == ["not kept"] * 3
    assert stored() == []
    assert outcome_of(box, "a") == "kept"


def test_a_commit_that_fails_at_its_very_end_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Inbox()

    def fails(*_: object, **__: object) -> None:
        raise OperationalError("could not be committed")

    with monkeypatch.context() as patched:
        patched.setattr(BaseDatabaseWrapper, "_commit", fails)
        assert outcome_of(box, "a") == "not kept"
    assert stored() == []


def test_no_request_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    usual = inbox.insert_deliveries
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(inbox, "insert_deliveries", lambda arrivals: (go.wait(10), usual(arrivals)))
    box = Inbox()
    with pytest.raises(NotKept):
        box.put(an_arrival("late"))
    go.set()
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 10)
    assert outcome_of(box, "late") == "kept"


def test_after_a_rest_the_writer_goes_on_with_a_new_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "AT_REST_SECONDS", 0.05)
    box = Inbox()
    for key in ("a", "b"):
        assert outcome_of(box, key) == "kept"
        time.sleep(0.3)


def test_a_child_of_a_process_that_has_written_writes_too() -> None:
    """gunicorn forks its workers, perhaps from a process that has written a delivery."""
    assert outcome_of(inbox.INBOX, "parent") == "kept"
    connections.close_all()
    if (child := os.fork()) == 0:
        stored_by_child = False
        try:
            stored_by_child = outcome_of(inbox.INBOX, "child") == "kept"
        finally:
            os._exit(0 if stored_by_child else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert {delivery.key for delivery in stored()} == {"parent", "child"}


def test_in_a_callers_transaction_a_delivery_is_rolled_back_with_it() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        Inbox().put(an_arrival("a"))
        assert len(stored()) == 1
        raise RuntimeError
    assert stored() == []
