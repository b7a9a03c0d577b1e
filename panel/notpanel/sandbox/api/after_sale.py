"""`refill` and `cancel`: of one order or of many, each with its own outcome."""

from collections.abc import Callable

from panel.notpanel.sandbox.api.form import Form, order_ids
from panel.notpanel.sandbox.world import lives
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import Order, token
from panel.notpanel.sandbox.world.supplier import Supplier

REFILLS_PER_ORDER = 3


def refill(supplier: Supplier, form: Form) -> object:
    """The refill's id, or a row for each of many orders."""
    return _each_order(supplier, form, "refill", _refill)


def cancel(supplier: Supplier, form: Form) -> object:
    """The order's id, or a row for each of many orders."""
    return _each_order(supplier, form, "cancel", _cancel)


def _each_order(
    supplier: Supplier, form: Form, field: str, act: Callable[[Supplier, Order, float], str]
) -> dict[str, str] | list[dict[str, str]]:
    """Acts on the one order, or on each of many: then a row for each id, its own error included."""
    ids, many = order_ids(form)

    def act_on(id: str) -> str:
        now = supplier.clock.now()
        with supplier.store.writing():
            order = supplier.store.order(id)
            if order is None:
                raise Refused("Order not found")
            return act(supplier, order, now)

    if not many:
        return {field: act_on(ids[0])}
    rows = []
    for id in ids:
        try:
            rows.append({"order": id, field: act_on(id)})
        except Refused as refused:
            rows.append({"order": id, "error": str(refused)})
    return rows


def _refill(supplier: Supplier, order: Order, now: float) -> str:
    if order.state(now)[0] not in ("completed", "partial"):
        raise Refused("Refill only available for completed or partial orders")
    service = supplier.store.service(order.service)
    if service is None or not service.refill:
        raise Refused("Service does not support refills")
    earlier = supplier.store.refills(order.id)
    if any(settles_at > now for _, _, _, settles_at, _ in earlier):
        raise Refused("A refill request is already pending for this order")
    if len(earlier) >= REFILLS_PER_ORDER:
        raise Refused(f"Refill limit reached ({REFILLS_PER_ORDER} per order)")
    id = token("ref")
    settles_at, settles_as = lives.refill_plan(f"{supplier.seed(order.number)}/{len(earlier)}", now)
    supplier.store.add_refill(id, order.id, now, settles_at, settles_as)
    return id


def _cancel(supplier: Supplier, order: Order, now: float) -> str:
    status, delivered = order.state(now)
    if status in lives.ENDS:
        raise Refused("Order cannot be cancelled (already completed)")
    # An order that a person put where it stands moves by itself again once it is cancelled.
    life = lives.resumed(order.life, delivered, now) if order.forced else order.life
    if status == "pending":
        life = lives.cancelled_now(life, now)
    else:
        service = supplier.store.service(order.service)
        if service is None or not service.cancel:
            raise Refused("Service does not support cancellation")
        if order.cancel_asked_at is not None:
            return order.id
        life = lives.cancel_queued(life, supplier.seed(order.number), now)
    refund = lives.refund_due(life, order.charge)
    supplier.store.save_order(
        order._replace(life=life, cancel_asked_at=now, refund=refund, refund_at=life.end_at, forced=None)
    )
    supplier.store.credit_refunds(now)
    return order.id
