"""A crash at every commit and every network edge: the points are found by reading the code, and each is tried."""

import os
import signal
import subprocess
import sys

import pytest
from django.db import connection
from django.utils import timezone

from orders.mass.check import Preview
from orders.mass.place import place_list
from orders.models import Delivery, MassDraft, Order, Poll
from orders.models.poll import Queue
from orders.plans import plan as plans
from orders.rules.poll_schedule import POLLED_ALONE_FROM
from panel.ops import failpoints
from panel.upstream.models import Chore
from tests import ROOT
from tests.campaign.drive import NO, Campaign
from tests.campaign.points import STEPS, discovered, unguarded
from tests.campaign.team import CANCEL, REFILL
from tests.campaign.test_campaign import campaign_on
from tests.orders.limits.desk_limits import sums, sums_of_orders
from tests.upstream import Upstream

__all__ = ["campaign_on"]
# Of the alarms, which call nobody upstream: tests/panel/alarms/test_alarm_crashes.py goes there.
ELSEWHERE = ("raise.", "over.", "tell.")
POINTS = [point for point in discovered() if not point.startswith(ELSEWHERE)]
LATER_SECONDS = 400  # beyond every pause between tries
# No chance but what a test chooses; and nothing here is slow on purpose.
UNDISTURBED = {"crash": 0.0, "stall": 0.0, "press": 0.0, "patience": 10.0}


def one_of_each_end(campaign: Campaign) -> None:
    """Orders that come to each end that placing knows: taken, in doubt, rejected, for a person, never sent."""
    upstream = campaign.upstream
    campaign.submit()
    campaign.work()
    rung_for(Order.objects.filter(upstream_id__isnull=False).first())
    campaign.work()
    upstream.will("error_200", "add", text=NO)
    campaign.refusals += 1
    campaign.submit()
    campaign.work()
    upstream.will("lose_answer", "add")
    campaign.submit()
    campaign.work()
    campaign.advance(LATER_SECONDS)
    upstream.will("error_200", "add", text=NO)
    campaign.refusals += 1
    campaign.work()
    upstream.will("html", "status", times=2)
    campaign.submit(bad=True)
    campaign.submit()
    campaign.work()
    for _ in range(2):  # until the same orders are polled in vain once more
        campaign.advance(LATER_SECONDS)
        campaign.work()
    # As if upstream had left them out of its answers.
    Order.objects.filter(poll__isnull=False).update(left_out=POLLED_ALONE_FROM)
    Poll.objects.update(queue=Queue.ALONE)
    for _ in range(2):
        campaign.advance(LATER_SECONDS)
        campaign.work()


def rung_for(order: Order | None) -> None:
    """As if upstream had delivered that something happened to it."""
    now = timezone.now()
    Delivery.objects.create(
        key="d", digest="d", body="{}", received_at=now, due_at=now, upstream_id=(order and order.upstream_id) or "none"
    )


def after_the_sale(campaign: Campaign) -> None:
    """Cancels and refills that come to each end they know, and what people do about those without an answer."""
    upstream, team = campaign.upstream, campaign.team

    def quiet() -> None:
        campaign.work()
        campaign.advance(LATER_SECONDS)
        campaign.work()

    # A cancel of what is on its way and turns out not to have left the house; then one whose answer is lost.
    upstream.will("throttle", "add")
    never_sent = campaign.submit()
    campaign.meanwhile["add.send"] = lambda: team.press(team.order(never_sent), CANCEL)
    quiet()
    cancelled, *refilled = (campaign.submit() for _ in range(4))
    campaign.work()
    upstream.will("lose_answer", "cancel")
    team.press(team.order(cancelled), CANCEL)
    quiet()
    # Refills: two that are refused together and taken apart, one in doubt, one that a person settles.
    for order in map(team.order, refilled):
        upstream.set_status(order.upstream_id or "", "completed")
    quiet()
    first, second, third = refilled
    upstream.will("error_200", "refill", text=NO)
    team.press(team.order(first), REFILL)
    team.press(team.order(second), REFILL)
    quiet()
    upstream.will("lose_answer", "refill")
    team.press(team.order(third), REFILL)
    quiet()
    for _ in range(2):
        upstream.will("lose_answer", "refill")
        team.press_again(team.order(third))
        quiet()
        team.ask_anew(team.order(first))
        quiet()
    team.mark(team.order(second))


def four_eyes(campaign: Campaign) -> None:
    """Orders above a limit: one is approved and sent, one declined, one expires, and one is withdrawn; twice."""
    team = campaign.team
    for _ in range(2):
        approved, declined, withdrawn, expired = (campaign.submit(ask=True) for _ in range(4))
        campaign.work()
        team.approve(team.order(approved))
        team.decline(team.order(declined))
        team.press(team.order(withdrawn), CANCEL)
        campaign.work()
        campaign.advance(2 * 3600 + 1)
        team.let_expire(team.order(expired), campaign.clock.now)
        campaign.work()
    for who in (0, team.operator.pk):
        assert sums(who) == sums_of_orders(who)


def a_list(campaign: Campaign) -> None:
    """Two lists of orders, each pressed twice; the sums of limits agree afterwards."""
    for _ in range(2):
        campaign.submit_list(3)
        campaign.work()
    for who in (0, campaign.team.operator.pk):
        assert sums(who) == sums_of_orders(who)


