"""Rows are drawn once and kept. Whatever a row is drawn from, when it changes the next page shows it."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db.models import Model
from django.template import engines
from django.test import Client
from django.utils import timezone
from jinja2 import meta
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.access import Role
from accounts.desk_settings import held
from accounts.models import User
from catalog.models import Service
from orders.models import Order, Poll, Task
from orders.placing import send_switch
from orders.rules.statuses import Status
from orders.table import columns
from orders.table.columns import COLUMNS, DRAWN_ROWS, OF_SALES, Reader, Times, draw_rows
from orders.table.rows import ORDER_FIELDS, PERSON_FIELDS, ROW_FIELDS, SERVICE_FIELDS, TASK_FIELDS, fetch_rows
from tests.makers import make_order, make_service, make_user, minutes
from tests.people import as_user

pytestmark = pytest.mark.django_db
PAGE = f"/orders/?cols={','.join(COLUMNS)}"
DAY = timedelta(days=1)
REFUSED_FOR_GOOD = "This service does not support refills."


@dataclass
class Desk:
    """Somebody at a desk whose orders show everything that a row can show."""

    operator: User
    browser: Client
    orders: dict[str, Order]

    def rows(self) -> dict[int, str]:
        """The rows of the page, without the words that tell how long ago something was."""
        page = self.browser.get(PAGE).content.decode()
        rows = re.findall(r'<tr class="row.*?</tr>', page, re.S)
        return {int(re.findall(r'id="order-(\d+)"', row)[0]): re.sub(r"[^>]*</time>", "</time>", row) for row in rows}

    def drawn_anew(self) -> dict[int, str]:
        """The same, with nothing kept from before."""
        columns._drawn.cache_clear()
        return self.rows()


def make_wait(order: Order, **facts: Any) -> Order:
    """Changes the order's placing, which is tried again in an hour."""
    order.tasks.update(due_at=timezone.now() + 60 * minutes(1), **facts)
    return order


def make_task(order: Order, kind: str, **facts: Any) -> Order:
    """A refill or cancel that was sent and answered."""
    now = timezone.now()
    sent = {"asked_at": now, "settled_at": now, "outcome": Task.Outcome.DONE, "known_at": now, **facts}
    Task.objects.create(order=order, kind=kind, asked_by=make_user(name="Rosa"), **sent)
    return order


@pytest.fixture
def desk() -> Desk:
    """Orders in every state that a row tells apart."""
    now = timezone.now()
    live = {"reported_at": now, "remains": 350, "start_count": 12, "charge": Decimal("0.8"), "currency": "USD"}
    orders = {
        "new": make_wait(make_order()),
        "confirming": make_wait(make_order(), unclear_since=now, attempts=2, answer="No answer within 10 s."),
        "unfunded": make_wait(make_order(), needs=Decimal("4.5"), attempts=1, answer="Insufficient balance"),
        "again": make_wait(make_order(), attempts=1, answer="Too many requests."),
        "review": make_order(Status.REVIEW),
        "rejected": make_order(Status.REJECTED),
        "live": make_order(Status.IN_PROGRESS, **live, late_from=now + DAY),
        "asked": make_task(make_order(Status.IN_PROGRESS, **live), "cancel"),
        "left out": make_order(Status.PROCESSING, **live, left_out=4),
        "done": make_order(Status.COMPLETED, **{**live, "remains": 0}),
        "refilled": make_task(make_order(Status.COMPLETED, **live), "refill", slot=1, slots=3),
        "refused": make_task(
            make_order(Status.PARTIAL, **live), "refill", outcome=Task.Outcome.REFUSED, answer=REFUSED_FOR_GOOD,
            known_at=None, over_at=now,
        ),
    }  # fmt: skip
    operator = make_user(Role.OPERATOR)
    return Desk(operator, as_user(operator), orders)


