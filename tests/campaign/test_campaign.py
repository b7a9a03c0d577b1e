"""An order is never sent twice and never lost, whatever upstream does and wherever the worker dies."""

import logging
import os
from collections.abc import Iterator
from random import Random

import pytest
from django.db import connection

from tests.campaign.drive import Campaign
from tests.upstream import Upstream

ORDERS = int(os.environ.get("CAMPAIGN_ORDERS") or 10_000)
SEED = int(os.environ.get("CAMPAIGN_SEED") or 20_261_120)
ORDERS_A_DESK = 500  # small desks side by side are faster than one large one, and each has a seed of its own
SLICE = 150


@pytest.fixture
def campaign_on(upstream: Upstream, transactional_db: None) -> Iterator[type[Campaign]]:
    """Without a log of thousands of expected troubles, nor waits for the disk: here processes die, not machines."""
    logging.disable(logging.CRITICAL)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
    yield Campaign
    connection.close()
    logging.disable(logging.NOTSET)


def fight(campaign: Campaign, orders: int) -> None:
    with campaign.armed():
        wrong = campaign.run(orders)
    print(campaign.summary)
    assert not wrong, f"{campaign.summary}\n" + "\n".join(wrong)


def seeds() -> list[int]:
    dice = Random(SEED)
    return [dice.getrandbits(32) for _ in range(-(-ORDERS // ORDERS_A_DESK))]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_slice_of_the_campaign(upstream: Upstream, campaign_on: type[Campaign], seed: int) -> None:
    fight(campaign_on(upstream, seed), SLICE)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", seeds())
def test_the_campaign(upstream: Upstream, campaign_on: type[Campaign], seed: int) -> None:
    fight(campaign_on(upstream, seed), ORDERS_A_DESK)
