"""What every answer owes a browser or a machine, on all addresses: its type, its cookies, and no file taken."""

import re
from typing import Any

import pytest
from django.contrib.staticfiles.finders import get_finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.access import Role
from orders.webhooks.endpoint import TAKEN
from tests import ROOT
from tests.addresses import address, one_of_everything, routes
from tests.makers import PASSWORD, make_user
from tests.panel.site.test_headers import settings_of
from tests.people import STRANGER, as_a

pytestmark = pytest.mark.django_db
TEXTUAL = re.compile(r"text/|.*[/+](xml|javascript)\b")
YEAR_SECONDS = 31_536_000


@pytest.mark.slow
@pytest.mark.parametrize("person", [STRANGER, Role.OWNER])
def test_every_text_says_its_letters(person: str) -> None:
    one_of_everything()
    client = as_a(person)
    for route, _ in routes():
        for answer in (client.get(address(route)), client.post(address(route))):
            kind = answer.get("Content-Type", "")
            if answer.streaming or answer.content:
                assert kind, route
            assert not TEXTUAL.match(kind) or "charset=" in kind, f"{route}: {kind}"


def test_every_file_says_its_letters_and_is_no_page() -> None:
    names = {path for finder in get_finders() for path, _ in finder.list([]) if not path.startswith("admin/")}
    assert {name.rpartition(".")[2] for name in names} >= {"js", "css", "svg"}
    for name in names:
        answer = Client().get(f"/static/{name}")
        kind = answer["Content-Type"]
        answer.close()
        assert kind.startswith(("text/css", "text/javascript", "image/", "font/")), name
        assert not TEXTUAL.match(kind) or "charset=" in kind, f"{name}: {kind}"
        assert "Access-Control-Allow-Origin" not in answer, name


@pytest.mark.parametrize(
    "path",
    ["/.git/config", "/static/", "/static/css/", "/static/../panel/settings.py", "/static/%2e%2e/manage.py", "/.env",
     "/static/css/../../manage.py", "/media/", "/server-status"],
)  # fmt: skip
def test_no_folder_is_listed_and_nothing_beside_the_files_is_served(path: str) -> None:
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("person", [STRANGER, Role.OWNER])
def test_trace_echoes_nothing(person: str) -> None:
    one_of_everything()
    client = as_a(person)
    for route, _ in routes():
        assert client.trace(address(route), headers={"X-Mark": "heron"}).status_code == 405, route


@pytest.mark.parametrize("path", ["/accounts/login/", "/orders/new/", "/admin/login/", "/nothing/"])
def test_a_file_is_refused_before_it_reaches_the_disk(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_none(*args: object, **kwargs: object) -> None:
        raise AssertionError("a file was opened for what a visitor sends")

    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", open_none)
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/login/")
    whatever = SimpleUploadedFile("invoice.pdf", b"x" * 5_000_000)
    answer = client.post(path, {"login": "ana", "file": whatever})
    assert answer.status_code == (404 if path == "/nothing/" else 400)


def test_machines_are_not_led_on_to_https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for path, status in (("/healthz", 200), ("/healthz/ready", 503), ("/webhooks/notpanel/", 405)):
        assert Client().get(path).status_code == status
    assert Client().post("/webhooks/notpanel/").status_code == 403
    assert Client().get("/accounts/login/")["Location"].startswith("https://")


@pytest.mark.slow
def test_every_answer_keeps_browsers_to_tls_for_a_year(settings: Any) -> None:
    assert settings_of("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS") == [YEAR_SECONDS, True]
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = YEAR_SECONDS, True
    settings.SECURE_HSTS_PRELOAD = True
    whole = f"max-age={YEAR_SECONDS}; includeSubDomains; preload"
    one_of_everything()
    client = as_a(Role.OWNER)
    paths = [address(route) for route, _ in routes()]
    for path in (*paths, "/nothing/", "/static/nothing.js", "/static/desk.js"):
        assert client.get(path, secure=True).get("Strict-Transport-Security") == whole, path
    assert dict(TAKEN.headers)["Strict-Transport-Security"] == whole


def test_every_cookie_is_bound_to_this_host() -> None:
    """Each name that the code gives a cookie begins with `OWN_COOKIE`, which is `__Host-` where there is TLS."""
    sources = [path for room in ("accounts", "catalog", "orders", "panel") for path in (ROOT / room).rglob("*.py")]
    set_by = [path.name for path in sources if ".set_cookie(" in path.read_text()]
    assert set_by == ["devices.py"], "a new cookie: give it OWN_COOKIE, and name its file here"
    assert 'COOKIE = f"{settings.OWN_COOKIE}desk_device"' in (ROOT / "accounts/sign_in/devices.py").read_text()
    assert settings_of("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME") == ["__Host-sessionid", "__Host-csrftoken"]


def test_every_cookie_is_kept_from_scripts_and_other_sites() -> None:
    ana, client = make_user(username="ana"), Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": ana.username, "password": PASSWORD})
    client.post("/accounts/preferences/", {"theme": "nonsense"})
    assert {"sessionid", "csrftoken", "desk_device"} <= set(client.cookies)
    for name, cookie in client.cookies.items():
        assert cookie["httponly"] and cookie["samesite"] in ("Lax", "Strict") and not cookie["domain"], name
