"""Who may see no money finds no amount anywhere: in no page, fragment, poll, file or header, whatever they ask for."""

import csv
import io
import re
import uuid
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.models import BalanceReading, DeskSettings
from accounts.trail.record import record_change
from catalog.models import Change, RateChange, SetAside
from orders.following.anomalies import add_anomaly
from orders.models import Attempt, Customer, Order, Payment, PlanPart, SellingRule, Spending, Task, Worklist
from orders.models.statistics import Charged
from orders.rules.statuses import Status
from panel.alarms.models import Alarm
from panel.ops.database import ONLY_ROW
from tests.accounts.roles.switched import switch
from tests.addresses import address, one_of_everything, routes
from tests.makers import make_order, make_service, make_user
from tests.people import as_a, as_user, htmx

pytestmark = pytest.mark.django_db

AMOUNT = Decimal("7319.51")  # nothing else on the desk looks like it
TELLS = re.compile(r"\b(?:7[.,\s\u202f\xa0’']?31[89]|3[.,]?659|14[.,]?639)[.,]\d|731951|\$\s?\d")
WAYS: tuple[tuple[str, dict[str, str]], ...] = (("GET", {}), ("GET", htmx()), ("POST", {}))
ASKED = {
    # What an address may ask besides: more of the same page, and each form as a person fills it in.
    "orders/": ["?cols=id,charge,status,refill", "?open=doubt", "?status=unfunded", "?q=lumen", "?status=review"],
    "orders/changes/": ["?top=0&newest=0", "?v=1:0,2:0,3:0,4:0,5:0,6:0&top=0&newest=0"],
    "orders/filters/": ["?status=queued"],
    "services/": ["?only=lately", "?q=followers"],
    "services/changes/": ["?view=held", "?view=decided"],
    "services/found/": ["?q=followers"],
    "orders/new/": ["?service={service}"],
    "palette/": ["?q=followers", "?q={service}"],
    "activity/": [""],
}


@pytest.fixture(params=[Role.VIEWER, Role.OPERATOR])
def reader(request: pytest.FixtureRequest) -> Client:
    """A person whose role may see no money, on a desk that is full of it."""
    fill_with_money()
    switch(viewer_money=False, operator_money=False, operator_stop=True)
    return as_a(request.param)


