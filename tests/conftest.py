"""What the tests stand on: a real supplier on a socket, and the phone to it."""

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush
from django.db import OperationalError, connection
from django.test import Client as Browser
from pytest_django import DjangoDbBlocker

from accounts.models import ChainHead
from accounts.trail import triggers
from panel.notpanel.client import Client
from panel.ops.planner import update_planner
from tests.machine import FOR_A_TEST_WITH, advice, missing_for
from tests.migrated import migrated_template, put_migrated
from tests.people import as_a
from tests.tampering import without_triggers
from tests.upstream import Upstream

LEFT_OUT = "left out: "  # how the reason begins why a test is skipped for want of something on this machine
NOTHING_LEFT_OUT = "NOTHING_LEFT_OUT"  # set in the environment where a test that is left out fails the run (.ci/run)


def pytest_configure() -> None:
    """Has each new browser of a test look for static files when it asks for one, and not for all of them at first."""
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out each test that looks at a page or stands behind nginx, where this machine lacks what that takes.

    The longest come first in each process's share, so that none keeps one busy when the others are done.
    """
    shares = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    parts = [len(others) * share // shares for share in range(shares + 1)]
    items[:] = [
        item for share in range(shares) for item in (*slow[share::shares], *others[parts[share] : parts[share + 1]])
    ]
    for fixture in FOR_A_TEST_WITH:
        asking = [item for item in items if fixture in getattr(item, "fixturenames", ())]
        if asking and (missing := missing_for(fixture)):
            for item in asking:
                item.add_marker(pytest.mark.skip(reason=LEFT_OUT + advice(missing)))


def left_out(config: pytest.Config) -> list[str]:
    """For each test that was left out, what to install. Empty in the processes of xdist, which report to the first."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", ()) if reporter and not hasattr(config, "workerinput") else ()
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in skipped if isinstance(report.longrepr, tuple)]
    return [reason.removeprefix(LEFT_OUT) for reason in reasons if reason.startswith(LEFT_OUT)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a run that may leave nothing out."""
    if os.environ.get(NOTHING_LEFT_OUT) and left_out(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says in the last lines how many tests were left out, and what to install."""
    reasons = left_out(config)
    for reason in sorted(set(reasons)):
        count = reasons.count(reason)
        terminalreporter.write_line(f"{count} test{'s were' if count > 1 else ' was'} left out. {reason}", yellow=True)
    if reasons and os.environ.get(NOTHING_LEFT_OUT):
        terminalreporter.write_line("This run may leave none out, so it failed.", red=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """SQLite in a file, as on a real desk: in memory, threads share one cache and its locks are of another kind."""
    folder = pytestconfig.cache.mkdir("migrated")
    if connection.vendor == "sqlite":
        file = tmp_path_factory.mktemp("desk") / "desk.sqlite3"
        put_migrated(file, folder)
        connection.settings_dict["TEST"]["NAME"] = str(file)
    else:
        with django_db_blocker.unblock():
            connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template(folder)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """The file that was put there is used as it is; what its migrations should lack is still done."""
    return django_db_keepdb or connection.vendor == "sqlite"


@pytest.fixture
def migrated_file(tmp_path: Path, pytestconfig: pytest.Config) -> Path:
    """An empty desk in a file of SQLite, for a process of its own."""
    file = tmp_path / "migrated.sqlite3"
    put_migrated(file, pytestconfig.cache.mkdir("migrated"))
    return file


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A test with transactions of its own ends by emptying all tables. Django would then look for each model's type
    and permissions, for longer than many a test takes; the types are put back as they were, the rest nobody reads.

    At the end hangs up on what a browser's last poll left open: PostgreSQL drops no database that is in use."""
    with django_db_blocker.unblock():
        types = list(ContentType.objects.all())
        ChainHead.objects.all().delete()  # another process made it, with a SECRET_KEY of its own
        triggers.install()

    def put_back(*_args: object, **_options: object) -> None:
        ContentType.objects.bulk_create(types)
        triggers.install()
        update_planner()  # forgets what SQLite was told of the rows

    def emptying(style: object, flushed: Any, **options: object) -> list[str]:
        # An empty trail begins with the id 1, or SQLite would say that lines were removed.
        first_id = ["DELETE FROM sqlite_sequence WHERE name = 'accounts_trailline'"]
        emptied = [*without_triggers(flushed.vendor), *sql_flush(style, flushed, **options)]
        return emptied + (first_id if flushed.vendor == "sqlite" else [])

    sql_flush: Any = vars(flush)["sql_flush"]
    with (
        patch.object(flush, "emit_post_migrate_signal", put_back),
        patch.object(flush, "sql_flush", emptying),  # the trail lets nobody delete its lines
    ):
        yield
    if connection.vendor == "postgresql":
        others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        # Where this fails, and somebody stays, the drop that comes next says so.
        with django_db_blocker.unblock(), suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


def pytest_collection_finish() -> None:
    """What is loaded by now stays; the collector need not walk through it again and again."""
    gc.freeze()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A sandbox of its own for this test, over real HTTP."""
    with Upstream() as running:
        yield running


@pytest.fixture
def phone(upstream: Upstream) -> Client:
    return Client(upstream.url, upstream.key, connect_seconds=5, total_seconds=10)  # only a hang takes so long


@pytest.fixture(autouse=True)
def _plain_passwords(settings: object) -> None:
    """Signing in costs 300 ms with the real hasher; no test is about that."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _no_undo_window(settings: object) -> None:
    """Orders go at once; tests of the undo window open one."""
    settings.SEND_DELAY_SECONDS = 0  # type: ignore[attr-defined]


@pytest.fixture
def operator() -> Browser:
    """An operator's browser, signed in."""
    return as_a("operator")
