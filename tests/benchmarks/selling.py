"""Whom a desk sells to, and what was sold: customers, their prices and payments, the sums of sales, scores of services.

Of each as many on a desk of any size, but of the sums, which grow with its age.
"""

import uuid
from datetime import datetime
from decimal import Decimal

from accounts.models import User
from catalog.models import Service
from orders.models import Customer, Order, Payment, PriceList, SellingRule, ServiceScore
from orders.statistics import sales
from tests.benchmarks.history import NEWEST

CUSTOMERS = 40
SCORES = 500  # services that are ordered often enough for one


def write_customers(owner: User) -> None:
    """Forty customers, for whom every tenth order is, with a selling price; a rule of their own for each; payments.

    For the first is another tenth of all orders, which is more than a page on a desk of any size.
    """
    price_list = PriceList.objects.create(name="Agency", key="agency")
    for n in range(CUSTOMERS):
        customer = Customer.objects.create(
            pk=n + 1, name=f"Shop {n:03}", key=f"shop {n:03}", search_text=f"shop {n:03}", created_by=owner,
            price_list=price_list, credit_limit=Decimal(500),
        )  # fmt: skip
        SellingRule.objects.create(scope=f"c{n + 1}", customer=customer, percent=50, plus=0, step=0, changed_by=owner)
        Payment.objects.create(customer=customer, amount=7, by=owner, form_token=uuid.uuid4())
        theirs = Order.objects.extra(where=["orders_order.id %% %s = %s"], params=[10 * CUSTOMERS, 10 * n])
        if n == 0:
            theirs = Order.objects.extra(where=["orders_order.id %% 10 = 1"])
        theirs.update(customer=customer, sold_for=Decimal("1.35"), customer_reference=f"INV-{n}")
    # One with ten of the recent orders: a file of all that is kept is as long as what is kept.
    few = Customer.objects.create(pk=CUSTOMERS + 1, name="Few", key="few", search_text="few", created_by=owner)
    recent = Order.objects.filter(pk__gt=NEWEST - 1_000).extra(where=["orders_order.id %% 100 = 5"])
    recent.update(customer=few, sold_for=Decimal("1.35"))


def write_sales(now: datetime) -> None:
    """Sums as the worker keeps them, a few changes that it has not added up yet, and scores."""
    sales.fold()
    Order.objects.filter(customer__name="Few").update(sold_for=Decimal("1.40"))
    ServiceScore.objects.bulk_create(
        ServiceScore(
            service=service, value=n % 101, rank=100 - n % 101, before=50, ended=40, delivered=97, late=2, refills=1,
            refused=1, per_thousand=Decimal("0.9"), weeks=[n % 101] * 12, measured_at=now,
        )
        for n, service in enumerate(Service.objects.order_by("pk")[:SCORES])
    )  # fmt: skip
