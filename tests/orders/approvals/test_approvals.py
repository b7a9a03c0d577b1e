"""Four eyes: an order above a limit is sent only when a second person has approved exactly the price that they saw."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from catalog.models import Service
from orders.aftersale.ask import ask
from orders.aftersale.withdraw import withdraw
from orders.answers.texts import Texts
from orders.approvals import page as approvals_page
from orders.approvals.current_terms import terms_of
from orders.approvals.decide import approve, decline, lapse
from orders.models import Approval, Order, Spent, Task
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm
from panel.notpanel.client import Client as Supplier
from tests.accounts.roles.switched import switch
from tests.makers import make_service, make_user, place_order, reloaded
from tests.orders.limits.desk_limits import own, set_limits, sums, sums_of_orders
from tests.people import as_user

pytestmark = pytest.mark.django_db
PAGE = "/orders/approvals/"


@pytest.fixture
def service() -> Service:
    return make_service(rate=Decimal(1), maximum=1_000_000)


@pytest.fixture
def tomas() -> User:
    return make_user(name="Tomás")


@pytest.fixture
def mira() -> User:
    return make_user(Role.MANAGER, name="Mira")


@pytest.fixture
def asked(service: Service, tomas: User) -> Order:
    """An order of $34.00 that waits, as $25.00 and more do."""
    set_limits(operator_approve_from="25", manager_approve_from="25", owner_approve_from="25")
    return place_order(by=tomas, service=service, quantity=34_000, ask=True, reason="They paid in advance.")


def mark(order: Order) -> str:
    """What the page of approvals carries now for this order."""
    return terms_of(Order.objects.select_related("service__held_over").get(pk=order.pk)).mark


def test_from_the_sum_on_it_is_refused_without_asking_and_waits_when_asked(service: Service, asked: Order) -> None:
    with pytest.raises(Refusal, match=r"It costs \$25\.00\. From \$25\.00 on, a second person approves"):
        place_order(by=asked.placed_by, service=service, quantity=25_000)
    assert reloaded(asked).status == Status.APPROVAL
    assert not Task.objects.exists()
    assert sums(asked.placed_by_id) == (0, 34)


def test_a_worker_finds_nothing_to_send_until_it_is_approved(asked: Order, mira: User, phone: Supplier) -> None:
    later = timezone.now() + timedelta(days=1)
    assert not submit_one(phone, later)
    approve(asked, mark(asked), by=mira)
    order = reloaded(asked)
    assert order.status == Status.QUEUED
    assert order.placing_task and order.placing_task.due_at
    assert order.request_id == asked.request_id
    assert sums(order.placed_by_id) == (34, 0)
    assert order.events.filter(kind="approved").get().sentence.plain == "Mira approved it for $34.00. It is queued."


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.MANAGER, Role.OWNER])
def test_who_asked_does_not_decide_whatever_their_role(service: Service, role: Role) -> None:
    set_limits(**{f"{role}_approve_from": "1"})
    person = make_user(role)
    order = place_order(by=person, service=service, ask=True)
    client = as_user(person)
    for address, sent in (("approval", {"seen": mark(order)}), ("approval/refusal", {"reason": "No."})):
        answer = client.post(f"/orders/{order.pk}/{address}/", sent, follow=True)
        assert answer.status_code in (200, 403)
    assert reloaded(order).status == Status.APPROVAL
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.update(outcome="approved", decided_by=person, decided_at=timezone.now())
    withdraw(reloaded(order), by=person)
    assert reloaded(order).label == "Withdrawn"


def test_a_right_that_ended_meanwhile_is_a_403(asked: Order, mira: User) -> None:
    client = as_user(mira)
    assert client.get(PAGE).status_code == 200
    User.objects.filter(pk=mira.pk).update(role=Role.OPERATOR)
    assert client.post(f"/orders/{asked.pk}/approval/", {"seen": mark(asked)}).status_code == 403
    assert client.post(f"/orders/{asked.pk}/approval/refusal/", {"reason": "No."}).status_code == 403
    assert reloaded(asked).status == Status.APPROVAL


def test_a_price_that_rose_comes_back_with_the_new_one(asked: Order, mira: User, service: Service) -> None:
    client = as_user(mira)
    assert "Approve for $34.00" in " ".join(client.get(PAGE).content.decode().split())
    seen = mark(asked)
    Service.objects.update(rate=Decimal("1.5"))
    page = client.post(
        f"/orders/{asked.pk}/approval/", {"seen": seen}, follow=True, HTTP_REFERER=f"http://testserver{PAGE}"
    )
    text = page.content.decode()
    assert "have moved since you looked. Nothing was sent." in text
    assert "$51.00" in text and "$34.00" in text
    assert reloaded(asked).status == Status.APPROVAL
    approve(asked, mark(asked), by=mira)
    order = reloaded(asked)
    assert order.expected_charge == 51
    assert order.rate_seen == Decimal("1.5")
    assert sums(order.placed_by_id) == (51, 0)


def test_a_service_that_is_gone_or_on_hold_is_decided_again(asked: Order, mira: User, service: Service) -> None:
    seen = mark(asked)
    service.held_over = service.changes.create(
        moved={"rate": ["0.5", "1"]}, at=timezone.now(), decision="held", decided_at=timezone.now(), decided_by=mira
    )
    service.save(update_fields=["held_over"])
    with pytest.raises(Refusal, match="Mira put its service on hold"):
        approve(asked, seen, by=mira)
    assert "although it is in doubt" in as_user(mira).get(PAGE).content.decode()
    Service.objects.update(active=False)
    with pytest.raises(Refusal, match="no longer sells service"):
        approve(asked, mark(asked), by=mira)
    assert reloaded(asked).status == Status.APPROVAL


def test_declining_needs_a_reason_which_the_asker_reads(asked: Order, mira: User) -> None:
    client = as_user(mira)
    answer = client.post(f"/orders/{asked.pk}/approval/refusal/", {"reason": " "}, follow=True)
    assert "Write why you decline it. Tomás reads it." in answer.content.decode()
    client.post(f"/orders/{asked.pk}/approval/refusal/", {"reason": "4655 <still> runs."})
    order = reloaded(asked)
    assert (order.status, order.label) == (Status.REJECTED, "Declined")
    assert sums(order.placed_by_id) == (0, 0)
    asker = as_user(asked.placed_by)
    for address in (f"/orders/{asked.pk}/", "/orders/"):
        assert "4655 &lt;still&gt; runs." in asker.get(address).content.decode()
    words = Texts.load("").answer(order)
    assert "supplier" not in str(words).lower()
    assert "could not be placed" in str(words)


def test_it_expires_when_nobody_decides_and_says_so(asked: Order, mira: User) -> None:
    assert lapse(timezone.now() + timedelta(minutes=119)) == 0
    assert lapse(timezone.now() + timedelta(minutes=121)) == 1
    assert lapse(timezone.now() + timedelta(minutes=121)) == 0
    order = reloaded(asked)
    assert order.label == "Expired"
    assert sums(order.placed_by_id) == (0, 0)
    assert order.events.get(kind="expired").sentence.plain == (
        "It expired: nobody decided within 2 hours. Nothing was sent."
    )
    with pytest.raises(Refusal, match="It expired at"):
        approve(asked, mark(asked), by=mira)
    assert "nobody decided in time" in as_user(asked.placed_by).get(f"/orders/{asked.pk}/").content.decode()


def test_over_the_days_limit_the_approver_takes_it_on(service: Service, tomas: User, mira: User) -> None:
    own(tomas, day="40")
    place_order(by=tomas, service=service, quantity=38_200)
    order = place_order(by=tomas, service=service, quantity=34_000, ask=True)
    assert sums(tomas.pk) == (Decimal("38.2"), 34)
    approve(order, mark(order), by=mira)
    assert sums(tomas.pk) == (Decimal("72.2"), 0)
    with pytest.raises(Refusal, match=r"\$0\.00 of \$40\.00 left"):
        place_order(by=tomas, service=service, quantity=50)


def test_the_teams_limit_holds_for_approvals_too(asked: Order, mira: User) -> None:
    set_limits(team_day_limit="34")
    Service.objects.update(rate=Decimal("1.1"))
    with pytest.raises(Refusal, match=r"the team has \$34\.00 of \$34\.00 left today"):
        approve(asked, mark(asked), by=mira)
    assert reloaded(asked).status == Status.APPROVAL
    assert sums(0) == (0, 34)


def test_a_cancel_of_what_waits_withdraws_it(asked: Order) -> None:
    assert ask(reloaded(asked), "cancel", by=asked.placed_by) is None
    assert reloaded(asked).label == "Withdrawn"
    assert Approval.objects.get().outcome == "withdrawn"


def test_an_approved_order_can_be_undone_as_usual(asked: Order, mira: User) -> None:
    approve(asked, mark(asked), by=mira)
    withdraw(reloaded(asked), by=asked.placed_by)
    assert reloaded(asked).label == "Withdrawn"
    assert sums(asked.placed_by_id) == (0, 0)


def test_the_page_is_204_while_it_shows_the_same(asked: Order, mira: User) -> None:
    client = as_user(mira)
    page = client.get(PAGE)
    version = page.content.decode().split('id="approvals" data-v="')[1].split('"')[0]
    bar = page.content.decode().split('data-version="')[1].split('"')[0]
    poll = {"v": version, "bar": bar}
    assert client.get(PAGE, poll, HTTP_HX_REQUEST="true").status_code == 204
    decline(asked, "No.", by=mira)
    answer = client.get(PAGE, poll, HTTP_HX_REQUEST="true")
    assert "Nothing waits for approval" in answer.content.decode()
    for state in ("approved", "declined", "expired", "nonsense"):
        assert client.get(f"{PAGE}?state={state}&before=9999999").status_code == 200
    assert "declined it" in client.get(f"{PAGE}?state=declined").content.decode()


@pytest.mark.parametrize("person", [Role.VIEWER, Role.OPERATOR])
def test_who_may_not_approve_sees_no_buttons(asked: Order, mira: User, person: Role) -> None:
    page = as_user(make_user(person)).get(PAGE).content.decode()
    assert "Others decide about this." in page and "Mira" in page
    assert "Approve" not in page.split('id="approvals"')[1]


def test_sums_are_left_out_for_who_does_not_see_money(asked: Order) -> None:
    switch(operator_money=False)
    page = as_user(make_user(Role.OPERATOR)).get(PAGE).content.decode().split('id="approvals"')[1].split("</main>")[0]
    assert "$" not in page
    assert "Sums are hidden" in page


def test_what_was_decided_stands_newest_first_and_goes_on_with_the_older(
    service: Service, mira: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals_page, "ENDED_SHOWN", 2)
    set_limits(operator_approve_from="1")
    orders = [place_order(by=make_user(), service=service, ask=True) for _ in range(3)]
    for order in orders:
        decline(order, "Too dear.", by=mira)
    first = approvals_page.page_context(mira, "declined", 0)
    assert [approval.pk for approval in first["ended"]] == [orders[2].pk, orders[1].pk]
    rest = approvals_page.page_context(mira, "declined", first["more"])
    assert [approval.pk for approval in rest["ended"]] == [orders[0].pk]


# ── Two at once ──────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_and_decline_at_once_one_wins_and_the_other_is_told(service: Service) -> None:
    set_limits(operator_approve_from="1")
    mira, olivia = make_user(Role.MANAGER), make_user(Role.OWNER)
    for _ in range(12):
        order = place_order(by=make_user(), service=service, ask=True)
        seen, ready = mark(order), Barrier(3)

        def press(number: int, order: Order = order, seen: str = seen, ready: Barrier = ready) -> str:
            try:
                ready.wait(10)
                if number == 0:
                    approve(order, seen, by=mira)
                elif number == 1:
                    decline(order, "No.", by=olivia)
                else:
                    withdraw(order, by=order.placed_by)
            except Refusal as refusal:
                return str(refusal)
            finally:
                connections.close_all()
            return ""

        with ThreadPoolExecutor(3) as pool:
            said = list(pool.map(press, range(3)))
        order = reloaded(order)
        # An approved order may be withdrawn a moment later; nothing else follows anything.
        assert said.count("") == 1 or (said[0] == said[2] == "" and order.label == "Withdrawn"), said
        assert Order.objects.filter(pk=order.pk, status__in=(Status.QUEUED, Status.REJECTED)).exists()
        assert order.tasks.count() == 1
        assert sums(0) == sums_of_orders(0)


# ── What it costs ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (Approval.objects.filter(decided_at=None).order_by("expires_at", "pk"), "approval_waits"),
        (Approval.objects.filter(outcome="approved", order__lt=9).order_by("-pk"), "approval_by_outcome"),
        (Spent.objects.filter(day="2026-11-30", who__in=[0, 7]), "orders_spent_1"),  # the constraint’s own
        (Spent.objects.filter(who=7, day__gte="2026-11-30").order_by("-day"), "(who="),
        (Order.objects.filter(target="instagram.com/a").exclude(pk=1).order_by("-pk"), "order_target"),
    ],
)
def test_each_list_has_an_index(rows: QuerySet[Any], index: str) -> None:
    if connection.vendor == "sqlite":
        assert index in rows.explain()


def test_the_page_costs_a_few_statements_for_each_order_that_waits(asked: Order, mira: User, service: Service) -> None:
    client = as_user(mira)

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PAGE).status_code == 200
        return len(queries)

    one = statements()
    place_order(by=asked.placed_by, service=service, quantity=25_000, ask=True, link="https://instagram.com/other")
    assert statements() <= one + 2, "its orders to the same target"


def test_what_waits_for_approval_counts_against_the_day(asked: Order, service: Service) -> None:
    own(asked.placed_by, day="40")
    with pytest.raises(Refusal, match=r"you have \$6\.00 of \$40\.00 left today"):
        place_order(by=asked.placed_by, service=service, quantity=10_000)


# ── Who is told ──────────────────────────────────────────────────────────────────────────────────
def test_who_may_approve_is_told_in_the_rail_and_by_an_alarm(asked: Order, mira: User) -> None:
    words = "need a look or approval: </span>1</span>"
    assert words in as_user(mira).get("/orders/").content.decode()
    assert words not in as_user(asked.placed_by).get("/orders/").content.decode()
    evaluate(timezone.now())
    alarm = Alarm.objects.get(kind="approvals")
    assert alarm.sentence == f"1 order waits for approval: {asked.pk}."
    decline(asked, "No.", by=mira)
    evaluate(timezone.now())
    alarm.refresh_from_db()
    assert alarm.ended_at
