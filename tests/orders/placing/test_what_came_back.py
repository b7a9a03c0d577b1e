"""What the row, the list of tries and the words for the customer say of an order without a clear answer."""

from typing import Any

import pytest

from orders.answers.texts import ENGLISH, Texts
from orders.models import Attempt, Order
from orders.placing.submit import submit_one
from panel.notpanel.client import Client
from panel.notpanel.errors import in_short
from tests.makers import place_order, sold_by
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
LOST = "Answer lost"
# Fault → its details, what the row says came back, how the try ended, and its words.
CAME_BACK: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "lose_answer": ({}, LOST, "No clear answer", "The connection broke before NotPanel had answered in full."),
    "lose_request": ({"reset": True}, LOST, "No clear answer", "The connection broke before NotPanel had answered"),
    "cut": ({}, LOST, "No clear answer", "The connection broke before NotPanel had answered in full."),
    "error_after": ({}, "Supplier answered HTTP 500", "No clear answer: supplier answered HTTP 500",
                    "NotPanel answered with HTTP 500. Internal server error"),
    "error_before": ({"status": 503, "text": "Busy"}, "Supplier answered HTTP 503",
                     "No clear answer: supplier answered HTTP 503", "NotPanel answered with HTTP 503. Busy"),
    "html_502": ({}, "Supplier answered HTTP 502", "No clear answer: supplier answered HTTP 502",
                 "NotPanel answered with HTTP 502. <html>"),
    "redirect": ({}, "Supplier answered HTTP 302", "No clear answer: supplier answered HTTP 302", "HTTP 302."),
    "html": ({}, "Answer unreadable", "No clear answer: answer unreadable", "cannot be read. <!doctype html>"),
    "huge": ({"bytes": 1_200_000}, "Answer unreadable", "No clear answer: answer unreadable", "is longer than"),
    "empty": ({}, "Answer unreadable", "No clear answer: answer unreadable", "cannot be read."),
    "say": ({"body": "{}"}, "No clear answer", "No clear answer", "NotPanel's answer holds no order id. {}"),
}  # fmt: skip


@pytest.mark.parametrize("fault", CAME_BACK)
def test_it_is_called_what_it_is(upstream: Upstream, phone: Client, fault: str) -> None:
    details, in_the_row, ended, words = CAME_BACK[fault]
    order = place_order(service=sold_by(phone))
    upstream.will(fault, "add", **details)
    assert submit_one(phone)
    attempt = Attempt.objects.get()
    assert attempt.how_it_ended == ended and words in attempt.said
    page = as_a("viewer").get("/orders/").content.decode()
    assert f"{in_the_row}, asked once, same request id; next try" in page
    assert (LOST in page) == (in_the_row == LOST)
    assert ended in as_a("viewer").get(f"/orders/{order.pk}/").content.decode()
    assert "lost" not in Texts.load(ENGLISH).answer(Order.objects.get()).text


@pytest.mark.parametrize(
    ("sentence", "short"),
    [
        *(("NotPanel did not answer in full within 20 seconds.", LOST), ("No answer within 20 s.", LOST)),
        *(("NotPanel answered with HTTP 504.", "Supplier answered HTTP 504"), ("", "No clear answer")),
        *(("NotPanel said yes and no at once.", "No clear answer"), ("A request is in progress", "No clear answer")),
        *(
            ("NotPanel's answer is about another order.", "No clear answer"),
            ("The worker broke off", "No clear answer"),
        ),
    ],
)
def test_a_sentence_comes_to_a_few_words(sentence: str, short: str) -> None:
    assert in_short(sentence) == short
