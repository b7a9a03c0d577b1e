"""Fills a desk with two days of real orders at the sandbox, placed in rounds with hours between them.

Nothing that upstream says is made up. Between two rounds the sandbox's clock is put forward and our own records are
put back by the same time, as if everybody had waited; then the worker asks what became of the orders.
"""

import random
import string
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Count, DateTimeField, F, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts import desk_settings
from accounts.access import Role, may
from accounts.models import User
from catalog.models import Service
from orders.aftersale import ask
from orders.approvals import decide
from orders.models import Order, Poll, Task
from orders.placing.place import place
from orders.rules.eligibility import WHY_NOT
from orders.rules.statuses import Status
from orders.teamwork import assignment, notes
from panel.demo import customers, handover
from panel.demo.processes import Trouble
from panel.demo.sandbox_control import control
from panel.format.money import UNITS_PER_RATE
from panel.upstream.models import Chore

SEED = 8701  # the same orders on every machine
ORDERS_PER_ROUND = 5
# Hours that pass after each round. The last ones are short, so that some orders are still on their way.
ROUND_HOURS = (6, 5, 4, 5, 6, 4, 5, 3, 1.5, 0.8, 0.4, 0.2)
FAVOURITE_SHARE = 0.35  # of the orders at least are for one service, so that its delivery times are known
STUCK_AFTER, STUCK = 3, 2  # after this round the supplier stops work on so many orders of the favourite: they get late
AFTER_SALE = {Task.Kind.REFILL: 0.7, Task.Kind.CANCEL: 0.3}  # the chance that one is asked for after each round
DEAREST = Decimal(6)  # USD for one order; sixty of them fit into the balance that a sandbox opens with
TYPES = ("Default", "Package")  # these ask for a link and a quantity, and nothing else
QUANTITIES = (100, 250, 500, 1_000, 1_500, 2_500, 5_000, 10_000, 25_000)
CALLS_A_MINUTE = 1_000  # the sandbox's limit for the key meanwhile: two days go by in some seconds
ROUND_SECONDS = 90.0  # how long the worker may take; longer than a pause at a limit
CHECK_EVERY_SECONDS = 0.1

SHOPS = tuple(shop.handle for shop in customers.SHOPS)
LINKS = {
    "Instagram": "https://www.instagram.com/{shop}/p/{code}/",
    "TikTok": "https://www.tiktok.com/@{shop}/video/{number}",
    "YouTube": "https://www.youtube.com/watch?v={code}",
    "Telegram": "https://t.me/{shop}/{number}",
    "X": "https://x.com/{shop}/status/{number}",
    "Facebook": "https://www.facebook.com/{shop}/posts/{number}",
    "Spotify": "https://open.spotify.com/track/{code}",
    "Discord": "https://discord.gg/{code}",
}
# What an owner of the demo has set.
LIMITS = {
    "operator_order_limit": "20",
    "operator_day_limit": "40",
    "operator_approve_from": "15",
    "approval_hours": "24",
}
ASKED_DOLLARS, ASKED_MOST = 18, 5_000
REASONS = ("", "They paid in advance and want it before Monday.")
DECLINED = "Too dear for this shop. Offer them a smaller package first."
NOTES = (
    "The customer is calm; I told them 48 h. @{} please look after your break.",
    "@{}, this shop asked whether it can be faster. I said that we do not promise that.",
    "Second order for this link this week. @{} knows the customer.",
    "They want the rest by Friday. @{}, ask for a refill if it stands still until then.",
)


def write() -> None:
    """Fills a desk that has no orders yet. Needs a worker, and a sandbox that is started afresh afterwards."""
    if Order.objects.exists():
        return
    # All of it, which comes in several writes: the orders are drawn from it.
    wait_until(Chore.objects.filter(name="catalog", done_at__isnull=False).exists, "take in the catalog")
    control("limits", key=CALLS_A_MINUTE, tier=CALLS_A_MINUTE)
    order_chance, aftersale_chance, talk_chance, sale_chance = (random.Random(SEED) for _ in range(4))  # noqa: S311
    customers.write()
    orders = new_orders(order_chance)
    for number, hours in enumerate(ROUND_HOURS, 1):
        for _ in range(ORDERS_PER_ROUND):
            order = next(orders)
            place(**order, **customers.of_link(order["link"], sale_chance))
        unsent().filter(unclear_since=None).update(due_at=timezone.now())  # nobody waits for an undo in the past
        wait_until(lambda: not unsent().exists() and not unreported(None).exists(), "send the orders")
        if number == STUCK_AFTER:
            stop_newest_favourites()
        let_pass(timedelta(hours=hours))
        ask_after_sale(aftersale_chance)
        talk(talk_chance)
    set_limits()
    customers.pay()
    handover.write()
    Chore.objects.update(due_at=timezone.now())  # the next worker begins by asking for the balance


