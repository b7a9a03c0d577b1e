"""The page of one order: what stands where, what is folded, and that it claims no more than is known."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.access import Role
from accounts.models import BalanceReading
from orders.models import Attempt, Order, Sending, Task
from orders.placing.funding import BALANCE_LAG
from orders.rules.statuses import Status
from panel.ops.database import ONLY_ROW
from panel.upstream.models import Beat, Upstream
from tests.makers import make_order, make_service, make_user, place_order
from tests.people import as_a, htmx

pytestmark = pytest.mark.django_db
Outcome = Task.Outcome
HOUR = timedelta(hours=1)


def page_of(order: Order, role: Role = Role.OPERATOR) -> str:
    return str(as_a(role).get(f"/orders/{order.pk}/").content.decode())


def panels(page: str) -> list[str]:
    return re.findall(r'<h2 id="([a-z]+)"', page)


# ── What stands where ────────────────────────────────────────────────────────────────────────────
def test_the_words_for_the_customer_come_first_and_the_proof_last() -> None:
    order = make_order(Status.IN_PROGRESS)
    Attempt.objects.create(task=order.tasks.get(), began_at=timezone.now(), ending="placed", said='{"order": "ord_1"}')
    assert panels(page_of(order)) == ["words", "notes", "happened", "proof", "tries", "assigned"]


# ── Raw answers ──────────────────────────────────────────────────────────────────────────────────
def folds(page: str) -> dict[str, bool]:
    """Each folded answer by its id, and whether it is open."""
    return {
        id: " open" in rest for id, rest in re.findall(r'<details class="raw" id="([\w-]+)" hx-preserve([^>]*)>', page)
    }


def test_what_the_supplier_sent_is_folded_but_in_trouble() -> None:
    order = make_order(Status.IN_PROGRESS)
    calm = order.record("moved", was="Pending", to="In progress", said={"status": "in_progress"})
    trouble = order.record("cancel_refused", said='{"error": "Order cannot be cancelled"}')
    silent = order.record("moved", was="Pending", to="In progress")
    task = order.tasks.get()
    lost = Attempt.objects.create(task=task, began_at=timezone.now(), ending="unclear", said="<html>502</html>")
    taken = Attempt.objects.create(task=task, began_at=timezone.now(), ending="placed", said='{"order": "ord_1"}')
    page = page_of(order)
    assert folds(page) == {
        f"said-{calm.pk}": False, f"said-{trouble.pk}": True, f"try-{taken.pk}": False, f"try-{lost.pk}": True,
    }  # fmt: skip
    assert f"said-{silent.pk}" not in page
    activity = as_a(Role.VIEWER).get("/activity/?who=all").content.decode()
    assert folds(activity) == {}
    assert "Order cannot be cancelled" in activity


# ── The balance before and after ─────────────────────────────────────────────────────────────────
@pytest.fixture
def unclear() -> Order:
    """In review since an hour ago, after one try."""
    order, an_hour_ago = make_order(Status.REVIEW), timezone.now() - HOUR
    Attempt.objects.create(task=order.tasks.get(), began_at=an_hour_ago, ended_at=an_hour_ago, ending="unclear")
    return order


def reading(ago: timedelta, amount: str, currency: str = "USD") -> None:
    at = timezone.now() - ago
    BalanceReading.objects.create(amount=Decimal(amount), currency=currency, first_asked_at=at, asked_at=at)


def test_both_balances_always_stand_there_known_or_not(unclear: Order) -> None:
    page = page_of(unclear)
    assert "Balance before the first try" in page and "not known: it had not been read" in page
    assert "Balance after the last try" in page and "not read since; it comes by itself" in page
    assert "Without both, the balance tells nothing" in page
    reading(2 * HOUR, "7.50")
    page = page_of(unclear)
    assert "$7.50" in page and "not read since" in page
    assert "Spent, and not by other orders" not in page


def test_an_open_page_hears_of_the_balance_after_the_tries(unclear: Order) -> None:
    reading(2 * HOUR, "7.50")
    ana = as_a(Role.OPERATOR)

    def poll(version: str = "") -> tuple[int, str]:
        bar = re.search(r'id="bar" data-version="([^"]+)"', ana.get("/orders/").content.decode())
        answer = ana.get(f"/orders/{unclear.pk}/", {"v": version, "bar": bar[1] if bar else ""}, headers=htmx())
        shown = re.search(r'id="order" data-v="([^"]+)"', answer.content.decode())
        return answer.status_code, shown[1] if shown else version

    _, version = poll()
    assert poll(version) == (204, version)
    reading(HOUR - BALANCE_LAG / 2, "7.50")  # it may still be the balance from before the try
    assert poll(version) == (204, version)
    reading(HOUR / 2, "7.50")
    assert poll(version)[1] != version
    assert "Spent, and not by other orders" in page_of(unclear)


def test_two_currencies_are_shown_and_not_compared(unclear: Order) -> None:
    reading(2 * HOUR, "7.50")
    reading(HOUR / 2, "6.60", "EUR")
    page = page_of(unclear)
    assert "$7.50" in page and "in different currencies" in page
    assert "Spent, and not by other orders" not in page


def test_without_a_try_it_says_so() -> None:
    assert "there are no balances to compare" in page_of(make_order(Status.REVIEW))


# ── The proof ────────────────────────────────────────────────────────────────────────────────────
NAMED = {
    Outcome.DONE: "Answered", Outcome.REFUSED: "Answered", Outcome.REVIEW: "Asked no more since",
    Outcome.WITHDRAWN: "Withdrawn", Outcome.ADOPTED: "Adopted", Outcome.CLOSED: "Closed",
}  # fmt: skip
STATUSES = {Outcome.DONE: Status.PENDING, Outcome.REVIEW: Status.REVIEW, Outcome.ADOPTED: Status.QUEUED}


@pytest.mark.parametrize("outcome", NAMED)
def test_the_proof_names_the_end_by_what_it_was(outcome: str) -> None:
    known = {"upstream_id": "ord_found"} if outcome == Outcome.ADOPTED else {}
    order = make_order(STATUSES.get(Outcome(outcome), Status.REJECTED), **known)
    Task.objects.filter(order=order).update(outcome=outcome, settled_at=timezone.now(), due_at=None, attempts=1)
    page = page_of(order)
    proof = page[page.index('id="proof"') :].partition("</section>")[0]
    assert "ettled" not in proof
    assert f"<dt>{NAMED[Outcome(outcome)]}</dt>" in proof
    assert ("one order</span>" in proof) is (outcome == Outcome.DONE)


@pytest.mark.parametrize("facts", [{"missing_since": timezone.now()}, {"other_ids": "ord_2"}, {"left_out": 99}])
def test_the_proof_calls_nothing_one_order_that_is_in_doubt(facts: dict[str, object]) -> None:
    order = make_order(Status.IN_PROGRESS)
    Task.objects.filter(order=order).update(outcome=Outcome.DONE, settled_at=timezone.now(), due_at=None, attempts=1)
    assert "one order</span>" in page_of(order)
    Order.objects.filter(pk=order.pk).update(**facts)
    if "left_out" in facts:
        order.poll.delete()
    assert "one order</span>" not in page_of(order)


# ── One banner for one trouble ───────────────────────────────────────────────────────────────────
def banners(page: str) -> int:
    return page.count('class="banner ')


@pytest.fixture
def well() -> None:
    """A desk whose worker runs."""
    now = timezone.now()
    Beat.objects.create(name="here:1", started_at=now, beat_at=now)


def test_a_stop_by_the_desk_itself_and_its_reason_are_one_banner(well: None) -> None:
    now, order = timezone.now(), make_order(Status.COMPLETED)
    Upstream.objects.update_or_create(pk=ONLY_ROW, defaults={"trouble": "Account suspended.", "trouble_since": now})
    assert banners(page_of(order)) == 1
    Sending.objects.create(pk=ONLY_ROW, stopped_at=now, reason="Account suspended.")
    page = page_of(order)
    assert banners(page) == 1
    assert strip_tags(page).count("Account suspended.") == 1 and "by the desk itself" in page
    Sending.objects.update(stopped_by=make_user(Role.MANAGER), reason="Prices look wrong.")
    assert banners(page_of(order)) == 2, "two troubles"


def test_an_order_that_waits_for_money_says_so_once(well: None) -> None:
    service = make_service()
    order, other = place_order(service=service), place_order(service=service, link="https://instagram.com/other")
    Task.objects.filter(order=order).update(needs=Decimal("0.9"), attempts=1)
    page = page_of(order)
    assert banners(page) == 0 and "It waits for money" in page
    assert banners(page_of(other)) == 1
    Task.objects.filter(order=other).update(needs=Decimal("0.9"), attempts=1)
    assert banners(page_of(order)) == 1, "another one waits too"


def test_an_adopted_id_that_the_supplier_does_not_know_is_told_once(well: None) -> None:
    order = make_order(Status.QUEUED, upstream_id="ord_wrong")
    Task.objects.filter(order=order).update(outcome=Outcome.ADOPTED, settled_at=timezone.now(), due_at=None)
    Order.objects.filter(pk=order.pk).update(missing_since=timezone.now(), left_out=9)
    page = page_of(order, Role.MANAGER)
    assert banners(page) == 0
    assert page.count("says that it knows no such order") == 1
