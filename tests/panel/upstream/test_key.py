"""The key to the supplier: only the worker has it, pages know its end and age, and whoever pastes it is warned."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from orders.following.poll import poll_once
from orders.models import Note, Order
from orders.placing.submit import submit_one
from orders.rules.statuses import Status
from panel.notpanel.errors import NotPanelError
from panel.ops.database import ONLY_ROW
from panel.upstream.client import make_client, record_own_key
from panel.upstream.key import end_of, holds_key, mark_of
from panel.upstream.models import Upstream
from tests import ROOT
from tests.makers import make_order, make_service, make_user, place_order, sold_by
from tests.orders.placing.test_order_form import filled
from tests.panel.ops.test_settings import GOOD_SECRET
from tests.panel.ops.test_start import run
from tests.people import as_a, htmx
from tests.upstream import Upstream as Sandbox

pytestmark = pytest.mark.django_db
KEY = "np_live_7Q3mX9tB2kLrV5wZ8cYdN4hJ"
AT = timezone.now()


@pytest.fixture(autouse=True)
def _live(settings: Any) -> None:
    """A desk at the real supplier, whose worker has started."""
    settings.SANDBOX, settings.NOTPANEL_API_KEY = False, KEY
    record_own_key(AT)
    settings.NOTPANEL_API_KEY = ""  # as in the process that shows pages


def row() -> Upstream:
    return Upstream.objects.get(pk=ONLY_ROW)


# ── What the worker stores ───────────────────────────────────────────────────────────────────────
def test_the_end_and_the_age_are_stored_and_the_key_is_not() -> None:
    assert (row().key_end, row().key_since) == ("N4hJ"[-4:], AT)
    assert KEY not in str(vars(row())) and KEY[:-4] not in str(vars(row()))


def test_the_age_stays_until_the_key_is_another(settings: Any) -> None:
    later = AT + timedelta(days=3)
    settings.NOTPANEL_API_KEY = KEY
    record_own_key(later)
    assert row().key_since == AT
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = GOOD_SECRET, [settings.SECRET_KEY]
    record_own_key(later)
    assert (row().key_since, holds_key([KEY])) == (AT, True), "a new SECRET_KEY makes no new key"
    settings.NOTPANEL_API_KEY = KEY[::-1]
    record_own_key(later)
    assert (row().key_since, row().key_end, holds_key([KEY])) == (later, KEY[:4][::-1], False)


def test_a_sandbox_stores_none(settings: Any) -> None:
    settings.SANDBOX, settings.NOTPANEL_API_KEY = True, "sandbox-key"
    record_own_key(AT)
    assert (row().key_mark, row().key_end, row().key_since) == ("", "", None)


@pytest.mark.parametrize("key", ["", "short", "a" * 15])
def test_of_a_short_key_nothing_is_shown(key: str) -> None:
    assert (end_of(key), mark_of(key, GOOD_SECRET)) == ("", "")


def test_a_key_is_replaced_while_an_order_is_under_way(settings: Any) -> None:
    """As README says: a second key at the supplier, the worker started anew with it, the first removed there."""
    with Sandbox(keys=(KEY, KEY[::-1])) as upstream:
        settings.NOTPANEL_API_URL, settings.NOTPANEL_API_KEY = upstream.url, KEY
        order = place_order(by=make_user(), service=sold_by(make_client()), quantity=1000)
        assert submit_one(make_client())
        settings.NOTPANEL_API_KEY = KEY[::-1]
        record_own_key(timezone.now())
        upstream.supplier.keys.remove(KEY)
        assert poll_once(make_client(), timezone.now())
        order.refresh_from_db()
        assert order.upstream_id and order.status != Status.QUEUED
        settings.NOTPANEL_API_KEY = KEY
        with pytest.raises(NotPanelError):
            make_client().balance()
    assert (row().key_end, row().spoke_at is not None) == (end_of(KEY[::-1]), True)


# ── What is shown ────────────────────────────────────────────────────────────────────────────────
def test_managers_see_the_end_and_the_age_and_others_do_not(settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = ["whsec-" + "x" * 20 + "Q7Zp", "tiny"]
    Upstream.objects.update(spoke_at=timezone.now() - timedelta(seconds=12))
    page = as_a(Role.MANAGER).get("/upstream/").content.decode()
    keys = " ".join(re.sub("<[^>]+>", " ", page.split('id="keys-h"')[1]).split())
    assert re.search(r"ends in N4hJ , in use since .* last answered 1[2-9] s ago", keys), keys
    assert re.search("ends in Q7Zp", keys) and "tiny" not in page and KEY not in page
    assert "keys-h" not in as_a(Role.OPERATOR).get("/upstream/").content.decode()


def test_the_badge_says_what_the_worker_does(settings: Any) -> None:
    """Pages that were started without the supplier's address, beside a worker with its key, would call it practice."""
    settings.SANDBOX = True
    assert "Orders go to NotPanel" in as_a(Role.VIEWER).get("/orders/").content.decode()
    Upstream.objects.update(key_mark="")
    assert "Nothing here reaches the real supplier." in as_a(Role.VIEWER).get("/orders/").content.decode()


