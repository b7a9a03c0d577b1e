"""What upstream changed waits in an inbox until somebody accepts or holds exactly what they saw."""

import re
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from catalog.changes import accept, hold
from catalog.models import Change, Service
from catalog.sync import apply_catalog
from catalog.views import CHANGES_A_PAGE
from panel.notpanel.shapes import Catalog, ServiceRow
from tests.makers import make_row, make_user
from tests.people import as_a, htmx

pytestmark = pytest.mark.django_db
INBOX = "/services/changes/"


def apply(*rows: ServiceRow, at: datetime | None = None) -> None:
    """Applies a catalog of these rows, as a sync does."""
    apply_catalog(Catalog(rows, ()), at or timezone.now())


def move_services(number: int, **now: Any) -> None:
    """Adds so many services, then changes each of them in this way."""
    apply(*(make_row(upstream_id=i) for i in range(1, number + 1)))
    apply(*(make_row(upstream_id=i, **now) for i in range(1, number + 1)))


def decide(client: Client, change: int, decision: str, **headers: Any) -> Any:
    """The answer to a press on accept, hold or release."""
    return client.post(f"{INBOX}{change}/decision/", {"decision": decision}, **headers)


def change_ids(pages: Iterable[str]) -> list[int]:
    """The ids of the changes on these pages of the inbox."""
    return [int(pk) for page in pages for pk in re.findall(r'id="change-(\d+)"', page)]


# ── What a sync records ──────────────────────────────────────────────────────────────────────────
def test_the_first_list_changes_nothing() -> None:
    apply(make_row(upstream_id=1))
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    ("now", "moved"),
    [
        ({"rate": Decimal("1.35")}, {"rate": ["0.9", "1.35"]}),
        ({"minimum": 100, "maximum": 500}, {"minimum": [50, 100], "maximum": [10_000, 500]}),
        ({"refill": False, "dripfeed": True}, {"refill": [True, False], "dripfeed": [False, True]}),
        ({"name": "New"}, {"name": ["Instagram Followers — R30, no. 1", "New"]}),
        ({"type": "Poll"}, {"type": ["Default", "Poll"]}),
        ({"category": "TikTok › Likes"}, {"category": ["Instagram › Followers", "TikTok › Likes"]}),
    ],
)  # fmt: skip
def test_every_change_is_recorded_with_the_value_before(now: dict[str, Any], moved: dict[str, Any]) -> None:
    move_services(1, **now)
    assert Change.objects.get().moved == moved


def test_a_service_that_goes_and_one_that_comes_back() -> None:
    apply(*(make_row(upstream_id=i) for i in range(1, 9)))
    apply(*(make_row(upstream_id=i) for i in range(2, 9)))
    assert Change.objects.get().moved == {"active": [True, False]}
    Change.objects.update(decided_at=timezone.now(), decision="accepted")
    apply(*(make_row(upstream_id=i) for i in range(1, 9)))
    assert Change.objects.undecided().get().moved == {"active": [False, True]}


def test_a_service_that_moves_twice_has_one_entry_from_its_first_value() -> None:
    move_services(1, rate=Decimal("1.35"))
    older = Change.objects.get()
    apply(make_row(upstream_id=1, rate=Decimal("1.50"), refill=False))
    now = Change.objects.get()
    assert now.moved == {"rate": ["0.9", "1.5"], "refill": [True, False]}
    assert now.pk != older.pk, "a yes to what stood there before must find nothing"


def test_a_service_that_moved_back_needs_no_decision() -> None:
    move_services(1, rate=Decimal("1.35"))
    apply(make_row(upstream_id=1))
    assert not Change.objects.exists()


def test_after_a_decision_the_next_move_counts_from_there() -> None:
    move_services(1, rate=Decimal("1.35"))
    decide(as_a("manager"), Change.objects.get().pk, "accepted")
    apply(make_row(upstream_id=1, rate=Decimal("1.50")))
    assert Change.objects.undecided().get().moved == {"rate": ["1.35", "1.5"]}


def test_fifty_moves_are_written_in_as_many_queries_as_one() -> None:
    apply(*(make_row(upstream_id=i) for i in range(1, 101)))

    rates = dict.fromkeys(range(1, 101), Decimal("0.90"))

    def queries(first: int, last: int) -> int:
        rates.update({i: rates[i] + 1 for i in range(first, last + 1)})
        with CaptureQueriesContext(connection) as captured:
            apply(*(make_row(upstream_id=i, rate=rate) for i, rate in rates.items()))
        return len(captured)

    assert queries(1, 1) == queries(2, 50)
    assert queries(1, 1) == queries(2, 50), "those that wait already"
    assert Change.objects.undecided().count() == 50