def fill_with_money() -> None:
    """Everything that holds an amount holds one that cannot be taken for anything else."""
    order, now = one_of_everything(), timezone.now()
    order.service.__class__.objects.update(rate=AMOUNT)
    queued = make_order(Status.QUEUED, service=order.service, by=order.placed_by)
    review, refused = make_order(Status.REVIEW, service=order.service), make_order(Status.REJECTED)
    done = make_order(Status.COMPLETED, service=make_service(rate=AMOUNT))
    Order.objects.update(charge=AMOUNT, expected_charge=AMOUNT - 1, rate_seen=AMOUNT, said={"charge": str(AMOUNT)})
    Order.objects.filter(pk=done.pk).update(charge=AMOUNT * 2)
    Order.objects.filter(pk__in=[queued.pk, review.pk]).update(charge=None, expected_charge=AMOUNT)
    for one in (order, done):
        add_anomaly(one, "charge")
        Order.objects.filter(pk=one.pk).update(doubts="charge kept unread")
    words = f"Not enough funds: {AMOUNT} needed, you have {AMOUNT} USD."
    Task.objects.filter(order=queued).update(needs=AMOUNT, answer=words, attempts=2)
    Task.objects.filter(order__in=[review, refused]).update(answer=words)
    Task.objects.create(order=done, kind="refill", asked_at=now, asked_by=order.placed_by, slot=1, slots=3,
                        answer=words, settled_at=now, outcome=Task.Outcome.REFUSED, over_at=now,
                        over_how="refused")  # fmt: skip
    raw = f'{{"order": "ord_1", "charge": "{AMOUNT}", "balance": {AMOUNT}, "currency": "USD", "rate": {AMOUNT}'
    for task in Task.objects.filter(kind="place"):
        Attempt.objects.create(task=task, began_at=now - timedelta(hours=1), ended_at=now, ending="unclear", said=raw)
    facts: dict[str, Any] = {"rate": f"${AMOUNT}", "expected": f"${AMOUNT}", "needs": f"${AMOUNT:,}",
             "quantity": "1,000", "was": f"${AMOUNT}", "now": f"${AMOUNT}", "said": raw, "attempt": 1,
             "trouble": words, "why": words,
             "filter": f"All statuses, Charge from: ${AMOUNT:,}", "count": "1", "form": "CSV"}  # fmt: skip
    for kind in ("placed", "short", "despite_price", "refused", "review", "doubted", "held", "exported"):
        order.record(kind, by=order.placed_by, at=now, **facts)
        done.record(kind, by=order.placed_by, at=now, **{**facts, "said": {"charge": str(AMOUNT)}})
    Order.objects.update(sold_for=AMOUNT, customer=Customer.objects.get())
    Order.objects.filter(pk=queued.pk).update(sold_for=AMOUNT / 2)
    Customer.objects.update(credit_limit=AMOUNT)
    PlanPart.objects.filter(left=1).update(why=f"Together they cost ${AMOUNT}, and you have ${AMOUNT} left today.")
    SellingRule.objects.update(customer=None, scope="", plus=AMOUNT, step=AMOUNT)
    Payment.objects.create(customer=Customer.objects.get(), amount=AMOUNT, by=order.placed_by, form_token=uuid.uuid4())
    record_change("customer_paid", by=order.placed_by, thing="customer", thing_id=Customer.objects.get().pk,
                  before={}, after={"payment": f"${AMOUNT}"})  # fmt: skip
    BalanceReading.objects.update(amount=AMOUNT, asked_at=now)
    Spending.objects.filter(pk=ONLY_ROW).update(spent=AMOUNT, queued=AMOUNT, since=now - timedelta(hours=20), at=now)
    Charged.objects.update(expected=7_319_510_000, charged=7_319_510_000)
    RateChange.objects.update(was=AMOUNT / 2, now=AMOUNT)
    move = {"rate": [str(AMOUNT / 2), str(AMOUNT)]}
    Change.objects.update(moved=move)
    Change.objects.create(service=done.service, moved=move, at=now, decided_at=now, decided_by=order.placed_by,
                          decision="held")  # fmt: skip
    SetAside.objects.update(raw=f'{{"service": 7, "rate": "{AMOUNT}"}}')
    DeskSettings.objects.update(chosen={"low_balance": str(AMOUNT)})
    Alarm.objects.update(facts={"balance": str(AMOUNT), "below": str(AMOUNT)})
    Alarm.objects.create(
        kind="runway", facts={"balance": str(AMOUNT), "ends": now.isoformat(), "until": "6"}, raised_at=now
    )
    jump: list[Any] = [done.service.upstream_id, "Followers", str(AMOUNT / 2), str(AMOUNT)]
    Alarm.objects.create(kind="prices", facts={"new": 1, "all": 1, "percent": "20", "some": [jump]}, raised_at=now)
    Worklist.objects.update(entries=[[str(one.pk), one.pk] for one in (order, queued, review, refused, done)])


def places() -> Iterator[tuple[str, str]]:
    """Every address of every page, and what else it may be asked: route and address."""
    service = Order.objects.latest("pk").service.upstream_id
    for route, _ in routes():
        if route.startswith("admin/"):
            continue
        if "orders/<pk>/" in route or "bulks/<pk>" in route:
            model = Order if "orders/<pk>" in route else None
            pks = model.objects.values_list("pk", flat=True) if model else [1]
            for pk in pks:
                yield route, "/" + route.replace("<pk>", str(pk))
        yield route, address(route)
        for query in ASKED.get(route, []):
            yield route, address(route) + query.format(service=service)


def told(response: Any) -> str:
    """All that an answer says: its headers, and its content as text."""
    content = response.getvalue()
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b"\n".join(book.read(name) for name in book.namelist())
    headers = " ".join(f"{name}: {value}" for name, value in response.headers.items())
    return f"{headers}\n{content.decode()}"


@pytest.mark.slow
def test_no_address_tells_an_amount(reader: Client) -> None:
    cookies = reader.cookies.output(header="")
    leaks, asked = [], 0
    for _, here in places():
        for method, headers in WAYS:
            with transaction.atomic():
                response = reader.generic(method, here, headers=headers)
                transaction.set_rollback(True)
            reader.cookies.load(cookies)
            asked += 1
            if found := TELLS.search(text := told(response)):
                leaks.append(f"{method} {here}: {text[max(0, found.start() - 80) : found.end() + 20]!r}")
    assert asked > 300
    assert not leaks, "\n".join(dict.fromkeys(leaks))


