"""Notes about an order: written once, verbatim, calling teammates by name; and the list of notes that call a person."""

import html
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Role
from accounts.models import User
from orders.models import Mention, Note, Order
from orders.models.team import NOTE_CHARACTERS
from orders.teamwork.mentions import mentioned
from panel.site.status_bar import StatusBar
from tests.makers import make_user
from tests.orders.teamwork.conftest import page
from tests.people import as_a, as_user, htmx

pytestmark = pytest.mark.django_db
HOSTILE = (
    "</textarea></script><script>alert(1)</script><b>bold</b> &amp; {{ 7*7 }} {% now %} \u202eright to left\u202c "
    "a\u200bzero\u200dwidth \x01 \ufeff 'quotes' \"double\" 👩‍👩‍👧 שלום"
)


@pytest.fixture
def tomas() -> User:
    """Another operator, whose body name has two words."""
    return make_user(Role.OPERATOR, username="tomas", name="Tomás Rey")


def write(by: User | Client, order: Order, text: str, token: object = None) -> HttpResponse:
    """Sends the form for a note on the order's page, with a new token unless one is given."""
    client = as_user(by) if isinstance(by, User) else by
    form = {"text": text, "token": str(token or uuid.uuid4())}
    return client.post(f"/orders/{order.pk}/notes/", form)  # type: ignore[return-value]


def test_a_note_stands_on_the_page_and_in_the_timeline_with_its_name(ana: User, order: Order, viewer: Client) -> None:
    answer = write(ana, order, "Client is calm.\nTold them 48 h.")
    note = Note.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/orders/{order.pk}/#note-{note.pk}"
    body = page(viewer, order)
    assert 'dir="auto">Client is calm.\nTold them 48 h.</p>' in body
    assert "<b>Ana</b> wrote a note." in body
    assert "Write a note" not in body, "who only looks has no form"


def test_an_open_page_learns_of_a_note(ana: User, order: Order, viewer: Client) -> None:
    poll = f"/orders/{order.pk}/?v={order.version}&bar={StatusBar().version}"
    assert viewer.get(poll, headers=htmx()).status_code == 204
    write(ana, order, "Look.")
    assert "The last note is Ana’s." in viewer.get(poll, headers=htmx()).content.decode()


@pytest.mark.parametrize("text", ["", "  \n\t ", "\u200b\u200d\ufeff", "a\0b", "x" * (NOTE_CHARACTERS + 1)])
def test_a_text_that_is_no_note_is_refused_beside_its_field_and_not_lost(ana: User, order: Order, text: str) -> None:
    answer = write(ana, order, text)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="note-why" role="alert"' in body
    assert 'aria-invalid="true"' in body
    assert "\n" + html.escape(text) + "</textarea>" in body
    assert not Note.objects.exists()


def test_a_note_of_five_thousand_characters_is_saved_and_a_line_end_counts_once(ana: User, order: Order) -> None:
    text = "line\r\n" * (NOTE_CHARACTERS // 5 - 1) + "last!"
    assert write(ana, order, text).status_code == 302
    assert Note.objects.get().text == text.replace("\r\n", "\n")
    assert "Show all 5,000 characters" in page(as_user(ana), order)


def test_the_same_form_sent_twice_writes_the_note_once_and_says_so(ana: User, order: Order) -> None:
    token, client = uuid.uuid4(), as_user(ana)
    for _ in range(2):
        assert write(client, order, "Once.", token).status_code == 302
    assert Note.objects.count() == 1
    assert order.events.filter(kind="noted").count() == 1
    assert "This note was written already, once." in page(client, order)


def test_another_text_in_a_form_that_was_sent_is_refused_and_not_lost(ana: User, order: Order) -> None:
    token = uuid.uuid4()
    write(ana, order, "First.", token)
    answer = write(ana, order, "Second.", token)
    assert answer.status_code == 422
    assert "Send it once more" in answer.content.decode()
    assert "\nSecond.</textarea>" in answer.content.decode()
    assert str(token) not in answer.content.decode(), "the form is a new one"


def test_people_whom_a_note_calls_are_bold_and_named_in_the_timeline(ana: User, tomas: User, order: Order) -> None:
    client = as_user(ana)
    write(client, order, "Please look, @tomas, and @tomás rey too: bo@tomas.example is no call.")
    body = page(client, order)
    assert set(Mention.objects.values_list("user", flat=True)) == {tomas.pk}
    assert 'Please look, <b class="at">@tomas</b>, and <b class="at">@tomás rey</b> too: bo@tomas.example' in body
    assert "<b>Ana</b> wrote a note to <b>Tomás Rey</b>." in body
    assert "Tomás Rey will find it under Notes to me." in body


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("@ana", {"ana"}), ("(@Ana)", {"ana"}), ("@ANA!", {"ana"}), ("@Ana Lind looks", {"lind"}),
        ("@Ana Linden", {"ana"}),
        ("@anaconda", set()), ("x@ana", set()), ("@ ana", set()), ("@@ana", {"ana"}), ("@bo.b.", {"bo.b"}),
        ("@gone", set()), ("@Ana\n@bo.b", {"ana", "bo.b"}), ("@שרה", {"sara"}), ("@Sam", {"sam1", "sam2"}),
        ("@<b>x</b>", {"markup"}), ("@.*", set()), ("", set()),
    ],
)  # fmt: skip
def test_names_match_longest_first_whole_and_among_active_people(text: str, who: set[str]) -> None:
    names = {
        "ana": "Ana",
        "lind": "Ana Lind",
        "bo.b": "",
        "sara": "שרה",
        "sam1": "Sam",
        "sam2": "Sam",
        "markup": "<b>x</b>",
    }
    for username, name in names.items():
        make_user(username=username, name=name)
    make_user(username="gone", is_active=False)
    assert {user.username for user in mentioned(text, User.objects.filter(is_active=True))} == who


