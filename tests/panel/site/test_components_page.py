"""The components sheet shows every part there is, to owners, without a word from the database."""

import re
from pathlib import Path

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
    return as_a("owner")


def test_every_macro_is_on_the_sheet() -> None:
    made = set(re.findall(r"{% macro (\w+)", (TEMPLATES / "components.html").read_text()))
    sheet = (TEMPLATES / "site/components_sheet.html").read_text()
    # Events make the timeline, errors a field, a time “since”; a hidden field shows nothing.
    assert {name for name in made if f"c.{name}(" not in sheet} == {"event", "err", "errors_of", "at", "came_from"}
    assert all(f"c.{name}(" in sheet for name in ("act", "check_now", "copy", "link"))


def test_every_status_stands_in_both_themes(owner: Client) -> None:
    page = owner.get("/styleguide/").content.decode()
    for shown in (*Status, *SHOWN_STATUSES, "unknown"):
        assert page.count(f'<span class="badge s-{shown}') >= 4, shown  # as a badge and in a row, twice
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_its_rows_are_made_up_and_nothing_asks_after_them(owner: Client) -> None:
    owner.get("/styleguide/")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = owner.get("/styleguide/").content.decode()
    assert not [query["sql"] for query in asked if 'FROM "orders_order"' in query["sql"]]
    assert 'id="poll"' not in page
    assert "hx-disable" in page
