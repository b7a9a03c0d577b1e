"""The page of activity: whose lines it shows, its filters, its pages, its details, and what each role sees of it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import TrailLine, User
from accounts.sign_in.record import record_door
from accounts.trail import watch
from accounts.trail.record import record_change
from orders.activity import search
from orders.activity.filters import Filters
from orders.activity.search import find
from panel.upstream.models import Chore
from tests.makers import make_order, make_user
from tests.people import as_user
from tests.tampering import past_the_desk, seal_everything

pytestmark = pytest.mark.django_db
PAGE = "/activity/"


@pytest.fixture
def owner() -> User:
    return make_user(Role.OWNER, name="Olivia Hartmann", username="olivia")


@pytest.fixture
def mira() -> User:
    return make_user(Role.MANAGER, name="Mira Kovács", username="mira")


@pytest.fixture
def page(owner: User) -> Client:
    return as_user(owner)


def told(client: Client, query: str = "") -> list[str]:
    """What stands in the column What, newest first."""
    body = client.get(PAGE + query).content.decode()
    cells = re.findall(r'<td class="tr-what[^>]*>(.*?)</td>', body, re.DOTALL)
    return [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in cells]


def write_some(mira: User, owner: User) -> None:
    order = make_order("completed", by=owner)
    order.record("moved", was="Pending", to="Completed")
    order.record("noted", by=mira, text="They paid twice.\nSee mail.")
    upstream_id = str(order.service.upstream_id)
    record_change("service_held", by=mira, thing="service", thing_id=order.service.pk, label=upstream_id,
                  before={"sale": "on sale"}, after={"sale": "held"})  # fmt: skip
    record_change(
        "setting_changed", by=owner, thing="setting", label="Late", before={"late": "6 h"}, after={"late": "8 h"}
    )
    record_change(
        "person_changed", by=owner, person=mira, label="Mira", before={"role": "viewer"}, after={"role": "manager"}
    )


def test_people_come_first_and_a_note_says_what_it_says(page: Client, mira: User, owner: User) -> None:
    write_some(mira, owner)
    account, setting, held, note = told(page)[:4]
    assert (account, setting) == ("changed the account of Mira .", "changed the setting “Late”.")
    assert held.startswith("held service")
    assert note == "wrote a note. They paid twice. See mail."
    assert not any("became" in words for words in told(page))
    assert any("became Completed" in words for words in told(page, "?who=machine"))
    assert len(told(page, "?who=all")) == len(told(page)) + len(told(page, "?who=machine"))


@pytest.mark.parametrize(
    ("query", "count"),
    [("?person={mira}", 2), ("?kind=settings", 1), ("?kind=notes&person={mira}", 1), ("?kind=notes&person={owner}", 0),
     ("?about=Mira+Kov%C3%A1cs", 1), ("?about=mira&person={owner}", 1), ("?about=service+{service}", 1),
     ("?about={order}&kind=notes&who=all", 1), ("?about=order+{order}&kind=notes", 1),
     ("?kind=notes&kind=settings", 2), ("?kind=notes&kind=settings&kind=nonsense&person={mira}", 1),
     ("?kind=notes&kind=settings&who=all", 2), ("?kind=catalog&kind=people&about=service+{service}", 1),
     ("?about=nobody", 0), ("?from=2020-01-01", 4),
     ("?until=2020-01-01&who=all", 0), ("?from=nonsense", 4), ("?kind=notes&who=machine", 0)],
)  # fmt: skip
def test_filters_combine(page: Client, mira: User, owner: User, query: str, count: int) -> None:
    write_some(mira, owner)
    order = TrailLine.objects.get(kind="moved").order
    assert order
    query = query.format(mira=mira.pk, owner=owner.pk, order=order.pk, service=order.service.upstream_id)
    assert len(told(page, query)) == count + (
        count > 3 and TrailLine.objects.filter(kind="placed", by__isnull=False).count()
    )


def test_days_are_the_readers(page: Client, mira: User, owner: User) -> None:
    now = timezone.now()
    for days in range(5):
        record_change("sync_asked", by=mira, at=now - timedelta(days=days))
    day = (now - timedelta(days=2)).date()
    assert len(told(page, f"?from={day}")) == 3
    assert len(told(page, f"?until={day}")) == 3
    assert len(told(page, f"?from={day}&until={day}")) == 1


def test_pages_follow_each_other_without_a_gap(owner: User, mira: User) -> None:
    at = timezone.now()
    for n in range(25):
        record_change("sync_asked", by=mira if n % 2 else None, at=at - timedelta(seconds=n // 3))
        record_change("alarm_seen", by=mira, at=at - timedelta(seconds=n // 2), label="Balance")
    several = ("settings", "catalog", "views")
    for who, groups, expected in (
        ("", ("catalog",), 12), ("machine", ("catalog",), 13), ("all", ("catalog",), 25), ("", several, 37),
        ("all", several, 50), ("machine", several, 13),
    ):  # fmt: skip
        filters, place, seen = Filters(owner, who, groups=groups), None, []
        while True:
            found = find(filters, place, rows=4, window=6)
            seen += [line.pk for line in found.lines]
            if not (place := found.next):
                break
        assert len(seen) == len({*seen}) == expected
        assert seen == list(TrailLine.objects.filter(pk__in=seen).newest_first().values_list("pk", flat=True))


def test_no_page_looks_through_more_than_a_window(
    page: Client, owner: User, mira: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.find, "__defaults__", (search.LINES_A_PAGE, 10))
    TrailLine.objects.bulk_create(TrailLine(kind="sync_asked", by=mira, at=timezone.now()) for _ in range(30))
    body = page.get(f"{PAGE}?person={mira.pk}&kind=catalog&about=service+1").content.decode()
    assert "No entry matches" in body
    body = page.get(f"{PAGE}?kind=catalog&person={owner.pk}").content.decode()
    assert "No entry matches" in body, "an index finds what a person did"
    with CaptureQueriesContext(connection) as queries:
        body = page.get(f"{PAGE}?kind=notes&person={mira.pk}").content.decode()
    scans = [query["sql"] for query in queries if f'FROM "{TrailLine._meta.db_table}"' in query["sql"]]
    assert scans and all("LIMIT" in sql for sql in scans), "a bounded number of rows is read"
    assert "10 entries were looked through" in body
    assert "Look further" in body


def test_every_chosen_kind_stays_in_the_address_and_leaves_by_its_own_way(page: Client) -> None:
    body = page.get(f"{PAGE}?kind=notes&kind=settings&who=all").content.decode()
    assert re.findall(r'name="kind" value="(\w+)" checked', body) == ["notes", "settings"]
    assert 'href="?who=all&amp;kind=settings" aria-label="Remove: kind Notes and assignment"' in body
    assert 'action="/activity/export/?who=all&amp;kind=notes&amp;kind=settings"' in body


@pytest.mark.django_db(transaction=True)
def test_an_owner_verifies_the_chain_a_part_with_each_press(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PIECE_LINES", 4)
    monkeypatch.setattr(watch, "NEWEST_LINKS", 1)
    owner = make_user(Role.OWNER, name="Olivia")
    client, said = as_user(owner), []
    for _ in range(4):
        for _ in range(4):
            record_change("sync_asked", by=owner)
        seal_everything()
    for _ in range(4):
        body = client.post(f"{PAGE}chain/verification/", follow=True).content.decode()
        said += re.findall(r"Verified [^<]*", body)[:1]
    assert "This turn has come to" in said[0] and "press again to go on" in said[0]
    assert any("With that all entries have had their turn" in words for words in said)
    lines = TrailLine.objects.filter(kind="trail_verified")
    assert lines.count() == 4 and lines.earliest("pk").facts["wrong"] == "0"
    first = TrailLine.objects.earliest("pk")
    with past_the_desk() as cursor:
        cursor.execute("UPDATE accounts_trailline SET label = 'x' WHERE id = %s", [first.pk])
    for _ in range(6):
        body = client.post(f"{PAGE}chain/verification/", follow=True).content.decode()
    assert "1 thing is wrong" in body
    assert as_user(make_user(Role.MANAGER)).post(f"{PAGE}chain/verification/").status_code == 403


def test_an_entry_opens_with_its_reason_and_seal(page: Client, mira: User, owner: User) -> None:
    line = record_change("service_held", by=mira, label="149", reason="Too dear")
    body = page.get(f"{PAGE}?line={line.pk}").content.decode()
    assert "Too dear" in body
    assert bytes(line.seal or b"").hex() in body
    assert f"#{line.pk}" in body
    there = page.get(f"{PAGE}?line={line.pk}&kind=views").content.decode()
    assert "One entry" in there, "a line that the filters leave out is shown apart"


def test_from_where_and_what_happens_at_the_door_is_for_owners(page: Client, mira: User) -> None:
    Chore.objects.create(name="catalog", due_at=timezone.now())
    as_user(mira).post("/services/syncs/")
    line = TrailLine.objects.get(kind="sync_asked")
    assert (line.address, line.device) == ("127.0.0.1", "Unknown browser")
    failed = record_door("failed", mira, None, why="wrong password")
    for client, sees in ((page, True), (as_user(mira), False), (as_user(make_user(Role.VIEWER)), False)):
        assert ("127.0.0.1" in client.get(f"{PAGE}?line={line.pk}").content.decode()) is sees
        assert any("Failed to sign in" in words for words in told(client, "?who=all")) is sees
        assert ("wrong password" in client.get(f"{PAGE}?line={failed.pk}").content.decode()) is sees
        assert ('<div class="seal' in client.get(PAGE).content.decode()) is sees


def test_an_export_is_an_entry_itself(page: Client, mira: User, owner: User) -> None:
    write_some(mira, owner)
    answer = page.post(f"{PAGE}export/?person={mira.pk}", {"format": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert text.count("\r\n") == 3
    assert "on sale" in text and "held" in text and "They paid twice." in text
    assert told(page)[0] == "exported 2 lines of activity as CSV: who Mira Kovács."
    sheet = page.post(f"{PAGE}export/", {"format": "xlsx"})
    assert b"".join(sheet.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
    as_viewer = as_user(make_user(Role.VIEWER)).post(f"{PAGE}export/?who=all", {"format": "csv"})
    assert "127.0.0.1" not in b"".join(as_viewer.streaming_content).decode()  # type: ignore[attr-defined]