def test_hostile_text_and_names_are_shown_as_text(order: Order) -> None:
    mallory = make_user(Role.OPERATOR, username="mal", name="</script><img src=x>\u202eM")
    client = as_user(mallory)
    write(client, order, f"{HOSTILE} @{mallory.name} @mal")
    for address in (order.get_absolute_url(), "/mentions/", "/activity/"):
        body = client.get(address).content.decode()
        assert "<script>alert" not in body
        assert "<img" not in body
    note_html = client.get("/mentions/").content.decode().split('class="note-t" dir="auto">')[1].split("</p>")[0]
    assert html.unescape(note_html.replace('<b class="at">', "").replace("</b>", "")) == Note.objects.get().text


def test_the_notes_that_call_a_person_are_listed_newest_first(ana: User, tomas: User, order: Order) -> None:
    for number in range(3):
        write(ana, order, f"@tomas number {number}")
    write(tomas, order, "@ana thanks")
    body = as_user(tomas).get("/mentions/").content.decode()
    assert body.index("number 2") < body.index("number 1") < body.index("number 0")
    assert "thanks" not in body
    assert f'href="/orders/{order.pk}/#note-' in body
    assert "No notes to you yet" in as_a("viewer").get("/mentions/").content.decode()


def test_unread_mentions_are_counted_on_every_page_until_they_are_read(ana: User, tomas: User, order: Order) -> None:
    his, badge = as_user(tomas), "new for you: </span>2"
    polls = [
        f"/orders/changes/?bar={StatusBar().version}",
        f"/orders/{order.pk}/?v={order.version}&bar={StatusBar().version}",
    ]
    write(ana, order, "@tomas one")
    write(ana, order, "@tomas two")
    assert all(badge in his.get(address).content.decode() for address in ("/orders/", "/team/"))
    assert all(badge in his.get(poll, headers=htmx()).content.decode() for poll in polls), "and open pages learn of it"
    assert "new for you" not in page(as_user(ana), order)
    for _ in range(2):  # to load the page changes nothing: a browser may do so by itself
        first = his.get("/mentions/").content.decode()
        assert first.count(">new</span>") == 2
        assert badge in first
    read = {"note": re.findall(r'name="note" value="([0-9]+)"', first)}
    as_user(ana).post("/mentions/read/", read)
    assert badge in his.get("/orders/").content.decode(), "nobody reads the notes to others"
    assert his.post("/mentions/read/", read, headers=htmx()).status_code == 204
    assert ">new</span>" not in his.get("/mentions/").content.decode()
    assert 'name="note"' not in his.get("/mentions/").content.decode()
    assert "new for you" not in his.get("/orders/").content.decode()


@pytest.mark.parametrize("note", ["", "x", "-1", "9" * 30, "1\x00"])
def test_what_is_no_note_is_not_marked(tomas: User, note: str) -> None:
    answer = as_user(tomas).post("/mentions/read/", {"note": [note] * 60})
    assert (answer.status_code, answer["Location"]) == (302, "/mentions/")


def test_a_second_page_of_mentions(ana: User, tomas: User, order: Order) -> None:
    notes = [
        Note(order=order, by=ana, at=order.created_at, text=f"no. {n};", form_token=uuid.uuid4()) for n in range(51)
    ]
    Mention.objects.bulk_create([Mention(note=note, user=tomas) for note in Note.objects.bulk_create(notes)])
    client = as_user(tomas)
    first = client.get("/mentions/")
    assert "no. 50;" in first.content.decode()
    assert "no. 0;" not in first.content.decode()
    assert f'href="/mentions/?before={notes[1].pk}"' in first.content.decode()
    assert "no. 0;" in client.get(f"/mentions/?before={notes[1].pk}").content.decode()


@pytest.mark.slow
def test_the_page_costs_the_same_with_many_notes(ana: User, tomas: User, order: Order) -> None:
    client, counts = as_user(ana), []
    for number in (1, 60):
        for _ in range(number):
            write(client, order, "@tomas and @ana")
        for address in (order.get_absolute_url(), "/mentions/"):
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert "The newest 50; older ones are kept." in page(client, order)


def test_a_note_without_a_token_or_with_a_nonsense_token_is_written(ana: User, order: Order) -> None:
    forms: list[dict[str, Any]] = [{"text": "One."}, {"text": "Two.", "token": "'; --"}]
    for form in forms:
        assert as_user(ana).post(f"/orders/{order.pk}/notes/", form).status_code == 302
    assert Note.objects.count() == 2