def in_parts(campaign: Campaign) -> None:
    """A plan of which parts go at their times, two come too late after a stop, and one is dropped; twice."""
    by = campaign.team.operator
    Chore.objects.get_or_create(name="parts of plans", defaults={"due_at": campaign.clock.now})

    def hours_pass(hours: int) -> None:
        for seconds in (hours * 3600, LATER_SECONDS, LATER_SECONDS):  # longer than the lease of a chore
            campaign.advance(seconds)
            campaign.work()

    for _ in range(2):
        plan = campaign.submit_plan(4)
        dropped = campaign.submit_plan(1)
        campaign.persist(plans.drop, dropped, by=by)
        hours_pass(1)
        campaign.persist(plans.stop, plan, by=by)
        hours_pass(8)
        campaign.persist(plans.go_on, plan, by=by)
        hours_pass(0)
        first, opened, left, last = plan.parts.order_by("number")
        assert [part.outcome for part in (first, opened, left, last)] == ["placed", "late", "late", "placed"]
        wanted = {row["n"]: row["typed"]["link"] for row in opened.lines}
        MassDraft.objects.filter(pk=opened.rest).delete()  # as if somebody had thrown it away
        draft = campaign.persist(plans.open_rest, opened, by=by)
        mark = Preview(draft, by).mark
        campaign.persist(place_list, draft.pk, mark, by=by)
        campaign.persist(plans.leave_rest, left, by=by)
        placed = Order.objects.filter(mass_line__job__in=[first.job_id, last.job_id]).values_list("link", flat=True)
        campaign.intents += [*placed, *wanted.values()]
        hours_pass(0)
    for who in (0, by.pk):
        assert sums(who) == sums_of_orders(who)


# Where only what waits for approval comes by.
FOUR_EYES = {"approval", "approve", "decline", "lapse"}
PLANNED = {"plan", "resume", "parts", "rest", "leave", "part"}  # where only plans come by
# Where only what is asked of placed orders comes by.
AFTER_SALE = {"ask", "again", "anew", "mark", "instead", "together", "wish", "apart", "presume"}
ONCE = {"mark", "instead", "apart", "presume"}  # passed but once there


def once(point: str) -> bool:
    return point.split(".")[0] in ONCE


def in_transaction(point: str) -> bool:
    """There nobody oversleeps: the others would wait for the transaction."""
    return point.endswith((".half", ".commit"))


def walk(campaign: Campaign, point: str) -> list[str]:
    """Orders that come by this failpoint, to their ends; what is wrong."""
    step = point.split(".")[0]
    others = after_the_sale if step in AFTER_SALE else four_eyes if step in FOUR_EYES else one_of_each_end
    go = a_list if step == "mass" else in_parts if step in PLANNED else others
    go(campaign)
    wrong = campaign.finish()
    assert campaign.passed[point], f"nothing came by: let {go.__name__} do so"
    return wrong


def crash(campaign: Campaign, point: str, time: int) -> None:
    campaign.crash_at = (point, time)
    with campaign.armed():
        assert not walk(campaign, point)
        assert campaign.crashed[point] == 1 or campaign.passed[point] < time


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_there_loses_nothing_and_doubles_nothing(
    upstream: Upstream, campaign_on: type[Campaign], point: str
) -> None:
    crash(campaign_on(upstream, seed=1, **UNDISTURBED), point, 1)


@pytest.mark.campaign
@pytest.mark.parametrize("point", [point for point in POINTS if not once(point)])
def test_nor_does_one_at_the_second_pass(upstream: Upstream, campaign_on: type[Campaign], point: str) -> None:
    crash(campaign_on(upstream, seed=2, **UNDISTURBED), point, 2)


@pytest.mark.campaign
@pytest.mark.parametrize("point", [p for p in POINTS if not in_transaction(p)])
def test_a_worker_that_oversleeps_there_does_no_harm(
    upstream: Upstream, campaign_on: type[Campaign], point: str
) -> None:
    """Suspended for longer than its claim, while another took over; then it goes on as if nothing had been."""
    campaign = campaign_on(upstream, seed=3, **UNDISTURBED)
    usual = campaign.pass_by

    def pass_by(name: str) -> None:
        usual(name)
        if name == point and not connection.in_atomic_block and campaign.stalled == 0:
            campaign.oversleep()

    campaign.pass_by = pass_by  # type: ignore[method-assign]
    with campaign.armed():
        assert not walk(campaign, point)


def test_every_commit_and_every_call_has_its_failpoints() -> None:
    assert [gap for path in STEPS for gap in unguarded(path)] == []


def test_a_failpoint_is_named_once() -> None:
    """Or a crash at it would not be at that step."""
    assert len(POINTS) >= 20
    words = "".join((ROOT / path).read_text() for path in STEPS)
    assert [name for name in POINTS if words.count(f'fp("{name}")') != 1] == []


def test_without_a_test_a_failpoint_is_nothing() -> None:
    assert failpoints.act is None
    failpoints.fp("anything")


def test_the_environment_kills_a_process_at_its_failpoint() -> None:
    code = "from panel.ops.failpoints import fp; fp('a'); fp('b'); fp('a'); print('alive', flush=True); fp('a')"
    env = {**os.environ, failpoints.ENV: "a@3"}
    ended = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "alive\n")
