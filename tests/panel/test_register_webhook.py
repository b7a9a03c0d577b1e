"""`manage.py register_webhook`: the address goes upstream, the secret is printed once and stored nowhere."""

import io
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders.models import Endpoint
from panel.notpanel.signing import mark
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
URL = "https://desk.example.com/webhooks/notpanel/"
Registers = Callable[..., tuple[str, str]]


@pytest.fixture
def registers(upstream: Upstream, settings: Any) -> Registers:
    """Runs the command with these words. Returns what it prints on stdout and on stderr."""
    settings.NOTPANEL_API_URL, settings.NOTPANEL_API_KEY = upstream.url, upstream.key

    def register(*words: str) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        call_command("register_webhook", *words, stdout=out, stderr=err, no_color=True)
        return out.getvalue(), err.getvalue()

    return register


def test_the_address_goes_upstream_and_the_secret_is_all_that_stdout_holds(
    upstream: Upstream, registers: Registers
) -> None:
    out, err = registers(URL, "--events", "order.completed, balance.low")
    (hook,) = upstream.books()["webhooks"]
    assert (hook["url"], hook["events"]) == (URL, "order.completed,balance.low")
    assert out.startswith("whsec_")
    assert len(out.split()) == 1
    assert "NOTPANEL_WEBHOOK_SECRETS" in err
    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.events) == (URL, "order.completed,balance.low")
    assert (endpoint.upstream_id, endpoint.mark) == (hook["webhook"], mark(out.strip()))


def test_the_secret_is_in_no_row_and_no_log(registers: Registers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    out, err = registers(URL)
    secret = out.strip()
    assert "webhook.add" in caplog.text
    assert secret not in caplog.text + str(Endpoint.objects.values()) + err


def test_an_address_that_does_not_lead_to_the_endpoint_is_noted(registers: Registers) -> None:
    assert "/webhooks/notpanel/" in registers("https://desk.example.com/elsewhere")[1].splitlines()[0]
    assert "Note" not in registers(URL)[1]


def test_the_sixth_endpoint_is_refused_with_what_to_do(registers: Registers) -> None:
    for _ in range(5):
        registers(URL)
    with pytest.raises(CommandError, match=r"Webhook limit reached \(5 per key\)\. .*Remove one"):
        registers(URL)
    assert Endpoint.objects.count() == 5


@pytest.mark.parametrize("url", ["http://desk.example.com/", "https://localhost/", "https://10.0.0.1/", "nonsense"])
def test_an_address_that_upstream_refuses_is_explained(registers: Registers, url: str) -> None:
    with pytest.raises(CommandError, match=r"must be a public https address.*no localhost"):
        registers(url)
    assert not Endpoint.objects.exists()


def test_an_unknown_event_is_told_in_upstreams_words(registers: Registers) -> None:
    with pytest.raises(CommandError, match=r"Unknown event: order\.sung"):
        registers(URL, "--events", "order.sung")


def test_a_lost_answer_says_that_it_may_be_registered_all_the_same(upstream: Upstream, registers: Registers) -> None:
    upstream.will("lose_answer", "webhook.add")
    with pytest.raises(CommandError, match="may be registered anyway"):
        registers(URL)


def test_an_answer_without_a_secret_is_reported(upstream: Upstream, registers: Registers) -> None:
    upstream.will("say", "webhook.add", body='{"webhook": "wh_1", "url": "x"}')
    out, err = registers(URL)
    assert out == ""
    assert "It has: url, webhook" in err
    assert Endpoint.objects.get().mark == ""
