"""The page of what happened since somebody left: what is open there, who dealt with the rest, and what it says."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from catalog.models import Change
from orders.handover.shift_notes import shown_notes, write_shift_note
from orders.models import Handed, Order, ShiftNote, Task
from orders.teamwork.assignment import assign
from panel.alarms.models import Alarm, Sighting
from tests.makers import make_order, make_service, make_user
from tests.orders.handover.conftest import away
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db
PAGE = "/activity/since/"


def page_of(user: User, query: str = "") -> str:
    answer = as_user(user).get(PAGE + query)
    assert answer.status_code == 200
    return answer.content.decode()


def words_of(html: str) -> str:
    """What a person reads of the page's middle, in one line."""
    middle = html[html.index("<main") : html.index("</main>")]
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", middle))
    return re.sub(r" (?=[);.,])|(?<=\() ", "", told)


def badly_ended(status: str = "partial", **fields: object) -> Order:
    return make_order(status, ended_at=timezone.now() - timedelta(hours=3), charge=1, currency="USD", **fields)


def in_review() -> Order:
    order = make_order("review")
    order.record("review", why="An answer was lost.", at=timezone.now() - timedelta(hours=2))
    return order


def test_an_empty_night_is_told_in_quiet_lines(ben: User) -> None:
    told = words_of(page_of(ben))
    assert "Nothing needs a person" in told
    assert "0 orders were placed and 0 completed" in told
    for line in ("No order ended badly.", "Nothing new needs a look.", "No order became late.",
                 "No refill or cancel was answered.", "No price moved.", "No note calls you.",
                 "Nothing was assigned to you.", "No alarm was raised."):  # fmt: skip
        assert line in told


def test_what_is_open_is_counted_and_what_a_colleague_dealt_with_is_not(ben: User, tomas: User) -> None:
    open_one, noted, assigned = badly_ended(), badly_ended("refunded"), badly_ended("cancelled")
    noted.record("noted", by=tomas)
    assign(assigned, tomas, saw=None, by=tomas)
    looked_at = in_review()
    told = words_of(page_of(ben))
    assert "2 things still need a person" in told
    assert "2 others were dealt with by Tomás" in told
    assert "Ended badly 1 open" in told
    assert "Colleagues dealt with 2 more: Tomás 2" in told
    assert "Needs a look 1 open" in told
    assert str(open_one.pk) in told
    assert str(looked_at.pk) in told


def test_what_the_person_did_is_called_theirs(ben: User) -> None:
    badly_ended().record("noted", by=ben)
    told = words_of(page_of(ben))
    assert "Nothing needs a person; 1 other was dealt with by you." in told
    assert "You dealt with 1: you 1" in told


def test_a_cancel_that_the_team_asked_for_is_no_bad_end(ben: User, tomas: User) -> None:
    order = badly_ended("cancelled")
    Task.objects.create(order=order, kind=Task.Kind.CANCEL, asked_by=tomas, asked_at=order.ended_at or order.created_at,
                        over_at=order.ended_at, over_how="agreed", settled_at=order.ended_at)  # fmt: skip
    assert "Nothing needs a person" in words_of(page_of(ben))


def test_what_was_refused_is_there_with_the_suppliers_words(ben: User) -> None:
    order = make_order("rejected")
    order.record("refused", said="Link is not public")
    told = words_of(page_of(ben))
    assert "Ended badly 1 open" in told
    assert "Link is not public" in told


def test_late_orders_stand_by_service_with_their_ids(ben: User) -> None:
    service = make_service(name="Slow likes")
    orders = [make_order("in_progress", service=service, late_from=timezone.now() - timedelta(hours=2)) for _ in "12"]
    make_order("in_progress", service=service, late_from=timezone.now() - timedelta(hours=20))  # before
    html = page_of(ben)
    assert "Became late 2 open" in words_of(html)
    ids = re.search(r'data-copy="([^"]+)"', html[html.index("Slow likes") :])
    assert ids
    assert set(ids[1].split(", ")) == {str(order.upstream_id) for order in orders}


def test_an_answer_that_is_unclear_stays_open_until_it_is_asked_again(ben: User, tomas: User) -> None:
    order = make_order("completed")
    now = timezone.now()
    task = Task.objects.create(order=order, kind=Task.Kind.REFILL, asked_by=tomas, asked_at=now, outcome="unclear",
                               settled_at=now, slot=1)  # fmt: skip
    order.record("refill_unclear", trouble="The answer was lost.")
    make_order("completed").record("refill_accepted", slot=1, slots=3, ref="rf_1")
    told = words_of(page_of(ben))
    assert "Refills and cancels answered 1 open" in told
    assert "2 orders answered: 1 accepted, 1 unclear." in told
    Task.objects.filter(pk=task.pk).update(outcome="", settled_at=None, due_at=now)
    order.record("refill_again", by=tomas)
    assert "Nothing needs a person; 1 other was dealt with by Tomás" in words_of(page_of(ben))


