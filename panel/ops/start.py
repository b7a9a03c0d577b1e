"""What keeps the desk from working although it could be started, each as a sentence that says what to do.

Settings that are wrong stop the start (env.py). What is told here can be mended while the desk runs or beside it, so a
web server starts all the same, and its log, its pages and `/healthz/ready` tell it.
"""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from panel.ops import env

APP_LOAD_ERROR = 4  # gunicorn's exit code for an application that does not load; it then does not try again for ever
CONNECT_SECONDS = 3  # that a start waits for PostgreSQL; the desk starts without it as well
NO_ADDRESS = (
    "Visitors who come through a Unix socket have no address, without which nobody can sign in: set BEHIND_PROXY=true, "
    "and have the proxy send X-Forwarded-For and X-Forwarded-Proto."
)


def forget_key() -> None:
    """Takes the key to the supplier from this process, which shows pages and calls nobody."""
    if not settings.SANDBOX:
        settings.NOTPANEL_API_KEY = ""
        env.forget("NOTPANEL_API_KEY")


@contextmanager
def told_in_a_sentence(exit_code: int = 1) -> Iterator[None]:
    """Inside, what keeps a program from starting ends it with a sentence. `--traceback` shows where it came from."""
    try:
        yield
    except (ImproperlyConfigured, DatabaseError) as trouble:
        why = obstacle_behind(trouble)
        if not why or "--traceback" in sys.argv:
            raise
        print(why, file=sys.stderr, flush=True)
        raise SystemExit(exit_code) from None


def obstacle_behind(trouble: ImproperlyConfigured | DatabaseError) -> str:
    """What kept a program from starting, in a sentence that says what to do; "" for a mistake in the code."""
    if isinstance(trouble, ImproperlyConfigured):
        return str(trouble)
    if sys.argv[1:2] != ["migrate"]:
        return database_obstacle()
    # Not whether a migration is missing: the one that failed is, and to run it once more would not help.
    return database_obstacle(unanswered) or (
        f"A migration failed: {first_line(trouble)} Mend this, then run `manage.py migrate` again; "
        "`--traceback` shows which migration it was."
    )


def obstacles() -> Iterator[str]:
    """Everything that keeps this web server from showing pages or letting people in."""
    yield from filter(None, (uncollected(), database_obstacle(), NO_ADDRESS if hides_visitors() else ""))


@cache  # a web server reads the list of collected files once, at its start
def uncollected() -> str:
    """Whether style sheets and scripts of the desk were not collected where this process serves them from."""
    try:
        hashed = staticfiles_storage.hashed_files if isinstance(staticfiles_storage, ManifestFilesMixin) else None
        if hashed is None:  # DEBUG is on: they are served from where they stand
            return ""
        own = (name for finder in get_finders() for name, _ in finder.list([]))
        missing = [name for name in own if name not in hashed or not staticfiles_storage.exists(hashed[name])]
    except (OSError, ValueError):  # the list cannot be read
        missing = ["their list"]
    if not missing:
        return ""
    return (
        f"Style sheets and scripts were not collected (as {missing[0]}), so no page can be shown: "
        "run `manage.py collectstatic --no-input`, then restart the web server."
    )


def unmigrated(database: BaseDatabaseWrapper = connection) -> str:
    """Whether the database lacks tables or columns of this version. DatabaseError when it does not answer."""
    missing = sorted(known_migrations() - applied(database))
    if not missing:
        return ""
    some = f"{len(missing)} migration{'s' * (len(missing) > 1)}, as {'.'.join(missing[0])}"
    return f"The database that DATABASE_URL names lacks {some}: run `manage.py migrate`."


def database_obstacle(lacks: Callable[[BaseDatabaseWrapper], str] = unmigrated) -> str:
    """Whether the database does not answer, or what it lacks. Asks it over a connection of its own."""
    probe = connection.copy()
    if probe.vendor == "postgresql":
        probe.settings_dict["OPTIONS"] = {"connect_timeout": CONNECT_SECONDS} | probe.settings_dict["OPTIONS"]
    try:
        return lacks(probe)
    except DatabaseError as trouble:
        words = first_line(trouble).rstrip(".")
        return f"The database cannot be used ({words}): start it, or set DATABASE_URL to one that answers."
    finally:
        probe.close()


def unanswered(database: BaseDatabaseWrapper) -> str:
    """Always "". DatabaseError when the database does not answer."""
    applied(database)
    return ""


def first_line(trouble: DatabaseError) -> str:
    """The first line of what the database said, with a full stop."""
    words = next(iter(str(trouble).splitlines()), "no reason given")
    return words if words.endswith(".") else f"{words}."


def applied(database: BaseDatabaseWrapper) -> set[tuple[str, str]]:
    """App and name of every migration that this database has had. DatabaseError when it does not answer."""
    recorder = MigrationRecorder(database)
    if not recorder.has_table():
        return set()
    # Not by the recorder: its query goes over the process's own connection, which a failed migration has closed.
    with database.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {database.ops.quote_name(recorder.Migration._meta.db_table)}")  # noqa: S608  a name of Django's
        return {(app, name) for app, name in cursor.fetchall()}


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """App and name of every migration of this version."""
    return frozenset(MigrationLoader(None).disk_migrations)


def hides_visitors() -> bool:
    """Whether this process listens on Unix sockets alone and BEHIND_PROXY is off."""
    return not settings.BEHIND_PROXY and set(listening()) == {socket.AF_UNIX}


def listening() -> Iterator[int]:
    """The address family of each socket on which this process takes connections."""
    for path in Path("/dev/fd").iterdir():
        with suppress(OSError):  # the descriptor that listed them is closed by now
            if path.is_socket():
                with socket.socket(fileno=os.dup(int(path.name))) as opened:
                    if opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                        yield opened.family
