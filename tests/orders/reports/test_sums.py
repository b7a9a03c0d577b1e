"""Sums of parts equal their whole to the sixth decimal, in every split and however drawn, and as they are printed."""

import csv
import io
import random
import re
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.access import Role
from accounts.models import User
from orders.mass.upload import rows_of_sheet
from orders.models import Customer, Order, Task
from orders.reports.figures import Totals, added
from orders.reports.period import SPLITS, Period
from orders.reports.splits import KEY_OF, split_of
from orders.reports.statement import read_sums
from orders.statistics import sales
from panel.format.locale import written_for
from tests.benchmarks.sales import NOON, figures_of, make_orders, play
from tests.makers import make_service, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 11, 19), date(2026, 11, 22)
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")
AMOUNTS = ("spent", "sold", "margin")

status = st.sampled_from(("pending", "partial", "completed", "refunded", "cancelled", "rejected"))
charge = st.one_of(st.none(), st.decimals("0", "9", places=6))
changed = st.tuples(st.just("order"), status, st.integers(-1, 8), charge, st.sampled_from(("USD", "", "EUR")))
refilled = st.tuples(st.just("refill"), st.sampled_from(("", "presumed", "marked", "withdrawn", "refused")))
priced = st.tuples(st.just("price"), st.one_of(st.none(), st.decimals("0", "99999", places=6)))
events = st.lists(st.tuples(st.integers(0, 3), st.one_of(changed, refilled, priced)), max_size=12)


def happen(pk: int, event: tuple[Any, ...]) -> None:
    """One partial, refund, refill or other price of an order."""
    kind, *facts = event
    order = Order.objects.filter(pk=pk)
    if kind == "order":
        order.update(**dict(zip(("status", "remains", "charge", "currency"), facts, strict=True)))
    elif kind == "price":
        order.update(sold_for=facts[0])
    else:
        Task.objects.create(order_id=pk, kind="refill", settled_at=NOON, over_at=NOON, over_how=facts[0])


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(happened=events, seed=st.integers(0, 99), folds=st.booleans())
def test_the_parts_of_every_split_add_up_to_the_orders_whatever_happened(
    happened: list[tuple[int, tuple[Any, ...]]], seed: int, folds: bool
) -> None:
    with transaction.atomic():
        by = [make_user(), make_user()]
        services = [make_service(category=name).pk for name in ("Instagram › Likes", "TikTok › Views")]
        pks = make_orders(4, services, [person.pk for person in by], random.Random(seed))
        customer = Customer.objects.create(name="Gym", created_by=by[0])
        Order.objects.filter(pk__in=pks[:2]).update(customer=customer)
        for at, event in happened:
            happen(pks[at], event)
        if folds:
            sales.fold()
        orders = Order.objects.filter(pk__in=pks).prefetch_related("tasks")
        whole = Totals(**{name: sum(figures_of(order)[name] for order in orders) for name in sales.FIGURES})
        for split, zone in zip(SPLITS, (*ZONES, *ZONES), strict=False):
            with written_for(zone, ""):
                sums = read_sums(FIRST, LAST, 0, KEY_OF.get(split, split))
                rows = split_of(sums, Period(FIRST, LAST, "", "day", "no", split), "charged")
            assert added(sums.days) == added(sums.split.values()) == whole
            assert added(row.now for row in rows.rows) == rows.total.now == whole
            for name in AMOUNTS:
                assert sum(getattr(row, name) for row in rows.rows) == getattr(rows.total, name)
        transaction.set_rollback(True)


def test_the_order_of_events_on_different_orders_changes_no_sum() -> None:
    owner = make_user(Role.OWNER)
    pks = make_orders(4, [make_service().pk], [owner.pk], random.Random(3))
    partial, back = ("order", "partial", 2, Decimal("0.333333"), "USD"), ("order", "refunded", 0, Decimal(0), "USD")
    steps = [
        (pks[0], partial),
        (pks[1], back),
        (pks[2], ("refill", "marked")),
        (pks[3], ("price", Decimal("1.000001"))),
    ]
    found = set()
    for seed in range(6):
        random.Random(seed).shuffle(steps)
        with transaction.atomic():
            for pk, event in steps:
                happen(pk, event)
            found.add(added(read_sums(FIRST, LAST, 0, "service").days))
            transaction.set_rollback(True)
    assert len(found) == 1


# ── As printed ───────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def owner() -> User:
    """The owner of a desk on which anything has happened to fifty orders, some for a customer with a hostile name."""
    person = make_user(Role.OWNER)
    services = [make_service(category=f"{name} › Likes").pk for name in ("Instagram", "TikTok", "Odd")]
    assert play(300, 50, random.Random(11), services, [person.pk, make_user().pk]) == []
    Customer.objects.filter(name="No. 1").update(name='=HYPERLINK("https://a.example")')
    return person


def lines_of(owner: User, query: str, form: str) -> list[dict[str, str]]:
    """The lines of an exported report, as a spreadsheet or a program reads them."""
    content = b"".join(as_user(owner).post(f"/reports/export/?{query}", {"format": form}).streaming_content)  # type: ignore[attr-defined]
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    (_, heads), *rows = rows_of_sheet(content)
    return [dict(zip(heads, cells, strict=False)) for _, cells in rows]


@pytest.mark.parametrize("split", SPLITS)
def test_a_file_adds_up_as_it_is_written_and_says_what_the_page_says(owner: User, split: str) -> None:
    query = f"from={FIRST}&to={LAST}&split={split}"
    page = as_user(owner).get(f"/reports/?{query}").content.decode()
    table = page[page.index('id="split"') :]
    shown: defaultdict[str, list[Decimal]] = defaultdict(list)
    for label, text in re.findall(r'data-l="(spent|sold|margin|orders)">(?:<a [^>]*>)?([−$\d.,]+)', table):
        shown[label].append(Decimal(re.sub(r"[$,]", "", text).replace("−", "-")))
    for form in ("csv", "xlsx"):
        *rows, total = lines_of(owner, query, form)
        assert len(rows) > 1
        for name in [head for head in total if head not in ("what", split, next(iter(total)))]:
            parts = [Decimal(row[name] or 0).quantize(Decimal("0.000001")) for row in rows]
            assert sum(parts) == Decimal(total[name]).quantize(Decimal("0.000001")), (form, name)
        for label, name in (("spent", "charged"), ("sold", "sold"), ("margin", "margin"), ("orders", "orders")):
            *parts, whole = shown[label]
            assert sum(parts) == whole
            assert abs(whole - Decimal(total[name])) < Decimal("0.01"), (form, name)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_name_that_is_a_formula_is_a_text_in_a_file(owner: User, form: str) -> None:
    names = [next(iter(row.values())) for row in lines_of(owner, f"from={FIRST}&to={LAST}&split=customer", form)]
    assert any("HYPERLINK" in name for name in names)
    assert not [name for name in names if name.startswith(("=", "+", "-", "@"))]


def test_the_days_weeks_and_months_of_a_period_add_up_to_it_as_printed(owner: User) -> None:
    last = LAST + timedelta(days=90)
    for by in ("day", "week", "month"):
        page = as_user(owner).get(f"/reports/?from={FIRST}&to={last}&by={by}&with=no").content.decode()
        behind = page[page.index("Show as a table") : page.index('id="split"')]
        for label in AMOUNTS:
            texts = re.findall(rf'data-l="{label}">(?:<a [^>]*>)?([−$\d.,]+)', behind)
            *parts, whole = [Decimal(re.sub(r"[$,]", "", text).replace("−", "-")) for text in texts]
            assert sum(parts) == whole, (by, label)
