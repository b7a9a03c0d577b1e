"""Whatever becomes of the answer to an order, on a raw socket: none twice, none lost, and none has another's id."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Order, Task
from orders.placing.submit import submit_one
from panel.notpanel.client import Client
from tests.makers import make_service, make_user, place_order
from tests.notpanel.mangled_answers import WAYS, RawSupplier

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::urllib3.exceptions.HTTPWarning")]
PATIENCE_SECONDS = 0.5  # of the client; some answers never end
LATER = timedelta(minutes=10)  # beyond every pause between tries
MOST_ROUNDS = 20


@pytest.fixture
def supplier() -> Iterator[RawSupplier]:
    """A supplier that answers well until it is told otherwise."""
    with RawSupplier() as running:
        yield running


def test_there_are_at_least_two_hundred_ways() -> None:
    assert len({way for ways in WAYS.values() for way in ways}) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("kind", WAYS)
def test_each_order_ends_with_its_own_id(kind: str, supplier: RawSupplier) -> None:
    """After each spoiled answer an honest one follows at once, for another order, on the same client."""
    client = Client(supplier.url, "a-key", connect_seconds=5, total_seconds=PATIENCE_SECONDS)
    service, by = make_service(), make_user()
    for number, way in enumerate(WAYS[kind]):
        names = ("spoiled", "honest")
        spoiled, _ = [
            place_order(service=service, by=by, link=f"https://instagram.com/p/{name}{number}") for name in names
        ]
        supplier.ways[str(spoiled.request_id)] = way
        for name in names:  # the second at once, while pieces of the first's answer may still be on their way
            assert submit_one(client), f"the {name} one was not due, {way!r}"
    for rounds in range(1, MOST_ROUNDS):
        while submit_one(client, timezone.now() + rounds * LATER):
            pass
        if not Task.objects.filter(settled_at=None).exists():
            break
    wrong = [
        (order.link, order.status, order.upstream_id, supplier.orders.get(str(order.request_id)))
        for order in Order.objects.order_by("pk")
        if not order.upstream_id or order.upstream_id != supplier.orders.get(str(order.request_id))
    ]
    assert wrong == [], "lost, swapped or left to a person"
    assert len(supplier.orders) == Order.objects.count() == 2 * len(WAYS[kind]), "none twice, none too many"
    assert {len(links) for links in supplier.links.values()} == {1}, "and no request_id for two"
