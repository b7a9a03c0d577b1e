"""What an order really costs beside the price that was shown, what the customer pays for it, and what the team earns.

The selling price is frozen when the order is placed. It shrinks with what was delivered, and goes with an order that
ended in nothing. All amounts are in US dollars and have six decimals, and parts add up to their whole exactly.
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import NamedTuple, Protocol, TypeVar

from orders.rules.statuses import Status
from panel.format.money import STORED, is_dollars, stored

# Upstream rounds, and so do we: a charge counts as the price shown while it is no further off than the larger of these.
TOLERATED_SHARE = Decimal("0.01")
TOLERATED_USD = Decimal("0.005")
# Of a small price the tolerance is a large part: a charge this share below it is not the full price any more.
FULL_SHARE = Decimal("0.1")
# Upstream keeps less of these than was asked, and gives the rest back.
ENDED_SHORT = (Status.PARTIAL, Status.CANCELLED, Status.REFUNDED)

NOTHING = Decimal(0)
UNPAID = (Status.CANCELLED, Status.REFUNDED, Status.REJECTED)  # the customer gets all of the selling price back


class Sold(Protocol):
    """What of an order decides its margin."""

    status: str
    remains: int | None
    sold_for: Decimal | None
    charge: Decimal | None
    currency: str
    expected_charge: Decimal

    @property
    def total(self) -> int:
        """Units over all runs."""


# ── What we pay ──────────────────────────────────────────────────────────────────────────────────
def tolerance(expected: Decimal) -> Decimal:
    """How far a charge may be from this price, in US dollars, before a person should check it."""
    return max(TOLERATED_USD, expected * TOLERATED_SHARE)


def is_full(charge: Decimal, expected: Decimal) -> bool:
    """Whether a charge is the whole price that was expected, so that nothing of it was given back."""
    return charge > 0 and abs(charge - expected) <= min(tolerance(expected), expected * FULL_SHARE)


def real_cost(status: str, charge: Decimal | None, currency: str, expected_charge: Decimal) -> Decimal | None:
    """What an order costs us: upstream’s charge, before that our estimate. None: charged in another currency.

    A rejected order cost nothing, for upstream never took it.
    """
    if status == Status.REJECTED:
        return NOTHING
    if charge is None:
        return expected_charge
    return charge if is_dollars(currency) else None


# ── What the customer pays ───────────────────────────────────────────────────────────────────────
def earned(status: str, total: int, remains: int | None, sold_for: Decimal | None) -> Decimal:
    """What the customer pays in the end for an order of so many units: of one under way, all that was agreed.

    A partial order whose `remains` is not known, or nonsense, counts as a whole. Without a selling price it is 0.
    """
    if sold_for is None or status in UNPAID:
        return NOTHING
    if status == Status.PARTIAL and remains is not None and 0 <= remains <= total:
        return share_of(sold_for, total - remains, total)
    return sold_for


def given_up(status: str, total: int, remains: int | None, sold_for: Decimal | None) -> Decimal:
    """What the customer does not pay of the selling price: with `earned` exactly the whole."""
    return (sold_for or NOTHING) - earned(status, total, remains, sold_for)


def share_of(amount: Decimal, part: int, whole: int) -> Decimal:
    """So many parts of a whole of this amount, rounded to the sixth decimal; all of it for all parts.

    In whole millionths, so that no division is rounded twice, and SQL can do the same.
    """
    millionths = int(stored(amount) / STORED)
    return Decimal((2 * millionths * part + whole) // (2 * whole)) * STORED if part < whole else amount


# ── What the team earns ──────────────────────────────────────────────────────────────────────────
def margin(
    status: str, total: int, remains: int | None, sold_for: Decimal | None, cost: Decimal | None
) -> Decimal | None:
    """What the customer pays in the end less what the order cost. None without a selling price or a known cost."""
    if sold_for is None or cost is None:
        return None
    return earned(status, total, remains, sold_for) - cost


def percent_of(margin_usd: Decimal, paid: Decimal) -> Decimal | None:
    """The margin in percent of what the customer pays, with one decimal. None of nothing."""
    return (margin_usd * 100 / paid).quantize(Decimal("0.1"), ROUND_HALF_UP) if paid > 0 else None


def earned_of(order: Sold) -> Decimal:
    """What the customer pays for this order in the end."""
    return earned(order.status, order.total, order.remains, order.sold_for)


def cost_of(order: Sold) -> Decimal | None:
    """What this order costs us."""
    return real_cost(order.status, order.charge, order.currency, order.expected_charge)


def margin_of(order: Sold) -> Decimal | None:
    """The margin of this order."""
    return margin(order.status, order.total, order.remains, order.sold_for, cost_of(order))


# ── The selling price by rules: which rule counts, the price by it, and what is wrong with a price ─────────────
# A rule adds a percentage to what the order costs us, then a fixed sum, and rounds up to a step.
HUNDRED = Decimal(100)


class Rule(Protocol):
    """What of a stored rule makes a price, and for whom and what it is."""

    customer_id: int | None
    price_list_id: int | None
    service_id: int | None
    percent: Decimal
    plus: Decimal
    step: Decimal


AnyRule = TypeVar("AnyRule", bound=Rule)


class Scope(NamedTuple):
    """For what a rule is: which of the three it names."""

    words: str
    customer: bool
    price_list: bool
    service: bool


# Which rule wins: the first row of which there is a rule. What is nearer to the customer comes first, and for the same
# customers a single service comes before all services.
PRECEDENCE = (
    #     for                                          customer price list service
    Scope("this customer, this service",                 True,  False, True),
    Scope("this customer, all services",                 True,  False, False),
    Scope("their price list, this service",              False, True,  True),
    Scope("their price list, all services",              False, True,  False),
    Scope("everybody, this service",                     False, False, True),
    Scope("everybody, all services",                     False, False, False),
)  # fmt: skip


def scope_of(rule: Rule) -> Scope | None:
    """The row of PRECEDENCE that a rule belongs to; None for one that names both a customer and a price list."""
    named = (rule.customer_id is not None, rule.price_list_id is not None, rule.service_id is not None)
    return next((scope for scope in PRECEDENCE if scope[1:] == named), None)


def fits(rule: Rule, customer: int | None, price_list: int | None, service: int) -> bool:
    """Whether a rule is for this customer, with this price list, and this service."""
    return (
        rule.customer_id in (None, customer)
        and rule.price_list_id in (None, price_list)
        and rule.service_id in (None, service)
    )


def winner(rules: Iterable[AnyRule], customer: int | None, price_list: int | None, service: int) -> AnyRule | None:
    """The rule that counts for this customer and service, whatever the order in which they come; None without one."""
    fitting = [rule for rule in rules if fits(rule, customer, price_list, service) and scope_of(rule)]
    return min(fitting, key=lambda rule: PRECEDENCE.index(scope_of(rule)), default=None)


def price_by(rule: Rule, cost: Decimal) -> Decimal:
    """The selling price of an order that costs us so much: with six decimals, never rounded down."""
    price = cost * (HUNDRED + rule.percent) / HUNDRED + rule.plus
    return rounded_up(price, rule.step if rule.step > 0 else STORED)


def rounded_up(price: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of the step that is not below the price."""
    return stored((price / step).to_integral_value(ROUND_CEILING) * step)


def warning(price: Decimal, cost: Decimal, floor_percent: Decimal) -> str:
    """What is wrong with a selling price: BELOW_COST, BELOW_FLOOR, or "" for nothing.

    The floor is a margin in percent of what the customer pays; 0 is none.
    """
    if price < cost:
        return BELOW_COST
    share = percent_of(price - cost, price)
    return BELOW_FLOOR if floor_percent > 0 and (share or Decimal(0)) < floor_percent else ""


BELOW_COST, BELOW_FLOOR = "cost", "floor"
