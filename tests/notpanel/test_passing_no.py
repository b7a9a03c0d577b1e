"""A no that passes by itself is told from one that stays, by upstream's words, whatever HTTP status they come with."""

import json
from collections.abc import Iterator

import pytest

from panel.notpanel.client import Client
from panel.notpanel.errors import (
    NotPanelError,
    PutOff,
    Refused,
    ShortOfFunds,
    Suspended,
    Throttled,
    Unclear,
    WrongKey,
    kind_of_refusal,
)
from panel.notpanel.shapes import row_answers
from tests.notpanel.scripted_server import ScriptedServer, answer

NOW = 1_800_000_000.0
TOO_FAST = (
    *(
        "Rate limit exceeded",
        "rate limit exceeded.",
        "RATE_LIMIT_EXCEEDED",
        "Rate-limited",
        "You are being rate limited",
    ),
    *("Too many requests", "Too Many Requests.", "Error: too many API requests, slow down", "Too many calls"),
    *("API limit exceeded", "Request limit reached", "Please slow down", "Your calls are throttled"),
)
PUT_OFF = (
    *("System is under maintenance, try again later", "Maintenance", "Scheduled maintenance until 05:00 UTC"),
    *("Try again later", "Please try again later.", "try later", "Please retry later", "Retry it again later"),
    *("Try again in 5 minutes", "Please try again after some time", "Try again shortly", "Come back later"),
    *("Please try again at a later time", "Something went wrong. Try again in a few moments", "Check back soon"),
    *("Please wait 30 seconds", "Wait a moment", "Service is temporarily unavailable", "Temporarily disabled"),
    *("Try your request again a little later", "try again, later", "Come back in 10 minutes", "Try again tomorrow"),
    *("Temporary error", "Server is busy", "System overloaded", "API is currently unavailable", "The panel is down"),
    *("Rate limit exceeded for this link", "Too many requests for your order, try again later"),
)
STAYS = (
    *("Refill limit reached (3 per order)", "Maximum 100 orders per request", "Order limit reached", "Too many orders"),
    *("Quantity limit exceeded", "Service not found", "Rate has changed", "Corporate limits exceeded", "Link too long"),
    *("Invalid link, please try again", "Check the link and try again later", "Try another link", "No retry possible"),
    *("Make the profile public and then try again later", "Maintenance fee unpaid", "Do not try again later"),
    *("You have active order with this link. Please wait until order being completed.", "Service is unavailable"),
    *("There is an active order for this link, try again later", "You already have this order, try again later"),
    *(
        "Target account is temporarily suspended",
        "Order 429 not found",
        "Later than allowed",
        "Try another service soon",
        "This service is slow",
    ),
)
IN_HAND = (
    "Your request is still being processed, try again later",
    "Duplicate request, please try again later",
    "The order is in progress, try again in a minute",
)
OURS = {
    "Invalid API key": WrongKey,
    "invalid API key, try again later": WrongKey,
    "Account suspended": Suspended,
    "Your account is temporarily suspended": Suspended,
    "Insufficient balance, try again later": ShortOfFunds,
}
WORDS: dict[str, type[NotPanelError]] = {
    **dict.fromkeys(TOO_FAST, Throttled),
    **dict.fromkeys(PUT_OFF, PutOff),
    **dict.fromkeys(STAYS, Refused),
    **dict.fromkeys(IN_HAND, Unclear),
    **OURS,
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """A server without a script yet."""
    with ScriptedServer() as running:
        yield running


def trouble_of_add(server: ScriptedServer) -> NotPanelError:
    """The trouble that an `add` ends in."""
    with pytest.raises(NotPanelError) as caught:
        Client(server.url, "a-key", clock=lambda: NOW).place({"service": "1"}, request_id="r-1")
    return caught.value


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("status", [200, 400, 422])
def test_the_words_tell_whether_a_no_passes(words: str, status: int) -> None:
    assert kind_of_refusal(status, words) is WORDS[words]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_words_that_pass_outweigh_a_status_that_stays(status: int) -> None:
    assert kind_of_refusal(status, "Rate limit exceeded") is Throttled
    assert kind_of_refusal(status, "System is under maintenance, try again later") is PutOff


@pytest.mark.parametrize("status", [408, 409, 425])
def test_a_status_that_decides_nothing_stays_undecided(status: int) -> None:
    assert kind_of_refusal(status, "Try again later") is Unclear


@pytest.mark.parametrize("status", [200, 400, 403])
def test_a_limit_told_in_words_waits_as_one_told_by_its_status(status: int, server: ScriptedServer) -> None:
    body = json.dumps({"error": "Rate limit exceeded"})
    headers = {"X_RateLimit_Reset": f"{NOW + 7:.0f}", "X_RateLimit_DeniedBy": "tier"}
    server.play(answer(body, status, **headers))
    trouble = trouble_of_add(server)
    assert isinstance(trouble, Throttled) and trouble.said == "Rate limit exceeded"
    assert (trouble.pause, trouble.denied_by, trouble.http_status) == (7, "tier", status)


def test_what_is_put_off_says_so_in_upstreams_words(server: ScriptedServer) -> None:
    server.play(answer('{"error": "Maintenance, come back later"}'))
    trouble = trouble_of_add(server)
    assert isinstance(trouble, PutOff) and trouble.pause == 60 and trouble.said == "Maintenance, come back later"
    assert str(trouble) == "NotPanel puts it off: “Maintenance, come back later”."


@pytest.mark.parametrize("status", [500, 502, 503])
def test_their_own_failure_stays_unclear_whatever_it_says(status: int, server: ScriptedServer) -> None:
    server.play(answer('{"error": "Maintenance, try again later"}', status))
    assert type(trouble_of_add(server)) is Unclear


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        *(("Rate limit exceeded", Throttled), ("Under maintenance", PutOff), ("Try again later", PutOff)),
        *(("Refill not available yet, try again later", Refused), ("Refill is in progress, try again later", Refused)),
        *(("Refill limit reached (3 per order)", Refused), ("Your request is being processed, try later", Unclear)),
    ],
)
@pytest.mark.parametrize("row", [{"error": "%s"}, {"refill": {"error": "%s"}}])
def test_a_row_of_a_batch_can_pass_too(words: str, kind: type[NotPanelError], row: object) -> None:
    rows = json.loads(json.dumps([{"order": "ord_1"} | row]).replace("%s", words))  # type: ignore[operator]
    assert type(row_answers(rows, ["ord_1"], "refill")["ord_1"]) is kind
