"""Every POST that changes a row of the database writes a line of the trail, in the same transaction."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.desk_settings import stored
from accounts.models import DeskSettings, User
from accounts.settings_form import SettingsForm
from catalog.models import Change, ShrinkAlarm
from orders.answers.edit import text_row
from orders.mass.check import Preview
from orders.models import MassDraft, Order, SavedView, Task
from panel.ops.database import only_row
from panel.upstream.models import Chore
from tests.addresses import address, one_of_everything, routes
from tests.makers import make_service
from tests.orders.placing.test_order_form import filled
from tests.people import as_user

pytestmark = pytest.mark.django_db
TRAIL = "accounts_trailline"
WRITES = re.compile(r"^\s*(?:WITH .*?)?(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.DOTALL)

# Tables that hold what nobody needs to be told of, and why.
BOOKKEEPING = {
    "accounts_desksession": "what a session remembers; that it began or ended is a line",
    "accounts_signincount": "tries that are counted, and forgotten",
    "accounts_knowndevice": "a sign-in on it is a line",
    "desk_cache": "",
    "orders_keptsearch": "the text of a search, for its short address",
    "orders_massdraft": "a list that its person prepares and nobody else sees; that it was placed is a line",
    "orders_presence": "who looks at an order now",
    "orders_mention": "that a note was read",
    "orders_shiftreader": "that a note to the shift was read; the note says who and when",
    "orders_poll": "when the supplier is asked next",
    "orders_sending": "the one row that is locked or made; that it is switched is a line",
    "orders_delivery": "what came, as it came",
    "orders_turnedaway": "what was turned away, counted",
    "catalog_favourite": "a person’s own star",
}
# What only says how a person reads the desk.
PREFERENCES = ("orders/columns/", "orders/views/<pk>/pin/", "accounts/preferences/", "accounts/preferences/live/",
               "services/<pk>/favourite/")  # fmt: skip
TOKEN = "b3f0a3f0-0000-4000-8000-00000000000"


def forms(order: Order, owner: User) -> dict[str, list[dict[str, Any]]]:
    """Route → what is posted there besides nothing."""
    only_row(DeskSettings)  # which the first who sets anything would make
    service = make_service()
    change, shown = Change.objects.latest("pk"), SettingsForm(None, chosen=stored(), by=owner)
    as_shown = {**shown.initial, **{f"saw_{name}": text for name, text in shown.stored.items()}}
    return {
        "orders/views/new/": [{"name": "Late ones", "query": "by=me"}],
        "orders/views/<pk>/": [{"name": "Another"}, {"sharing": "1"}],
        "orders/new/": [filled(service)],
        "orders/mass/drafts/<pk>/plan/": [schedule(owner)],
        "orders/templates/new/": [{"name": "Anew", "draft": str(MassDraft.objects.get(owner=owner).pk)}],
        "orders/templates/<pk>/change/": [{"name": "Daily"}],
        "orders/plans/<pk>/going/": [{"then": "stop"}, {"then": "drop"}],
        "orders/plans/<pk>/parts/<number>/": [{"then": "leave"}],
        "orders/<pk>/notes/": [{"text": "Look here", "token": f"{TOKEN}2"}],
        "orders/<pk>/assignment/": [{"to": str(owner.pk), "saw": ""}],
        "orders/<pk>/closing/": [{"reason": "Not there"}],
        "orders/<pk>/refills/settlement/": [{"reason": "Done"}],
        "orders/answers/texts/<situation>/": [
            {"text": "{which}: done.", "saw": text_row("completed", "en").text, "language": "en"}
        ],
        "orders/answers/<pk>/language/": [{"language": "es"}],
        "orders/answers/<pk>/changes/": [{"edit": "1", "text": "All done."}],
        "orders/sending/stops/": [{"reason": "To be safe"}],
        "services/changes/<pk>/decision/": [{"decision": "accepted"}, {"decision": "held"}],
        "services/changes/acceptance/": [{"change": str(change.pk)}],
        "services/alarms/<pk>/acceptance/": [{"missing": str(ShrinkAlarm.objects.latest("pk").missing)}],
        "alarms/choices/": [{"kinds": ["sending", "trail"], "quiet_from": "22:00", "quiet_until": "06:00"}],
        "alarms/choices/chat/": [{"kinds": ["sending"], "time_zone": "UTC"}],
        "upstream/settings/": [as_shown | {"low_balance": "33"}],
        "team/new/": [{"username": "newcomer", "name": "New", "email": "", "role": "viewer"}],
        "team/<pk>/factors/reset/": [{"reason": "Lost the phone"}],
        "orders/<pk>/customer/": [{"customer": "", "reference": "INV-9"}],
        "customers/new/": [{"name": "Harbour Coffee"}],
        "customers/<pk>/change/": [{"name": "Southside Gym"}],
        "customers/<pk>/payments/": [{"amount": "25", "token": f"{TOKEN}3"}],
        "customers/<pk>/erasure/": [{"sure": "yes"}],
        "customers/prices/": [{"percent": "25"}],
        "customers/prices/lists/": [{"name": "Friends"}],
        "activity/export/": [{"format": "csv"}],
        "reports/export/": [{"format": "csv"}],
        "reports/saved/": [{"name": "Ours", "query": "period=7"}],
        "reports/saved/<pk>/": [{"name": "Other", "sharing": "yes", "shared": "on"}],
        "orders/export/": [{"format": "csv"}],
        "admin/accounts/user/<object_id>/change/": [
            {"username": "renamed", "name": "Re Named", "email": "", "role": "viewer", "is_active": "on"}
        ],
    }


def schedule(owner: User) -> dict[str, str]:
    """What is posted to make a plan of the draft of this person's."""
    draft, first = MassDraft.objects.get(owner=owner), timezone.now() + timedelta(days=1)
    seen = Preview(draft, owner).mark
    return {"first": f"{first:%Y-%m-%dT%H:%M}", "zone": "UTC", "part_lines": "1", "every": "1", "unit": "days",
            "make": "1", "seen": seen}  # fmt: skip


