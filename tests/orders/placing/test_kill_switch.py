"""All sending stops with one button, or by itself while upstream is not well; what waits goes on in its order."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.access import Role
from orders.following.poll import poll_once
from orders.models import Event, Sending, Task
from orders.placing import send_switch
from orders.placing.probe import probe
from orders.placing.send_switch import FAILURES_IN_A_ROW, PROBE_INTERVAL
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.upstream import client as upstream_client
from tests.makers import make_order, make_user, place_order, sold_by
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=30)  # beyond every pause between tries


@pytest.fixture
def boss_stopped() -> None:
    send_switch.stop("Wrong prices since noon.", by=make_user(Role.MANAGER, name="Bo"))


def stopped() -> bool:
    return Sending.objects.filter(stopped_at__isnull=False).exists()


def fail_in_a_row(upstream: Upstream, phone: Client, times: int, fault: str = "lose_request") -> None:
    upstream.will(fault, action="add", times=times)
    for number in range(times):
        assert submit_one(phone, timezone.now() + number * LATER)


def test_nothing_is_placed_while_it_is_stopped_and_polls_go_on(
    upstream: Upstream, phone: Client, boss_stopped: None
) -> None:
    order = place_order(service=sold_by(phone))
    make_order(Status.IN_PROGRESS, service=order.service)
    assert not submit_one(phone, timezone.now() + LATER)
    assert poll_once(phone)
    assert upstream.calls("add") == 0


def test_what_waited_goes_on_in_its_order(upstream: Upstream, phone: Client, boss_stopped: None) -> None:
    service = sold_by(phone)
    orders = [place_order(service=service) for _ in range(3)]
    send_switch.resume(by=make_user(Role.MANAGER))
    while submit_one(phone):
        pass
    sent = [booked["request_id"] for booked in reversed(upstream.orders())]
    assert sent == [str(order.request_id) for order in orders]


def test_every_page_says_since_when_by_whom_and_why(boss_stopped: None) -> None:
    order = make_order()
    for path in ("/orders/", f"/orders/{order.pk}/", "/services/", "/activity/", "/team/", "/orders/new/"):
        page = as_a(Role.OPERATOR).get(path).content.decode()
        assert "Sending is stopped since" in page, path
        assert "by Bo:" in page and "Wrong prices since noon." in page, path
        assert "Start sending again" not in page, "an operator may not"


def test_an_open_page_learns_it_from_its_poll() -> None:
    order, viewer = make_order(Status.IN_PROGRESS), as_a(Role.VIEWER)
    bar = re.search(r'id="bar" data-version="(\w+)"', viewer.get("/orders/").content.decode())
    assert bar
    poll = f"/orders/changes/?v={order.pk}:{order.version}&bar={bar[1]}"
    assert viewer.get(poll).status_code == 204
    send_switch.stop("Why not.", by=make_user(Role.MANAGER))
    assert "Sending is stopped" in viewer.get(poll).content.decode()


def test_a_manager_stops_and_resumes_with_a_button_and_a_reason() -> None:
    boss = as_a(Role.MANAGER)
    assert "Stop sending" in boss.get("/orders/").content.decode()
    boss.post("/orders/sending/stops/", {"reason": "Audit."})
    assert Sending.objects.get().reason == "Audit."
    boss.post("/orders/sending/resumption/")
    assert not stopped()
    assert [event.kind for event in Event.objects.filter(order=None)] == ["resumed", "stopped"]


def test_a_reason_is_needed() -> None:
    with pytest.raises(Refusal, match="Write why"):
        send_switch.stop("  ", by=make_user(Role.MANAGER))
    assert not stopped()


def test_operators_may_not() -> None:
    with pytest.raises(Refusal, match="Only managers and owners"):
        send_switch.stop("Because.", by=make_user(Role.OPERATOR))
    with pytest.raises(Refusal, match="Only managers and owners"):
        send_switch.resume(by=make_user(Role.OPERATOR))


def test_the_second_of_two_who_stop_is_told(boss_stopped: None) -> None:
    with pytest.raises(Refusal, match="stopped already"):
        send_switch.stop("Me too.", by=make_user(Role.OWNER))


@pytest.mark.parametrize("fault", ["suspend", "wrong_key"])
def test_trouble_with_the_account_stops_it(upstream: Upstream, phone: Client, fault: str) -> None:
    service = sold_by(phone)
    place_order(service=service)
    place_order(service=service)
    upstream.will(fault, times=None)
    assert submit_one(phone)
    assert not submit_one(phone, timezone.now() + LATER)
    assert upstream.calls("add") == 1, "not one call an order"
    assert Sending.objects.get().stopped_by is None
    assert "by the desk itself:" in as_a(Role.VIEWER).get("/orders/").content.decode()


def test_it_is_noticed_by_any_call(upstream: Upstream) -> None:
    phone = Client(upstream.url, upstream.key, on_call=upstream_client.record_call, connect_seconds=1, total_seconds=2)
    make_order(Status.IN_PROGRESS)
    upstream.suspended()
    poll_once(phone)
    assert stopped()


@pytest.mark.parametrize("fault", ["lose_request", "lose_answer", "html"])
def test_many_tries_in_a_row_without_an_answer_stop_it(upstream: Upstream, phone: Client, fault: str) -> None:
    place_order(service=sold_by(phone))
    fail_in_a_row(upstream, phone, FAILURES_IN_A_ROW - 1, fault)
    assert not stopped()
    upstream.will(fault, action="add")
    submit_one(phone, timezone.now() + 10 * LATER)
    assert stopped()


def test_what_never_leaves_the_house_counts_too() -> None:
    place_order()
    dead = Client("http://127.0.0.1:9/api/v2", "k", connect_seconds=1)
    for number in range(FAILURES_IN_A_ROW):
        submit_one(dead, timezone.now() + number * LATER)
    assert stopped()


def test_one_answer_in_between_begins_the_count_anew(upstream: Upstream, phone: Client) -> None:
    service = sold_by(phone)
    place_order(service=service)
    fail_in_a_row(upstream, phone, FAILURES_IN_A_ROW - 1)
    submit_one(phone, timezone.now() + 10 * LATER)
    assert Sending.objects.get().failures == 0
    place_order(service=service)
    fail_in_a_row(upstream, phone, 1)
    assert not stopped()


def test_it_asks_gently_and_goes_on_by_itself(upstream: Upstream, phone: Client) -> None:
    order = place_order(service=sold_by(phone))
    upstream.suspended()
    submit_one(phone)
    now = timezone.now()
    assert not probe(phone, now), "not at once"
    assert probe(phone, now + PROBE_INTERVAL)
    assert not probe(phone, now + PROBE_INTERVAL), "one call a minute"
    assert stopped()
    upstream.suspended(False)
    assert probe(phone, now + 2 * PROBE_INTERVAL)
    assert not stopped()
    assert submit_one(phone), "at once, and in its order"
    order.refresh_from_db()
    assert order.taken
    assert not probe(phone, now + 9 * PROBE_INTERVAL), "nothing is left to ask for"


def test_after_it_went_on_by_itself_one_failure_stops_it_again(upstream: Upstream, phone: Client) -> None:
    place_order(service=sold_by(phone))
    fail_in_a_row(upstream, phone, FAILURES_IN_A_ROW)
    assert probe(phone, timezone.now() + LATER)
    assert not stopped()
    upstream.will("lose_request", action="add")
    submit_one(phone, timezone.now() + 10 * LATER)
    assert stopped()


def test_what_a_manager_stopped_no_machine_lets_go(upstream: Upstream, phone: Client, boss_stopped: None) -> None:
    send_switch.stop_itself("Suspended.", timezone.now())
    Sending.objects.update(probe_at=timezone.now())
    assert probe(phone)
    assert stopped()


def test_a_manager_takes_over_what_the_desk_stopped(upstream: Upstream, phone: Client) -> None:
    send_switch.stop_itself("Suspended.", timezone.now())
    send_switch.stop("I look into it.", by=make_user(Role.MANAGER))
    probe(phone, timezone.now() + PROBE_INTERVAL)
    assert Sending.objects.get().reason == "I look into it."


def test_a_stop_between_finding_and_claiming_wins() -> None:
    place_order()
    task = Task.objects.due(timezone.now()).sendable().get()
    send_switch.stop_itself("Now.", timezone.now())
    mine = Task.objects.filter(pk=task.pk, due_at=task.due_at, settled_at=None).sendable()
    assert not mine.update(due_at=timezone.now())
