"""A desk behind nginx for all tests of this room: README's own gunicorn on a Unix socket, the shipped nginx.conf."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from tests.migrated import put_migrated
from tests.nginx import HERE, NAME, Proxy, nginx
from tests.served import desk_environment, gunicorn, manage
from tests.upstream import free_port

USERNAME, PASSWORD = "ana", "correct horse battery staple"
MAKE_ANA = (
    "from accounts.models import User; "
    f"User.objects.create_user(username={USERNAME!r}, password={PASSWORD!r}, role='operator', name='Ana')"
)


class Answer(NamedTuple):
    """What a visitor got."""

    status: int
    headers: dict[str, list[str]]  # by their names in small letters
    body: str

    def cookies(self) -> dict[str, str]:
        """Each cookie's whole line, by its name."""
        return {line.partition("=")[0]: line for line in self.headers.get("set-cookie", [])}


class Fronted(NamedTuple):
    """A desk with nginx in front."""

    proxy: Proxy
    socket: Path
    folder: Path

    @property
    def origin(self) -> str:
        """What a browser calls it."""
        return f"https://{NAME}:{self.proxy.port}"

    def ask(
        self, path: str, method: str = "GET", body: str | bytes | None = None, source: str = HERE, **headers: str
    ) -> Answer:
        """One request over a connection of its own; `_` in a header's name stands for `-`."""
        line = self.proxy.connect(source)
        try:
            line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = line.getresponse()
            found: dict[str, list[str]] = {}
            for name, value in answer.getheaders():
                found.setdefault(name.lower(), []).append(value)
            return Answer(answer.status, found, answer.read().decode())
        finally:
            line.close()

    def sign_in(self, **headers: str) -> tuple[Answer, str]:
        """Signs Ana in as a browser does. The answer, and the Cookie header of what comes after it."""
        page = self.ask("/accounts/login/")
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.body)[0]
        cookie = next(line for name, line in page.cookies().items() if name.endswith("csrftoken")).partition(";")[0]
        fields = {"csrfmiddlewaretoken": token, "login": USERNAME, "password": PASSWORD}
        sent = {"Cookie": cookie, "Content_Type": "application/x-www-form-urlencoded", "Origin": self.origin, **headers}
        answer = self.ask("/accounts/login/", "POST", urlencode(fields), **sent)
        return answer, "; ".join(line.partition(";")[0] for line in answer.cookies().values())


@pytest.fixture(scope="session")
def nginx_here() -> None:
    """A test with this is left out where there is no nginx."""


@pytest.fixture(scope="session")
def folder(nginx_here: None) -> Iterator[Path]:
    """A folder whose path is short enough for a Unix socket, and into which nginx may look."""
    with tempfile.TemporaryDirectory(prefix="desk-proxy-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def fronted(folder: Path, pytestconfig: pytest.Config) -> Iterator[Fronted]:
    """The desk with Ana in it, behind nginx. At /seen it tells what it saw of a request (seen.py)."""
    env = desk_environment(folder)
    put_migrated(folder / "desk.sqlite3", pytestconfig.cache.mkdir("migrated"))
    manage(env, "shell", "--command", MAKE_ANA)
    manage(env, "collectstatic", "--no-input", "--verbosity=0")
    socket = folder / "desk.sock"
    with (
        gunicorn(f"unix:{socket}", env, folder / "desk.log", "tests.panel.proxy.seen"),
        nginx(folder, socket, free_port(), free_port()) as proxy,
    ):
        yield Fronted(proxy, socket, folder)
