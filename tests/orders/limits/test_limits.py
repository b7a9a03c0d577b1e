"""What a person and the team may spend: refused above it, never overspent, and given back exactly once."""

import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.desk_settings import held, stored
from accounts.models import DoorEvent, SettingChange, User
from accounts.settings_form import SettingsForm
from catalog.models import Service
from orders.aftersale.withdraw import withdraw
from orders.approvals.current_terms import terms_of
from orders.approvals.decide import approve, decline, lapse
from orders.limits.check import limits_of
from orders.limits.day import desk_day, next_day
from orders.limits.spent import TRIGGERS
from orders.models import Approval, Order, Spent, Task
from orders.placing.review import close, put_in_review
from orders.placing.submit import reject
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from orders.statistics.triggers import install
from panel.notpanel.errors import Refused
from tests.makers import make_service, make_user, place_order
from tests.orders.limits.desk_limits import own, set_limits, sums, sums_of_orders
from tests.people import as_user

pytestmark = pytest.mark.django_db
RATE = Decimal(1)  # a thousand cost a dollar
PRESSES, AT_ONCE = 200, 12
STEPS = ("place", "place", "place", "withdraw", "refuse", "approve", "approve", "decline", "lapse", "price", "review")


@pytest.fixture
def service() -> Service:
    return make_service(rate=RATE, maximum=1_000_000)


@pytest.fixture
def ana() -> User:
    return make_user(name="Ana")


# ── What is refused, and what is said ────────────────────────────────────────────────────────────
def test_an_order_above_the_limit_for_one_is_refused_with_the_sums(service: Service, ana: User) -> None:
    set_limits(operator_order_limit="2")
    place_order(by=ana, service=service, quantity=2000)
    with pytest.raises(Refusal, match=r"\$2\.01, above your limit of \$2\.00 for one order\. Ask for approval"):
        place_order(by=ana, service=service, quantity=2010)
    assert Order.objects.count() == 1
    assert sums(ana.pk) == (2, 0)


def test_a_person_has_so_much_a_day_and_their_own_limit_goes_before_the_roles(service: Service, ana: User) -> None:
    set_limits(operator_day_limit="3")
    place_order(by=ana, service=service, quantity=2000)
    with pytest.raises(Refusal, match=r"you have \$1\.00 of \$3\.00 left today"):
        place_order(by=ana, service=service, quantity=1001)
    place_order(by=own(ana, day="4"), service=service, quantity=2000)
    place_order(by=own(ana, day=""), service=service, quantity=900_000)
    place_order(by=make_user(Role.MANAGER), service=service, quantity=900_000)


def test_the_teams_limit_holds_for_everybody_and_no_approval_lifts_it(service: Service, ana: User) -> None:
    set_limits(team_day_limit="3")
    place_order(by=make_user(Role.OWNER), service=service, quantity=2500)
    with pytest.raises(Refusal, match=r"the team has \$0\.50 of \$3\.00 left today\. An owner can raise it"):
        place_order(by=ana, service=service, quantity=1000, ask=True)
    assert sums(0) == (Decimal("2.5"), 0)
    set_limits(team_day_limit="4")
    place_order(by=ana, service=service, quantity=1000)


@pytest.mark.parametrize(("limit", "passes"), [("1", True), ("0.99", False), ("0", False)])
def test_a_service_on_hold_takes_so_much(service: Service, ana: User, limit: str, passes: bool) -> None:
    set_limits(held_limit=limit)
    change = service.changes.create(moved={"rate": ["0.5", "1"]}, at=timezone.now(), decision="held",
                                    decided_at=timezone.now(), decided_by=make_user(Role.MANAGER))  # fmt: skip
    service.held_over = change
    service.save(update_fields=["held_over"])
    if passes:
        place_order(by=ana, service=service, despite_hold=True)
        return
    with pytest.raises(Refusal, match="an order of a service on hold may cost"):
        place_order(by=ana, service=service, despite_hold=True, ask=True)


