"""The lines of a draft as they are kept, and what one of them is once it was checked."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from catalog.models import Service
from orders.models import Customer, Order
from orders.placing.form_fields import TypedOrder
from orders.rules.service_types import FIELDS
from orders.selling.prices import Sale

READY, OPEN, NO, OUT = "ready", "yes", "no", "out"
STATES = {READY: "Ready", OPEN: "Need your yes", NO: "Cannot go", OUT: "Left out"}
# What may be written of a line, in the order of its form.
TYPED_FIELDS = ("service", "link", "quantity", "customer", "reference",
                *(name for name in FIELDS if name not in ("link", "quantity", "other")))  # fmt: skip


class Kind(NamedTuple):
    """One kind of thing that takes a yes: how it is counted, and the words on its box."""

    counted: str  # after a number of lines
    yes: str


KINDS = {
    "held": Kind("of a service on hold", "Order although it is on hold"),
    "unread": Kind("of a service whose newest row cannot be read", "Order although the price may be another"),
    "dearer": Kind("whose price rose", "Order at the new price"),
    "moved": Kind("whose terms moved since the list was pasted", "Order at the terms of now"),
    "doubt": Kind("with a link that looks odd", "Deliver it there"),
    "again": Kind("ordered lately or still under way", "Order it once more"),
    "credit": Kind("of a customer above their credit limit", "Order although they owe more than their limit"),
    "twice": Kind("the same as another line", "Order it as well"),
}


class Question(NamedTuple):
    """One thing about a line that takes a yes."""

    kind: str  # a key of KINDS
    sentence: str
    mark: str  # what a yes agrees to; a yes to something else does not count
    yes: bool
    order: Order | None = None  # the order that it is about

    @property
    def words(self) -> str:
        """The words on its box."""
        return KINDS[self.kind].yes


@dataclass(slots=True)
class Line:
    """One line of a draft as it would be ordered now."""

    number: int
    typed: dict[str, str]
    out: bool
    read: TypedOrder
    service: Service | None
    errors: dict[str, str] = field(default_factory=dict)  # field → sentence
    questions: list[Question] = field(default_factory=list)
    customer: Customer | None = None
    charge: Decimal | None = None
    sale: Sale | None = None  # what the customer pays; None where no rule makes a price

    @property
    def state(self) -> str:
        """A key of STATES."""
        if self.out:
            return OUT
        if self.errors:
            return NO
        return OPEN if any(not question.yes for question in self.questions) else READY

    @property
    def in_trouble(self) -> int:
        """0 for a line that cannot go, 1 for one that took or takes a yes, else 2: how lines are listed."""
        return 0 if self.errors else 1 if self.questions else 2

    @property
    def quantity(self) -> int | None:
        """Units of one run; None while nobody can tell."""
        return self.read.values["quantity"] if isinstance(self.read.values["quantity"], int) else None

    @property
    def mended(self) -> tuple[str, ...]:
        """What was mended of the link, as sentences."""
        return self.read.checkup.mended

    @property
    def reference(self) -> str:
        """What the customer calls it by."""
        return self.typed.get("reference", "")

    @property
    def nearest(self) -> int | None:
        """The lawful quantity that is nearest to one that is too small or too large; else None."""
        quantity, service = self.quantity, self.service
        if "quantity" not in self.errors or quantity is None or service is None:
            return None
        return service.least if quantity < service.least else service.maximum if quantity > service.maximum else None


def kept(number: int, typed: dict[str, str]) -> dict[str, Any]:
    """A line as a draft keeps it."""
    return {"n": number, "typed": typed}