# ── The page ─────────────────────────────────────────────────────────────────────────────────────
def test_the_inbox_says_what_moved_from_what_to_what_and_by_how_much() -> None:
    move_services(1, rate=Decimal("1.35"), minimum=100, refill=False, name="<b>New</b>")
    page = as_a("viewer").get(INBOX).content.decode()
    for words in ("was </span>$0.90", "now </span>$1.35", "50 %", "was </span>50", "now </span>100",
                  "&lt;b&gt;New&lt;/b&gt;", "Refill"):  # fmt: skip
        assert words in page
    assert "Accept" not in page, "a viewer decides nothing"


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    move_services(2 * CHANGES_A_PAGE + 3, refill=False)
    client, url, pages = as_a("viewer"), INBOX, []
    while url:
        pages.append(client.get(url).content.decode())
        older = re.search(r'href="([^"]+)" rel="next"', pages[-1])
        url = older[1] if older else ""
    assert change_ids(pages) == list(Change.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("url", [INBOX, "/services/"])
def test_a_page_costs_the_same_for_one_and_for_many(url: str) -> None:
    manager = as_a("manager")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert manager.get(url).status_code == 200
        return len(captured)

    move_services(1, rate=Decimal("1.35"))
    hold(Change.objects.get().pk, by=make_user(Role.MANAGER), at=timezone.now())
    apply(make_row(upstream_id=1, rate=Decimal("1.50")))
    queries()
    one = queries()
    apply(*(make_row(upstream_id=i) for i in range(1, 100)))
    apply(*(make_row(upstream_id=i, rate=Decimal("2")) for i in range(1, 100)))
    for change in Change.objects.undecided()[:60]:
        hold(change.pk, by=make_user(Role.MANAGER), at=timezone.now())
    apply(*(make_row(upstream_id=i, rate=Decimal("3")) for i in range(1, 100)))
    assert queries() == one


@pytest.mark.parametrize(
    "query", ["?view=x&before=y", f"?before={9**30}", "?view=held", "?view=decided&before=1", "?view=%00"]
)
def test_nonsense_in_the_address_is_ignored(query: str) -> None:
    assert as_a("viewer").get(INBOX + query).status_code == 200


def test_the_services_page_counts_the_changes_of_the_last_day() -> None:
    move_services(12, rate=Decimal("1.35"))
    apply(
        make_row(upstream_id=1, rate=Decimal("0.10")),
        *(make_row(upstream_id=i, rate=Decimal("1.35")) for i in range(3, 13)),
    )
    page = as_a("viewer").get("/services/").content.decode()
    assert "12 prices moved since yesterday." in page
    assert "11 up, 1 down" in page
    assert "1 service went off sale." in page
    Change.objects.update(at=timezone.now() - timedelta(days=2))
    assert "since yesterday" not in as_a("viewer").get("/services/").content.decode()


# ── Decisions ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("decision", ["accepted", "held"])
def test_a_decision_is_saved_with_person_and_time(decision: str) -> None:
    move_services(1, rate=Decimal("1.35"))
    decide(as_a("manager"), Change.objects.get().pk, decision)
    change = Change.objects.get()
    assert (change.decision, change.decided_by is not None, change.decided_at is not None) == (decision, True, True)
    assert (Service.objects.get().held_over_id is not None) == (decision == "held")


@pytest.mark.parametrize("person", ["viewer", "operator"])
def test_only_managers_and_owners_decide(person: str) -> None:
    move_services(1, rate=Decimal("1.35"))
    change = Change.objects.get().pk
    assert decide(as_a(person), change, "accepted").status_code == 403
    assert as_a(person).post(f"{INBOX}acceptance/", {"change": change}).status_code == 403
    assert Change.objects.undecided().exists()


@pytest.mark.parametrize("first", ["accepted", "held"])
def test_the_second_person_is_told_and_changes_nothing(first: str) -> None:
    move_services(1, rate=Decimal("1.35"))
    change = Change.objects.get().pk
    decide(as_a("manager"), change, first)
    other = "held" if first == "accepted" else "accepted"
    answer = decide(as_a("manager"), change, other, headers=htmx())
    assert answer.status_code == 409
    assert "before you" in answer.content.decode()
    assert Change.objects.get().decision == first
    page = as_a("manager").post(f"{INBOX}{change}/decision/", {"decision": other}, follow=True).content.decode()
    assert re.search(rf"Ana \d+ {first} it at \d\d:\d\d UTC, before you. Nothing was done.", page)


@pytest.mark.parametrize("decision", ["accepted", "held"])
def test_a_decision_about_a_service_that_has_moved_again_counts_for_nothing(decision: str) -> None:
    move_services(1, rate=Decimal("1.35"))
    older = Change.objects.get().pk
    apply(make_row(upstream_id=1, rate=Decimal("9")))
    answer = decide(as_a("manager"), older, decision, headers=htmx())
    assert answer.status_code == 409
    assert "moved again" in answer.content.decode()
    assert Change.objects.undecided().exists()
    assert Service.objects.get().held_over_id is None


def test_all_changes_on_the_page_are_accepted_and_no_others() -> None:
    move_services(CHANGES_A_PAGE + 2, refill=False)
    manager = as_a("manager")
    listed = re.findall(r'name="change" value="(\d+)"', manager.get(INBOX).content.decode())
    decide(as_a("manager"), int(listed[0]), "held")
    page = manager.post(f"{INBOX}acceptance/", {"change": listed}, follow=True).content.decode()
    assert f"{CHANGES_A_PAGE - 1} of {CHANGES_A_PAGE} accepted." in page
    assert "The others were decided" in page
    assert re.search(r"page was loaded. Ana \d+ decided before you.", page)
    assert Change.objects.undecided().count() == 2
    assert Change.objects.filter(decision="held").count() == 1


def test_nonsense_is_no_decision() -> None:
    move_services(1, rate=Decimal("1.35"))
    manager = as_a("manager")
    assert decide(manager, Change.objects.get().pk, "whatever").status_code == 400
    manager.post(f"{INBOX}acceptance/", {"change": ["x", "\0", str(9**30)]})
    assert Change.objects.undecided().exists()


def test_a_decision_leads_back_to_the_page_it_was_made_on_and_never_elsewhere() -> None:
    move_services(1, rate=Decimal("1.35"))
    url, manager = f"{INBOX}{Change.objects.get().pk}/decision/", as_a("manager")
    for back, address in (
        ("/services/?only=lately", "/services/?only=lately"),
        ("https://evil.example/", INBOX),
        ("//x", INBOX),
    ):
        assert manager.post(url, {"decision": "held", "back": back})["Location"] == address


@pytest.mark.django_db(transaction=True)
def test_two_people_and_a_sync_at_one_moment_leave_one_decision() -> None:
    """The first of them counts, and no hold is over a change that a sync has replaced."""
    managers = [make_user(Role.MANAGER) for _ in range(2)]
    for turn in range(5):
        move_services(8, rate=Decimal(turn + 2))
        changes, start = list(Change.objects.undecided()), threading.Barrier(3)

        def press(by: Any, decide: Any, changes: list[Change] = changes, start: threading.Barrier = start) -> int:
            start.wait()
            try:
                return sum(decide(change.pk, by=by, at=timezone.now()) for change in changes)
            finally:
                connection.close()

        def sync(turn: int = turn, start: threading.Barrier = start) -> int:
            start.wait()
            try:
                apply(*(make_row(upstream_id=i, rate=Decimal(turn + 2), refill=False) for i in range(1, 5)),
                     *(make_row(upstream_id=i, rate=Decimal(turn + 2)) for i in range(5, 9)))  # fmt: skip
                return 0
            finally:
                connection.close()

        with ThreadPoolExecutor() as pool:
            runs = [pool.submit(press, managers[0], hold), pool.submit(sync),
                    pool.submit(press, managers[1], lambda pk, **by_and_at: accept([pk], **by_and_at))]  # fmt: skip
            done = sum(run.result() for run in runs)
        assert done == Change.objects.filter(pk__in=[change.pk for change in changes], decided_at__isnull=False).count()
        assert done >= 4
        for service in Service.objects.filter(held_over__isnull=False):
            assert service.held_over and service.held_over.service_id == service.pk
        Change.objects.undecided().delete()