def test_prices_are_open_until_somebody_decides(ben: User, tomas: User) -> None:
    service = make_service()
    change = Change.objects.create(service=service, moved={"rate": ["0.62", "0.68"]}, at=timezone.now())
    told = words_of(page_of(ben))
    assert "Prices moved 1 open" in told
    assert "$0.62 → is now $0.68" in told
    assert "+9.7 %" in told
    Change.objects.filter(pk=change.pk).update(decision="held", decided_by=tomas, decided_at=timezone.now())
    assert "Prices moved Nothing is open." in words_of(page_of(ben))


def test_an_alarm_that_a_colleague_has_seen_is_no_longer_counted(ben: User, tomas: User) -> None:
    alarm = Alarm.objects.create(kind="balance", facts={"balance": "12", "below": "20"}, raised_at=timezone.now())
    assert "Alarms 1 that nobody has seen" in words_of(page_of(ben))
    Sighting.objects.create(alarm=alarm, user=tomas, at=timezone.now())
    told = words_of(page_of(ben))
    assert "that nobody has seen" not in told
    assert "seen by Tomás" in told


def test_one_press_marks_what_is_shown_as_dealt_with(ben: User, tomas: User) -> None:
    orders = [badly_ended() for _ in "123"]
    client = as_user(tomas)
    client.post("/activity/since/dealings/", {"order": [order.pk for order in orders]})
    assert [order.events.filter(kind="dealt_with").count() for order in orders] == [1, 1, 1]
    assert "Colleagues dealt with 3: Tomás 3" in words_of(page_of(ben))
    viewer = as_a(Role.VIEWER).post("/activity/since/dealings/", {"order": orders[0].pk})
    assert viewer.status_code == 403


def test_an_assignment_is_told_counted_in_the_rail_and_seen_once(ben: User, tomas: User) -> None:
    order = make_order("in_progress")
    assign(order, ben, saw=None, by=tomas)
    client = as_user(ben)
    html = client.get(PAGE).content.decode()
    assert ", new for you: </span>1</span>" in html
    assert "Assigned to me 1 open" in words_of(html)
    client.post("/activity/since/handed/", {"order": order.pk}, headers={"HX-Request": "true"})
    html = client.get(PAGE).content.decode()
    assert "new for you" not in html
    assert "Assigned to me 1 open" in words_of(html), "it is still there, and no longer new"
    assign(order, tomas, saw=ben.pk, by=tomas)
    assert not Handed.objects.exists()


def test_nobody_is_told_of_what_they_take_themselves(ben: User) -> None:
    assign(make_order("in_progress"), ben, saw=None, by=ben)
    assert not Handed.objects.exists()


