"""The components sheet shows owners every part there is, and reads no order from the database."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models.order import SHOWN_STATUSES
from orders.rules.statuses import Status
from tests.people import as_a

pytestmark = pytest.mark.django_db
TEMPLATES = Path(settings.BASE_DIR) / "templates"


@pytest.fixture
def owner() -> Client:
    """An owner, signed in."""
    return as_a("owner")


def test_every_macro_is_on_the_sheet() -> None:
    macros = set(re.findall(r"{% macro (\w+)", (TEMPLATES / "components.html").read_text()))
    sheet = (TEMPLATES / "site/components_sheet.html").read_text()
    # Other macros use these: timelines events and answers, a field errors, “since” a time. A hidden field has no look.
    used = {"event", "raw_answer", "err", "errors_of", "at", "came_from"}
    assert {name for name in macros if f"c.{name}(" not in sheet} == used
    assert all(f"c.{name}(" in sheet for name in ("act", "check_now", "copy", "link"))


def test_every_status_stands_in_both_themes(owner: Client) -> None:
    page = owner.get("/styleguide/").content.decode()
    for status in (*Status, *SHOWN_STATUSES, "unknown"):
        assert page.count(f'<span class="badge s-{status}') >= 4, status  # as a badge and in a row, twice
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_its_orders_are_made_up_and_nothing_polls_them(owner: Client) -> None:
    owner.get("/styleguide/")
    with CaptureQueriesContext(connection) as queries:
        page = owner.get("/styleguide/").content.decode()
    assert not [query["sql"] for query in queries if 'FROM "orders_order"' in query["sql"]]
    assert 'id="poll"' not in page
    assert "hx-disable" in page


def test_a_desk_with_a_real_supplier_does_not_have_it(owner: Client, settings: Any) -> None:
    settings.SANDBOX = False
    assert owner.get("/styleguide/").status_code == 404
    for path in ("/palette/?q=components", "/team/"):
        assert "/styleguide/" not in owner.get(path).content.decode()
