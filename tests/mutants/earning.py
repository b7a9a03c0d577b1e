"""Mistakes in what customers pay, what the team earns, and what is kept of customers."""

from tests.mutants.mistake import Mistake

MARGIN, PRICE, SUMS = "orders/rules/margin.py", "orders/rules/margin.py", "orders/statistics/customer_sums.py"
CHANGE, PLACE = "orders/customers/change.py", "orders/placing/place.py"
MARGINS, PRICES = "tests/orders/rules/test_margin.py", "tests/orders/rules/test_selling_price.py"
TOTALS, CUSTOMERS = "tests/orders/statistics/test_customer_sums.py", "tests/orders/customers/test_customers.py"
SELLING = "tests/orders/selling/test_prices.py"
ERASURE = "orders/customers/erasure.py"

MISTAKES = (
    Mistake(
        "a refunded order that is paid for all the same",
        MARGIN,
        "UNPAID = (Status.CANCELLED, Status.REFUNDED, Status.REJECTED)",
        "UNPAID = (Status.CANCELLED, Status.REJECTED)",
        MARGINS,
    ),
    Mistake(
        "a partial order that is paid by what is missing",
        MARGIN,
        "return share_of(sold_for, total - remains, total)",
        "return share_of(sold_for, remains, total)",
        MARGINS,
    ),
    Mistake(
        "a share that is cut off instead of rounded",
        MARGIN,
        "(2 * millionths * part + whole) // (2 * whole)",
        "(millionths * part) // whole",
        MARGINS,
    ),
    Mistake(
        "a price that is rounded down",
        PRICE,
        "to_integral_value(ROUND_CEILING)",
        'to_integral_value("ROUND_FLOOR")',
        PRICES,
    ),
    Mistake(
        "a rule for everybody that wins over the customer’s own",
        PRICE,
        "return min(fitting,",
        "return max(fitting,",
        PRICES,
    ),
    Mistake(
        "a sum that counts what was charged in another currency",
        SUMS,
        "OR {row}.currency IN {DOLLARS})",
        "OR {row}.currency IS NOT NULL)",
        TOTALS,
    ),
    Mistake(
        "a name in the trail",
        CHANGE,
        "label=str(customer.pk), **columns",
        "label=str(customer), **columns",
        CUSTOMERS,
    ),
    Mistake(
        "an erasure that leaves the note",
        ERASURE,
        'dict.fromkeys(("name", "contact", "note", "search_text"), "")',
        'dict.fromkeys(("name", "contact", "search_text"), "")',
        CUSTOMERS,
    ),
    Mistake(
        "an erasure that leaves the name in plans",
        ERASURE,
        "ListTemplate.objects, PlanPart.objects.exclude(lines=[])",
        "ListTemplate.objects",
        "tests/orders/customers/test_erasure.py",
    ),
    Mistake(
        "a credit limit that nobody needs to agree to",
        PLACE,
        "if credit and credit.is_above and not despite_credit:",
        "if credit and credit.is_above and despite_credit:",
        CUSTOMERS,
    ),
    Mistake(
        "a price that is not frozen with the order",
        PLACE,
        "order.sold_for = sale.price if sale else None",
        "order.sold_for = None",
        SELLING,
    ),
)
