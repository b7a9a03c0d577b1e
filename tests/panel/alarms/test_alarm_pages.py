"""The pages of the alarms: what stands, who has seen it, the number on every page, and what each person chooses."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.desk_settings import held
from accounts.models import User
from panel.alarms.kinds import KINDS
from panel.alarms.models import Alarm, Notice, Recipient, Sighting
from panel.alarms.views import ROWS_A_PAGE
from panel.ops.database import ONLY_ROW
from panel.site.status_bar import StatusBar
from panel.upstream.models import Upstream
from tests.makers import make_user
from tests.people import as_a, as_user, htmx

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
LOW = {"balance": "12.30", "below": "20"}
ALL = {"kinds": list(KINDS), "quiet_from": "22:00", "quiet_until": "07:00", "over_too": "on"}


@pytest.fixture(autouse=True)
def _desk() -> None:
    Upstream.objects.create(pk=ONLY_ROW)  # as after a desk's very first page


def make_alarm(kind: str = "balance", subject: str = "", **columns: Any) -> Alarm:
    """An open alarm about a low balance, unless `columns` say otherwise."""
    return Alarm.objects.create(kind=kind, subject=subject, **{"facts": LOW, "raised_at": AT, **columns})


def page_of(client: Client, path: str = "/alarms/") -> str:
    """The text of a page."""
    return client.get(path).content.decode()


# ── What stands ──────────────────────────────────────────────────────────────────────────────────
def test_an_open_alarm_says_what_happened_and_links_to_it() -> None:
    make_alarm()
    page = page_of(as_a(Role.VIEWER))
    assert "1 open alarm" in page
    assert "The balance is $12.30, below $20.00." in page
    assert 'href="/orders/"' in page
    assert "Nobody has marked it as seen yet." in page


def test_a_desk_without_alarms_says_so() -> None:
    assert "No open alarms" in page_of(as_a(Role.VIEWER))


def test_seen_lowers_a_persons_own_number_and_shows_the_others_who_saw_it() -> None:
    alarm = make_alarm()
    ana, ben = make_user(Role.VIEWER, name="Ana"), make_user(Role.OPERATOR, name="Ben")
    before = StatusBar().version
    for _ in range(2):
        assert as_user(ana).post(f"/alarms/{alarm.pk}/sightings/").status_code == 302
    assert Sighting.objects.count() == 1
    assert "not seen yet" not in page_of(as_user(ana))
    others = page_of(as_user(ben))
    assert "not seen yet: </span>1</span>" in others
    assert "Seen by <bdi>Ana</bdi>." in others
    assert before == StatusBar().version, "for a request without a person it still counts"
    make_alarm("upstream", facts={"why": "x", "since": AT.isoformat()})
    assert "not seen yet: </span>1</span>" in page_of(as_user(ana), "/orders/"), "on every page"
    Alarm.objects.update(ended_at=AT)
    assert "not seen yet" not in page_of(as_user(ben), "/orders/")


def test_the_number_changes_on_an_open_page() -> None:
    viewer = as_a(Role.VIEWER)
    address = f"/orders/changes/?bar={StatusBar().version}"
    assert viewer.get(address, headers=htmx()).status_code == 204
    make_alarm()
    answer = viewer.get(address, headers=htmx()).content.decode()
    assert 'id="bell"' in answer
    assert "not seen yet: </span>1</span>" in answer


def test_an_open_alarms_page_gets_204_until_an_alarm_changes() -> None:
    viewer = as_a(Role.VIEWER)
    make_alarm()
    version = page_of(viewer).split('id="alarms" data-v="')[1].split('"')[0]

    def ask() -> Any:
        request = type("Request", (), {"user": User.objects.get(role=Role.VIEWER)})()
        return viewer.get(f"/alarms/?v={version}&bar={StatusBar(request).version}", headers=htmx())

    assert ask().status_code == 204
    Alarm.objects.update(facts={**LOW, "balance": "3"})
    answer = ask().content.decode()
    assert "$3.00" in answer
    assert "<html" not in answer


def test_a_message_that_could_not_be_sent_is_shown_with_the_reason() -> None:
    alarm, ana = make_alarm(), make_user(name="Ana", email="ana@example.com")
    to = {"mail": Recipient.objects.create(user=ana, kinds=["balance"]), "chat": Recipient.objects.chat()}
    Notice.objects.create(alarm=alarm, to=to["mail"], channel="mail", sent_at=AT)
    Notice.objects.create(alarm=alarm, to=to["mail"], channel="mail", over=True, sent_at=AT)
    Notice.objects.create(
        alarm=alarm, to=to["chat"], channel="chat", dropped_at=AT, failing_since=AT, trouble="The chat answered 500."
    )
    page = page_of(as_a(Role.VIEWER))
    assert "Sent to 1 recipient." in page
    assert "Not sent to the chat: The chat answered 500." in page


def test_a_page_costs_the_same_queries_for_one_as_for_fifty() -> None:
    viewer, people = as_a(Role.VIEWER), [make_user() for _ in range(3)]

    def make_alarms(number: int) -> None:
        for n in range(number):
            for ended in (None, AT):
                alarm = make_alarm(subject=f"{Alarm.objects.count()}", ended_at=ended)
                for person in people:
                    Sighting.objects.create(alarm=alarm, user=person, at=AT)
                to = Recipient.objects.get_or_create(user=people[n % 3])[0]
                Notice.objects.create(alarm=alarm, to=to, channel="mail", due_at=AT, failing_since=AT, trouble="No.")

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            viewer.get("/alarms/")
        return len(queries)

    make_alarms(1)
    queries_for_one = count_queries()
    make_alarms(49)
    assert count_queries() == queries_for_one <= 10


def test_alarms_that_are_over_are_paged() -> None:
    viewer = as_a(Role.VIEWER)
    for n in range(ROWS_A_PAGE + 3):
        make_alarm(subject=str(n), raised_at=AT + timedelta(minutes=n), ended_at=AT + timedelta(hours=1))
    newest = page_of(viewer)
    older = newest.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    assert newest.count('<li class="alarm"') == ROWS_A_PAGE
    assert page_of(viewer, older).count('<li class="alarm"') == 3
    assert "This is the end of the list." in page_of(viewer, "/alarms/?before=1")


def test_the_status_bar_costs_one_query_with_alarms_too() -> None:
    make_alarm()
    with held({}), CaptureQueriesContext(connection) as queries:
        assert StatusBar().version
    assert len(queries) == 1


# ── Choices ──────────────────────────────────────────────────────────────────────────────────────
def test_each_person_chooses_for_themselves() -> None:
    ana, ben = make_user(Role.VIEWER, email="ana@example.com"), make_user(Role.VIEWER)
    posted = {"kinds": ["balance", "worker"], "quiet_from": "22:00", "quiet_until": "07:00", "serious_anyway": "on"}
    assert as_user(ana).post("/alarms/choices/", posted)["Location"] == "/alarms/choices/"
    mine = Recipient.objects.of(ana)
    assert (mine.kinds, mine.quiet_from, mine.quiet_until) == (["balance", "worker"], time(22), time(7))
    assert (mine.serious_anyway, mine.over_too) == (True, False)
    assert Recipient.objects.of(ben).kinds == []
    page = page_of(as_user(ana), "/alarms/choices/")
    assert page.count(" checked") == 3
    assert 'value="22:00"' in page
    as_user(ana).post("/alarms/choices/", {})
    assert (Recipient.objects.of(ana).kinds, Recipient.objects.of(ana).quiet_from) == ([], None)


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"quiet_from": "22:00"}, "Fill in both the beginning and the end"),
        ({"quiet_until": "22:00"}, "Fill in both the beginning and the end"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "must end at another time"),
        ({"quiet_from": "late", "quiet_until": "07:00"}, "Enter a valid time"),
        ({"kinds": ["everything"]}, "not one of the available choices"),
    ],
)
def test_choices_that_make_no_sense_are_refused_with_a_sentence(posted: dict[str, Any], sentence: str) -> None:
    ana = make_user(Role.OWNER)
    for path, more in (("/alarms/choices/", {}), ("/alarms/choices/chat/", {"time_zone": "UTC"})):
        answer = as_user(ana).post(path, {**posted, **more})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert not Recipient.objects.exclude(user=None).exists()


def test_managers_choose_for_the_chat_and_others_are_told_so(settings: Any) -> None:
    settings.ALARM_WEBHOOK_URL = "https://chat.example.com/hush-hush"
    posted = {**ALL, "kinds": ["worker"], "time_zone": "Europe/Berlin"}
    assert as_a(Role.OPERATOR).post("/alarms/choices/chat/", posted).status_code == 403
    assert Recipient.objects.chat().kinds == list(KINDS)
    assert as_a(Role.MANAGER).post("/alarms/choices/chat/", posted).status_code == 302
    chat = Recipient.objects.chat()
    assert (chat.kinds, chat.time_zone, chat.quiet_from) == (["worker"], "Europe/Berlin", time(22))
    assert "Save for the chat" in page_of(as_a(Role.MANAGER), "/alarms/choices/")
    assert "Managers and owners choose what is sent there." in page_of(as_a(Role.OPERATOR), "/alarms/choices/")


def test_the_choices_say_what_is_not_set_up(settings: Any) -> None:
    settings.EMAIL_CONFIGURED = False
    page = page_of(as_user(make_user(Role.OWNER, email="ana@example.com")), "/alarms/choices/")
    assert "This desk sends no e-mail" in page
    assert "No chat is set." in page
    settings.EMAIL_CONFIGURED = True
    assert "no e-mail address" in page_of(as_a(Role.VIEWER), "/alarms/choices/")


def test_the_choices_name_the_clock_of_the_quiet_hours() -> None:
    ana = make_user(Role.VIEWER, time_zone="Asia/Tokyo")
    assert "In your time zone, Asia/Tokyo." in page_of(as_user(ana), "/alarms/choices/")
    assert timezone.now()
