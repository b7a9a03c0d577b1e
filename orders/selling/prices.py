"""The selling price of an order by the rules that managers keep, and what is wrong with it."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from accounts.desk_settings import current, typed
from catalog.models import Service
from orders.models import Customer, SellingRule
from orders.models.customer import scope_text
from orders.rules.margin import BELOW_COST, BELOW_FLOOR, percent_of, price_by, warning, winner
from panel.format.money import money

WARNINGS = {
    BELOW_COST: "They pay less than this order costs us.",
    BELOW_FLOOR: "The margin is below the least of {floor} %.",
}


class Sale(NamedTuple):
    """What an order is sold for, beside what it costs us. In US dollars."""

    price: Decimal
    cost: Decimal
    rule: SellingRule | None = None  # None: the price was frozen before

    @property
    def margin(self) -> Decimal:
        """What would be earned."""
        return self.price - self.cost

    @property
    def percent(self) -> Decimal | None:
        """The margin in percent of the price."""
        return percent_of(self.margin, self.price)

    @property
    def warning(self) -> str:
        """What is wrong with the price, as a sentence; "" for nothing."""
        floor = current().margin_floor_percent
        words = WARNINGS.get(warning(self.price, self.cost, floor), "")
        return words.format(floor=typed(floor))


class PriceBook:
    """The rules for some customers and services, read at once, however many orders are priced by them."""

    def __init__(self, rules: Iterable[SellingRule]) -> None:
        self.rules = list(rules)

    @classmethod
    def load(cls) -> "PriceBook":
        """All rules, in one query: for many orders."""
        return cls(SellingRule.objects.order_by())

    def sale(self, customer: Customer | None, service: Service, cost: Decimal) -> Sale | None:
        """What this customer pays for an order of this service that costs us so much; None without a rule."""
        price_list = customer.price_list_id if customer else None
        rule = winner(self.rules, customer.pk if customer else None, price_list, service.pk)
        return Sale(price_by(rule, cost), cost, rule) if rule else None


def sale_of(customer: Customer | None, service: Service, cost: Decimal) -> Sale | None:
    """What this customer (None: nobody in particular) pays for one order; None where no rule is for it. One query."""
    whom = [(customer.pk, None), (None, customer.price_list_id), (None, None)] if customer else [(None, None)]
    scopes = {scope_text(of, price_list, what) for (of, price_list), what in product(whom, (service.pk, None))}
    return PriceBook(SellingRule.objects.filter(scope__in=scopes).order_by()).sale(customer, service, cost)


def rule_words(rule: SellingRule) -> str:
    """`cost + 50 % + $0.05, rounded up to $0.10`."""
    parts = ["cost"]
    if rule.percent:
        parts.append(f"{'−' if rule.percent < 0 else '+'} {typed(abs(rule.percent))} %")
    if rule.plus:
        parts.append(f"+ {money(rule.plus)}")
    rounding = f", rounded up to {money(rule.step)}" if rule.step else ""
    return " ".join(parts) + rounding


def whom_words(rule: SellingRule) -> str:
    """For whom and what a rule is, for the record: of a customer only the number."""
    whom = f"customer {rule.customer_id}" if rule.customer_id else "everybody"
    if rule.price_list:
        whom = f"price list {rule.price_list}"
    return f"{whom}, {f'service {rule.service.upstream_id}' if rule.service else 'all services'}"
