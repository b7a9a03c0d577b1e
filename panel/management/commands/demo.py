"""`manage.py demo`: runs the whole desk on this machine, with its own supplier, until Ctrl-C."""

import argparse
import http.client
import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel.demo import history, sandbox_control, team
from panel.demo.processes import Processes, Stopped, Trouble
from panel.management.commands.sandbox import refuse_beside_a_key

HERE = "127.0.0.1"
MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))
HAS_A_PAST = "has_a_past"  # a file in the state's folder: the orders of the last two days are placed
START_SECONDS = 60.0  # for a program to answer on a slow machine; usually one or two
ANSWER_SECONDS = 2.0
LAST_PORT = 65_536
WELCOME = "welcome.txt"  # a file in the state's folder: where the last demo was, and the logins
LOG = "demo.log"  # a file in the state's folder: what the programs say once the desk is open
WEB_THREADS = 8  # a person and a few open pages
# What the demo has itself do in a process of its own, with the port of the desk, once the programs are there.
PARTS: dict[str, Callable[[int], None]] = {
    "team": lambda _port: team.make(),
    "history": lambda _port: history.write(),
    "webhooks": sandbox_control.register_webhook,
}


class Command(BaseCommand):
    """Runs the demo, or with the hidden option `--only` one of its PARTS."""

    help = "Runs the desk with a team, orders and a sandbox supplier, until Ctrl-C. State stays in .data/demo."
    requires_system_checks: list[str] = []  # the programs that it starts check

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the desk (default 8000)")
        parser.add_argument("--sandbox-port", type=int, default=8701, help="of its supplier (default 8701)")
        parser.add_argument("--speed", type=float, default=60, help="of the supplier's clock; 60: an hour a minute")
        parser.add_argument("--state", type=Path, default=settings.DATA_DIR / "demo", help="folder of all it keeps")
        parser.add_argument("--logins", action="store_true", help="only prints the addresses and the logins")
        parser.add_argument("--only", choices=PARTS, help=argparse.SUPPRESS)

    def handle(self, *, only: str | None, **options: Any) -> None:
        where = options["port"], options["sandbox_port"], options["speed"], options["state"].resolve()
        try:
            if options["logins"]:
                last = where[-1] / WELCOME
                self.stdout.write(last.read_text() if last.exists() else welcome(*where))
            elif only:
                PARTS[only](options["port"])
            else:
                run(*where)
        except Trouble as trouble:
            raise CommandError(str(trouble)) from None
        except Stopped:
            self.stdout.write("The demo has ended. The next one goes on from here.")


def run(port: int, sandbox_port: int, speed: float, state: Path) -> None:
    """Starts everything with its state in this folder, says how to sign in, and goes on until Stopped or Trouble."""
    refuse_beside_a_key()
    require_free({"--port": port, "--sandbox-port": sandbox_port})
    state.mkdir(parents=True, exist_ok=True)
    with Processes(environment(state, sandbox_port)) as programs:
        programs.say("Making ready …")
        programs.run("migrate", (*MANAGE, "migrate", "--no-input", "--verbosity=0"))
        programs.run("static", (*MANAGE, "collectstatic", "--no-input", "--verbosity=0"))
        programs.run("team", (*MANAGE, "demo", "--only=team"))
        start_supplier_and_worker(programs, state, sandbox_port, speed)
        if not (state / HAS_A_PAST).exists():
            programs.say("Placing the orders of the last two days …")
            programs.run("history", (*MANAGE, "demo", "--only=history"))
            (state / HAS_A_PAST).touch()
            programs.end_all()
            start_supplier_and_worker(programs, state, sandbox_port, speed)
        programs.start("web", (sys.executable, "-m", *gunicorn(port)))
        programs.wait_until(lambda: answer(port, "/healthz") == HTTPStatus.OK, "The web server", START_SECONDS)
        programs.wait_until(lambda: answer(port, "/healthz/ready") == HTTPStatus.OK, "The worker", START_SECONDS)
        programs.run("webhooks", (*MANAGE, "demo", "--only=webhooks", f"--port={port}"))
        programs.log_to(state / LOG)
        (state / WELCOME).write_text(welcome(port, sandbox_port, speed, state))
        programs.say((state / WELCOME).read_text())
        programs.watch()


