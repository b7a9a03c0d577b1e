"""What the page of approvals shows: what waits, each with what a person needs to decide, and what was decided."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from accounts.access import may
from accounts.models import User
from catalog.models import Service
from orders.approvals.current_terms import Terms, terms_of
from orders.approvals.decide import why_not_decide
from orders.limits.check import limits_of
from orders.limits.spent import Today, days_of
from orders.models import Approval, Order
from orders.rules.statuses import LIVE
from panel.web.paging import one_more
from panel.web.polling import version_of

WAITING_SHOWN = 20  # that expire first
ENDED_SHOWN = 50
OPEN_ROWS = 3  # with more, each opens at a press
SAME_TARGET_SHOWN = 3
DECIDERS_NAMED = 3
STATES = {"": "Waiting", "approved": "Approved", "declined": "Declined", "expired": "Expired"}
NOTHING = {
    "": "Nothing waits for approval", "approved": "No order was approved yet",
    "declined": "No order was declined yet", "expired": "No order has expired yet",
}  # fmt: skip


class Asked(NamedTuple):
    """One order that waits, with everything that a second person needs to decide."""

    approval: Approval
    order: Order
    terms: Terms
    same_target: list[Order]
    today: Today
    day_limit: Decimal | None
    why_not: str  # this reader does not decide about it

    @property
    def rose(self) -> bool:
        """Whether it costs more than when it was asked."""
        return self.terms.charge > self.approval.charge

    @property
    def gone(self) -> str:
        """Why it cannot be ordered any more, or ""."""
        return self.order.service.why_no_order()

    @property
    def running(self) -> list[Order]:
        """Orders for the same target that still deliver: the counts of both would mix."""
        return [order for order in self.same_target if order.status in LIVE]


def asked(approvals: Iterable[Approval], reader: Any, now: datetime) -> list[Asked]:
    """These approvals, which wait, with what is needed to decide about them."""
    approvals = list(approvals)
    days = days_of({approval.asked_by_id for approval in approvals}, now) if approvals else {}
    return [
        Asked(
            approval, approval.order, terms_of(approval.order), same_target(approval.order),
            days[approval.asked_by_id], limits_of(approval.asked_by).day, why_not_decide(approval.order, reader),
        )
        for approval in approvals
    ]  # fmt: skip


def same_target(order: Order) -> list[Order]:
    """The newest other orders to where this one's link leads, of any service."""
    if not order.target:
        return []
    others = Order.objects.filter(target=order.target).exclude(pk=order.pk).order_by("-pk")
    return list(others.prefetch_related("tasks")[:SAME_TARGET_SHOWN])


def page_context(reader: Any, state: str, before: int) -> dict[str, Any]:
    """The context of the page for one state."""
    state = state if state in STATES else ""
    context: dict[str, Any] = {
        "state": state, "states": STATES, "nothing": NOTHING[state], "kind": "approval", "waiting": [], "ended": [],
        "more": None, "open_rows": OPEN_ROWS, "deciders": deciders(),
    }  # fmt: skip
    if state:
        # Not by “-order”: Django takes that for the orders' own ordering, newest first, the other way round.
        ended = Approval.objects.filter(outcome=state).order_by("-pk")
        shown, more = with_orders(ended.filter(order__lt=before) if before else ended, ENDED_SHOWN)
        return context | {"ended": shown, "more": shown[-1].pk if more else None, "version": ""}
    shown, more = with_orders(Approval.objects.filter(decided_at=None).order_by("expires_at", "pk"), WAITING_SHOWN)
    waiting = asked(shown, reader, timezone.now())
    return context | {"waiting": waiting, "more_waits": bool(more), "version": waiting_version(waiting)}


def with_orders(approvals: "QuerySet[Approval]", rows: int) -> tuple[list[Approval], bool]:
    """The first rows of these approvals with all that is shown of their orders, and whether there are more.

    The ids first, by an index of the approvals: joined at once, a database may begin with all orders.
    """
    found, more = one_more(approvals.only("pk"), rows)
    known = Approval.objects.select_related(
        "asked_by", "decided_by", "order__placed_by", "order__service__held_over__decided_by"
    ).in_bulk([approval.pk for approval in found])
    return [known[approval.pk] for approval in found if approval.pk in known], more


def waiting_version(waiting: list[Asked]) -> str:
    """A text that changes when anything does that the page shows of what waits."""
    return version_of(*(
        (one.approval.pk, one.terms.mark, one.today, one.day_limit, [(o.pk, o.version) for o in one.same_target])
        for one in waiting
    ))  # fmt: skip


def deciders(asker: int | None = None) -> list[User]:
    """Who may approve orders, without who asked."""
    people = User.objects.filter(is_active=True).order_by("name", "username")
    return [person for person in people if may(person, "approve") and person.pk != asker]


def approval_of(order: Order) -> dict[str, Any]:
    """What an order's own page says of its approval, read with `for_page`; None in it for an order that never asked."""
    approval = getattr(order, "approval", None)
    if approval is None or approval.decided_at:
        return {"approval": approval, "deciders": [], "terms_now": None}
    order.service = Service.objects.select_related("held_over__decided_by").get(pk=order.service_id)
    return {"approval": approval, "deciders": deciders(order.placed_by_id), "terms_now": terms_of(order)}