# ── A pasted key ─────────────────────────────────────────────────────────────────────────────────
HOLDS = [
    KEY, f" {KEY}\n", f"the key is {KEY}, keep it", f"https://notpanel.com/api/v2?key={KEY}&action=balance",
    f"x{KEY}y", f"key={KEY}", f'{{"key": "{KEY}"}}', "long" * 20 + KEY, f"línk {KEY}",
]  # fmt: skip
DOES_NOT = [
    "", KEY[:-1], KEY[1:], KEY.lower(), KEY[:16] + " " + KEY[16:], "https://instagram.com/p/CxYz8_1-averylongcode",
    "0b3c7f4e-9d1b-4f0e-8a56-2f4f1f0f7d11", "N4hJ", "x" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOLDS)
def test_a_text_with_the_key_is_found(text: str) -> None:
    assert holds_key(["first", text])


@pytest.mark.parametrize("text", DOES_NOT)
def test_a_text_without_it_is_not(text: str) -> None:
    assert not holds_key(["first", text])


def test_the_secrets_of_the_pages_are_found_too(settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = ["whsec." + "x" * 20]
    assert holds_key([f"a {settings.NOTPANEL_WEBHOOK_SECRETS[0]} b"]) and holds_key([settings.SECRET_KEY])


@pytest.mark.parametrize("part", [None, htmx()])
@pytest.mark.parametrize(
    "path", ["/orders/{order}/notes/", "/orders/searches/", "/orders/new/", "/orders/bulks/new/", "/upstream/settings/"]
)
def test_wherever_it_is_typed_it_is_refused_and_not_kept(
    path: str, part: dict[str, str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    order, client = make_order(), as_a(Role.MANAGER)
    form = filled(make_service()) | {"link": f"https://a.b/?k={KEY}", "text": KEY, "q": KEY, "message": KEY}
    answer = client.post(path.format(order=order.pk), form, headers=part or {})
    said = answer.content.decode()
    assert answer.status_code == 400
    assert "replace the key" in said and KEY not in said
    assert (Note.objects.count(), Order.objects.count()) == (0, 1)
    assert KEY not in caplog.text and "a secret key was pasted" in caplog.text


@pytest.mark.parametrize("path", ["/orders/?q={}", "/services/?q={}", "/palette/?q={}", "/admin/orders/order/?q={}"])
def test_in_an_address_it_is_refused_too(path: str) -> None:
    answer = as_a(Role.OWNER).get(path.format(quote(KEY)))
    assert (answer.status_code, KEY in answer.content.decode()) == (400, False)


def test_a_password_is_nobodys_business() -> None:
    answer = Client().post("/accounts/login/", {"login": "ana", "password": KEY})
    assert answer.status_code == 200


# ── Who has it ───────────────────────────────────────────────────────────────────────────────────
SERVED = {"DEBUG": "false", "SECURE": "false", "SECRET_KEY": GOOD_SECRET}
LIVE = {"NOTPANEL_API_URL": "https://notpanel.invalid/api/v2"}


@pytest.mark.parametrize("given", [{}, {"NOTPANEL_API_KEY": KEY}, {"NOTPANEL_API_KEY_FILE": ""}])
def test_the_process_of_the_pages_needs_no_key_and_keeps_none(given: dict[str, str], tmp_path: Any) -> None:
    if "NOTPANEL_API_KEY_FILE" in given:
        (tmp_path / "key").write_text(KEY)
        given = {"NOTPANEL_API_KEY_FILE": str(tmp_path / "key")}
    code = (
        "import json, os, panel.wsgi; from django.conf import settings;"
        "there = sorted(name for name in os.environ if 'API_KEY' in name);"
        "print(json.dumps([settings.SANDBOX, settings.NOTPANEL_API_KEY, there]))"
    )
    environ = {"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{tmp_path / 'desk'}", **SERVED, **LIVE, **given}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == [False, "", []], ran.stderr


@pytest.mark.parametrize(
    "command", [("worker", "--once"), ("register_webhook", "https://desk.example.com/webhooks/notpanel/")]
)
def test_what_calls_the_supplier_does_not_start_without(command: tuple[str, ...], migrated_file: Path) -> None:
    ended = run("manage.py", *command, **SERVED, **LIVE, DATABASE_URL=f"sqlite:///{migrated_file}")
    assert ended.returncode != 0 and "NOTPANEL_API_KEY is not set" in ended.stderr
    assert "Traceback" not in ended.stderr
