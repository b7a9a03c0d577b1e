"""From a pasted message to an answer for each number in it, in its order, live and in the language that was chosen."""

import csv
import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Role
from accounts.models import User
from orders.answers.worklist import version_of_answers
from orders.models import AnswerText, Bulk, Order, Task, Worklist
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_service, make_user
from tests.orders.bulk.conftest import signed_selection
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return make_user(name="Ana")


@pytest.fixture
def client(ana: User) -> Client:
    return as_user(ana)


def paste(client: Client, text: str, kind: str = "answer") -> str:
    """Pastes a message; the page that it leads to."""
    page: str = client.post("/orders/bulks/new/", {"kind": kind, "text": text}, follow=True).content.decode()
    return page


def texts_on(page: str) -> list[str]:
    """The answers on a page, in their order."""
    return [html.unescape(text) for text in re.findall(r'<p id="t\d+"[^>]*>(.*?)</p>', page, re.S)]


def copied(page: str) -> str:
    """What “Copy all” copies."""
    found = re.search(r'<textarea[^>]*id="all"[^>]*>\n(.*?)</textarea>', page, re.S)
    assert found
    return html.unescape(found[1])


def test_each_number_has_an_answer_in_the_order_of_the_message(client: Client, ana: User) -> None:
    late, first, linked = (make_order(status, by=ana, link=f"https://instagram.com/{n}")
                           for n, status in enumerate(("partial", "completed", "in_progress")))  # fmt: skip
    page = paste(client, f"hi #{first.pk}, #99999 and {late.upstream_id}?\nalso {linked.link} and #{first.pk} again")
    texts = texts_on(page)
    assert [text.split(" (")[0] for text in texts] == [
        f"Order {first.pk}", "We cannot find an order for “99999”. Please check it and send it once more.",
        f"Order {late.pk}", f"Order {linked.pk}",
    ]  # fmt: skip
    assert copied(page) == "\n".join(texts)
    blocks = client.get(Worklist.objects.get().get_absolute_url(), {"form": "blocks"}).content.decode()
    assert copied(blocks) == "\n\n".join(texts)


def test_bare_numbers_in_a_list_of_their_own_are_answered_and_quantities_are_not(client: Client, ana: User) -> None:
    one, two = (make_order("completed", by=ana) for _ in range(2))
    texts = texts_on(paste(client, f"{two.pk}\n{one.pk} 987654\n"))
    assert [re.findall(r"\d+", text)[0] for text in texts] == [str(two.pk), str(one.pk), "987654"]
    assert len(texts_on(paste(client, f"please look at #{one.pk}, I paid for 987654 followers"))) == 1


def test_a_message_of_unknown_numbers_alone_is_answered_too(client: Client) -> None:
    assert texts_on(paste(client, "#99991 #99992")) == [
        f"We cannot find an order for “9999{n}”. Please check it and send it once more." for n in (1, 2)
    ]
    refused = client.post("/orders/bulks/new/", {"kind": "answer", "text": "hello there"})
    assert refused.status_code == 422
    assert "No order number was found in this text." in refused.content.decode()
    assert ">\nhello there</textarea>" in refused.content.decode()


def test_a_doubtful_number_is_answered_only_when_it_is_ticked(client: Client, ana: User) -> None:
    sure, doubtful = (make_order("completed", by=ana) for _ in range(2))
    page = paste(client, f"refill order #{sure.pk}, quantity {doubtful.pk}", "refill")
    form = {"picked": signed_selection(page), "ticks": "1", "only": "answers"}
    for ticked, answered in (([sure.pk], [sure.pk]), ([sure.pk, doubtful.pk], [sure.pk, doubtful.pk])):
        client.post("/orders/bulks/new/confirmation/", {**form, "order": ticked})
        assert [pk for _, pk in Worklist.objects.latest("pk").entries] == answered
    assert not Task.objects.filter(kind="refill").exists()


