"""What the worker and the pages read does not grow with what lies behind them, with statistics and without."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.utils import timezone

from accounts.access import Role
from accounts.models import TrailLine, User
from catalog.models import Service
from orders.activity.filters import Filters
from orders.activity.search import find
from orders.aftersale.settle import presume_settled
from orders.aftersale.states import STATES
from orders.aftersale.task_list import task_list_context
from orders.detail.evidence import evidence_context
from orders.detail.neighbours import neighbours
from orders.handover.figures import completed_since, money_since, placed_since
from orders.handover.mine import alarms_since, handed_to, notes_to
from orders.handover.sections import read_night, sections_of
from orders.handover.shift_notes import shown_notes
from orders.models import Attempt, Order, Task
from orders.placing.place import similar_orders
from orders.reports.balance import drawn_readings
from orders.reports.late import slowest_services
from orders.rules.retry import LEASE
from orders.statistics import delivery_times, spending
from orders.statistics.search_fields import fill_old_orders
from orders.table.listing import Listing
from orders.teamwork.take_next import take_next
from orders.webhooks.dispatch import delete_old
from panel.alarms.models import Alarm
from tests.benchmarks.measure import Work
from tests.makers import make_order, make_service, make_user, place_order
from tests.orders.history import LINK, analyse, cost_of, days_ago, grown, write_history

# Committed: PostgreSQL's autovacuum takes for nothing what no one has committed, and says so to the planner.
pytestmark = pytest.mark.django_db(transaction=True)
FEW, MORE = 2_000, 4_000  # orders; as many as the lists show are among the few
OLDER, OLD = 10_001, 100_001  # the ids that they begin with
Kind, Outcome = Task.Kind, Task.Outcome


@pytest.fixture
def service() -> Service:
    return make_service()


@pytest.fixture
def owner() -> User:
    return make_user(Role.OWNER)


def write_today(service: Service, by: User) -> None:
    """What is open: orders under way, refills and cancels in every state, orders to send, one in review."""
    for n in range(60):
        make_order("in_progress", service=service, by=by, link=f"https://example.org/{n}")
    for n, kind in enumerate([Kind.REFILL, Kind.CANCEL] * 6):
        order = make_order("completed", service=service, by=by, link=f"https://example.org/asked/{n}")
        outcome = ("", Outcome.DONE, Outcome.UNCLEAR)[n // 2 % 3]
        at = timezone.now()
        Task.objects.create(
            order=order, kind=kind, asked_by=by, outcome=outcome, attempts=1,
            due_at=None if outcome else at + timedelta(hours=1), settled_at=at if outcome else None,
            known_at=at if outcome == Outcome.DONE else None,
        )  # fmt: skip
    for n in range(5):
        order = place_order(service=service, by=by, link=f"https://example.org/queued/{n}")
        Task.objects.filter(order=order).update(due_at=timezone.now() + timedelta(hours=1), attempts=1)
        Attempt.objects.create(task=order.tasks.get(), began_at=timezone.now(), ending="unclear")
    TrailLine.objects.bulk_create(
        TrailLine(
            kind=kind, by=by if n % 2 else None, at=timezone.now(), thing="service", thing_id=service.pk, person=by
        )
        for n in range(60)
        for kind in ("setting_changed", "service_held", "noted")
    )
    for n in range(30):  # what waits for money is due all the time
        order = place_order(service=service, by=by, link=f"https://example.org/poor/{n}")
        Task.objects.filter(order=order).update(due_at=days_ago(1), needs=1, attempts=1)
    doubted = make_order("review", service=service, by=by, link=LINK)
    Attempt.objects.create(task=doubted.tasks.get(), began_at=days_ago(30), ended_at=days_ago(30), ending="unclear")


def the_work(service: Service, by: User) -> Iterator[tuple[str, Work]]:
    """Everything that is measured, by its name."""
    now, tasks = timezone.now(), Task.objects
    for kind in (Kind.PLACE, Kind.REFILL, Kind.CANCEL):
        yield f"whether a {kind} is due", tasks.to_send(kind, now).exists
        yield f"a claim of {kind}s", partial(tasks.claim_together, kind, now, LEASE, 100)
    yield "a claim of a placement", lambda: tasks.claim(now, LEASE)
    yield "what goes again: placements", lambda: tasks.filter(kind=Kind.PLACE).waiting_again(now).first()
    yield "what goes again: refills and cancels", lambda: tasks.hurry_aftersale(now)
    yield "silent refills", lambda: presume_settled(now)
    yield "refills presumed settled", lambda: presume_settled(now + timedelta(days=30))
    yield "spending", lambda: spending.measure(now)
    yield "the live orders of a service", lambda: delivery_times.update_late_from(service.pk, None)
    yield "old deliveries", lambda: delete_old(now)
    yield "similar orders", lambda: similar_orders(service, LINK, now)
    yield "old orders that nothing is to be filled in of", fill_old_orders
    # PostgreSQL rightly sorts some hundred rows of a state; only of thousands it reads the newest by the index.
    for kind in Task.AFTERSALE if connection.vendor == "sqlite" else ():
        for state in ("", *STATES[kind]):
            yield f"{kind}s: {state or 'all'}", partial(task_list_context, by, kind, state, 0)
    yield "what is drawn of the balance", lambda: drawn_readings(now)
    yield "how long services take", slowest_services
    night = now - timedelta(hours=15)
    yield "since you left: what is open", lambda: sections_of(read_night(night))
    yield "since you left: how much happened", lambda: (placed_since(night), completed_since(night))
    yield "since you left: money", lambda: money_since(night, now)
    yield "since you left: what is mine", lambda: (notes_to(by, night), handed_to(by, night), alarms_since(night))
    yield "notes to the shift", lambda: shown_notes(by)
    yield "the next order to take", lambda: take_next(by=by)
    yield "alarms that are over", lambda: list(Alarm.objects.for_page().over()[:50])
    yield from find_activity(by, Order.objects.select_related("service").latest("pk"))
    doubted = Order.objects.for_page().get(status="review")
    yield "an order that needs a look", lambda: evidence_context(doubted, by)
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True)[20]
    for address in (f"after={newest}", f"sort=oldest&before={newest}"):
        yield f"orders, {address.partition('=')[0]}", Listing.of(by, QueryDict(address)).page
    yield "an order’s neighbours", lambda: neighbours(by, "", newest)
    yield "an order’s neighbours, oldest first", lambda: neighbours(by, "sort=oldest", newest)


def find_activity(by: User, order: Order) -> Iterator[tuple[str, Work]]:
    """A page of activity by each filter, alone and together. Where no index finds them all, a window bounds it."""
    filters = {
        "people": Filters(by), "everything": Filters(by, "all"), "machine": Filters(by, "machine"),
        "a person": Filters(by, person=by), "a group": Filters(by, "all", groups=("orders",)),
        "several groups": Filters(by, "all", groups=("orders", "notes", "settings")),
        "several groups of people": Filters(by, groups=("aftersale", "notes", "settings")),
        "a rare group": Filters(by, "all", groups=("settings",)),
        "a person’s notes": Filters(by, person=by, groups=("notes",)),
        "nothing of a person": Filters(by, person=by, groups=("settings",)),
        "an order": Filters(by, "all", typed=f"order {order.pk}"), "about a person": Filters(by, typed=by.username),
        "about a service": Filters(by, typed=f"service {order.service.upstream_id}"),
        "days": Filters(by, "all", since=days_ago(1).date()), "old days": Filters(by, until=days_ago(600).date()),
        "machine’s notes": Filters(by, "machine", groups=("notes",)),
    }  # fmt: skip
    for name, each in filters.items():
        yield f"activity: {name}", partial(find, each, None, 20, 200)


def costs(service: Service, by: User) -> dict[str, int]:
    """The cost of everything, each undone after it."""
    found = {}
    for name, work in the_work(service, by):
        with transaction.atomic():
            found[name.replace("before", "").replace("after", "")] = cost_of(work)
            transaction.set_rollback(True)
    return found


def no_analysis() -> None:
    """Leaves SQLite without statistics. On PostgreSQL autovacuum makes them."""
    if connection.vendor == "postgresql":
        pytest.skip("autovacuum makes statistics")


@pytest.mark.slow
@pytest.mark.parametrize("statistics", [analyse, no_analysis])
def test_what_is_read_does_not_grow_with_the_desk(
    service: Service, owner: User, statistics: Callable[[], None]
) -> None:
    write_history(OLD, FEW, service, owner)
    write_today(service, owner)
    statistics()
    few = costs(service, owner)
    write_history(OLDER, MORE, service, owner)
    statistics()
    assert grown(few, costs(service, owner)) == {}


def test_a_placement_is_found_behind_many_that_wait_for_money(service: Service, owner: User) -> None:
    found = []
    for more in (5, 200):
        made = [place_order(service=service, by=owner, link=f"https://example.org/{more}/{n}") for n in range(more)]
        Task.objects.filter(order__in=made).update(due_at=days_ago(1), needs=1, attempts=1)
        analyse()
        with transaction.atomic():
            found.append(cost_of(Task.objects.to_send(Kind.PLACE, timezone.now()).exists))
    assert found[1] <= found[0] + (0 if connection.vendor == "sqlite" else 5)