def test_who_may_not_see_money_reads_one_sentence(ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_order("completed", charge=3, currency="USD")
    assert "$3.00 since" in words_of(page_of(ben))
    monkeypatch.setattr("orders.handover.views.may", lambda user, what: what != "money")
    told = words_of(page_of(ben))
    assert "Your role does not see money." in told
    assert "$3" not in told


# ── Since when ───────────────────────────────────────────────────────────────────────────────────
def test_a_time_is_chosen_on_ones_own_clock_and_the_address_says_it_in_utc(ben: User) -> None:
    User.objects.filter(pk=ben.pk).update(time_zone="Europe/Berlin")
    day = (timezone.now() - timedelta(days=3)).date()
    answer = as_user(ben).get(f"{PAGE}?from={day}T12:00")
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{PAGE}?from={day}T1")
    assert answer["Location"].endswith("%3A00Z")


@pytest.mark.parametrize(
    "text",
    ["soon", "2099-01-01T00:00Z", "1999-01-01T00:00Z", "0001-01-01T00:00", "9999-12-31T23:59", "2026-02-30T00:00", "\0",
     "2026-11-28T18:04+99:00"],
)  # fmt: skip
def test_a_time_that_cannot_be_is_told_and_the_page_shows_the_time_since_one_left(ben: User, text: str) -> None:
    answer = as_user(ben).get(PAGE, {"from": text}, follow=True)
    assert answer.status_code == 200
    told = words_of(answer.content.decode())
    assert "This shows the time since you left." in told
    assert "You were last here at" in told


def test_the_first_day_of_a_person_shows_a_day() -> None:
    assert "You are here for the first time. In the last 24 hours" in words_of(page_of(make_user()))


def test_a_reload_in_the_morning_moves_nothing(ben: User) -> None:
    evening = timezone.now() - timedelta(hours=14)
    User.objects.filter(pk=ben.pk).update(left_at=evening - timedelta(days=1), seen_at=evening)
    client = as_user(ben)
    for _ in range(3):
        client.get(PAGE)
        ben.refresh_from_db()
        assert ben.left_at == evening
        assert ben.day_ended_at(timezone.now()) == evening
        User.objects.filter(pk=ben.pk).update(seen_at=timezone.now() - timedelta(hours=2))  # a long breakfast


def test_the_first_page_after_a_night_knows_it_before_it_is_written(ben: User) -> None:
    evening = timezone.now() - timedelta(hours=9)
    ben.seen_at, ben.left_at = evening, evening - timedelta(days=1)
    assert ben.day_ended_at(timezone.now()) == evening


def test_polls_do_not_count_as_being_there(ben: User) -> None:
    client = as_user(ben)
    before = timezone.now() - timedelta(minutes=20)
    User.objects.filter(pk=ben.pk).update(seen_at=before)
    client.get("/orders/changes/", headers={"HX-Request": "true"})
    ben.refresh_from_db()
    assert ben.seen_at == before
    client.get("/orders/")
    ben.refresh_from_db()
    assert ben.seen_at
    assert ben.seen_at > before


# ── The note to the next shift ───────────────────────────────────────────────────────────────────
def write(user: User, text: str = "Look at #4731.", token: int = 1, **more: object) -> Any:
    form = {"text": text, "token": f"0c6c7b3a-0000-4000-8000-{token:012}", **more}
    return as_user(user).post("/activity/since/notes/", form)


def test_a_note_stands_at_the_top_until_it_is_read_and_the_writer_sees_who_did(
    ben: User, ana: User, tomas: User
) -> None:
    order = in_review()
    write(ana, f"Ask about #{order.pk}, @Ben.", item=[f"look-{order.pk}", "nonsense", "look-x"])
    note = ShiftNote.objects.get()
    assert note.taken_along == [["look", order.pk]]
    html = page_of(ben)
    assert html.index("Ana’s note to the shift") < html.index("Ended badly")
    assert f'<a href="/orders/{order.pk}/">#{order.pk}</a>' in html
    assert '<b class="at">@Ben</b>' in html
    assert "Not read yet by" in html
    assert ", new for you: </span>1</span>" in html
    client = as_user(ben)
    client.get(PAGE)
    assert note.readers.filter(read_at__isnull=False).count() == 0, "to look changes nothing"
    for _ in range(2):
        client.post(f"/activity/since/notes/{note.pk}/reading/")
    assert "new for you" not in page_of(ben)
    assert "Earlier notes to the shift" in page_of(ben)
    told = words_of(page_of(ana))
    assert "Your note to the shift" in told
    assert "Ben read it" in told
    assert "Tomás" in told[told.index("Not read yet by") :]


def test_notes_that_a_person_has_not_read_stand_as_they_were_written(ana: User, ben: User) -> None:
    written = [write_shift_note(text, [], uuid.uuid4(), by=ana)[0].pk for text in ("First.", "Second.", "Third.")]
    unread, _ = shown_notes(ben)
    assert [shown.note.pk for shown in unread] == written


def test_a_form_writes_one_note(ana: User, ben: User) -> None:
    write(ana)
    write(ana)
    assert ShiftNote.objects.count() == 1
    assert write(ana, "Something else.").status_code == 422
    write(ana, "Another.", token=2)
    assert [note.text for note in ShiftNote.objects.all()] == ["Another.", "Look at #4731."]


def test_an_empty_note_comes_back_with_its_reason_and_loses_nothing(ana: User) -> None:
    assert "the note is empty" in write(ana, "  ").content.decode()
    long = "x" * 5_001
    answer = write(ana, long)
    assert answer.status_code == 422
    assert long in answer.content.decode()
    assert write(make_user(Role.VIEWER)).status_code == 403
    assert not ShiftNote.objects.exists()


def test_what_went_with_a_note_is_told_as_it_stands_now(ana: User, ben: User) -> None:
    order = in_review()
    write(ana, "", item=[f"look-{order.pk}", "badly-999999", "prices-999999"])
    Order.objects.filter(pk=order.pk).update(status="rejected")
    told = words_of(page_of(ben))
    assert f"{order.pk} Rejected" in told
    assert "Order 999999, which is gone" in told
    assert "A price that moved again since" in told


def test_one_section_is_shown_in_full(ben: User) -> None:
    orders = [badly_ended() for _ in range(8)]
    assert "See all 8" in page_of(ben)
    told = page_of(ben, f"?from={(timezone.now() - timedelta(hours=9)):%Y-%m-%dT%H:%MZ}&see=badly")
    assert all(f"/orders/{order.pk}/" in told for order in orders)


def test_somebody_who_was_not_away_is_shown_what_they_chose() -> None:
    user = away(make_user(), hours=40)
    badly_ended()
    assert "Ended badly 1 open" in words_of(page_of(user))
    soon = timezone.now() - timedelta(hours=1)
    assert "No order ended badly." in words_of(page_of(user, f"?from={soon:%Y-%m-%dT%H:%MZ}"))
