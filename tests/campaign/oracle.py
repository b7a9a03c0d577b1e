"""Judges a desk by two witnesses only: the supplier's own books, and the desk's public tables."""

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

Query = Callable[[str], Iterable[tuple[Any, ...]]]  # runs one SELECT on the desk's database

NEVER_SENT = ("withdrawn", "declined", "expired")  # by the desk's own people, or because nobody decided
ENDS = {"completed", "partial", "cancelled", "refunded"}  # upstream's words after which nothing comes


class DeskOrder(NamedTuple):
    """One row of `orders_order` beside its placing task."""

    request_id: str
    link: str
    status: str
    upstream_id: str | None
    charge: Decimal | None
    next_look: object
    settled: object
    due: object
    outcome: str
    answer: str


SELECT = """
    SELECT o.request_id, o.link, o.status, o.upstream_id, o.charge, p.next_poll_at,
           t.settled_at, t.due_at, t.outcome, t.answer
    FROM orders_order o LEFT JOIN orders_poll p ON p.order_id = o.id
    LEFT JOIN orders_task t ON t.order_id = o.id AND t.kind = 'place'
"""


def desk_orders(query: Query) -> list[DeskOrder]:
    """Every order that the desk knows, as its tables have it."""
    return [
        DeskOrder(str(uuid.UUID(str(id))), link, status, upstream_id, None if charge is None else exact(charge), *rest)
        for id, link, status, upstream_id, charge, *rest in query(SELECT)
    ]


def exact(amount: object) -> Decimal:
    """Money to the supplier's last digit, five decimals, whatever the database made of it."""
    return Decimal(str(amount)).quantize(Decimal("0.00001"))


def judge(
    books: Mapping[str, Any], desk: list[DeskOrder], intents: Iterable[str], noes: Iterable[str], *,
    withdrawn: Collection[str] = (), ended: bool = True,
) -> list[str]:  # fmt: skip
    """What is wrong, in sentences; empty when both promises were kept. For when faults have stopped and all is done.

    `intents` are the links that people ordered, one for each wish; `noes` the sentences in which upstream truly
    refused. Only what is in `withdrawn`, by link, may have been taken back. With `ended` every order must have come to
    its end upstream, and every cent must agree.
    """
    booked = {str(order["request_id"]): order for order in books["orders"]}
    known = {order.request_id: order for order in desk}
    wrong = []

    # Never twice, on either side.
    wrong += [f"{link}: {n} orders upstream" for link, n in _count(o["link"] for o in books["orders"]) if n > 1]
    wrong += [f"{link}: {n} orders at the desk" for link, n in _count(order.link for order in desk) if n > 1]
    wrong += [
        f"{id}: {n} orders at the desk" for id, n in _count(o.upstream_id for o in desk if o.upstream_id) if n > 1
    ]

    # Never lost: what was asked is there, what upstream has is known, what upstream refused it did refuse.
    wrong += [f"{link}: lost between form and desk" for link in set(intents) - {order.link for order in desk}]
    wrong += [f"{order['link']}: charged, and the desk has no such request_id" for id, order in booked.items()
              if id not in known]  # fmt: skip
    for order in desk:
        theirs = booked.get(order.request_id)
        wrong += [
            f"{order.link}: {why}"
            for why in _about(order, theirs, set(noes), withdrawn=order.link in withdrawn, ended=ended)
        ]

    # Every cent: of each order above, of the account here.
    charges, refunds = (sum((exact(o[name]) for o in booked.values()), Decimal()) for name in ("charge", "refunded"))
    if exact(books["deposited"]) != exact(books["balance"]) + charges - refunds:
        wrong.append("the supplier's own books do not add up")
    in_review = {order.request_id for order in desk if order.status == "review" and not order.upstream_id}
    flagged = sum((net(order) for id, order in booked.items() if id in in_review), Decimal())
    ours = sum((order.charge or Decimal() for order in desk), Decimal())
    if ended and ours + flagged != charges - refunds:
        wrong.append(f"the desk counts {ours} and {flagged} in review, the supplier {charges - refunds}")
    return wrong