def set_limits() -> None:
    """What an owner has set: limits for operators, and two orders above them, of which a manager declined one."""
    Order.objects.update(counts_on=TruncDate("created_at"))  # each on the day that it seems to have been placed on
    now, owner = timezone.now(), User.objects.filter(role=Role.OWNER).first()
    manager = User.objects.filter(role=Role.MANAGER).first()
    if owner is None or manager is None:
        return
    nobody_set = dict.fromkeys(LIMITS, "") | {"approval_hours": "2"}
    desk_settings.change(LIMITS, nobody_set, by=owner, at=now)
    asker = next(person for person in staff() if person.role == Role.OPERATOR)
    dear = Service.objects.active().filter(type="Default", minimum__lte=1000, maximum__gte=ASKED_MOST, rate__gt=0)
    for service, reason in zip(dear.order_by("-rate")[: len(REASONS)], REASONS, strict=False):
        quantity = -(-int(ASKED_DOLLARS * UNITS_PER_RATE / service.rate) // 100) * 100
        url, token = LINKS.get(network(service), LINKS["Instagram"]), uuid.uuid4()
        order = place(
            by=asker, service=service, link=url.format(shop=SHOPS[2], code="C9fQx2uN4vS", number=7), token=token,
            quantity=min(max(quantity, service.least), service.maximum), despite_price=True, ask=True, reason=reason,
        )  # fmt: skip
        if order.status == Status.APPROVAL and not reason:
            decide.decline(order, DECLINED, by=manager)


def new_orders(chance: random.Random) -> Iterator[dict[str, Any]]:
    """Endless arguments for `place`: orders spread over the team and the networks, none dearer than DEAREST."""
    people = staff()
    services = [service for service in Service.objects.active() if service.type in TYPES and not service.why_no_order()]
    networks = sorted({network(service) for service in services})
    # Without cancel, so that nobody of the team cancels the orders that get stuck.
    liked = [service for service in services if service.refill and not service.cancel and not service.is_package]
    favourite = chance.choice([service for service in liked if service.expected_charge(QUANTITIES[-1]) <= DEAREST])
    while True:
        chosen = chance.choice(networks)
        service = chance.choice([service for service in services if network(service) == chosen])
        if chance.random() < FAVOURITE_SHARE:
            service = favourite
        quantity = service.minimum if service.is_package else chance.choice(QUANTITIES)
        in_bounds = service.minimum <= quantity <= service.maximum
        if in_bounds and service.expected_charge(quantity) <= DEAREST:
            token = uuid.UUID(int=chance.getrandbits(128))
            by, url = chance.choice(people), link(network(service), chance)
            yield {"by": by, "service": service, "link": url, "quantity": quantity, "token": token}


def staff() -> list[User]:
    """The people who may place orders."""
    return [user for user in User.objects.order_by("pk") if may(user, "place")]


def stop_newest_favourites() -> None:
    """Has the sandbox do no more for the newest STUCK orders of the service that is ordered most."""
    most = Order.objects.values_list("service").annotate(orders=Count("pk")).order_by("-orders", "service")[:1]
    live = Order.objects.filter(service__in=most.values("service"), poll__isnull=False)
    for order in live.order_by("-pk")[:STUCK]:
        control("orders", order=order.upstream_id, status="processing")


def ask_after_sale(chance: random.Random) -> None:
    """Asks now and then for a refill of an order that was delivered, or for a cancel of one that was not."""
    for kind, share in AFTER_SALE.items():
        orders = [order for order in Order.objects.for_table() if order.upstream_id and not WHY_NOT[kind](order)]
        if orders and chance.random() < share:
            ask.ask(chance.choice(orders), kind, by=chance.choice(staff()))


def talk(chance: random.Random) -> None:
    """Assigns one of the latest orders to somebody, with a note that mentions a teammate."""
    order = chance.choice(Order.objects.order_by("-pk")[:ORDERS_PER_ROUND])
    writer, teammate = chance.sample(staff(), 2)
    assignment.assign(order, writer, saw=order.assigned_to_id, by=writer)
    token = uuid.UUID(int=chance.getrandbits(128))
    notes.write_note(order, chance.choice(NOTES).format(teammate.username), token, by=writer)


def network(service: Service) -> str:
    """The first word of the service's category, a key of LINKS: Instagram, X, …"""
    return service.category.split()[0]


def link(to: str, chance: random.Random) -> str:
    """A link of the form that this network uses. Nothing ever opens it."""
    return LINKS[to].format(
        shop=chance.choice(SHOPS),
        code="".join(chance.choices(string.ascii_letters + string.digits, k=11)),
        number=chance.randrange(10**17, 10**18),
    )


def unsent() -> QuerySet[Task]:
    """Tasks that the worker has still to send."""
    return Task.objects.filter(settled_at=None)


def unreported(since: datetime | None) -> QuerySet[Order]:
    """Live orders that upstream has reported nothing about since then, or ever (None)."""
    polled = Order.objects.filter(poll__isnull=False)
    return polled.exclude(poll__reported_at__gte=since) if since else polled.filter(reported_at=None)


def let_pass(step: timedelta) -> None:
    """Has the same effect as waiting so long, then makes every live order due and waits until each was polled."""
    control("clock", advance=step.total_seconds())
    with transaction.atomic():
        for app in ("catalog", "orders"):
            for model in apps.get_app_config(app).get_models():
                times = [field.name for field in model._meta.fields if isinstance(field, DateTimeField)]
                model._base_manager.update(**{name: F(name) - step for name in times})
        now = timezone.now()
        Poll.objects.update(next_poll_at=now)
    wait_until(lambda: not unreported(now).exists(), "ask after the orders")


def wait_until(done: Callable[[], bool], what: str) -> None:
    """Waits until the worker has done its part. Raises Trouble after ROUND_SECONDS, which names what it did not do."""
    deadline = time.monotonic() + ROUND_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise Trouble(f"The worker did not {what} within {ROUND_SECONDS:g} seconds.")
        time.sleep(CHECK_EVERY_SECONDS)