# ── Whatever the database says ───────────────────────────────────────────────────────────────────
# Field → what becomes of its value. A field that a row reads and that is not among these fails the first test.
Change = Callable[[Any], Any]
ORDER: dict[str, Change] = {
    "created_at": lambda at: at - 40 * DAY,
    "reported_at": lambda at: at and at - minutes(7),
    "late_from": lambda at: at and at - 2 * DAY,
    "request_id": lambda _: uuid.uuid4(),
    "link": lambda link: f"{link}/reels",
    "quantity": lambda quantity: quantity + 1_000,
    "runs": lambda _: 3,
    "expected_charge": lambda charge: charge + 1,
    "send_when_funded": lambda sends: not sends,
    "upstream_id": lambda upstream_id: upstream_id and f"{upstream_id}x",
    "status": lambda status: Status.CANCELLED if status != Status.CANCELLED else Status.PARTIAL,
    "charge": lambda charge: charge and charge + Decimal("0.01"),
    "currency": lambda _: "EUR",
    "start_count": lambda count: 1 + (count or 0),
    "remains": lambda remains: remains and remains - 1,
    "left_out": lambda count: count + 1,
    "failing_since": lambda _: timezone.now(),
    "refills_elsewhere": lambda count: count + 1,
    "missing_since": lambda _: timezone.now(),
    "doubts": lambda _: "charge",
    "version": lambda version: version + 1,
    "assigned_to_id": lambda _: make_user(name="An assignee").pk,
    "placed_by_id": lambda _: make_user(name="Somebody else").pk,
    "service_id": lambda _: make_service(name="Another").pk,
}
POLL: dict[str, Change] = {
    "next_poll_at": lambda at: at - minutes(7),
    "reported_at": lambda at: (at or timezone.now()) + minutes(7),
}
SERVICE: dict[str, Change] = {
    "upstream_id": lambda upstream_id: upstream_id + 90_000,
    "name": lambda name: f"{name}, new",
    "type": lambda _: "Package",
    "category": lambda category: f"{category}, new",
    "refill": lambda has: not has,
    "cancel": lambda has: not has,
    "changed_at": lambda at: at + DAY,
}
PERSON: dict[str, Change] = {"username": lambda name: f"{name}x", "name": lambda name: f"{name}, now married"}
TASK: dict[str, Change] = {
    "due_at": lambda at: at and at - DAY,
    "kind": lambda kind: {"refill": "cancel", "cancel": "refill"}.get(kind, kind),
    "asked_by_id": lambda _: make_user(name="Somebody else").pk,
    "asked_at": lambda at: at - 40 * DAY,
    "attempts": lambda count: count + 2,
    "unclear_since": lambda at: None if at else timezone.now(),
    "settled_at": lambda at: at and at - 40 * DAY,
    "outcome": lambda outcome: Task.Outcome.UNCLEAR if outcome else outcome,
    "answer": lambda answer: f"{answer} Or so.",
    "needs": lambda needs: needs and needs + 1,
    "known_at": lambda at: at and at - 40 * DAY,
    "over_at": lambda at: None if at else timezone.now(),
    "slot": lambda slot: None,
}
# What a row is, or is found by; these do not change. The cost sorts a list, and is made of two that are above.
IDENTITY = {"order": {"id", "cost"}, "task": {"id", "order_id"}}
EVERY: list[tuple[type[Model], str, Change]] = [
    *((Order, name, change) for name, change in ORDER.items()),
    *((Poll, name, change) for name, change in POLL.items()),
    *((Service, name, change) for name, change in SERVICE.items()),
    *((User, name, change) for name, change in PERSON.items()),
    *((Task, name, change) for name, change in TASK.items()),
]


def test_every_field_that_is_read_is_among_those_that_are_changed_here() -> None:
    """A field that is added to a row needs a line above."""
    assert set(ORDER_FIELDS) == ORDER.keys() | IDENTITY["order"] | {f"poll__{name}" for name in POLL}
    assert set(SERVICE_FIELDS) == SERVICE.keys()
    assert set(PERSON_FIELDS) == PERSON.keys()
    assert set(TASK_FIELDS) == TASK.keys() | IDENTITY["task"]


@pytest.mark.parametrize(("model", "name", "change"), EVERY, ids=lambda case: getattr(case, "__name__", case))
def test_each_fact_shows_with_the_next_page(desk: Desk, model: Any, name: str, change: Change) -> None:
    """It changes in the database and nothing else does, not even the order's version."""
    if name == "username":  # shown where there is no name
        User.objects.exclude(pk=desk.operator.pk).update(name="")
    before = desk.rows()
    assert len(before) == len(desk.orders)
    for pk, value in list(model.objects.exclude(pk=desk.operator.pk).values_list("pk", name)):
        model.objects.filter(pk=pk).update(**{name: change(value)})
    after = desk.rows()
    assert after != before
    assert after == desk.drawn_anew()


