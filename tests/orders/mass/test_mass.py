"""Many orders at once: what the check says, what the press writes, and what is done about the list afterwards."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.access import Role
from accounts.models import TrailLine
from catalog.changes import hold
from catalog.models import Change, Service
from orders.mass import draft as drafts
from orders.mass import job as jobs
from orders.mass import receipt
from orders.mass.check import Preview
from orders.mass.place import MOVED, place_list
from orders.models import Customer, MassDraft, MassJob, MassLine, Order, Task
from orders.rules.refusal import NotAllowed, Refusal
from orders.rules.retry import HELD_UNTIL
from orders.rules.statuses import Status
from tests.accounts.roles.switched import switch
from tests.makers import make_service, make_user, place_order
from tests.orders.customers.shops import make_customer, rule_for_all
from tests.orders.limits.desk_limits import own, set_limits, sums
from tests.orders.mass.lists import lines_for, pasted, placed

pytestmark = pytest.mark.django_db

TEXT = """149 | https://instagram.com/p/AbCdEf12345/?igsh=MzRl | 1000 | Harbour | H-1
149 | instagram.com/p/AbCdEf12345 | 1000
149 | https://instagram.com/p/QqCdEf12345/ | 20
9131 | https://instagram.com/p/XxCdEf12345/ | 1000
149 | https://instagram.com/p/YyCdEf12345/ | 1000 | Nobody known
"""


@pytest.fixture
def service() -> Service:
    return make_service(upstream_id=149, name="Instagram Likes", category="Instagram › Likes", minimum=50)


@pytest.fixture
def customer() -> Customer:
    return make_customer("Harbour")


def said(preview: Preview, number: int) -> str:
    """Everything that the check says about a line."""
    line = next(line for line in preview.lines if line.number == number)
    return " ".join([*line.errors.values(), *(one.sentence for one in line.questions)])


# ── The check ────────────────────────────────────────────────────────────────────────────────────
def test_each_line_says_what_the_single_form_says(service: Service, customer: Customer) -> None:
    draft = pasted(TEXT)
    preview = Preview(draft, draft.owner)
    assert preview.counts == {"ready": 1, "yes": 1, "no": 3, "out": 0}
    assert preview.lines[0].read.target == "https://instagram.com/p/AbCdEf12345/"
    assert "Left out what only tells who shared it: igsh." in preview.lines[0].mended
    assert preview.lines[0].customer == customer
    assert said(preview, 2) == "This line is the same as line 1: same service, same link."
    assert said(preview, 3) == "At least 50 for this service; 20 is too few."
    assert said(preview, 4) == "There is no such service. Choose one from the list."
    assert said(preview, 5) == "No customer is called Nobody known."
    assert preview.lines[2].nearest == 50
    assert not Order.objects.exists()


def test_an_open_order_a_hold_and_an_odd_link_each_take_a_yes(service: Service) -> None:
    order = place_order(service=service, link="https://www.instagram.com/p/AbCdEf12345/", quantity=100)
    change = Change.objects.create(service=service, moved={"rate": ["0.80", "0.90"]}, at=timezone.now())
    assert hold(change.pk, by=make_user(Role.MANAGER), at=timezone.now())
    draft = pasted(
        "149 | https://instagram.com/p/AbCdEf12345 | 100\n149 | https://tiktok.com/@a/video/7310539861 | 100"
    )
    preview = Preview(draft, draft.owner)
    assert [[one.kind for one in line.questions] for line in preview.lines] == [["held", "again"], ["held", "doubt"]]
    assert preview.lines[0].questions[1].order == order
    for kind in preview.open_kinds:
        draft = drafts.change(draft.pk, lambda one, kind=kind: drafts.answer(one, one.owner, kind), by=draft.owner)
    assert len(Preview(draft, draft.owner).ready) == 2


def test_a_yes_to_one_price_is_no_yes_to_the_next(service: Service) -> None:
    draft = pasted(lines_for(service, 2))
    Service.objects.update(rate=Decimal("1.10"))
    preview = Preview(draft, draft.owner)
    assert "moved since the list was pasted: rate was $0.90 and is $1.10." in said(preview, 1)
    draft = drafts.change(draft.pk, lambda one: drafts.answer(one, one.owner, "moved"), by=draft.owner)
    assert len(Preview(draft, draft.owner).ready) == 2
    Service.objects.update(rate=Decimal("1.20"))
    assert not Preview(draft, draft.owner).ready


def test_a_line_above_the_limit_of_one_order_cannot_go(service: Service) -> None:
    person = own(make_user(), order="0.05")
    draft = pasted(lines_for(service, 1), person)
    assert "above your limit of $0.05 for one order" in said(Preview(draft, person), 1)


def test_what_a_service_does_not_take_is_never_dropped_without_a_word(service: Service) -> None:
    draft = pasted("service;link;quantity;comments\n149;https://instagram.com/p/AbCdEf12345;100;nice")
    assert said(Preview(draft, draft.owner), 2) == "This service takes no comments. Leave it empty."


def test_lines_can_be_mended_left_out_and_taken_in_again(service: Service) -> None:
    draft = pasted("149 | https://instagram.com/p/AbCdEf12345 | 20")
    by = draft.owner
    assert not Preview(draft, by).ready
    draft = drafts.change(draft.pk, lambda one: drafts.mend(one, 1, {**one.lines[0]["typed"], "quantity": "70"}), by=by)
    assert Preview(draft, by).ready[0].quantity == 70
    draft = drafts.change(draft.pk, lambda one: drafts.tick(one, 1, out=True), by=by)
    assert Preview(draft, by).counts["out"] == 1
    with pytest.raises(Refusal, match="not in the list"):
        drafts.change(draft.pk, lambda one: drafts.tick(one, 7, out=True), by=by)


def test_nobody_changes_or_places_the_draft_of_somebody_else(service: Service) -> None:
    draft = pasted(lines_for(service, 1))
    with pytest.raises(Refusal, match="Nothing was sent"):
        drafts.change(draft.pk, lambda one: drafts.tick(one, 1, out=True), by=make_user())
    with pytest.raises(Refusal, match="Nothing was sent"):
        place_list(draft.pk, Preview(draft, draft.owner).mark, by=make_user())
    with pytest.raises(NotAllowed):
        place_list(draft.pk, "", by=make_user(Role.VIEWER))


# ── The press ────────────────────────────────────────────────────────────────────────────────────
def test_placed_each_order_is_as_the_single_form_writes_it(service: Service, customer: Customer) -> None:
    rule_for_all()
    person = make_user()
    job = placed(TEXT, person)
    order = Order.objects.get()
    single = place_order(by=person, service=service, link="https://instagram.com/p/AbCdEf12345/", quantity=1000,
                         customer=customer, customer_reference="H-1")  # fmt: skip
    for name in ("customer", "customer_reference", "sold_for", "link", "quantity", "body", "rate_seen",
                 "expected_charge", "counts_on", "network", "category", "host", "haystack", "target", "status",
                 "send_when_funded"):  # fmt: skip
        assert getattr(Order.objects.get(pk=order.pk), name) == getattr(Order.objects.get(pk=single.pk), name), name
    assert (order.customer, order.customer_reference, order.sold_for) == (
        customer,
        "H-1",
        order.expected_charge * 3 / 2,
    )
    assert "Harbour" not in str(order.body)
    assert [line.sentence.plain for line in TrailLine.objects.filter(order=order)] == [
        line.sentence.plain for line in TrailLine.objects.filter(order=single)
    ]
    assert order.tasks.get().due_at == job.placed_at
    assert (job.listed, job.ordered, job.expected_charge) == (5, 1, order.expected_charge)
    assert [line.why[:12] for line in job.lines.order_by("number")] == [
        "", "Not answered", "At least 50 ", "There is no ", "No customer "]  # fmt: skip
    assert sums(person.pk)[0] == 2 * order.expected_charge


def test_all_lines_of_a_customer_count_together_against_their_credit(service: Service) -> None:
    rule_for_all()
    make_customer("Harbour", credit_limit=Decimal(2))
    draft = pasted("\n".join(f"149 | https://instagram.com/p/A{n}bcdEf | 1000 | HARBOUR" for n in range(2)))
    assert [said(Preview(draft, draft.owner), n) for n in (1, 2)] == [
        "With the lines of this list, Harbour owes more than their credit limit."] * 2  # fmt: skip
    draft = drafts.change(draft.pk, lambda one: drafts.answer(one, one.owner, "credit"), by=draft.owner)
    job = place_list(draft.pk, Preview(draft, draft.owner).mark, by=draft.owner)
    assert job.ordered == TrailLine.objects.filter(kind="despite_credit").count() == 2
    few = pasted("149 | https://instagram.com/p/Z1bcdEf | 100 | nobody's")
    assert said(Preview(few, few.owner), 1) == "No customer is called nobody's."


def test_who_may_not_see_customers_names_none_in_a_list(service: Service, customer: Customer) -> None:
    switch(operator_customers=False)
    lines = (
        "149 | https://instagram.com/p/A1bcdEf | 100 | Harbour",
        "149 | https://instagram.com/p/B1bcdEf | 100 | | H-2",
    )
    draft = pasted("\n".join(lines))
    preview = Preview(draft, draft.owner)
    assert [said(preview, n) for n in (1, 2)] == ["Only managers and owners may see customers."] * 2


def test_placed_again_it_is_the_same_list(service: Service) -> None:
    draft = pasted(lines_for(service, 3))
    mark = Preview(draft, draft.owner).mark
    first = place_list(draft.pk, mark, by=draft.owner)
    assert place_list(draft.pk, mark, by=draft.owner) == first
    assert (Order.objects.count(), MassJob.objects.count(), MassDraft.objects.count()) == (3, 1, 0)
    assert len({*Order.objects.values_list("request_id", flat=True)}) == 3


def test_nothing_is_placed_that_moved_since_the_person_looked(service: Service) -> None:
    draft = pasted(lines_for(service, 3))
    mark = Preview(draft, draft.owner).mark
    place_order(service=service, link="https://instagram.com/p/A1bcdEf", quantity=100)
    with pytest.raises(Refusal, match=MOVED[:30]):
        place_list(draft.pk, mark, by=draft.owner)
    assert Order.objects.count() == 1
    assert MassDraft.objects.count() == 1


def test_a_sum_above_a_limit_of_the_day_refuses_the_whole_and_says_by_how_much(service: Service) -> None:
    set_limits(operator_day_limit="1")
    draft = pasted(lines_for(service, 3, quantity=500))
    with pytest.raises(Refusal, match=r"cost \$1\.35, and you have \$1\.00 of \$1\.00 left today: \$0\.35 too much"):
        place_list(draft.pk, Preview(draft, draft.owner).mark, by=draft.owner)
    assert not Order.objects.exists()
    assert sums(draft.owner.pk)[0] == 0


@settings(deadline=None, max_examples=10)
@given(quantities=st.lists(st.integers(50, 9_999), min_size=1, max_size=8))
def test_the_sum_of_a_list_is_the_sum_of_its_orders(quantities: list[int]) -> None:
    service = Service.objects.filter(upstream_id=150).first() or make_service(upstream_id=150, rate=Decimal("0.014703"))
    text = "\n".join(f"150 | https://instagram.com/{uuid.uuid4().hex} | {quantity}" for quantity in quantities)
    job = placed(text)
    charges = [line.order.expected_charge for line in job.lines.select_related("order") if line.order]
    assert len(charges) == len(quantities)
    assert MassJob.objects.get(pk=job.pk).expected_charge == sum(charges)
    assert service.rate == Decimal("0.014703")


# ── Afterwards ───────────────────────────────────────────────────────────────────────────────────
def test_stopped_orders_wait_until_a_person_lets_them_go_or_drops_them(service: Service) -> None:
    person = make_user()
    job = placed(lines_for(service, 3), person)
    assert jobs.stop(job, by=person) == 3
    later = timezone.now() + timedelta(days=365)
    assert Task.objects.claim(later, timedelta(minutes=1)) is None
    assert receipt.Counts(job.pk).by_result == {"held": 3}
    with pytest.raises(Refusal, match="waits any more"):
        jobs.stop(job, by=person)
    assert jobs.send_on(job, by=person) == 3
    assert Task.objects.claim(timezone.now(), timedelta(minutes=1)) is not None
    assert jobs.stop(job, by=person) == 2
    assert jobs.take_back(job, by=person) == 2
    assert Order.objects.filter(status=Status.REJECTED).count() == 2
    assert not Task.objects.filter(due_at=HELD_UNTIL).exists()
    assert receipt.Counts(job.pk).by_result == {"confirming": 1, "withdrawn": 2}


def test_refused_lines_open_as_a_new_list_with_ids_of_its_own(service: Service) -> None:
    person = make_user()
    job = placed(lines_for(service, 3), person)
    refused = Order.objects.order_by("pk")[1]
    refused.tasks.update(settled_at=timezone.now(), due_at=None, outcome=Task.Outcome.REFUSED, answer="Link is bad")
    Order.objects.filter(pk=refused.pk).update(status=Status.REJECTED)
    draft = drafts.mend_refused(job, by=person)
    assert [row["n"] for row in draft.lines] == [2]
    again = place_list(draft.pk, Preview(draft, person).mark, by=person)
    order = again.lines.get().order
    assert order is not None
    assert (order.body, order.request_id != refused.request_id) == (refused.body, True)
    rows = list(receipt.as_csv(job))
    assert len(rows) == 2 + 3
    assert "Refused,Link is bad" in rows[3]


def test_a_whole_list_opens_again_without_the_lines_that_became_no_order(service: Service, customer: Customer) -> None:
    job = placed(TEXT + "149 | https://instagram.com/p/ZzCdEf12345/ | 700\n")
    draft = drafts.order_again(job, by=make_user())
    assert [(row["n"], row["typed"]["quantity"]) for row in draft.lines] == [(1, "1000"), (6, "700")]
    assert draft.lines[0]["typed"] == {
        "service": "149", "link": "https://instagram.com/p/AbCdEf12345/?igsh=MzRl", "quantity": "1000",
        "customer": "Harbour", "reference": "H-1",
    }  # fmt: skip
    assert draft.source == f"list {job.pk}, again"
    preview = Preview(draft, draft.owner)
    assert [[one.kind for one in line.questions] for line in preview.lines] == [["again"], ["again"]]
    assert (Order.objects.count(), draft.pk != job.token) == (2, True)
    with pytest.raises(NotAllowed):
        drafts.order_again(job, by=make_user(Role.VIEWER))
    MassLine.objects.filter(job=job).update(order=None)
    with pytest.raises(Refusal, match="became an order"):
        drafts.order_again(job, by=draft.owner)


def test_a_list_keeps_each_line_once(service: Service) -> None:
    job = placed(lines_for(service, 4))
    assert [*MassLine.objects.filter(job=job).values_list("number", flat=True)] == [1, 2, 3, 4]
