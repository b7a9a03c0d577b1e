"""A list in parts: each goes at its time as agreed, what is not so waits for a person, and nothing goes twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from accounts.access import Role
from accounts.models import TrailLine, User
from catalog.changes import hold
from catalog.models import Change, Service
from orders.mass import draft as drafts
from orders.mass import place
from orders.mass.check import Preview
from orders.mass.draft import DRAFTS_KEPT
from orders.mass.place import place_list
from orders.models import Customer, MassDraft, MassJob, Order, Plan, PlanPart, Task
from orders.plans import due
from orders.plans import plan as plans
from orders.plans.due import LATEST, OUR_MISTAKE, place_due
from orders.rules.refusal import NotAllowed, Refusal
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm
from panel.worker.recurring import RECURRING_WORK
from tests.makers import make_service, make_user, place_order
from tests.orders.customers.shops import make_customer, rule_for_all
from tests.orders.limits.desk_limits import set_limits, sums
from tests.orders.mass.lists import lines_for, pasted
from tests.orders.plans.plans import daily, due_at, part_of, planned, planned_draft, time_comes

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def service() -> Service:
    return make_service(upstream_id=149, name="Instagram Likes", category="Instagram › Likes", minimum=50)


@pytest.fixture
def ana() -> User:
    return make_user(name="Ana")


def told(plan: Plan) -> list[str]:
    """What the trail says about a plan."""
    lines = TrailLine.objects.filter(thing="plan", thing_id=plan.pk).order_by("pk")
    return [line.sentence.plain for line in lines]


# ── Making one ───────────────────────────────────────────────────────────────────────────────────
def test_a_plan_orders_and_reserves_nothing_until_the_time_of_a_part(service: Service, ana: User) -> None:
    plan = planned(lines_for(service, 5), ana, part_lines=2)
    parts = list(plan.parts.order_by("number"))
    assert [(part.listed, [row["n"] for row in part.lines]) for part in parts] == [(2, [1, 2]), (2, [3, 4]), (1, [5])]
    assert [part.due_at - parts[0].due_at for part in parts] == [timedelta(days=n) for n in range(3)]
    assert place_due(parts[0].due_at - SECOND) == 0
    assert not Order.objects.exists()
    assert sums(ana.pk) == (0, 0)
    assert not MassDraft.objects.exists()
    assert told(plan) == [f"Ana planned 5 lines, to be placed in parts: plan {plan.pk}."]


def test_the_same_draft_is_the_same_plan_and_no_list_besides(service: Service, ana: User) -> None:
    draft = pasted(lines_for(service, 2), ana)
    mark = Preview(draft, ana).mark
    with pytest.raises(Refusal, match="Nothing was sent"):
        plans.make_plan(draft.pk, mark, daily(), by=make_user())
    plan = plans.make_plan(draft.pk, mark, daily(), by=ana)
    assert plans.make_plan(draft.pk, mark, daily(2), by=ana) == plan
    with pytest.raises(Refusal, match="Nothing was sent"):
        place_list(draft.pk, mark, by=ana)
    with pytest.raises(Refusal, match="Nothing was sent"):
        plans.make_plan(draft.pk, mark, daily(), by=make_user())
    assert (Plan.objects.count(), PlanPart.objects.count(), len(told(plan))) == (1, 2, 1)


def test_a_list_that_was_placed_is_no_plan_any_more(service: Service, ana: User) -> None:
    draft = pasted(lines_for(service, 1), ana)
    mark = Preview(draft, ana).mark
    place_list(draft.pk, mark, by=ana)
    with pytest.raises(Refusal, match="placed from another tab"):
        plans.make_plan(draft.pk, mark, daily(), by=ana)


def test_lines_that_are_not_ready_stay_behind_as_a_draft(service: Service, ana: User) -> None:
    draft = pasted(lines_for(service, 3) + "\n149 | https://instagram.com/p/ZzCdEf1 | 1", ana)
    draft = drafts.change(draft.pk, lambda one: drafts.tick(one, 1, out=True), by=ana)
    plan = planned_draft(draft, 9)
    assert [row["n"] for row in part_of(plan).lines] == [2, 3]
    assert [row["n"] for row in MassDraft.objects.get().lines] == [1, 4]


def test_nothing_is_planned_that_moved_since_the_person_looked(service: Service, ana: User) -> None:
    draft = pasted(lines_for(service, 2), ana)
    mark = Preview(draft, ana).mark
    place_order(service=service, link="https://instagram.com/p/A1bcdEf", quantity=100)
    with pytest.raises(Refusal, match="Something moved"):
        plans.make_plan(draft.pk, mark, daily(), by=ana)
    assert MassDraft.objects.filter(pk=draft.pk).exists()
    with pytest.raises(NotAllowed):
        plans.make_plan(draft.pk, mark, daily(), by=make_user(Role.VIEWER))


def test_a_person_has_so_many_plans_at_most(service: Service, ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "PLANS_OPEN", 1)
    first = planned(lines_for(service, 2), ana)
    with pytest.raises(Refusal, match="plans with parts to come"):
        planned(lines_for(service, 2), ana)
    plans.drop(first, by=ana)
    assert planned(lines_for(service, 2), ana)


def test_the_offered_zone_is_that_of_the_one_customer_else_of_the_person(service: Service, ana: User) -> None:
    ana.time_zone = "Asia/Kathmandu"
    harbour, studio = make_customer("Harbour", time_zone="America/New_York"), make_customer("Studio")

    def zone(*customers: Customer | None) -> tuple[str, str]:
        text = "\n".join(f"149 | https://instagram.com/p/A{n}bcd | 100 | {customer or ''}"
                         for n, customer in enumerate(customers))  # fmt: skip
        return plans.zone_for(Preview(pasted(text, ana), ana).ready, ana)

    assert zone(harbour, harbour) == ("America/New_York", "that of Harbour")
    assert zone(harbour, studio) == zone(harbour, None) == zone(None) == ("Asia/Kathmandu", "yours")
    assert zone(studio) == ("UTC", "the desk’s, for Studio has none")


# ── At its time ──────────────────────────────────────────────────────────────────────────────────
def test_a_part_is_placed_at_its_time_as_its_owner_would_place_it(service: Service, ana: User) -> None:
    rule_for_all()
    customer = make_customer("Harbour")
    plan = planned("149 | https://instagram.com/p/A1bcd | 1000 | Harbour | H-1\n" + lines_for(service, 1), ana)
    part = time_comes(plan)
    order, job = Order.objects.get(), MassJob.objects.get()
    single = place_order(by=ana, service=service, link="https://instagram.com/p/A1bcd", quantity=1000,
                         customer=customer, customer_reference="H-1")  # fmt: skip
    for name in ("body", "rate_seen", "expected_charge", "sold_for", "customer", "placed_by", "send_when_funded"):
        assert getattr(order, name) == getattr(single, name), name
    assert (part.outcome, part.job, part.left, part.lines) == ("placed", job, 0, [])
    assert (job.token, job.placed_by, job.source) == (part.token, ana, f"part 1 of plan {plan.pk}")
    assert Task.objects.get(order=order).asked_by == ana
    assert part_of(plan, 2).next_at is not None
    assert told(plan)[1:] == [f"Part 1 of plan {plan.pk} was placed: 1 order, list {job.pk}."]
    assert place_due(due_at(plan, 1)) == 0


def test_the_worker_does_it_as_one_of_its_chores() -> None:
    assert RECURRING_WORK["parts of plans"].every_seconds() <= 60


def test_a_price_that_moved_waits_for_a_person_and_is_ordered_at_their_yes(service: Service, ana: User) -> None:
    other = make_service(category="Instagram › Likes", name="Likes")
    plan = planned(f"{lines_for(service, 2)}\n{other.upstream_id} | https://instagram.com/p/Xyz12 | 100", ana, 3)
    Service.objects.filter(pk=service.pk).update(rate=Decimal("0.95"))
    part = time_comes(plan)
    assert (part.outcome, part.left, Order.objects.get().service) == ("partly", 2, other)
    assert part.why.startswith(
        "Line 1: Service 149 moved since the list was pasted: rate was $0.90 and is $0.95. Line 2:"
    )
    assert told(plan)[2].startswith(f"Part 1 of plan {plan.pk} left 2 lines for a person. Line 1: Service 149 moved")
    draft = MassDraft.objects.get(owner=ana)
    assert (draft.pk, draft.source, [row["n"] for row in draft.lines]) == (
        part.rest,
        f"part 1 of plan {plan.pk}",
        [1, 2],
    )
    assert place_due(due_at(plan, 1) + LATEST) == 0
    drafts.change(draft.pk, lambda one: drafts.answer(one, ana, "moved"), by=ana)
    rest = place_list(draft.pk, Preview(MassDraft.objects.get(), ana).mark, by=ana)
    assert (rest.token, rest.ordered, Order.objects.count()) == (part.rest, 2, 3)
    assert plans.open_rest(part, by=ana) == rest
    with pytest.raises(Refusal, match="waits for a person any more"):
        plans.leave_rest(part, by=ana)


def test_a_hold_a_limit_and_a_right_are_asked_for_again(service: Service, ana: User) -> None:
    plan = planned(lines_for(service, 4, quantity=500), ana)
    set_limits(operator_day_limit="0.5")
    assert time_comes(plan, 1).outcome == "placed"
    part = time_comes(plan, 2)
    assert (part.outcome, part.left) == ("refused", 1)
    assert "and you have $0.05 of $0.50 left today: $0.40 too much." in part.why
    set_limits(operator_day_limit="")
    change = Change.objects.create(service=service, moved={"rate": ["0.80", "0.90"]}, at=timezone.now())
    assert hold(change.pk, by=make_user(Role.MANAGER), at=timezone.now())
    part = time_comes(plan, 3)
    assert part.outcome == "refused"
    assert "on hold" in part.why
    User.objects.filter(pk=ana.pk).update(is_active=False)
    part = time_comes(plan, 4)
    assert (part.outcome, part.why) == ("refused", "Ana may not place orders now: This account is switched off.")
    assert Order.objects.count() == 1
    assert sums(ana.pk)[0] == Decimal("0.45")
    assert set(MassDraft.objects.values_list("pk", flat=True)) == {part_of(plan, n).rest for n in (2, 3)}


def test_lines_that_repeat_each_other_on_purpose_do_not_ask_again_every_day(service: Service, ana: User) -> None:
    draft = pasted("\n".join(["149 | https://instagram.com/p/A1bcd | 100"] * 3), ana)
    draft = drafts.change(draft.pk, lambda one: drafts.answer(one, ana, "twice"), by=ana)
    plan = planned_draft(draft)
    assert [time_comes(plan, n).outcome for n in (1, 2)] == ["placed", "placed"]
    foreign = place_order(service=service, link="https://instagram.com/p/A1bcd", quantity=100)
    part = time_comes(plan, 3)
    assert (part.outcome, part.why) == ("refused", f"Line 3: The same was ordered lately: order {foreign.pk}.")


@pytest.mark.parametrize(("late", "outcome"), [(LATEST, "placed"), (LATEST + SECOND, "late")])
def test_a_part_that_could_not_go_for_hours_waits_for_a_person(
    service: Service, ana: User, late: timedelta, outcome: str
) -> None:
    plan = planned(lines_for(service, 2), ana)
    part = time_comes(plan, 1, late)
    assert (part.outcome, Order.objects.count()) == (outcome, int(outcome == "placed"))
    assert ("could not go within 6 hours." in part.why) == (outcome == "late")
    assert MassDraft.objects.count() == int(outcome == "late")


def test_with_too_many_drafts_the_lines_stay_with_the_part_until_somebody_opens_them(
    service: Service, ana: User
) -> None:
    plan = planned(lines_for(service, 1), ana)
    MassDraft.objects.bulk_create(
        MassDraft(owner=ana, source="", lines=[], changed_at=timezone.now()) for _ in range(DRAFTS_KEPT)
    )
    part = time_comes(plan, 1, LATEST + SECOND)
    assert (part.left, MassDraft.objects.count()) == (1, DRAFTS_KEPT)
    with pytest.raises(Refusal, match="Throw one away"):
        plans.open_rest(part, by=ana)
    tomas = make_user(name="Tomás")
    draft = plans.open_rest(part, by=tomas)
    assert isinstance(draft, MassDraft)
    assert (draft.owner, plans.open_rest(part, by=tomas)) == (tomas, draft)
    for verb in (plans.open_rest, plans.leave_rest):
        with pytest.raises(Refusal, match="Tomás has these lines open"):
            verb(part, by=ana)
    User.objects.filter(pk=tomas.pk).update(is_active=False)
    plans.leave_rest(part, by=ana)
    assert (part_of(plan).left, MassDraft.objects.filter(pk=part.rest).exists()) == (0, False)
    assert told(plan)[-2:] == [f"Tomás opened what part 1 of plan {plan.pk} left.",
                               f"Ana left 1 line of part 1 of plan {plan.pk} unordered."]  # fmt: skip


def test_an_alarm_tells_of_parts_that_wait_until_somebody_has_dealt_with_them(service: Service, ana: User) -> None:
    def alarms() -> list[tuple[str, bool]]:
        evaluate(timezone.now())
        return [(alarm.sentence, alarm.ended_at is None) for alarm in Alarm.objects.filter(kind="plans")]

    plan = planned(lines_for(service, 2), ana, unit="hours")
    assert alarms() == []
    place_due(due_at(plan, 2) + LATEST + SECOND)
    both = f"2 parts of plans wait for a person: part 2 of plan {plan.pk}, part 1 of plan {plan.pk}."
    assert alarms() == [(both, True)]
    plans.leave_rest(part_of(plan, 1), by=ana)
    draft = MassDraft.objects.get()
    place_list(draft.pk, Preview(draft, ana).mark, by=ana)
    assert alarms()[0][1] is False


def test_a_mistake_of_ours_hands_the_part_to_a_person_and_stops_no_other(
    service: Service, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, right = planned(lines_for(service, 2), ana, unit="hours"), place.locked_preview

    def wrong(draft: MassDraft, by: User) -> Preview:
        if draft.source.startswith("part 1"):
            raise ZeroDivisionError
        return right(draft, by)

    monkeypatch.setattr(due, "locked_preview", wrong)
    assert place_due(due_at(plan, 2)) == 2
    assert [(part.outcome, part.why) for part in plan.parts.order_by("number")] == [
        ("refused", OUR_MISTAKE), ("placed", "")]  # fmt: skip
    assert (MassDraft.objects.get().pk, Order.objects.count()) == (part_of(plan).rest, 1)


# ── What people do ───────────────────────────────────────────────────────────────────────────────
def test_a_stopped_plan_places_nothing_until_it_goes_on(service: Service, ana: User) -> None:
    plan, tomas = planned(lines_for(service, 2), ana), make_user(name="Tomás")
    assert plans.stop(plan, by=tomas) == 2
    assert place_due(due_at(plan, 2)) == 0
    with pytest.raises(Refusal, match="still to come"):
        plans.stop(plan, by=ana)
    assert plans.go_on(plan, by=ana) == 2
    with pytest.raises(Refusal, match="is stopped"):
        plans.go_on(plan, by=ana)
    assert place_due(due_at(plan, 2)) == 2
    assert [part.outcome for part in plan.parts.order_by("number")] == ["late", "placed"]
    assert told(plan)[1:3] == [f"Tomás stopped plan {plan.pk}.", f"Ana let plan {plan.pk} go on."]


def test_a_dropped_plan_never_goes_and_keeps_what_was_placed(service: Service, ana: User) -> None:
    plan = planned(lines_for(service, 3), ana)
    time_comes(plan)
    assert plans.drop(plan, by=ana) == 2
    assert place_due(due_at(plan, 3)) == 0
    for verb in (plans.drop, plans.go_on, plans.stop):
        with pytest.raises(Refusal):
            verb(plan, by=ana)
    assert [part.outcome for part in plan.parts.order_by("number")] == ["placed", "dropped", "dropped"]
    assert Order.objects.count() == 1


@pytest.mark.parametrize("verb", [plans.stop, plans.go_on, plans.drop])
def test_who_may_not_place_changes_no_plan(service: Service, ana: User, verb: object) -> None:
    plan = planned(lines_for(service, 1), ana)
    with pytest.raises(NotAllowed):
        verb(plan, by=make_user(Role.VIEWER))  # type: ignore[operator]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_place_each_part_once(service: Service, ana: User) -> None:
    plan = planned(lines_for(service, 4), ana)
    now, both = due_at(plan, 4), Barrier(2)
    PlanPart.objects.update(due_at=now, next_at=now)

    def work() -> int:
        both.wait()
        try:
            return place_due(now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        done = [future.result() for future in [pool.submit(work) for _ in range(2)]]
    assert sum(done) == Order.objects.count() == MassJob.objects.count() == 4
    assert {part.outcome for part in plan.parts.all()} == {"placed"}