@pytest.mark.slow
def test_the_same_walk_finds_amounts_where_they_may_be_seen() -> None:
    """Otherwise the walk above would prove nothing."""
    fill_with_money()
    client = as_a(Role.OPERATOR)
    pages = {route for route, here in places() if TELLS.search(told(client.get(here)))}
    assert {"orders/", "orders/<pk>/", "orders/changes/", "orders/new/", "services/", "services/changes/",
            "services/found/", "activity/", "alarms/", "upstream/balance/", "upstream/charges/", "upstream/settings/",
            "palette/", "customers/", "customers/<pk>/", "reports/"} <= pages  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_leaves_the_columns_out(reader: Client, form: str) -> None:
    response = reader.post("/orders/export/", {"format": form})
    text = told(response)
    assert response.status_code == 200 and not TELLS.search(text)
    if form == "csv":
        heads = next(csv.reader(io.StringIO(text.split("\n", text.split("﻿")[0].count("\n"))[-1].lstrip("﻿"))))
        assert "order" in heads and not {"charge", "currency", "expected charge in USD"} & {*heads}
    else:
        assert "charge" not in text.lower().replace("charges and the balance", "")
        assert "may see prices, charges and the balance." in text


@pytest.mark.parametrize(
    "query",
    ["sort=dearest", "sort=cheapest", "least=7000", "most=8000", "least=1.234", "sort=dearest&before=7319.51~5"],
)
def test_a_list_does_not_tell_by_its_order_or_its_filter(reader: Client, query: str) -> None:
    for path in ("/orders/", "/orders/filters/", "/orders/export/"):
        response = reader.generic("POST" if "export" in path else "GET", f"{path}?{query}")
        assert response.status_code == 403, path
        assert "Only managers and owners may see prices, charges and the balance." in response.content.decode()
    for query in ("sort=rate", "rate=7000"):
        assert reader.get(f"/services/?{query}").status_code == 403


def test_a_form_does_not_offer_what_it_would_refuse(reader: Client) -> None:
    for path in ("/orders/filters/", "/orders/columns/", "/services/", "/orders/"):
        page = reader.get(path).content.decode()
        for tells in ("dearest", "cheapest", 'name="least"', 'name="rate"', "Cheapest", "col-charge", "c-charge"):
            assert tells not in page, path


def test_a_job_is_not_picked_by_charge() -> None:
    fill_with_money()
    switch(operator_money=False)
    client = as_a(Role.OPERATOR)
    asked = {"which": "all", "match": "least=7000", "kind": "refill"}
    assert client.post("/orders/bulks/new/", asked).status_code == 403
    assert client.get("/orders/bulks/matching/?least=7000").status_code == 403


def test_one_sentence_says_that_amounts_are_left_out(reader: Client) -> None:
    pk = Order.objects.latest("pk").pk
    for path in ("/orders/", f"/orders/{pk}/", "/services/"):
        page = reader.get(path).content.decode()
        assert page.count("Only managers and owners may see prices, charges and the balance.") == 1, path


def test_an_order_is_placed_by_who_sees_no_price_and_its_price_is_locked_all_the_same() -> None:
    """What the form carries says nothing of the rate, and a rate that moved meanwhile is noticed."""
    service = make_service(rate=AMOUNT)
    switch(operator_money=False)
    client = as_user(make_user(Role.OPERATOR))

    def filled() -> dict[str, str]:
        page = client.get(f"/orders/new/?service={service.upstream_id}").content.decode()
        assert not TELLS.search(page)
        token = re.search(r'name="token" value="([^"]+)"', page)
        seen = re.findall(r'name="seen" value="([^"]+)"', page)
        assert token and seen
        return {"service": str(service.upstream_id), "link": "https://instagram.com/lumen.studio", "quantity": "1000",
                "token": token[1], "seen": seen[-1].replace("&#34;", '"').replace("&quot;", '"')}  # fmt: skip

    asked = filled()
    service.__class__.objects.update(rate=AMOUNT + 1)
    refused = client.post("/orders/new/", asked)
    assert refused.status_code == 422 and not TELLS.search(told(refused))
    placed = client.post("/orders/new/", filled())
    assert placed.status_code == 302
    order = Order.objects.get()
    assert order.rate_seen == AMOUNT + 1
    assert order.events.get(kind="placed").facts["rate"] == "$7,320.51", "the record has the amount for who may see it"
