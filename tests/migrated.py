"""Empty desks that are migrated already: to migrate takes longer than most tests."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

# All that a migrated desk depends on, and what is installed after the migrations.
SOURCES = (
    "*/migrations/*.py",
    "orders/statistics/*.py",
    "accounts/trail/*.py",
    "orders/limits/*.py",
    "requirements*.txt",
)


def sources_digest() -> str:
    """The same for as long as none of the sources changes."""
    known = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(settings.BASE_DIR.glob(pattern)):
            known.update(path.read_bytes())
    return known.hexdigest()


def migrate(url: str) -> None:
    """Migrates the database at this DATABASE_URL in a process of its own."""
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=settings.BASE_DIR, check=True,
        env=os.environ | {"DATABASE_URL": url},
    )  # fmt: skip


def put_migrated(to: Path, folder: Path) -> None:
    """A migrated SQLite file, made once in this folder. Whoever asks first makes it, and those beside it wait."""
    file = folder / f"{sources_digest()}.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            for old in folder.glob("*sqlite3*"):
                old.unlink()
            making = folder / f"sqlite3-making-{os.getpid()}"
            migrate(f"sqlite:///{making}")
            making.rename(file)
        shutil.copy(file, to)


def migrated_template(folder: Path) -> str:
    """The name of a migrated database on PostgreSQL's server, to be copied there for each process of the tests."""
    name = f"desk_migrated_{sources_digest()[:24]}"
    with (folder / "lock").open("w") as lock, connection._nodb_cursor() as cursor:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'desk\_migrated\_%'")
        there = {row[0] for row in cursor.fetchall()}
        for old in there - {name}:
            cursor.execute(f"DROP DATABASE {old}")
        if name not in there:
            cursor.execute(f"CREATE DATABASE {name}")
            migrate(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl())
    return name
