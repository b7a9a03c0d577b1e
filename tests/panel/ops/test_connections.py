"""A connection that outlives its request leads to the desk's database, or is left."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.signals import request_started
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from panel.notpanel.client import Client
from panel.ops import connections as ops
from panel.ops.connections import PRIVATE
from panel.worker.loop import work
from tests import ROOT

pytestmark = pytest.mark.django_db
only_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no file that could be replaced")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[tuple[BaseDatabaseWrapper, Path]]:
    """An open connection to a database of its own, in which stands the word `old`, and a copy where it says `new`."""
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "desk")}})
    opened = handler["default"]
    with patch.object(ops, "connections", handler):
        with opened.cursor() as cursor:
            cursor.execute("CREATE TABLE word (word)")
            cursor.execute("INSERT INTO word VALUES ('old')")
        shutil.copy(tmp_path / "desk", tmp_path / "copy")
        copy = ConnectionHandler({"default": {**opened.settings_dict, "NAME": str(tmp_path / "copy")}})["default"]
        with copy.cursor() as cursor:
            cursor.execute("UPDATE word SET word = 'new'")
        copy.close()
        yield opened, tmp_path
    opened.close()


def word(opened: BaseDatabaseWrapper) -> str:
    with opened.cursor() as cursor:
        cursor.execute("SELECT word FROM word")
        return str(cursor.fetchone()[0])


@only_sqlite
def test_nobody_else_on_the_machine_can_read_the_books(tmp_path: Path) -> None:
    options = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"}
    for mode in (None, 0o644, 0o666, 0o600, 0o400):
        file = tmp_path / f"desk-{mode}"
        if mode is not None:
            file.touch(mode=0o600)
            file.chmod(mode | 0o200)
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": options}
        opened, later = (ConnectionHandler({"default": database})["default"] for _ in range(2))
        with opened.cursor() as cursor:
            cursor.execute("CREATE TABLE word (word)")
        assert modes_of(file) == [PRIVATE] * 3
        for beside in tmp_path.glob(f"{file.name}*"):
            beside.chmod(0o644)  # as an older version left them
        with later.cursor() as cursor:
            cursor.execute("SELECT * FROM word")
        assert modes_of(file) == [PRIVATE] * 3
        later.close()
        opened.close()


def modes_of(file: Path) -> list[int]:
    """Who may do what with SQLite's files."""
    return [beside.stat().st_mode & 0o777 for beside in file.parent.glob(f"{file.name}*")]


def test_pages_go_on_with_their_connection_and_ask_whether_it_works() -> None:
    database = settings.DATABASES["default"]
    assert database["CONN_MAX_AGE"] == 60
    assert database["CONN_HEALTH_CHECKS"] is True


@only_sqlite
def test_the_next_request_reads_the_copy_that_was_put_in_place(books: tuple[BaseDatabaseWrapper, Path]) -> None:
    opened, folder = books
    before = opened.connection
    request_started.send(None, environ={})
    assert opened.connection is before, "nothing was replaced"
    (folder / "copy").replace(folder / "desk")
    assert word(opened) == "old", "else this test shows nothing"
    request_started.send(None, environ={})
    assert word(opened) == "new"


@only_sqlite
def test_a_file_that_is_gone_is_left_too(books: tuple[BaseDatabaseWrapper, Path]) -> None:
    opened, folder = books
    (folder / "desk").unlink()
    assert ops.leave_replaced()
    assert opened.connection is None


@only_sqlite
def test_nobody_leaves_in_the_middle_of_a_transaction(books: tuple[BaseDatabaseWrapper, Path]) -> None:
    opened, folder = books
    (folder / "copy").replace(folder / "desk")
    opened.in_atomic_block = True
    assert not ops.leave_replaced()
    opened.in_atomic_block = False
    assert ops.leave_replaced()


@only_sqlite
def test_a_copy_of_the_process_opens_its_own_connection(books: tuple[BaseDatabaseWrapper, Path]) -> None:
    """gunicorn forks its workers, with `--preload` from a process that has asked the database."""
    opened, _ = books
    inherited = opened.connection
    with patch.object(os, "getpid", lambda: -1):
        ops.leave_replaced()
        assert opened.connection is None
        assert word(opened) == "old"
    assert inherited in ops._of_another_process, "it is not closed"
    inherited.execute("SELECT 1")


@only_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_worker_looks_at_the_books_that_were_put_in_place(phone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []
    stop = threading.Event()

    def work_round(*_: object) -> bool:
        rounds.append(1)
        if len(rounds) == 2:
            stop.set()
        return True

    looked: list[int] = []
    monkeypatch.setattr("panel.worker.loop.work_round", work_round)
    monkeypatch.setattr("panel.worker.loop.look_at_books", lambda _now: looked.append(len(rounds)))
    monkeypatch.setattr("panel.worker.loop.leave_replaced", lambda: len(rounds) == 1)
    work(phone, stop, once=False)
    assert looked == [0, 1], "at the start, and before the first round on other books"


@only_sqlite
def test_a_web_server_goes_on_with_one_connection_and_follows_the_file(migrated_file: Path) -> None:
    """In a process of its own, as gunicorn loads it."""
    desk, copy = migrated_file, migrated_file.with_name("copy.sqlite3")
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{desk}"}
    script = f"""
import io, shutil, os
from wsgiref.util import setup_testing_defaults
from panel.wsgi import application
from django.db import connection
def visit():
    environ = {{"PATH_INFO": "/healthz/ready", "HTTP_HOST": "127.0.0.1"}}
    setup_testing_defaults(environ)
    answer = application(environ, lambda *_: None)
    list(answer); answer.close()
    return connection.connection
first = visit()
print(first is not None and visit() is first)
shutil.copy({str(desk)!r}, {str(copy)!r})
os.replace({str(copy)!r}, {str(desk)!r})
print(visit() is not first)
if (child := os.fork()) == 0:
    inherited = connection.connection
    print(visit() is not inherited, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.stdout.split() == ["True", "True", "True"], ran.stderr