def test_who_does_not_see_money_is_told_without_sums(
    service: Service, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits(operator_day_limit="0.5")
    monkeypatch.setattr("orders.limits.check.may", lambda _person, what: what != "money")
    with pytest.raises(Refusal) as refusal:
        place_order(by=ana, service=service)
    assert "$" not in str(refusal.value)
    assert "more than you have left today. Ask for approval" in str(refusal.value)


# ── The day ──────────────────────────────────────────────────────────────────────────────────────
def test_the_day_is_the_desks_in_the_zone_that_owners_set(service: Service, ana: User) -> None:
    late = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)
    assert desk_day(late).day == 29
    assert next_day(late) == datetime(2026, 11, 30, tzinfo=UTC)
    set_limits(day_zone="Asia/Tokyo")
    assert desk_day(late).day == 30
    assert next_day(late) == datetime(2026, 11, 30, 15, tzinfo=UTC)


def test_what_was_spent_yesterday_does_not_count_today(service: Service, ana: User) -> None:
    set_limits(operator_day_limit="1")
    order = place_order(by=ana, service=service)
    Order.objects.filter(pk=order.pk).update(counts_on=desk_day(timezone.now()) - timedelta(days=1))
    assert sums(ana.pk) == (0, 0)
    place_order(by=ana, service=service)


# ── Given back, once ─────────────────────────────────────────────────────────────────────────────
def test_what_is_withdrawn_or_refused_comes_back_once_and_what_upstream_gives_back_does_not(
    service: Service, ana: User
) -> None:
    set_limits(operator_day_limit="1")
    withdraw(place_order(by=ana, service=service), by=ana)
    assert sums(ana.pk) == (0, 0)
    order = place_order(by=ana, service=service)
    for _ in range(2):
        Order.objects.filter(pk=order.pk).change(status=Status.REJECTED)
    assert sums(ana.pk) == sums(0) == (0, 0)
    order = place_order(by=ana, service=service)
    Order.objects.filter(pk=order.pk).change(status=Status.PARTIAL, charge=Decimal("0.1"))
    assert sums(ana.pk) == (1, 0)
    Order.objects.filter(pk=order.pk).change(status=Status.CANCELLED, charge=Decimal(0))
    assert sums(ana.pk) == (1, 0)


@pytest.mark.parametrize("seed", range(8))
def test_the_sums_are_those_of_the_orders_whatever_happens(service: Service, seed: int) -> None:
    dice = random.Random(seed)
    set_limits(operator_day_limit="6", operator_order_limit="4", operator_approve_from="3", team_day_limit="25")
    people, manager = [make_user(), make_user(), make_user(Role.MANAGER)], make_user(Role.MANAGER)
    for _ in range(40):
        step(dice, people, manager, service)
        for who in (0, *(person.pk for person in people)):
            assert sums(who) == sums_of_orders(who)
        assert sum(sums(0)) <= 25
    install_anew()
    assert sums(0) == sums_of_orders(0)


def step(dice: random.Random, people: list[User], manager: User, service: Service) -> None:
    """One thing that happens to some order, or one more order."""
    order = Order.objects.select_related("service", "placed_by").order_by("?").first()
    what = dice.choice(STEPS)
    try:
        if what == "place" or order is None:
            place_order(
                by=dice.choice(people), service=service, quantity=dice.randint(50, 4500), ask=dice.random() < 0.6
            )
        elif what == "withdraw":
            withdraw(Order.objects.for_table().get(pk=order.pk), by=manager)
        elif what == "refuse" and (task := order.tasks.filter(kind="place", settled_at=None).first()):
            task.claimed_until = task.due_at
            reject(task, Refused("no"), timezone.now())
        elif what == "approve":
            approve(order, terms_of(Order.objects.get(pk=order.pk)).mark, by=manager)
        elif what == "decline":
            decline(order, "No.", by=manager)
        elif what == "lapse":
            Approval.objects.filter(order=order).update(expires_at=timezone.now())
            lapse(timezone.now())
        elif what == "price":
            Service.objects.update(rate=dice.choice([Decimal("0.9"), Decimal(1), Decimal("1.234567")]))
            service.refresh_from_db()
        elif what == "review" and (task := order.tasks.filter(kind="place", settled_at=None).first()):
            put_in_review([task], "nobody knows.", at=timezone.now())
            close(Order.objects.for_table().get(pk=order.pk), "Looked.", by=manager)
    except Refusal:
        pass


