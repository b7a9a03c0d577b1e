"""Who asked for an order reminds those who may approve it, once an hour; they find it where notes to them stand."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from orders.approvals.decide import decline
from orders.approvals.remind import remind
from orders.models import Event, Mention, Note, Order
from orders.rules.refusal import Refusal
from tests.makers import make_service, make_user, place_order
from tests.orders.limits.desk_limits import set_limits
from tests.people import as_user

pytestmark = pytest.mark.django_db
PAGE = "/orders/approvals/"


@pytest.fixture
def mira() -> User:
    return make_user(Role.MANAGER, name="Mira")


@pytest.fixture
def asked(mira: User) -> Order:
    """Tomás asked for it; Mira may approve it, and Ana may not."""
    set_limits(operator_approve_from="1")
    make_user(name="Ana")
    return place_order(by=make_user(name="Tomás"), service=make_service(rate=Decimal(1)), quantity=5000, ask=True)


def press(order: Order, by: User) -> str:
    """The page after a press of the button."""
    address = f"/orders/{order.pk}/approval/reminders/"
    return as_user(by).post(address, follow=True, HTTP_REFERER=f"http://testserver{PAGE}").content.decode()


def test_who_may_approve_finds_it_in_the_rail_and_in_since_you_left(asked: Order, mira: User) -> None:
    count = 'Notes to me<span class="n">1<span'
    assert count not in as_user(mira).get("/activity/").content.decode()
    assert "Remind them" in as_user(asked.placed_by).get(PAGE).content.decode()
    assert "Remind them" in as_user(asked.placed_by).get(f"/orders/{asked.pk}/").content.decode()
    assert "Remind them" not in as_user(mira).get(PAGE).content.decode()
    assert f"Everybody who may approve order {asked.pk} finds a note" in press(asked, asked.placed_by)
    called = set(Mention.objects.filter(note__order=asked).values_list("user__name", flat=True))
    assert "Mira" in called and not {"Tomás", "Ana"} & called
    assert count in as_user(mira).get("/activity/").content.decode()
    for address in ("/activity/since/", "/mentions/"):
        assert "This order waits for approval. It expires at" in as_user(mira).get(address).content.decode()
    line = Event.objects.get(kind="reminded")
    assert (line.by, line.order_id) == (asked.placed_by, asked.pk)
    assert line.sentence.plain.startswith("Tomás reminded ")
    assert line.sentence.plain.endswith("Mira that it waits for approval.")


def test_once_an_hour(asked: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    remind(asked, by=asked.placed_by)
    assert "You reminded them at" in press(asked, asked.placed_by)
    assert Note.objects.count() == 1
    later = timezone.now() + timedelta(minutes=61)
    monkeypatch.setattr("orders.approvals.remind.timezone.now", lambda: later)
    remind(asked, by=asked.placed_by)
    assert Note.objects.count() == 2


def test_only_who_asked_and_only_while_it_waits(asked: Order, mira: User) -> None:
    with pytest.raises(Refusal, match="Only the person who asked"):
        remind(asked, by=mira)
    assert as_user(make_user(Role.VIEWER)).post(f"/orders/{asked.pk}/approval/reminders/").status_code == 403
    decline(asked, "No.", by=mira)
    with pytest.raises(Refusal, match="Mira declined it at"):
        remind(asked, by=asked.placed_by)
    User.objects.exclude(pk=asked.placed_by_id).update(role=Role.OPERATOR)
    other = place_order(by=asked.placed_by, service=asked.service, quantity=5000, ask=True, link="https://t.me/b")
    with pytest.raises(Refusal, match="Nobody else may approve orders"):
        remind(other, by=asked.placed_by)
    assert not Note.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_presses_at_once_remind_once(asked: Order) -> None:
    def pressing(_: int) -> str:
        try:
            remind(asked, by=asked.placed_by)
        except Refusal as refusal:
            return str(refusal)
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(pressing, range(6)))
    assert said.count("") == 1
    assert Note.objects.count() == Event.objects.filter(kind="reminded").count() == 1