def net(booked: Mapping[str, Any]) -> Decimal:
    """What an order has cost so far by the books: charged, less given back."""
    return exact(booked["charge"]) - exact(booked["refunded"])


def _about(
    order: DeskOrder, theirs: Mapping[str, Any] | None, noes: set[str], *, withdrawn: bool, ended: bool
) -> Iterable[str]:
    if order.settled is None and order.due is None:
        yield "waits without a due time"
    if order.status == "review" and not order.upstream_id:
        return  # flagged: on a person's list, whether upstream has it or not
    if order.status == "rejected":
        if theirs and order.outcome in NEVER_SENT:
            yield f"{order.outcome}, and upstream charged {net(theirs)} for it"
        elif theirs:
            yield f"rejected, and upstream charged {net(theirs)} for it"
        elif order.outcome in NEVER_SENT and not withdrawn:
            yield f"{order.outcome}, and nobody asked for that"
        elif order.outcome not in NEVER_SENT and order.answer not in noes:
            yield f"rejected, and upstream never said no: {order.answer!r}"
        return
    if theirs is None:
        yield f"lost: {order.status} here, unknown upstream"
        return
    if order.upstream_id != theirs["order"]:
        yield f"upstream calls it {theirs['order']}, the desk {order.upstream_id}"
    if ended and order.status != theirs["status"]:
        yield f"upstream says {theirs['status']}, the desk {order.status}"
    if ended and order.charge != net(theirs):
        yield f"upstream charged {net(theirs)}, the desk says {order.charge}"
    if order.status not in ENDS and order.next_look is None:
        yield f"{order.status}, and nobody will look again"


def _count(things: Iterable[Any]) -> Iterable[tuple[Any, int]]:
    return Counter(things).items()


# ── After the sale ───────────────────────────────────────────────────────────────────────────────
REFILLS_PER_ORDER = 3
# Every sentence in which upstream refuses one, by the contract.
REFUSALS = {
    "refill": {
        "Order not found", "Refill only available for completed or partial orders", "Service does not support refills",
        "A refill request is already pending for this order", "Refill limit reached (3 per order)",
    },
    "cancel": {
        "Order not found", "Order cannot be cancelled (already completed)", "Service does not support cancellation",
    },
}  # fmt: skip
CANCEL_ENDS = {"agreed": {"cancelled"}, "delivered": {"completed"}, "otherwise": {"partial", "refunded"}}


class Wish(NamedTuple):
    """One refill or cancel of `orders_task`, with its order."""

    link: str
    upstream_id: str | None
    status: str
    elsewhere: int
    kind: str
    settled: object
    due: object
    outcome: str
    answer: str
    over: object
    over_how: str
    slot: int | None
    failed: int  # calls with it that upstream itself answered with an error, after which the machine may ask again


WISHES = """
    SELECT o.link, o.upstream_id, o.status, o.refills_elsewhere, t.kind, t.settled_at, t.due_at, t.outcome, t.answer,
           t.over_at, t.over_how, t.slot,
           (SELECT COUNT(*) FROM orders_attempt a WHERE a.task_id = t.id AND a.said = 'Internal server error')
    FROM orders_task t JOIN orders_order o ON o.id = t.order_id WHERE t.kind <> 'place' ORDER BY t.id
"""


