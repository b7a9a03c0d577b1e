"""The team edits and translates its texts: managers and owners, with each mistake named and a preview."""

import html

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Role
from accounts.models import User
from orders.answers.edit import save_text
from orders.answers.situations import SITUATIONS
from orders.models import AnswerText, Event
from orders.rules.refusal import Refusal
from tests.makers import make_order, make_user
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db
URL, DEFAULT = "/orders/answers/texts/completed/", SITUATIONS["completed"].text


@pytest.fixture
def bo() -> User:
    return make_user(Role.MANAGER, name="Bo")


@pytest.fixture
def manager(bo: User) -> Client:
    return as_user(bo)


def test_a_manager_writes_a_text_and_takes_it_back(manager: Client, bo: User) -> None:
    order = make_order("completed")
    manager.post(URL, {"language": "en", "text": "{which}: done!\r\nThanks.", "saw": DEFAULT})
    assert AnswerText.objects.get().text == "{which}: done!\nThanks."
    assert ": done!\nThanks.</p>" in manager.get(f"/orders/{order.pk}/").content.decode()
    assert str(Event.objects.latest("pk")) == "Bo changed the text for customers “Completed” (English)."
    manager.post(URL, {"language": "en", "drop": "1", "saw": "{which}: done!\nThanks."})
    assert not AnswerText.objects.exists()
    assert ": it is completed.</p>" in manager.get(f"/orders/{order.pk}/").content.decode()


def test_each_mistake_is_named_and_what_was_typed_comes_back(manager: Client) -> None:
    typed = "{ordr} from our supplier [is"
    response = manager.post(URL, {"language": "es", "text": typed, "saw": DEFAULT})
    page = html.unescape(response.content.decode())
    assert response.status_code == 422
    for sentence in (
        "Leave out “supplier”",
        "A [ or ] stands alone",
        "{ordr} is no placeholder",
        "Did you mean {order}?",
    ):
        assert sentence in page
    assert f">\n{typed}</textarea>" in page and 'lang="es"' in page
    assert not AnswerText.objects.exists()


def test_a_preview_is_of_a_real_order_and_keeps_nothing(manager: Client) -> None:
    order, newest = make_order("in_progress", remains=350, quantity=1000), make_order("pending")
    assert f"Preview with order {newest.pk}" in manager.get(URL).content.decode()
    form = {"language": "en", "text": "#{order}[: {delivered} ✓]", "saw": DEFAULT, "preview": "1"}
    page = manager.post(URL, {**form, "order": f"#{order.pk}"}).content.decode()
    assert f">#{order.pk}: 650 ✓</p>" in page and f">\n{form['text']}</textarea>" in page
    assert "There is no order 999999 here." in manager.post(URL, {**form, "order": "999999"}).content.decode()
    assert "There is no order x&lt;b&gt; here." in manager.post(URL, {**form, "order": "x<b>"}).content.decode()
    assert not AnswerText.objects.exists()
    unknown = manager.post("/orders/answers/texts/unknown/", {**form, "text": "No {written}?"}).content.decode()
    assert ">No 48999?</p>" in unknown
    which = manager.post("/orders/answers/texts/which/", {**form, "text": "N° {order}", "order": order.pk})
    assert f">N° {order.pk}</p>" in which.content.decode()


def test_a_teammates_change_is_not_written_over(manager: Client, bo: User) -> None:
    cy = make_user(Role.OWNER, name="Cy")
    save_text("completed", "en", "{which}: ready.", saw=DEFAULT, by=cy)
    response = manager.post(URL, {"language": "en", "text": "{which}: done.", "saw": DEFAULT})
    page = response.content.decode()
    assert response.status_code == 409 and "Cy has changed this text meanwhile" in page
    assert ">\n{which}: done.</textarea>" in page and 'name="saw" value="{which}: ready."' in page
    assert AnswerText.objects.get().text == "{which}: ready."
    manager.post(URL, {"language": "en", "text": "{which}: done.", "saw": "{which}: ready."})
    assert AnswerText.objects.get().text == "{which}: done."


def test_a_language_is_there_once_it_has_a_text(manager: Client) -> None:
    index = "/orders/answers/texts/"
    assert ">Español</a>" not in manager.get(index).content.decode()
    with CaptureQueriesContext(connection) as queries:
        page = manager.get(f"{index}?language=es").content.decode()
    assert len(queries) <= 8
    assert f"0 of {len(SITUATIONS)} are translated" in page and "not translated" in page
    manager.post(URL, {"language": "es", "text": "{which}: ¡listo!", "saw": DEFAULT})
    page = manager.get(index).content.decode()
    assert ">Español</a>" in page and "¡listo!" not in page
    page = manager.get(f"{index}?language=es").content.decode()
    assert "¡listo!" in page and f"1 of {len(SITUATIONS)} are translated" in page
    assert manager.get(f"{index}?language=xx").status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_read_the_texts_and_change_none(role: Role) -> None:
    client = as_a(role)
    page = client.get(URL).content.decode()
    assert "Only managers and owners may change settings." in page and ">Save</button>" not in page
    assert client.post(URL, {"language": "en", "text": "{which}", "saw": DEFAULT}).status_code == 403
    with pytest.raises(Refusal, match="Only managers"):
        save_text("completed", "en", "{which}", saw=DEFAULT, by=make_user(role))
    assert not AnswerText.objects.exists()


def test_there_are_no_other_texts(manager: Client, bo: User) -> None:
    assert manager.get("/orders/answers/texts/nothing/").status_code == 404
    for situation, language in (("nothing", "en"), ("completed", "xx")):
        with pytest.raises(Refusal, match="There is no such text"):
            save_text(situation, language, "Hello", saw="", by=bo)
