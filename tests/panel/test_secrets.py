"""The key to the supplier and people's passwords are in no log line, no page, no exception and no row."""

import logging
import os
import re
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as desk
from django.urls import reverse

from accounts.access import Role
from accounts.invitations import links
from orders.models import Poll
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError
from panel.ops.logs import Context, Json
from panel.upstream import client as book
from panel.upstream.models import Chore
from panel.upstream.models import Upstream as UpstreamHealth
from panel.worker.loop import work, work_round
from tests import ROOT
from tests.addresses import address, one_of_everything, routes
from tests.makers import PASSWORD, make_user, place_order, sold_by
from tests.people import STRANGER, as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
KEY = "sk-very-secret-51Hq8vT2/x+y"
# Answers of a supplier, or of a proxy in front of it, that repeat the key in every place that we store or show.
ECHOES = {
    "add": ['{"order": "%s"}', '{"error": "Bad request: key=%s"}', "<h1>key=%s</h1>", '{"order": ["%s"', '"%s"'],
    "status": ['{"status": "%s"}', '{"error": "%s is no key"}', '{"%s": {"status": "completed"}}', "%s"],
    "balance": ['{"balance": "1", "currency": "%s"}', '{"balance": "%s"}', '{"error": "Invalid key %s"}'],
    "services": ['[{"service": 1, "name": "%s", "rate": "1", "min": 1, "max": 2}, {"name": "%s"}]', "[%s]"],
}
DESK_WITH_SECRETS = {"NOTPANEL_API_KEY": KEY, "SECRET_KEY": "hush-hush-" * 6, "DEBUG": "true",
                     "DATABASE_URL": "postgres://desk:sesame@127.0.0.1:9/desk"}  # fmt: skip
DEBUG_PAGE = """
import os, django
django.setup()
from django.test import RequestFactory
from django.views.debug import technical_500_response
request = RequestFactory().get("/orders/", **{name: os.environ[name] for name in os.environ if "_" in name})
try:
    raise RuntimeError("our own mistake")
except RuntimeError as mistake:
    print(technical_500_response(request, type(mistake), mistake, mistake.__traceback__).content.decode())
"""


@pytest.fixture
def upstream(settings: Any) -> Iterator[Upstream]:
    """A sandbox with the secret key, which the desk's settings name as the real supplier."""
    with Upstream(keys=(KEY,)) as running:
        settings.NOTPANEL_API_KEY, settings.NOTPANEL_API_URL, settings.SANDBOX = KEY, running.url, False
        yield running


@pytest.fixture
def phone(upstream: Upstream) -> Client:
    """A client that records its calls, as the worker has it."""
    return Client(upstream.url, KEY, on_call=book.record_call, connect_seconds=1, total_seconds=1)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every line of every logger, also of the libraries, as our servers write it."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "notpanel", "django", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.handler.setFormatter(Json())
    caplog.handler.addFilter(Context())
    return caplog


def all_rows() -> str:
    """Every row of every table, in one text."""
    return "\n".join(
        str(row) for model in apps.get_models() if model._meta.managed for row in model._base_manager.values()
    )


def all_pages() -> str:
    """Every page that shows what is stored, the admin's too, as an owner sees them."""
    owner, empty = as_a(Role.OWNER), ("history/", "delete/", "add/", "password/")
    pages = [owner.get(address(route)) for route, _ in routes() if not route.endswith(empty)]
    return "\n".join(page.getvalue().decode() for page in pages)


def do_all_work(phone: Client) -> None:
    """Makes every call that is possible, even if upstream said to wait."""
    Chore.objects.all().delete()
    UpstreamHealth.objects.update(paused_until=None)
    Poll.objects.filter(order__status=Status.IN_PROGRESS).update(next_poll_at="2020-01-01T00:00:00Z")
    work(phone, threading.Event(), once=True)


def assert_the_key_is_nowhere(log: pytest.LogCaptureFixture) -> None:
    """Fails when the key is in a log line, a row or a page."""
    records = "\n".join(str(vars(record)) for record in log.records)
    for place, text in {"log": log.text, "records": records, "rows": all_rows(), "pages": all_pages()}.items():
        assert "Instagram" in text or "notpanel" in text, f"there is nothing to look through in the {place}"
        assert "very-secret" not in text, place


@pytest.mark.slow
def test_the_key_is_nowhere_when_all_goes_well(
    upstream: Upstream, phone: Client, log: pytest.LogCaptureFixture
) -> None:
    one_of_everything()
    place_order(service=sold_by(phone), quantity=1000)
    do_all_work(phone)
    assert upstream.calls("add") >= 1
    assert_the_key_is_nowhere(log)


@pytest.mark.slow
def test_the_key_is_nowhere_after_every_fault(upstream: Upstream, phone: Client, log: pytest.LogCaptureFixture) -> None:
    one_of_everything()
    service = sold_by(phone)
    for fault in ("lose_answer", "lose_request", "cut", "error_after", "error_200", "throttle", "suspend", "wrong_key",
                  "html", "html_502", "empty", "not_json", "redirect"):  # fmt: skip
        place_order(service=service, quantity=1000)
        upstream.behaves()
        upstream.will(fault, times=None)
        do_all_work(phone)
    assert_the_key_is_nowhere(log)


