"""The shops that the demo's team sells to: who pays how much more than an order costs, and what was paid already."""

import random
import uuid
from decimal import Decimal
from typing import Any, NamedTuple

from accounts.access import Role
from accounts.models import User
from orders.customers.change import Details, add_customer, add_payment
from orders.models import Customer
from orders.selling.change import make_list, set_rule
from orders.statistics.customer_sums import sums_of


class Shop(NamedTuple):
    """A customer of the demo."""

    handle: str  # as in links to it
    name: str
    contact: str
    language: str = "en"
    listed: bool = False  # whether it pays by the price list
    credit_limit: int | None = None  # USD
    paid: str = "1"  # the part of what it owes that was paid


SHOPS = (
    Shop("harbour.coffee", "Harbour Coffee", "jo@harbour.example", listed=True, paid="1"),
    Shop("lina.bakes", "Lina Bakes", "@lina.bakes", "es", paid="0.5"),
    Shop("northside_gym", "Northside Gym", "desk@northside.example", listed=True, credit_limit=60, paid="0"),
    Shop("studio.kestrel", "Studio Kestrel", "mail@kestrel.example", paid="0.8"),
    Shop("paperplanes", "Paper Planes", "+44 20 7946 0018", "pt-br", credit_limit=200, paid="0.3"),
    Shop("moss.and.fern", "Moss & Fern", "@moss.and.fern", paid="1"),
)
PRICES = (("", 60, "0", "0.05"), ("Agencies", 35, "0", "0.05"))  # price list, percent, plus and rounding
NOBODY_SHARE = 0.25  # of the orders are for nobody in particular
CENT = Decimal("0.01")


def write() -> None:
    """Registers the shops, and sets what everybody and the agencies pay."""
    by = User.objects.filter(role=Role.MANAGER).order_by("pk").first()
    lists = {}
    for name, percent, plus, step in PRICES:
        lists[name] = make_list(name, by=by) if name else None
        set_rule(customer=None, price_list=lists[name], service=None, percent=Decimal(percent), plus=Decimal(plus),
                 step=Decimal(step), by=by)  # fmt: skip
    for shop in SHOPS:
        limit = None if shop.credit_limit is None else Decimal(shop.credit_limit)
        details = Details(shop.name, shop.contact, "", shop.language, lists["Agencies"] if shop.listed else None, limit)
        add_customer(details, by=by)


def of_link(link: str, chance: random.Random) -> dict[str, Any]:
    """For whom an order with this link is, and what they call it, as arguments of `place`."""
    if chance.random() < NOBODY_SHARE:
        return {}
    shop = next((shop for shop in SHOPS if shop.handle in link), None) or chance.choice(SHOPS)
    reference = f"{shop.name[:2].upper()}-{chance.randrange(100, 999)}"
    return {"customer": Customer.objects.named(shop.name), "customer_reference": reference, "despite_credit": True}


def pay() -> None:
    """Each shop pays its part of what it owes."""
    by = User.objects.filter(role=Role.MANAGER).order_by("pk").first()
    customers = {shop: Customer.objects.named(shop.name) for shop in SHOPS}
    owed = sums_of([customer.pk for customer in customers.values() if customer])
    for number, (shop, customer) in enumerate(customers.items()):
        if customer:
            amount = (owed[customer.pk].owes * Decimal(shop.paid)).quantize(CENT)
            if amount > 0:
                add_payment(customer, amount, uuid.UUID(int=2_000 + number), by=by)