class Blocks:
    """Which tables each outermost transaction of a request wrote to; what was undone is left out."""

    def __init__(self) -> None:
        self.depth, self.tables, self.done = 0, set[str](), list[set[str]]()

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("SAVEPOINT"):
            self.depth += 1
        elif sql.startswith("ROLLBACK TO SAVEPOINT"):
            self.tables = set() if self.depth == 1 else self.tables
        elif sql.startswith("RELEASE SAVEPOINT"):
            self.depth -= 1
            if not self.depth:
                self.close()
        elif (found := WRITES.match(sql)) and ("INSERT" in sql or context["cursor"].rowcount):
            self.tables.add(found[1])
            if not self.depth:
                self.close()
        return result

    def close(self) -> None:
        self.done += [self.tables] if self.tables else []
        self.tables = set()


@contextmanager
def undone() -> Iterator[Blocks]:
    """What is written inside, by its transactions; all of it is undone."""
    blocks = Blocks()
    with transaction.atomic():
        with connection.execute_wrapper(blocks):
            yield blocks
        transaction.set_rollback(True)


def test_every_post_that_changes_something_is_a_line() -> None:
    order = one_of_everything()
    for name in ("catalog", "balance"):
        Chore.objects.get_or_create(name=name, defaults={"due_at": timezone.now()})
    owner = User.objects.get(pk=order.placed_by_id)
    User.objects.filter(pk=owner.pk).update(role=Role.OWNER)
    SavedView.objects.update(owner=owner)
    Task.objects.filter(order=order).update(attempts=1)
    client, filled, told, silent = as_user(owner), forms(order, owner), set[str](), list[str]()
    client.raise_request_exception = False
    for route, _ in routes():
        for form in ({}, *filled.get(route, ())):
            for pressed in posted(client, route, form):
                told |= pressed["told"]
                silent += pressed["silent"]
    assert not silent, "\n".join(silent)
    missing = (
        filled.keys() - told - {"orders/<pk>/closing/", "orders/<pk>/refills/settlement/", "team/<pk>/factors/reset/"}
    )
    assert not missing, f"these forms changed nothing, so they prove nothing: {missing}"
    assert len(told) > 25


def posted(client: Client, route: str, form: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One press, and whether it told the trail of what it changed."""
    signed_in = client.cookies.output()
    with undone() as blocks:
        status = client.post(address(route), form).status_code
    assert status < 500 or route == "webhooks/notpanel/", route
    client.cookies.load(signed_in.replace("Set-Cookie: ", ""))  # one of the addresses signs out
    told, silent = set(), []
    for tables in blocks.done:
        if TRAIL in tables:
            told.add(route)
        elif (changed := tables - BOOKKEEPING.keys()) and route not in PREFERENCES:
            silent.append(f"{route} {form}: changed {', '.join(sorted(changed))} without a line")
    yield {"told": told, "silent": silent}