def judge_wishes(
    books: Mapping[str, Any],
    wishes: Iterable[Wish],
    asked: Mapping[tuple[str, str], int],
    again: Mapping[str, int],
    noes: Iterable[str],
) -> list[str]:
    """What is wrong with refills and cancels when all is done; empty when nothing was sent twice, claimed or lost.

    `asked` counts what people asked for and the desk took, by kind and link; `again` the refills that a person had
    sent once more. `noes` are sentences in which upstream refused what it might have done.
    """
    wrong, by_order = [], dict[tuple[str, str], list[Wish]]()
    for wish in wishes:
        by_order.setdefault((wish.kind, wish.link), []).append(wish)
    for kind, link in {*asked, *by_order}:
        here, expected = len(by_order.get((kind, link), ())), asked.get((kind, link), 0)
        if here != expected:
            wrong.append(f"{link}: {expected} times a {kind} was asked for, {here} are at the desk")
    orders = {order["order"]: order for order in books["orders"]}
    refills: dict[str, list[str]] = {}
    for refill in books["refills"]:
        refills.setdefault(refill["order"], []).append(refill["refill"])
    if strangers := set(refills) - {wish.upstream_id for wish in _of(by_order, "refill")}:
        wrong.append(f"upstream refills what nobody asked for: {strangers}")
    for (kind, link), mine in by_order.items():
        upstream_id = mine[0].upstream_id or ""
        for wish in mine:
            wrong += [
                f"{link}: {kind} {why}" for why in _about_wish(wish, orders.get(upstream_id), {*REFUSALS[kind], *noes})
            ]
        named = books["named"].get(kind, {}).get(upstream_id, 0)
        if kind == "refill":
            theirs = refills.get(upstream_id, [])
            wrong += [f"{link}: {why}" for why in _about_refills(mine, theirs, named, again.get(link, 0))]
        elif named and not upstream_id:
            wrong.append(f"{link}: a cancel was sent, and upstream does not have it")
        elif orders.get(upstream_id, {}).get("cancel_asked_at") and all(w.over_how == "refused" for w in mine):
            wrong.append(f"{link}: upstream took a cancel that the desk calls refused")
    return wrong


def _of(by_order: Mapping[tuple[str, str], list[Wish]], kind: str) -> Iterable[Wish]:
    return (wish for (of, _), wishes in by_order.items() if of == kind for wish in wishes)


def _about_wish(wish: Wish, theirs: Mapping[str, Any] | None, noes: set[str]) -> Iterable[str]:
    waits_for_a_person = wish.status == "review" and not wish.upstream_id  # as its order does
    if (wish.settled is None) != (wish.due is not None):
        yield "is open without a due time, or due although it is settled"
    if wish.settled is None and wish.over is not None:
        yield "is over, and still to be sent"
    if wish.over is None and not waits_for_a_person:
        yield f"never comes to its end: {wish.outcome or 'open'}"
    if wish.outcome == "refused" and wish.answer not in noes:
        yield f"is called refused, and upstream never said {wish.answer!r}"
    if (wish.outcome == "refused") != (wish.over_how == "refused"):
        yield f"came to {wish.outcome}, and ended as {wish.over_how}"
    if wish.kind == "refill" and (wish.outcome == "refused") != (wish.slot is None):
        yield f"is {wish.outcome}, and has the place {wish.slot}"
    if wish.over_how == "withdrawn" and theirs:
        yield "was called needless, and upstream has the order"
    if wish.over_how in CANCEL_ENDS and (theirs is None or theirs["status"] not in CANCEL_ENDS[wish.over_how]):
        yield f"ended as {wish.over_how}; upstream says {theirs and theirs['status']}"
    if wish.kind == "cancel" and wish.outcome == "done" and not (theirs and theirs["cancel_asked_at"]):
        yield "is said to be taken, and upstream knows of none"


def _about_refills(mine: list[Wish], theirs: list[str], named: int, again: int) -> Iterable[str]:
    """One order's refills, as the desk and as upstream have them."""
    taken = [wish for wish in mine if wish.outcome == "done"]
    maybe = [wish for wish in mine if wish.outcome == "unclear"]
    refs = [wish.answer for wish in taken if wish.answer]
    failed = sum(wish.failed for wish in mine)
    if named > len(mine) + again + failed:
        yield f"{named} refills were sent for {len(mine)} wishes, {again} repeats by a person and {failed} failed calls"
    if len(theirs) > len(taken) + len(maybe) + again:
        yield f"upstream has {len(theirs)} refills, the desk {len(taken)} and {len(maybe)} in doubt"
    if len(theirs) > REFILLS_PER_ORDER:
        yield f"{len(theirs)} refills"
    if len(set(refs)) != len(refs) or not set(refs) <= set(theirs) or len(taken) > len(theirs):
        yield f"claims {len(taken)} refills ({refs}), upstream has {theirs}"
    if sum(wish.slot is not None for wish in mine) + mine[0].elsewhere + again < len(theirs):
        yield "counts fewer refills than upstream has"