def test_a_task_that_comes_or_goes_shows_with_the_next_page(desk: Desk) -> None:
    """A refill of one order, asked for; then every refill and cancel gone."""
    before = desk.rows()
    make_task(desk.orders["done"], "refill", slot=1, slots=3)
    after = desk.rows()
    assert {pk for pk in after if after[pk] != before[pk]} == {desk.orders["done"].pk}
    Task.objects.exclude(kind=Task.Kind.PLACE).delete()
    gone = desk.rows()
    assert gone == desk.drawn_anew() != after


def test_nothing_but_its_arguments_is_read_while_a_row_is_drawn(
    desk: Desk, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A fact that `fetch_rows` did not read would be read from the database here, and would be missing in the key.

    Of whom the orders are for is read once for all rows, and kept in none.
    """
    rows = fetch_rows(Order.objects.order_by("-pk"))
    for queries, names in ((0, COLUMNS.keys() - OF_SALES), (1, COLUMNS)):
        reader = Reader.of(desk.operator, tuple(names), stopped=False)
        columns._drawn.cache_clear()
        with held({}), django_assert_num_queries(queries):
            draw_rows(rows, reader)


def test_the_templates_of_a_row_read_no_other_name() -> None:
    """Not the person, not the request, not the bar: those are no arguments. `now` meets only what Row.timeless left."""
    env: Any = engines["jinja2"].env  # type: ignore[attr-defined]
    paths = ["_row.html", "_freshness.html", *(f"cells/{name}.html" for name in COLUMNS)]
    sources = {path: env.loader.get_source(env, f"orders/table/{path}")[0] for path in paths}
    row = sources["_row.html"].replace("{# cells #}", "".join(sources[f"cells/{name}.html"] for name in COLUMNS))
    set_there = {"odd", "req", "why"}  # set where they are read
    functions = {"row_version", "refill_meter", "unseen_anomalies", "number", "money", "now", "row_link", "short_name"}
    functions |= {"without_amounts"}  # of the reader’s right to see money, which is part of the key
    functions |= {"refill_question", "cancel_question", "withdrawal_question"}  # of the order alone
    for source in (row, sources["_freshness.html"]):
        assert meta.find_undeclared_variables(env.parse(source)) <= functions | set_there
    assert all(re.findall(r"([\w.]+) > now\(\)", source) in ([], ["task.due_at"]) for source in sources.values())
    assert sum(source.count("now()") for source in sources.values()) == 2


# ── Whoever reads it ─────────────────────────────────────────────────────────────────────────────
def readers(operator: User, settings: Settings) -> Iterator[str]:
    """Changes in turn all that a page's reader brings along; gives the name of each."""
    for name, value in (("role", Role.VIEWER), ("time_zone", "Asia/Kathmandu"), ("numbers", "1.234,56")):
        User.objects.filter(pk=operator.pk).update(**{name: value})
        yield name
    User.objects.filter(pk=operator.pk).update(role=Role.OPERATOR)
    yield "rights"
    send_switch.stop("Prices look wrong.", by=make_user(Role.MANAGER))
    yield "stopped"
    settings.REFILLS_PER_ORDER = 1
    yield "refills_per_order"


def test_each_thing_that_a_reader_brings_along_shows_with_the_next_page(desk: Desk, settings: Settings) -> None:
    """Rights above all: nobody is offered what they may not do any more, nor kept from what they may."""
    before = desk.rows()
    for name in readers(desk.operator, settings):
        after = desk.rows()
        assert after != before, name
        assert after == desk.drawn_anew(), name
        assert any("refills/" in row for row in after.values()) is (name not in ("role", "time_zone", "numbers"))
        before = after


def test_one_reader_never_sees_what_was_drawn_for_another(desk: Desk) -> None:
    """A viewer and an operator, in turns."""
    viewer = Desk(desk.operator, as_user(make_user(Role.VIEWER)), desk.orders)
    for _ in range(2):
        assert all('type="checkbox"' in row for row in desk.rows().values())
        assert not any("<input" in row or "formaction" in row for row in viewer.rows().values())


def test_other_columns_are_drawn_for_themselves(desk: Desk) -> None:
    """The same person, the same orders, another address."""
    desk.rows()
    page = desk.browser.get("/orders/?cols=id,charge").content.decode()
    assert page.count('<td class="c-charge') == len(desk.orders)
    assert '<td class="c-link' not in page


def test_a_time_of_yesterday_gets_its_day(desk: Desk) -> None:
    """Midnight changes the reasons that name an hour, although nothing is written."""
    row = desk.orders["refilled"].pk
    today = desk.rows()[row]
    assert "one is pending since" in today
    tomorrow = timezone.now().date() + DAY
    with (
        patch("orders.table.columns.today", lambda: tomorrow),
        patch("orders.rules.eligibility.clock", lambda at: f"{at:%-d %b, %H:%M} UTC"),
    ):
        assert re.search(r"pending since \d+ \w+, ", desk.rows()[row])


# ── What changes by itself ───────────────────────────────────────────────────────────────────────
def test_relative_words_go_on_in_a_row_that_is_kept(desk: Desk) -> None:
    """The same drawn row an hour later."""
    [row] = fetch_rows(Order.objects.filter(pk=desk.orders["live"].pk))
    reader = Reader.of(desk.operator, tuple(COLUMNS), stopped=False)
    assert ">now</time>" in draw_rows([row], reader) or " s ago</time>" in draw_rows([row], reader)
    drawn = columns._drawn.cache_info().misses
    earlier = row._replace(values=(row.values[0] - minutes(60), row.values[1] - minutes(2), *row.values[2:]))
    later = draw_rows([earlier], reader)
    assert ">1 h ago</time>" in later
    assert ">2 min ago</time>" in later
    assert columns._drawn.cache_info().misses == drawn, "it was not drawn again"


def test_what_a_time_decides_is_decided_when_it_comes(desk: Desk) -> None:
    """An order that waits for its first try, one that is late from tomorrow on, and one that is polled in time."""
    new, live = desk.orders["new"], desk.orders["live"]
    Poll.objects.filter(order=live).update(next_poll_at=timezone.now() + minutes(1))
    before = desk.rows()
    assert ">sends <time" in before[new.pk]
    assert ">Undo<" in before[new.pk]
    assert not re.search("row is-late|late <time|sub old", before[live.pk])
    new.tasks.update(due_at=timezone.now())
    Poll.objects.filter(order=live).update(next_poll_at=timezone.now() - minutes(5))
    Order.objects.filter(pk=live.pk).update(late_from=timezone.now())
    after = desk.rows()
    assert "supplier not asked yet" in after[new.pk]
    assert ">Withdraw<" in after[new.pk]
    assert re.search('row is-late".*sub old.*late <time', after[live.pk], re.S)


def test_an_order_that_was_polled_without_news_stays_drawn(desk: Desk) -> None:
    """Its time moves on, in the row too; only the words of the time are made anew."""
    live = Order.objects.filter(pk=desk.orders["live"].pk)
    desk.rows()
    drawn = columns._drawn.cache_info().misses
    at = timezone.now() + minutes(3)
    Poll.objects.filter(order__in=live).update(reported_at=at, next_poll_at=at + minutes(1))
    assert at.isoformat(timespec="seconds") in desk.rows()[desk.orders["live"].pk]
    assert columns._drawn.cache_info().misses == drawn


def test_blanks_are_filled_and_no_text_can_pretend_to_be_one(desk: Desk) -> None:
    """Upstream's words and customers' links go through them, whatever they hold."""
    Order.objects.filter(pk=desk.orders["live"].pk).update(link="https://a.b/\x01placed\x01{placed}{{ blanks.placed }}")
    page = desk.browser.get(PAGE).content.decode()
    assert columns._MARK not in page
    assert "{placed}{{ blanks.placed }}" in page


def test_only_so_many_rows_are_kept() -> None:
    """The memory of a process stays bounded, however many orders are looked at."""
    assert columns._drawn.cache_info().maxsize == DRAWN_ROWS <= 5_000


def test_times_are_told_only_where_there_are_any() -> None:
    """An order that was never polled, is never late and is not tried again."""
    times = Times(1, timezone.now(), None, None, None)
    assert times.placed
    assert not (times.polled or times.changed or times.late or times.due)
    assert len(ROW_FIELDS) == len(set(ROW_FIELDS))
    assert settings.REFILLS_PER_ORDER