def test_a_job_answers_what_was_asked_left_out_and_not_found(client: Client, ana: User) -> None:
    asked, running, unticked = (make_order(status, by=ana) for status in ("completed", "in_progress", "completed"))
    page = paste(client, f"#{running.pk} #{asked.pk} #77777 #{unticked.pk} dropped", "refill")
    client.post("/orders/bulks/new/confirmation/",
                {"picked": signed_selection(page), "ticks": "1", "order": [asked.pk, running.pk]})  # fmt: skip
    job = Bulk.objects.get()
    answers = client.get(job.worklist.get_absolute_url()).content.decode()  # type: ignore[union-attr]
    found = texts_on(answers)
    assert "it is not finished yet" in found[0] and "a refill was asked for" in found[1]
    assert "“77777”" in found[2] and "we are looking into it" in found[3]
    receipt = client.get(job.get_absolute_url()).content.decode()
    assert "4 answers for the customer" in receipt and f'data-copy="{html.escape(found[1])}"' in receipt
    assert "77777</li>" in receipt and str(running.upstream_id) in receipt and running.link in receipt
    rows = list(csv.DictReader(b"".join(client.get(f"{job.get_absolute_url()}csv/")).decode().splitlines()[1:]))
    assert [row["answer"].split(" UTC")[0] for row in rows] == [text.split(" UTC")[0] for text in found]
    assert [row["order"] for row in rows] == [str(running.pk), str(asked.pk), "77777", str(unticked.pk)]
    assert [row["result"] for row in rows] == ["Left out", "Waits to be sent", "Not found", "Not ticked"]
    for row, order in ((rows[0], running), (rows[3], unticked)):
        assert (row["link"], row["service"], row["upstream id"]) == (order.link, order.service.name, order.upstream_id)


def test_an_answer_follows_its_order_until_a_person_writes_another(client: Client, ana: User) -> None:
    order = make_order("completed", by=ana)
    page = paste(client, f"#{order.pk}", "answer")
    worklist = Worklist.objects.get()
    url = worklist.get_absolute_url()
    shown = {"v": version_of_answers(worklist), "bar": StatusBar().version}
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url, shown, headers=htmx()).status_code == 204
    assert len(queries) <= 6, [query["sql"] for query in queries]
    Order.objects.filter(pk=order.pk).change(status="refunded")
    moved = client.get(url, shown, headers=htmx()).content.decode()
    assert "could not be delivered" in texts_on(moved)[0] and "<html" not in moved and texts_on(page) != texts_on(moved)
    client.post(f"{url}changes/", {"edit": "1", "text": "We <b>will</b> call you."})
    page = client.get(url).content.decode()
    assert texts_on(page) == ["We <b>will</b> call you."] and "We <b>" not in page and f"Changed by {ana}" in page
    Order.objects.filter(pk=order.pk).change(status="cancelled")
    page = client.get(url).content.decode()
    assert "The order has moved on since" in page and texts_on(page) == ["We <b>will</b> call you."]
    client.post(f"{url}changes/", {"edit": "1", "undo": "1", "text": ""})
    assert texts_on(client.get(url).content.decode())[0].endswith("it is cancelled.")


@pytest.mark.parametrize("text, why", [("", "Write a text."), ("Our supplier is slow", "Leave out “supplier”"),
                                       ("x" * 1_001, "at most 1,000"), ("=1", "Begin each line")])  # fmt: skip
def test_an_answer_that_cannot_be_kept_comes_back_with_the_reason(
    client: Client, ana: User, text: str, why: str
) -> None:
    paste(client, f"#{make_order('completed', by=ana).pk}")
    response = client.post(f"{Worklist.objects.get().get_absolute_url()}changes/", {"edit": "1", "text": text})
    page = response.content.decode()
    assert response.status_code == 422 and why in page
    assert not text or f">\n{text}</textarea>" in page
    assert Worklist.objects.get().changed == {}