def start_supplier_and_worker(programs: Processes, state: Path, port: int, speed: float) -> None:
    """Starts the sandbox on this port, and the worker once the sandbox answers."""
    options = (f"--port={port}", f"--speed={speed}", f"--store={state / 'sandbox.sqlite3'}", "--local-webhooks")
    programs.start("sandbox", (*MANAGE, "sandbox", *options))
    programs.wait_until(lambda: answer(port, "/control") == HTTPStatus.OK, "The sandbox", START_SECONDS)
    programs.start("worker", (*MANAGE, "worker"))


def gunicorn(port: int) -> tuple[str, ...]:
    """The command of the web server as a deployment would run it, on this machine's loopback only."""
    return (
        "gunicorn",
        "panel.wsgi",
        f"--bind={HERE}:{port}",
        "--worker-class=gthread",
        f"--threads={WEB_THREADS}",
        "--no-control-socket",  # its default is one path for every gunicorn of a user
        "--graceful-timeout=3",
        f"--chdir={settings.BASE_DIR}",
    )


def environment(state: Path, sandbox_port: int) -> Mapping[str, str]:
    """The programs' environment. It sets every name, so that no `.env` sends a demo to the real supplier."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "panel.settings",
        "DEBUG": "false",
        "SECRET_KEY": "",
        "ALLOWED_HOSTS": f"{HERE},localhost",
        "SECURE": "false",  # plain HTTP, on loopback
        "BEHIND_PROXY": "false",
        "DATABASE_URL": f"sqlite:///{quote(str(state / 'desk.sqlite3'))}",
        "STATIC_ROOT": str(state / "static"),
        "NOTPANEL_API_KEY": "",
        "NOTPANEL_API_URL": f"http://{HERE}:{sandbox_port}/api/v2",
        "NOTPANEL_WEBHOOK_SECRETS": "",
        "NOTPANEL_WEBHOOK_SCHEME": "",
        "ALARM_WEBHOOK_URL": "",
        "EMAIL_URL": "",
        "OLD_BOOKS_AFTER_HOURS": "8760",  # a demo may rest for weeks; its database is no backup
        "LOG_FORMAT": "TEXT",
        "LOG_LEVEL": "INFO",
    }
    return {
        **os.environ,
        **ours,
        **{f"{name}_FILE": "" for name in ours},
        "SECRET_KEY_FILE": str(secret_of(state, "secret_key")),
        "NOTPANEL_WEBHOOK_SECRETS_FILE": str(secret_of(state, "webhook_secret")),
        "PYTHONUNBUFFERED": "1",
        "GUNICORN_CMD_ARGS": "",
    }


def secret_of(state: Path, name: str) -> Path:
    """The path of a file with a secret of this demo's own, made at the first start."""
    path = state / name
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
    return path


def require_free(ports: Mapping[str, int]) -> None:
    """Raises CommandError when other programs listen on any of these ports (option → port). It names all of them."""
    busy = {option: port for option, port in ports.items() if not is_free(port)}
    if busy:
        free = iter(port for port in range(max(ports.values()) + 1, LAST_PORT) if is_free(port))
        instead = " ".join(f"{option} {next(free)}" for option in busy)
        which = " and ".join(map(str, busy.values()))
        raise CommandError(
            f"{'Port' if len(busy) == 1 else 'Ports'} {which} {'is' if len(busy) == 1 else 'are'} not free. "
            f"End what uses {'it' if len(busy) == 1 else 'them'}, or choose another: make demo ARGS='{instead}'"
        )


def is_free(port: int) -> bool:
    """Whether no program listens on this port."""
    with socket.socket() as probe:
        # An earlier demo’s closed connections do not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HERE, port))
        except OSError:
            return False
    return True


def answer(port: int, path: str) -> int | None:
    """The HTTP status of a GET, or None while nothing answers."""
    try:
        with closing(http.client.HTTPConnection(HERE, port, timeout=ANSWER_SECONDS)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None


def welcome(port: int, sandbox_port: int, speed: float, state: Path) -> str:
    """The text that says where the desk is and whom to sign in as. It is printed last."""
    logins = "\n".join(f"    {m.username:10} {m.password:20} {m.name}, {m.role}" for m in team.TEAM)
    return f"""
  Order Desk is open:   http://{HERE}:{port}/
  Its sandbox supplier: http://{HERE}:{sandbox_port}/control   ({speed:g} times as fast as life)

    {"sign in as":10} {"password":20} who
{logins}

  What the programs say: {state / LOG}
  The logins again:      make demo-logins
  Ctrl-C ends everything; the next `make demo` goes on from there.
"""
