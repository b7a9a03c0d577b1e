"""The sums of customers, which triggers keep in SQL, are those that the rules of the margin make of the orders."""

import random
import uuid
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection

from orders.models import Customer, CustomerSum, Order, Payment
from orders.models.order import NOT_ENDED
from orders.rules.margin import earned_of, margin_of
from orders.rules.statuses import Status
from orders.statistics import customer_sums
from orders.statistics.customer_sums import Sums, sums_of
from orders.statistics.triggers import install
from tests.makers import make_service, make_user

pytestmark = pytest.mark.django_db
ENDED = {"cancelled", "completed", "partial", "refunded", "rejected"}
PRICES = [None, "0", "4.20", "0.000001", "1.333333", "999999.999999"]
CHARGES = [None, "0", "3.10", "0.000007", "123456.654321"]


def make_customers(count: int) -> list[Customer]:
    by = make_user()
    return [Customer.objects.create(name=f"Shop {n}", key=f"shop {n}", created_by=by) for n in range(count)]


def write_orders(count: int, chance: random.Random) -> list[int]:
    service, by = make_service(), make_user()
    return [
        order.pk
        for order in Order.objects.bulk_create(
            Order(
                service=service, placed_by=by, link="https://example.org/x", quantity=chance.choice([1, 3, 999, 10**7]),
                runs=chance.choice([None, 7]), rate_seen=1, expected_charge=Decimal("2.5"), body={},
                form_token=uuid.uuid4(),
            )
            for _ in range(count)
        )
    ]  # fmt: skip


def by_the_rules(customer: int) -> Sums:
    orders = list(Order.objects.filter(customer=customer))
    return Sums(
        len(orders), sum(order.status not in ENDED for order in orders), sum(map(earned_of, orders), Decimal(0)),
        sum((margin_of(order) or Decimal(0) for order in orders), Decimal(0)),
        sum((payment.amount for payment in Payment.objects.filter(customer=customer)), Decimal(0)),
    )  # fmt: skip


def move(pk: int, customers: list[Customer], chance: random.Random) -> None:
    price, charge = chance.choice(PRICES), chance.choice(CHARGES)
    facts = {
        "customer": chance.choice([None, *customers]),
        "sold_for": price and Decimal(price),
        "charge": charge and Decimal(charge),
        "currency": chance.choice(["", "USD", "EUR"]),
        "remains": chance.choice([None, 0, 1, 2, 500, 9_999_999]),
        "status": chance.choice([*Status.values, "a word of next year"]),
    }
    chosen = chance.sample(sorted(facts), 3)
    Order.objects.filter(pk=pk).update(**{name: facts[name] for name in chosen})


def test_after_random_moves_the_sums_are_those_of_the_rules() -> None:
    assert "'completed'" in NOT_ENDED
    chance = random.Random(7)
    customers, pks = make_customers(3), write_orders(12, chance)
    for turn in range(700):
        move(chance.choice(pks), customers, chance)
        if turn % 70 == 0:
            customer = chance.choice(customers)
            Payment.objects.create(customer=customer, amount=Decimal(turn) / 7 // Decimal("0.000001") / 10**6,
                                   by=customer.created_by, form_token=uuid.uuid4())  # fmt: skip
            assert sums_of([c.pk for c in customers]) == {c.pk: by_the_rules(c.pk) for c in customers}
    found = sums_of([c.pk for c in customers])
    assert found == {c.pk: by_the_rules(c.pk) for c in customers} and any(sums.earned for sums in found.values())
    assert CustomerSum.objects.count() <= customer_sums.MERGED_EVERY + 3, "lines are merged without a worker"


def test_an_order_that_is_written_with_a_customer_counts_at_once() -> None:
    [customer] = make_customers(1)
    Order.objects.create(
        service=make_service(), placed_by=customer.created_by, link="x", quantity=1000, rate_seen=1, body={},
        expected_charge=Decimal("3.10"), sold_for=Decimal("4.20"), customer=customer,
    )  # fmt: skip
    assert sums_of([customer.pk])[customer.pk] == Sums(1, 1, Decimal("4.20"), Decimal("1.10"), Decimal(0))
    assert sums_of([customer.pk])[customer.pk].owes == Decimal("4.20")


def test_a_recount_makes_the_same_sums() -> None:
    chance = random.Random(9)
    customers, pks = make_customers(2), write_orders(6, chance)
    for _ in range(60):
        move(chance.choice(pks), customers, chance)
    Payment.objects.create(customer=customers[0], amount=Decimal("7.5"), by=customers[0].created_by,
                           form_token=uuid.uuid4())  # fmt: skip
    before = sums_of([c.pk for c in customers])
    on = " ON orders_order" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER orders_customer_new{on}")
    CustomerSum.objects.all().delete()
    install(customer_sums.TRIGGERS)
    assert sums_of([c.pk for c in customers]) == before == {c.pk: by_the_rules(c.pk) for c in customers}


def test_a_customer_without_orders_has_sums_of_nothing(django_assert_num_queries: partial) -> None:  # type: ignore[type-arg]
    customers = make_customers(3)
    with django_assert_num_queries(1):
        assert sums_of([c.pk for c in customers]) == {c.pk: Sums() for c in customers}
