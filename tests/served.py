"""The desk as README has it run on a server: its own line for gunicorn, on an address of this machine."""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from panel.management.commands.demo import environment
from tests import ROOT
from tests.nginx import ANSWER_SECONDS, NAME, running
from tests.upstream import free_port

SECRET_KEY = "for-the-tests-of-the-proxy-only-" + "0123456789abcdef" * 3
OWN_BIND = re.compile(r"--bind \S+")


def line_of_readme() -> str:
    """The line with which README starts gunicorn for the pages."""
    [line] = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(".venv/bin/gunicorn ")]
    return line


def desk_environment(folder: Path, **more: str) -> dict[str, str]:
    """A server's, with its database and files in this folder, and the sandbox for a supplier."""
    return os.environ | {
        **environment(folder, free_port()), "SECURE": "true", "BEHIND_PROXY": "true", "ALLOWED_HOSTS": NAME,
        "SECRET_KEY": SECRET_KEY, "DATABASE_URL": f"sqlite:///{quote(str(folder / 'desk.sqlite3'))}",
        "STATIC_ROOT": str(folder / "static"), "LOG_LEVEL": "WARNING", **more,
    }  # fmt: skip


def manage(env: Mapping[str, str], *arguments: str) -> None:
    """Runs a command of the desk there."""
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=dict(env), check=True, capture_output=True)


@contextmanager
def gunicorn(bind: str, env: Mapping[str, str], log: Path, application: str = "panel.wsgi") -> Iterator[int]:
    """The desk by README's own line, on this address; the id of its first process."""
    line = OWN_BIND.sub(f"--bind {bind}", line_of_readme()).replace("panel.wsgi", application)
    command = [sys.executable, "-m", "gunicorn", *shlex.split(line)[1:], f"--chdir={ROOT}"]
    with running(command, env, log, lambda: answers(bind)) as process:
        yield process.pid


def answers(bind: str) -> bool:
    """Whether a desk answers on this address, without a connection that is kept."""
    host, _, port = bind.rpartition(":")
    try:
        with closing(socket.socket(socket.AF_UNIX if host == "unix" else socket.AF_INET)) as line:
            line.settimeout(ANSWER_SECONDS)
            line.connect(port if host == "unix" else (host, int(port)))
            line.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n\r\n")
            return line.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False
