"""`kill -9` to a process at each commit of approvals and of sealing: nothing is lost or doubled, the chain verifies."""

import os
import signal
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.access import Role
from accounts.models import ChainHead, TrailLine, User
from accounts.trail.chain import seal_new
from accounts.trail.record import record_change
from accounts.trail.verify import verify_all
from catalog.models import Service
from orders.approvals.current_terms import terms_of
from orders.approvals.decide import approve, decline, lapse
from orders.models import Approval, Event, Order
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.ops import failpoints
from tests.campaign.points import discovered
from tests.makers import make_user, place_order, sold_by
from tests.orders.limits.desk_limits import set_limits, sums, sums_of_orders
from tests.tampering import seal_everything
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = uuid.UUID(int=19)
OURS = ("approval.", "approve.", "decline.", "lapse.", "seal.", "order.")
POINTS = [point for point in discovered() if point.startswith(OURS)]
KINDS = {"approve": "approved", "decline": "declined", "lapse": "expired"}  # what each way of ending records
LATER = timedelta(hours=3)


class Asked:
    """An operator's order above a limit, and a manager who may decide about it."""

    def __init__(self, phone: Client) -> None:
        set_limits(operator_approve_from="0.01")
        self.service: Service = sold_by(phone)
        self.tomas, self.mira = make_user(name="Tomás"), make_user(Role.MANAGER, name="Mira")
        self.asks()
        seal_everything()

    @property
    def order(self) -> Order:
        return Order.objects.select_related("service__held_over", "placed_by").earliest("pk")

    def asks(self, token: uuid.UUID | None = None) -> None:
        place_order(by=self.tomas, service=self.service, ask=True, token=token or uuid.uuid4())

    def does(self, step: str) -> None:
        """What the process does that is killed, and what somebody does again afterwards."""
        steps: dict[str, Callable[[], object]] = {
            "approve": lambda: approve(self.order, terms_of(self.order).mark, by=self.mira),
            "decline": lambda: decline(self.order, "Not now.", by=self.mira),
            "lapse": lambda: lapse(timezone.now() + LATER),
            "seal": seals,
        }
        steps.get(step, lambda: self.asks(TOKEN))()


def seals() -> None:
    record_change("sync_asked", by=User.objects.earliest("pk"))
    assert seal_new(timezone.now())


def killed_at(point: str, work: Callable[[], object]) -> None:
    """Does the work in a process of its own that the kernel kills at this failpoint."""
    connections.close_all()
    if not (child := os.fork()):
        try:
            failpoints.act = failpoints.killer(point)
            work()
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"nothing came by {point}"


def do_again(asked: Asked, step: str) -> bool:
    """Somebody presses once more, or the next worker goes on; whether it was refused because it was done."""
    try:
        asked.does(step)
    except Refusal:
        return True
    return False


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_there_loses_nothing_and_doubles_nothing(upstream: Upstream, phone: Client, point: str) -> None:
    asked, (step, _, moment) = Asked(phone), point.partition(".")
    orders, lines = Order.objects.count(), TrailLine.objects.count()
    killed_at(point, lambda: asked.does(step))
    done = moment == "committed"
    if not done and step != "seal":
        assert (Order.objects.count(), TrailLine.objects.count()) == (orders, lines), "all of it is undone"
        assert Approval.objects.get().decided_at is None
    assert sums(0) == sums_of_orders(0)
    refused = do_again(asked, step)
    assert refused == (done and step in ("approve", "decline"))
    if kind := KINDS.get(step):
        assert Event.objects.filter(kind=kind).count() == 1
        assert Approval.objects.get().outcome == kind
        assert asked.order.tasks.count() == 1
    elif step != "seal":
        assert Order.objects.filter(form_token=TOKEN, status=Status.APPROVAL).count() == 1
        assert Approval.objects.filter(decided_at=None).count() == 2
        assert Event.objects.filter(kind="approval_asked").count() == 2
    while submit_one(phone, timezone.now() + LATER):
        pass
    assert len(upstream.orders()) == (step == "approve"), "sent once, and only what was approved"
    assert sums(0) == sums_of_orders(0)
    seal_everything()
    assert list(verify_all()) == []
    assert ChainHead.objects.get().last_id == TrailLine.objects.latest("pk").pk, "every line is in the chain"


def test_every_commit_of_approvals_and_of_sealing_is_among_them() -> None:
    assert {point.partition(".")[0] for point in POINTS} == {name.rstrip(".") for name in OURS}
    assert len(POINTS) >= 12