def install_anew() -> None:
    """As after a migration that lost the triggers: the sums are made anew."""
    drop_triggers()
    install(TRIGGERS)


def drop_triggers() -> None:
    table = " ON orders_order" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in ("orders_spent_new", "orders_spent_moved"):
            cursor.execute(f"DROP TRIGGER {name}{table}")


# ── What it costs ────────────────────────────────────────────────────────────────────────────────
def statements(person: User, service: Service) -> int:
    with held(stored()), CaptureQueriesContext(connection) as asked:
        place_order(by=person, service=service)
    return len(asked)


def test_without_limits_nothing_more_is_asked_and_with_them_one_statement(service: Service, ana: User) -> None:
    place_order(by=ana, service=service)
    without = statements(ana, service)
    assert statements(own(ana, order="50"), service) == without, "the limit for one order needs no sum"
    assert statements(own(ana, day="50"), service) == without + 1


# ── At once ──────────────────────────────────────────────────────────────────────────────────────
def press(person: User, service: Service) -> str:
    """One press, on a connection of its own; "" when the order was placed, else what was said."""
    try:
        place_order(by=person, service=service, quantity=1000, link=f"https://instagram.com/{uuid.uuid4().hex}")
    except Refusal as refusal:
        return str(refusal)
    return ""


def at_once(people: list[User], service: Service) -> Iterator[str]:
    def pressing(number: int) -> str:
        try:
            return press(people[number % len(people)], service)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(pressing, range(PRESSES))


@pytest.mark.django_db(transaction=True)
def test_200_presses_at_once_by_one_person_near_the_limit_never_overspend(service: Service, ana: User) -> None:
    own(ana, day="7.5")
    said = list(at_once([ana], service))
    assert said.count("") == 7
    assert all("left today" in words for words in said if words)
    assert Order.objects.count() == 7
    assert sums(ana.pk) == sums_of_orders(ana.pk) == (7, 0)


@pytest.mark.django_db(transaction=True)
def test_200_presses_at_once_by_many_people_never_overspend_what_the_team_has(service: Service) -> None:
    set_limits(team_day_limit="11.2")
    people = [make_user() for _ in range(AT_ONCE)]
    said = list(at_once(people, service))
    assert said.count("") == 11
    assert sums(0) == sums_of_orders(0) == (11, 0)


# ── The pages ────────────────────────────────────────────────────────────────────────────────────
def desk_form(**typed: str) -> dict[str, str]:
    """What the page of limits would send."""
    form = SettingsForm(chosen=stored(), by=make_user(Role.OWNER), page="limits")
    fields = {name: str(form[name].value() or "") for name in form.settings}
    return {**fields, **{f"saw_{name}": text for name, text in form.stored.items()}, **typed}


def test_owners_set_limits_of_roles_and_the_change_is_recorded(ana: User) -> None:
    client = as_user(make_user(Role.OWNER))
    sent = desk_form(operator_day_limit="40", operator_approve_from="$25", day_zone="Europe/Berlin")
    assert client.post("/team/limits/", sent).status_code == 302
    assert [*limits_of(ana)[:3]] == [None, 40, 25]
    assert {change.name for change in SettingChange.objects.all()} == {
        "operator_day_limit", "operator_approve_from", "day_zone",
    }  # fmt: skip
    assert "operator_day_limit" not in client.get("/upstream/settings/").content.decode()
    page = client.post("/team/limits/", desk_form(team_day_limit="lots", day_zone="Nowhere/Else"))
    assert page.status_code == 422
    assert "lots" in page.content.decode()
    assert limits_of(ana).team is None


