"""Runs a command against a PostgreSQL cluster made for it alone: `python -m tests.postgres COMMAND ARGS…`.

With `--durable` before the command each commit is made durable, as on a server: for what compares commits.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

NO_POSTGRES = 2
TERMINATED = 128 + signal.SIGTERM
DURABLE = "--durable"
# Nothing here outlives the command, so nothing has to survive a power cut.
FORGETFUL = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def main(arguments: Sequence[str]) -> int:
    """Run the command with DATABASE_URL set to a throwaway cluster. Its exit code; 2 without PostgreSQL."""
    durable = list(arguments[:1]) == [DURABLE]
    programs, command = find_programs(), arguments[durable:]
    if not command or programs is None:
        print(
            "tests.postgres: PostgreSQL's initdb is neither on PATH nor under /usr/lib/postgresql; "
            "install Debian's package `postgresql`."
            if command
            else "usage: python -m tests.postgres [--durable] COMMAND ARGS…",
            file=sys.stderr,
        )
        return NO_POSTGRES
    signal.signal(signal.SIGTERM, _leave)
    with cluster(programs, "" if durable else FORGETFUL) as url:
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": url})


def find_programs() -> Path | None:
    """The folder with initdb and pg_ctl: where PATH's initdb really is, or the newest of Debian's."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda folder: float(folder.parent.name), default=None)


@contextmanager
def cluster(programs: Path, settings: str) -> Iterator[str]:
    """A running cluster's postgres:// address, on loopback only; stopped and removed whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="desk-postgres-"))
    data, log, port = folder / "data", folder / "log", _free_port()
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} {settings}"
    # PostgreSQL refuses to run as root.
    owner = "postgres" if os.geteuid() == 0 else None
    if owner is not None:
        shutil.chown(folder, owner)

    def run(program: str, *args: str) -> None:
        ran = subprocess.run(
            [str(programs / program), "--pgdata", str(data), *args],
            user=owner,
            extra_groups=[] if owner else None,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log.open("a"),
            stderr=subprocess.STDOUT,
            check=False,
        )
        if ran.returncode:
            raise SystemExit(f"tests.postgres: {program} failed:\n{log.read_text()}")

    try:
        run("initdb", "--username=desk", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        run("pg_ctl", "start", "--wait", f"--options={options}")
        yield f"postgres://desk@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            run("pg_ctl", "stop", "--wait", "--mode=immediate")
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