def test_the_language_is_chosen_for_a_message_and_remembered_for_the_next(client: Client, ana: User) -> None:
    by = make_user(Role.MANAGER)
    for situation, text in (("completed", "{which}: ¡listo!"), ("which", "Pedido {order}, {service}")):
        AnswerText.objects.create(
            language="es", situation=situation, text=text, changed_by=by, changed_at=by.date_joined
        )
    done, running = make_order("completed", by=ana), make_order("processing", by=ana)
    paste(client, f"#{done.pk}")
    first = Worklist.objects.get()
    client.post(f"{first.get_absolute_url()}language/", {"language": "es"})
    page = client.get(first.get_absolute_url()).content.decode()
    assert texts_on(page) == [f"Pedido {done.pk}, {done.service.name}: ¡listo!"] and '<p id="t1" lang="es"' in page
    texts = texts_on(paste(client, f"#{running.pk}"))
    assert texts[0].startswith(f"Pedido {running.pk}, ") and "its delivery is being prepared" in texts[0], (
        "untranslated"
    )
    one = client.get(f"/orders/{done.pk}/").content.decode()
    assert "¡listo!" in one and "language=en#words" in one
    assert "it is completed." in client.get(f"/orders/{done.pk}/?language=en").content.decode()
    client.post(f"{first.get_absolute_url()}language/", {"language": "xx"})
    assert Worklist.objects.get(pk=first.pk).language == "es"


def test_no_text_fact_or_word_of_a_message_is_markup_or_a_formula(client: Client, ana: User) -> None:
    hostile = make_service(name="=HYPERLINK(1)<script>alert(1)</script>")
    order = make_order("completed", by=ana, service=hostile, link="https://instagram.com/<b>{service}[x]")
    text = "{service}[ {reference}] <i>{link}</i>"
    AnswerText.objects.create(
        language="en", situation="completed", text=text, changed_by=ana, changed_at=ana.date_joined
    )
    page = paste(client, f"#{order.pk}")
    wanted = f"'=HYPERLINK(1)<script>alert(1)</script> <i>{order.link}</i>"
    assert texts_on(page) == [wanted] and copied(page) == wanted
    for shown in (page, client.get(f"/orders/{order.pk}/").content.decode()):
        assert "<script>alert" not in shown and "<i>" not in shown and "<b>{service}" not in shown
    page = paste(client, f"#{order.pk}", "refill")
    client.post("/orders/bulks/new/confirmation/", {"picked": signed_selection(page)})
    Task.objects.filter(kind="refill").update(over_at=ana.date_joined, over_how="marked")
    lines = b"".join(client.get(f"{Bulk.objects.get().get_absolute_url()}csv/")).decode().splitlines()
    assert next(csv.DictReader(lines[1:]))["answer"] == wanted


def test_many_answers_have_pages_and_one_copy_in_a_few_queries(client: Client, ana: User) -> None:
    service = make_service()
    orders = [make_order("completed", by=ana, service=service) for _ in range(203)]
    page = paste(client, " ".join(f"#{order.pk}" for order in reversed(orders)))
    assert len(texts_on(page)) == 200 and len(copied(page).splitlines()) == 203
    url = Worklist.objects.get().get_absolute_url()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(url, {"after": "200"}).content.decode()
    assert len(queries) <= 12
    assert [text.split()[1] for text in texts_on(page)] == [str(order.pk) for order in orders[2::-1]]
    assert texts_on(client.get(url, {"situation": "refunded"}).content.decode()) == []


def test_viewers_read_and_copy_but_write_nothing(client: Client, ana: User) -> None:
    paste(client, f"#{make_order('completed', by=ana).pk}")
    viewer, url = as_user(make_user(Role.VIEWER)), Worklist.objects.get().get_absolute_url()
    page = viewer.get(url).content.decode()
    assert len(texts_on(page)) == 1 and "Copy all 1 answer" in page
    assert "/language/" not in page and "?edit=" not in page
    assert '<textarea class="in-t" id="text"' not in viewer.get(url, {"edit": "1"}).content.decode()
    assert "1 answer" in viewer.get("/orders/answers/").content.decode()