def test_owners_set_a_persons_own_limits_and_it_is_recorded(ana: User) -> None:
    client, address = as_user(make_user(Role.OWNER)), f"/team/{ana.pk}/limits/"
    sent = {"order": "own", "order_sum": "10", "day": "none", "day_sum": ""}
    assert client.post(address, sent).status_code == 302
    ana.refresh_from_db()
    assert ana.limits == {"order": "10", "day": ""}
    assert DoorEvent.objects.get(kind="limits_set").facts == {
        "was": "as the role", "now": "one order $10.00, a day no limit",
    }  # fmt: skip
    assert client.post(address, sent).status_code == 302
    assert DoorEvent.objects.filter(kind="limits_set").count() == 1, "nothing changed"
    page = client.post(address, {**sent, "order_sum": "-3"})
    assert page.status_code == 422
    assert client.post(address, {**sent, "order_sum": ""}).status_code == 422
    assert "Write the sum" in client.post(address, {**sent, "order_sum": ""}).content.decode()
    assert client.post(address, {"order": "role", "day": "role"}).status_code == 302
    ana.refresh_from_db()
    assert ana.limits == {}


def test_the_limits_are_seen_in_the_receipt_before_the_wall_is_hit(service: Service, ana: User) -> None:
    set_limits(operator_day_limit="3", team_day_limit="4")
    place_order(by=ana, service=service, quantity=1200)
    client, form = as_user(ana), {"service": str(service.upstream_id), "link": "https://instagram.com/a"}
    page = client.post("/orders/new/receipt/", {**form, "quantity": "1000"}).content.decode()
    assert "$1.80</b> of $3.00" in page
    assert "$0.80" in page, "what this order would leave"
    assert "The team has left" not in page
    assert "Ask for approval" not in page
    page = client.post("/orders/new/receipt/", {**form, "quantity": "2500"}).content.decode()
    assert "you have $1.80 of $3.00 left today. Ask for approval" in page
    assert "You can order up to 1,800 yourself" in page
    assert "$2.80</b> of $4.00" in page, "the team is near its limit"
    assert 'name="ask" value="1"' in page
    page = client.post("/orders/new/receipt/", {**form, "quantity": "3000"}).content.decode()
    assert "the team has $2.80 of $4.00 left today. An owner can raise it." in page
    assert 'name="ask"' not in page, "nobody may let it pass"


def test_the_receipt_of_a_person_without_limits_says_nothing_of_them(service: Service, ana: User) -> None:
    form = {"service": str(service.upstream_id), "link": "https://instagram.com/a", "quantity": "1000"}
    assert "left today" not in as_user(ana).post("/orders/new/receipt/", form).content.decode()


def test_the_form_keeps_what_was_typed_and_offers_to_ask(service: Service, ana: User) -> None:
    set_limits(operator_day_limit="0.5")
    client, link = as_user(ana), "https://instagram.com/a"
    form = {"service": str(service.upstream_id), "link": link, "quantity": "1000", "token": str(uuid.uuid4()),
            "seen": service.as_seen, "reason": "They <b>paid</b>."}  # fmt: skip
    page = client.post("/orders/new/", form)
    text = page.content.decode()
    assert page.status_code == 422
    assert link in text and "They &lt;b&gt;paid" in text
    assert "Ask for approval" in text
    assert not Order.objects.exists()
    answer = client.post("/orders/new/", {**form, "ask": "1"}, follow=True)
    order = Order.objects.get()
    assert order.status == Status.APPROVAL
    assert not Task.objects.exists(), "nothing that a worker could send"
    assert "waits for approval: a second person decides" in answer.content.decode()
    assert client.post("/orders/new/", {**form, "ask": "1"}).status_code == 302, "F5"
    assert Order.objects.count() == 1
    assert Spent.objects.get(who=ana.pk).waiting == 1_000_000


def test_nothing_is_ordered_that_no_trigger_counts(service: Service, ana: User) -> None:
    own(ana, day="40")
    drop_triggers()
    with pytest.raises(Refusal, match="cannot be counted"):
        place_order(by=ana, service=service)
    install(TRIGGERS)
    place_order(by=ana, service=service)