@pytest.mark.slow
def test_the_key_is_nowhere_though_upstream_repeats_it(
    upstream: Upstream, phone: Client, log: pytest.LogCaptureFixture
) -> None:
    one_of_everything()
    service = sold_by(phone)
    for action, bodies in ECHOES.items():
        for body in bodies:
            place_order(service=service, quantity=1000)
            upstream.behaves()
            upstream.will("say", action=action, body=body.replace("%s", KEY), times=None)
            do_all_work(phone)
    assert_the_key_is_nowhere(log)


@pytest.mark.slow
def test_the_key_is_nowhere_after_mistakes_of_our_own(
    upstream: Upstream, phone: Client, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"our own mistake with {args} {kwargs}")

    one_of_everything()
    service = sold_by(phone)
    for place in ("panel.notpanel.shapes.made_id", "requests.Session.post", "orders.placing.submit.apply_answer"):
        with monkeypatch.context() as patched:
            patched.setattr(place, broken)
            place_order(service=service, quantity=1000)
            try:
                work_round(phone)
            except RuntimeError:
                logging.getLogger("panel.worker.loop").exception("a round broke off")
    assert "our own mistake" in log.text
    assert_the_key_is_nowhere(log)


def test_no_exception_shows_the_key_even_with_local_variables(phone: Client, upstream: Upstream) -> None:
    """Error trackers and Django's debug page print the local variables of each frame."""
    repeated: dict[str, Any] = {"fault": "say", "body": f"<h1>{KEY}</h1>"}
    for fault in ({"fault": "lose_answer"}, {"fault": "wrong_key"}, {"fault": "redirect"}, {"fault": "cut"}, repeated):
        upstream.will(**fault)
        with pytest.raises(NotPanelError) as caught:
            phone.balance()
        below_this_test = caught.tb.tb_next
        frames = traceback.TracebackException(caught.type, caught.value, below_this_test, capture_locals=True)
        assert "very-secret" not in "".join(frames.format())
    assert "very-secret" not in repr(phone) + str(phone)


def test_djangos_debug_page_shows_no_secret_of_the_environment() -> None:
    """runserver puts the whole environment into each request, and the page shows that and all settings."""
    variables = {**os.environ, **DESK_WITH_SECRETS, "DJANGO_SETTINGS_MODULE": "panel.settings"}
    page = subprocess.check_output([sys.executable, "-c", DEBUG_PAGE], cwd=ROOT, env=variables, text=True)
    assert "our own mistake" in page
    assert "NOTPANEL_API_KEY" in page
    for secret in ("very-secret", "hush-hush", "sesame"):
        assert secret not in page


def test_djangos_debug_page_does_not_show_what_was_typed_as_a_password(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("our own mistake")

    settings.DEBUG = True
    make_user(username="ana")
    monkeypatch.setattr("django.contrib.sessions.backends.base.SessionBase.cycle_key", broken)
    client = as_a(STRANGER)
    client.raise_request_exception = False
    page = client.post(reverse("account_login"), {"login": "ana", "password": PASSWORD}).content.decode()
    assert "our own mistake" in page
    assert "Traceback" in page
    assert PASSWORD not in page


@pytest.mark.parametrize("password", [PASSWORD, "wrong-but-nearly"])
def test_a_password_is_in_no_log_and_no_row(log: pytest.LogCaptureFixture, password: str) -> None:
    make_user(username="ana")
    owner = as_a(Role.OWNER)
    as_a(STRANGER).post("/accounts/login/", {"login": "ana", "password": password})
    as_a(STRANGER).post("/admin/login/", {"username": "ana", "password": password})
    owner.post("/accounts/password/change/", {"oldpassword": password, "password1": "n", "password2": "n"})
    invitation = {"username": "x", "role": "owner", "password1": password, "password2": password}
    owner.post("/team/new/", invitation)
    owner.post("/orders/sending/stops/", {"reason": "A test", "proof_password": password})
    stranger = as_a(STRANGER)
    stranger.get("/accounts/invitation/", {"t": links.make(make_user(), by=make_user())[1]})
    stranger.post("/accounts/password/choice/", {"new_password1": password, "new_password2": password})
    assert password not in log.text + all_rows()


READS_KEY = re.compile(r'settings\.NOTPANEL_API_KEY(?! = "")')  # to empty it is not to read it


def test_no_page_reads_the_key() -> None:
    """A test of the architecture lets only the worker hold a Client; the web does not read the setting either."""
    readers = {path.relative_to(ROOT).as_posix() for app in ("panel", "orders", "catalog", "accounts")
               for path in (ROOT / app).rglob("*.py") if READS_KEY.search(path.read_text())}  # fmt: skip
    assert readers == {"panel/upstream/client.py"}
    assert desk.NOTPANEL_API_KEY
