"""Whatever is sent, by whomever, no answer is a 5xx: a short run here, 50,000 requests in the campaign."""

import logging
import os
import traceback
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from panel.upstream.models import Beat
from tests.addresses import one_of_everything
from tests.fuzz.requests import Hostile, hostile_requests
from tests.people import EVERYBODY, as_a

pytestmark = pytest.mark.django_db
SEED = int(os.environ.get("CAMPAIGN_SEED") or 14)
MANY, FEW = 50_000, 500  # requests


@pytest.fixture(autouse=True)
def _desk(settings: Any) -> Iterator[None]:
    """A desk with a row of everything, ready for work, so that no address has a reason for a 503; without its log."""
    one_of_everything()
    settings.NOTPANEL_WEBHOOK_SECRETS = ["whsec_of_a_test"]
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def ask(client: Client, hostile: Hostile) -> tuple[int, str]:
    """The status of the answer, and what broke. Whatever the request did is undone."""
    client.cookies.load(hostile.cookies)
    with transaction.atomic():
        Beat.objects.update_or_create(name="fuzz:1", defaults={"started_at": timezone.now(), "beat_at": timezone.now()})
        answer: Any = client.generic(
            hostile.method, hostile.path, hostile.body, hostile.content_type, headers=hostile.headers
        )
        transaction.set_rollback(True)
    error = getattr(answer, "exc_info", None)
    return answer.status_code, "".join(traceback.format_exception(*error)[-4:]) if error else ""


def run(seed: int, count: int) -> tuple[Counter[int], list[str]]:
    """How many answers have each status, and each 5xx with its request."""
    clients = {person: as_a(person) for person in EVERYBODY}
    cookies = {person: client.cookies.output(header="") for person, client in clients.items()}
    statuses, broken = Counter[int](), list[str]()
    for hostile in islice(hostile_requests(seed), count):
        client = clients[hostile.person]
        client.raise_request_exception = False
        status, why = ask(client, hostile)
        client.cookies.clear()
        client.cookies.load(cookies[hostile.person])
        statuses[status] += 1
        if status >= 500:
            broken.append(f"{status} {hostile}\n{why}")
    return statuses, broken


@pytest.mark.slow
def test_no_hostile_request_is_answered_with_a_5xx() -> None:
    _, broken = run(SEED, FEW)
    assert not broken, "\n\n".join(broken)


@pytest.mark.campaign
def test_no_hostile_request_of_many_is_answered_with_a_5xx() -> None:
    statuses, broken = run(SEED, MANY)
    print(f"{MANY} requests, seed {SEED}: {dict(sorted(statuses.items()))}")
    assert not broken, "\n\n".join(broken)
