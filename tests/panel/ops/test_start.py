"""Whatever keeps the desk from starting, or from showing pages, is told in one sentence that says what to do."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.template import engines
from django.test import Client

from accounts.access import Role
from panel import settings as desk
from panel.ops import start
from panel.ops.checks import check_static_files
from panel.site import views
from panel.worker import loop
from tests import ROOT
from tests.makers import PASSWORD, make_user
from tests.panel.ops.test_settings import CLEAN, GOOD_SECRET
from tests.people import STRANGER, as_a

SECONDS = 60.0  # for a program to end or to say something; usually one
HUSH = "hush-hush"
SERVED = {"DEBUG": "false", "SECURE": "false", "SECRET_KEY": GOOD_SECRET}


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `python COMMAND…` in an environment with these variables alone, until it ends."""
    env = {**CLEAN, **variables}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=SECONDS
    )


def said_by(ended: subprocess.CompletedProcess[str]) -> str:
    """The only line that it wrote to stderr."""
    assert ended.returncode != 0 and HUSH not in ended.stdout + ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


# ── Settings that are wrong stop each program ────────────────────────────────────────────────────
WRONG = {
    "no database": ({"DATABASE_URL": f"what is {HUSH}"}, "DATABASE_URL names no database that the desk can use: write"),
    "a password in it": ({"DATABASE_URL": f"postgres://desk:{HUSH}@host:x/desk"}, "DATABASE_URL cannot be read: write"),
    "no file": ({"SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE=/nowhere/key cannot be read"),
    "a forgotten DEBUG": ({"NOTPANEL_API_KEY": HUSH}, "NOTPANEL_API_KEY is set and DEBUG is not: set DEBUG=false"),
    "no secret": ({"DEBUG": "false"}, "SECRET_KEY is not set."),
}


@pytest.mark.parametrize(("variables", "sentence"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("command", ["check", "worker", "migrate"])
def test_a_command_does_not_start(variables: dict[str, str], sentence: str, command: str) -> None:
    assert said_by(run("manage.py", command, **variables)).startswith(sentence)


@pytest.mark.parametrize(("variables", "sentence"), WRONG.values(), ids=WRONG)
def test_a_web_server_does_not_start(variables: dict[str, str], sentence: str) -> None:
    ended = run("-m", "gunicorn", "panel.wsgi", "--bind=127.0.0.1:0", "--no-control-socket", **variables)
    own_lines = [line for line in ended.stderr.splitlines() if not line.startswith("[")]  # those are gunicorn's
    assert ended.returncode == start.APP_LOAD_ERROR  # with another it would try again for ever
    assert len(own_lines) == 1 and own_lines[0].startswith(sentence)
    assert HUSH not in ended.stdout + ended.stderr


def test_a_developer_can_see_where_it_comes_from() -> None:
    ended = run("manage.py", "check", "--traceback", DATABASE_URL="what is this")
    assert "Traceback" in ended.stderr and "DATABASE_URL names no database" in ended.stderr


def test_a_python_without_the_packages_says_which_to_take() -> None:
    ended = run("-S", "manage.py", "worker")  # without site-packages
    assert said_by(ended).startswith("This Python has no module django: run `.venv/bin/python manage.py`")


# ── The database ─────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def empty(tmp_path: Path) -> str:
    """The URL of a database without tables."""
    return f"sqlite:///{tmp_path / 'empty.sqlite3'}"


LACKS = "The database that DATABASE_URL names lacks "  # how many migrations, and what to do
AWAY = f"postgres://desk:{HUSH}@127.0.0.1:9/desk"  # nothing listens on the port "discard"


@pytest.mark.parametrize(
    "command", ["worker", "worker --once", "alarms", "createsuperuser --no-input --username=ana --email=a@b.example"]
)
def test_without_tables_a_command_says_to_migrate(empty: str, command: str) -> None:
    said = said_by(run("manage.py", *command.split(), DATABASE_URL=empty, DJANGO_SUPERUSER_PASSWORD=PASSWORD))
    assert LACKS in said and said.endswith("run `manage.py migrate`.")


@pytest.mark.parametrize("command", ["worker", "alarms", "migrate"])
def test_without_a_database_a_command_says_which_is_meant(command: str) -> None:
    said = said_by(run("manage.py", command, DATABASE_URL=AWAY))
    assert said.startswith("The database cannot be used (") and said.endswith("set DATABASE_URL to one that answers.")


def test_a_file_that_is_no_database_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no database at all, but a text that is long enough to be taken for one " * 9)
    said = said_by(run("manage.py", "migrate", DATABASE_URL=f"sqlite:///{tmp_path / 'notes'}"))
    assert said.startswith("The database cannot be used (file is not a database)")


@pytest.mark.slow
def test_a_migration_that_fails_says_why_and_not_to_run_it(empty: str) -> None:
    """A row that names a person who is not there: SQLite looks at all rows after each migration."""
    assert run("manage.py", "migrate", DATABASE_URL=empty).returncode == 0
    with closing(sqlite3.connect(empty.removeprefix("sqlite:///"))) as books, books:
        books.execute("INSERT INTO catalog_favourite (user_id, service_id) VALUES (99, 99)")
        newest = "SELECT MAX(name) FROM django_migrations WHERE app = 'orders'"
        books.execute(f"DELETE FROM django_migrations WHERE app = 'orders' AND name = ({newest})")
    ended = run("manage.py", "migrate", DATABASE_URL=empty)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert ended.stderr.startswith("A migration failed: The row in table 'catalog_favourite' with primary key '1' has")
    assert "closed database" not in ended.stderr and "lacks" not in ended.stderr


@pytest.mark.django_db
def test_a_worker_does_not_begin_while_one_migration_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its rounds would break off, for ever."""
    forget_newest_migration()
    monkeypatch.setattr(loop, "work", lambda *_args, **_options: pytest.fail("it began"))
    with pytest.raises(CommandError, match=r"lacks 1 migration, as orders\.[0-9]{4}_.*: run `manage.py migrate`"):
        call_command("worker", "--once")


@pytest.mark.django_db
def test_a_missing_migration_makes_the_desk_unready(client: Client) -> None:
    forget_newest_migration()
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert "lacks 1 migration" in answer.json()["database"] and "manage.py migrate" in answer.json()["database"]


@pytest.mark.django_db
@pytest.mark.parametrize(("forgotten", "status"), [(True, 503), (False, 500)])
def test_a_page_that_fails_says_to_migrate_only_where_that_helps(
    forgotten: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if forgotten:
        newer = start.known_migrations() | {("orders", "9999_newer")}
        monkeypatch.setattr(start, "known_migrations", lambda: newer)
    try:
        raise ProgrammingError("no such column")
    except DatabaseError:
        page = views.server_error(None)  # type: ignore[arg-type]
    assert page.status_code == status
    assert ("manage.py migrate" in page.content.decode()) == forgotten


def forget_newest_migration() -> None:
    """Makes the database say that the newest migration of the orders was not applied."""
    applied = MigrationRecorder(connection).Migration.objects.filter(app="orders")
    applied.filter(name=applied.latest("name").name).delete()


# ── Style sheets and scripts ─────────────────────────────────────────────────────────────────────
@pytest.fixture
def collected(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The folder to which a served desk's files are collected; they are not there yet."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": desk.HASHED}}
    settings.SECURE_SSL_REDIRECT = False
    forget_files()
    yield settings.STATIC_ROOT
    forget_files()


def forget_files() -> None:
    """Forgets what a web server learns of its files once, at its start or with the first page."""
    start.uncollected.cache_clear()
    engines["jinja2"].env.globals["static"].cache_clear()  # type: ignore[attr-defined]


PAGES = ("/orders/", "/orders/new/", "/services/", "/team/", "/accounts/preferences/", "/admin/", "/nowhere/")


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:No directory at")
@pytest.mark.parametrize(
    ("who", "path"),
    [(STRANGER, "/accounts/login/"), (STRANGER, "/nowhere/"), *((Role.OWNER, path) for path in PAGES)],
)
def test_without_its_files_every_page_says_to_collect_them(collected: Path, who: Any, path: str) -> None:
    person = as_a(who)
    person.raise_request_exception = False
    page = person.get(path)
    assert page.status_code == 503
    assert "run `manage.py collectstatic --no-input`, then restart the web server" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:No directory at")
def test_without_its_files_the_desk_is_unready_and_still_answers(collected: Path, client: Client) -> None:
    assert client.get("/healthz").status_code == 200
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert "collectstatic" in answer.json()["pages"]


@pytest.mark.parametrize("how", ["nothing", "no list", "a broken list", "a new file", "a lost file", "all", "plain"])
def test_the_check_notices_what_was_not_collected(collected: Path, settings: Any, how: str, tmp_path: Path) -> None:
    """And says nothing when all is there, or when DEBUG is on and files are served from where they stand."""
    settings.STATICFILES_DIRS = [tmp_path / "own"]
    settings.INSTALLED_APPS = ["django.contrib.staticfiles"]
    forget_finders()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "desk.css").write_text("body { color: red }")
    if how not in ("nothing", "plain"):
        call_command("collectstatic", "--no-input", verbosity=0)
    if how == "no list":
        (collected / "staticfiles.json").unlink()
    if how == "a broken list":
        (collected / "staticfiles.json").write_text("{")
    if how == "a new file":
        (tmp_path / "own" / "new.css").write_text("b { color: red }")
    if how == "a lost file":
        next(collected.glob("desk.*.css")).unlink()
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": desk.PLAIN if how == "plain" else desk.HASHED}}
    start.uncollected.cache_clear()
    warnings = check_static_files(None)
    forget_finders()
    assert [warning.id for warning in warnings] == ([] if how in ("all", "plain") else ["desk.W003"])


def forget_finders() -> None:
    """Has Django look anew where the settings say that files stand."""
    finders.get_finder.cache_clear()  # type: ignore[attr-defined]


def test_a_deployment_check_says_to_collect_them(tmp_path: Path) -> None:
    served = {**SERVED, "SECURE": "true", "NOTPANEL_API_KEY": "k", "STATIC_ROOT": str(tmp_path)}
    ended = run("manage.py", "check", "--deploy", **served)
    assert "(desk.W003) Style sheets and scripts were not collected" in ended.stderr
    assert "manage.py collectstatic" in ended.stderr and str(tmp_path) in ended.stderr


# ── A web server that starts and cannot serve ────────────────────────────────────────────────────
@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose name is short enough for that of a socket."""
    folder = Path(tempfile.mkdtemp(prefix="desk-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def log_of_start(folder: Path, variables: dict[str, str], *, unix: bool = True) -> str:
    """What a gunicorn that listens in this folder, or on a port, has logged when it first answers."""
    env = {**CLEAN, "DATABASE_URL": f"sqlite:///{folder / 'empty.sqlite3'}", "LOG_LEVEL": "WARNING", **variables}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bind: Any = str(folder / "desk.sock") if unix else probe.getsockname()
    command = [sys.executable, "-m", "gunicorn", "panel.wsgi", "--no-control-socket",
               f"--bind=unix:{bind}" if unix else f"--bind={bind[0]}:{bind[1]}"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + SECONDS
        with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as line:
            line.settimeout(SECONDS)
            while line.connect_ex(bind):
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b" 200 OK" in line.recv(65536)  # it comes when the application is loaded, and all of this said
        return (folder / "log").read_text()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_web_server_logs_everything_that_is_missing(short_path: Path) -> None:
    log = log_of_start(short_path, {**SERVED, "STATIC_ROOT": str(short_path / "static")})
    assert log.count('"level": "error"') == 3 and "Traceback" not in log
    for words in ("manage.py collectstatic", "manage.py migrate", "set BEHIND_PROXY=true"):
        assert log.count(words) == 1


@pytest.mark.parametrize(
    ("unix", "behind_proxy", "told"),
    [(True, "", True), (True, "false", True), (True, "true", False), (False, "", False)],
)
def test_a_unix_socket_without_a_proxy_is_told_at_the_start(
    short_path: Path, unix: bool, behind_proxy: str, told: bool
) -> None:
    log = log_of_start(short_path, {"BEHIND_PROXY": behind_proxy}, unix=unix)
    assert (start.NO_ADDRESS in log) == told


def test_a_web_server_starts_while_the_database_is_away(short_path: Path) -> None:
    """A load balancer must not kill it for that."""
    log = log_of_start(short_path, {"DATABASE_URL": AWAY}, unix=False)
    assert "The database cannot be used (" in log and HUSH not in log


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "forwarded", "status"),
    [("", {}, 403), ("127.0.0.1", {}, 200), ("", {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}, 200)],
)
def test_without_an_address_the_sign_in_page_says_what_to_set(
    settings: Any, address: str, forwarded: dict[str, str], status: int
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = len(forwarded)
    make_user(username="ana")
    credentials = {"login": "ana", "password": "wrong"}
    page = Client().post("/accounts/login/", credentials, REMOTE_ADDR=address, **forwarded)  # type: ignore[arg-type]
    assert page.status_code == status
    assert ("BEHIND_PROXY=true" in page.content.decode()) == (status == 403)
