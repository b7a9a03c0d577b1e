"""The trade puts a no where the id belongs; it is a refusal with that sentence, and nothing else is."""

import json
from collections.abc import Iterator

import pytest

from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Refused, ShortOfFunds, Unclear, WrongKey
from panel.notpanel.shapes import row_answers
from tests.notpanel.scripted_server import ScriptedServer, answer

NO = "Incorrect order ID"
# What may stand where the id belongs; %s is the field.
NOES = (
    '{"%s": {"error": "Incorrect order ID"}}',
    '{"%s": {"error": " Incorrect order ID "}}',
    '{"%s": {"error": "Incorrect order ID", "code": 404}}',
    '{"%s": {"error": "Incorrect order ID", "status": "error", "success": false}}',
    '{"%s": {"error": "Incorrect order ID", "%s": null}}',
    '{"%s": {"error": "Incorrect order ID", "id": null}}',
    '{"error": "Incorrect order ID", "%s": {"error": "Incorrect order ID"}}',
    '{"error": null, "%s": {"error": "Incorrect order ID"}}',
    '{"error": "Incorrect order ID", "%s": null}',
    '{"error": "Incorrect order ID", "%s": false}',
    '{"error": "Incorrect order ID", "%s": ""}',
    '{"error": "Incorrect order ID"}',
)
NEITHER = (  # no yes and no no, or both
    '{"%s": {"error": ""}}',
    '{"%s": {"error": null}}',
    '{"%s": {"error": true}}',
    '{"%s": {"error": {"code": 1}}}',
    '{"%s": {"message": "Refill accepted"}}',
    '{"%s": {}}',
    '{"%s": []}',
    '{"%s": "Incorrect order ID"}',
    '{"%s": {"error": "Incorrect order ID", "%s": "ref_1"}}',
    '{"%s": {"error": "Incorrect order ID", "id": 17}}',
    '{"error": "Incorrect order ID", "%s": "ref_1"}',
    '{"error": "Incorrect order ID", "%s": {"id": "ref_1"}}',
    '{"%s": null}',
)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """A server without a script yet."""
    with ScriptedServer() as running:
        yield running


def trouble_of_one(server: ScriptedServer, action: str) -> NotPanelError:
    """The trouble that a call about one order ends in."""
    client = Client(server.url, "a-key")
    with pytest.raises(NotPanelError) as caught:
        client.place({}, request_id="r-1") if action == "add" else client.each(action, ["ord_1"])
    return caught.value


@pytest.mark.parametrize("field", ["refill", "cancel"])
@pytest.mark.parametrize("row", NOES)
def test_a_row_with_a_no_is_refused_in_upstreams_words(row: str, field: str) -> None:
    rows = [{"order": "ord_b"} | json.loads(row.replace("%s", field)), {"order": "ord_a", field: "ord_a"}]
    answers = row_answers(rows, ["ord_a", "ord_b"], field)
    refused = answers["ord_b"]
    assert type(refused) is Refused and (str(refused), refused.said) == (NO, NO)
    assert answers["ord_a"] == "ord_a", "the row beside it has its own answer"


@pytest.mark.parametrize("field", ["refill", "cancel"])
@pytest.mark.parametrize("row", NEITHER)
def test_a_row_with_neither_is_unclear(row: str, field: str) -> None:
    rows = [{"order": "ord_b"} | json.loads(row.replace("%s", field))]
    assert type(row_answers(rows, ["ord_b"], field)["ord_b"]) is Unclear


@pytest.mark.parametrize(("action", "field"), [("refill", "refill"), ("cancel", "cancel"), ("add", "order")])
@pytest.mark.parametrize("status", [200, 400])
def test_a_no_about_one_is_refused_in_upstreams_words(
    server: ScriptedServer, action: str, field: str, status: int
) -> None:
    for body in NOES:
        server.play(answer(body.replace("%s", field), status))
        trouble = trouble_of_one(server, action)
        assert (type(trouble), trouble.said) == (Refused, NO), body


@pytest.mark.parametrize(("action", "field"), [("refill", "refill"), ("cancel", "cancel"), ("add", "order")])
def test_an_answer_about_one_with_neither_is_unclear(server: ScriptedServer, action: str, field: str) -> None:
    for body in NEITHER:
        server.play(answer(body.replace("%s", field)))
        assert type(trouble_of_one(server, action)) is Unclear, body


def test_a_nested_no_means_what_the_same_words_mean_elsewhere(server: ScriptedServer) -> None:
    for words, kind in (("Not enough funds on balance", ShortOfFunds), ("Invalid API key", WrongKey)):
        server.play(answer(json.dumps({"order": {"error": words}})))
        assert type(trouble_of_one(server, "add")) is kind


def test_a_no_in_another_field_is_none(server: ScriptedServer) -> None:
    server.play(answer('{"refill": "ref_1", "cancel": {"error": "Incorrect order ID"}}'))
    assert Client(server.url, "a-key").each("refill", ["ord_1"]) == {"ord_1": "ref_1"}
