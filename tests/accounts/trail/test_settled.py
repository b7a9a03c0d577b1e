"""Writers that hold their transactions open: a line that appears late is never left out of the chain."""

import random
import threading

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import ChainHead, ChainLink, TrailLine
from accounts.trail.chain import seal_new, write_head
from accounts.trail.record import record_change
from accounts.trail.verify import verify_all
from tests.tampering import seal_everything

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, TURNS = 6, 12


def test_a_line_that_appears_late_is_waited_for() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite writers take turns")
    holds, may_end = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            record_change("sync_asked", by=None, late=True)
            holds.set()
            may_end.wait(30)
        connection.close()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert holds.wait(30)
    record_change("sync_asked", by=None, late=False)
    for _ in range(3):
        seal_new(timezone.now())
    assert not ChainLink.objects.exists(), "a line with a lower id may still come"
    may_end.set()
    slow.join()
    seal_everything()
    assert ChainHead.objects.get().lines == 2
    assert list(verify_all()) == []


def test_an_open_transaction_in_another_database_of_the_server_holds_nothing_up() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("a file of SQLite is a database of its own")
    elsewhere = connection.copy("elsewhere")
    elsewhere.settings_dict = {**elsewhere.settings_dict, "NAME": "postgres"}
    try:
        elsewhere.set_autocommit(False)
        with elsewhere.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        record_change("sync_asked", by=None)
        seal_everything()
        assert ChainHead.objects.get().lines == 1
    finally:
        elsewhere.close()


def test_a_chain_restored_into_a_younger_server_goes_on() -> None:
    record_change("sync_asked", by=None)
    seal_new(timezone.now())
    head = ChainHead.objects.get()
    head.settled_by += 10**6  # transactions that the younger server has not had
    write_head(head)
    seal_everything()
    assert ChainHead.objects.get().lines == 1
    assert list(verify_all()) == []


def test_many_writers_at_once_and_every_line_is_in_the_chain() -> None:
    over, trouble = threading.Event(), list[BaseException]()

    def write(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for turn in range(TURNS):
                try:
                    with transaction.atomic():
                        for _ in range(chance.randint(1, 3)):
                            record_change("sync_asked", by=None, writer=seed, turn=turn)
                            over.wait(chance.random() / 100)
                        transaction.set_rollback(chance.random() < 0.2)
                except OperationalError:  # SQLite was busy for too long
                    continue
        except BaseException as error:
            trouble.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=[seed]) for seed in range(WRITERS)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        try:
            seal_new(timezone.now())
        except OperationalError:
            continue
        over.wait(0.005)
    assert not trouble
    seal_everything()
    head = ChainHead.objects.get()
    assert head.lines == TrailLine.objects.count() == sum(ChainLink.objects.values_list("lines", flat=True))
    assert list(verify_all()) == []
