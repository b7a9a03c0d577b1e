"""What people ask of placed orders in a campaign: refills and cancels, pressed again until the desk answers."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from random import Random

from accounts.access import Role
from orders.aftersale import ask as aftersale
from orders.approvals import decide
from orders.approvals.current_terms import terms_of
from orders.models import Order, Task
from orders.rules.refusal import Refusal
from orders.rules.statuses import LIVE, Status
from tests.makers import make_user

REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL
AGAIN, ANEW, MARKED = 0.5, 0.15, 0.1  # chances that a person does something about a refill that is pending


class Crash(BaseException):
    """The process dies here: nothing of ours catches it, and open transactions are gone."""


class Team:
    """An operator and a manager, and what the desk said yes to: the oracle holds it to that."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.operator, self.manager = make_user(), make_user(Role.MANAGER)
        self.links: list[str] = []  # of the orders that they have an eye on
        self.asked: Counter[tuple[str, str]] = Counter()  # (kind, link) → wishes that the desk took
        self.withdrawn: set[str] = set()
        self.again: Counter[str] = Counter()  # link → refills that a person had sent once more

    def press(self, order: Order, kind: str) -> None:
        """One press of Refill or Cancel."""
        link, task = order.link, None

        def ask() -> None:
            nonlocal task
            task = aftersale.ask(order, kind, by=self.operator)

        took = self._insist(ask)
        if took == "yes" and task is None:
            self.withdrawn.add(link)
        elif took:
            self.asked[kind, link] += 1

    def press_again(self, order: Order) -> None:
        took = self._insist(lambda: aftersale.ask_again(order, REFILL, by=self.operator))
        self.again[order.link] += bool(took)

    def ask_anew(self, order: Order) -> None:
        took = self._insist(lambda: aftersale.ask_anew(order, by=self.manager))
        self.asked[REFILL, order.link] += bool(took)

    def approve(self, order: Order) -> None:
        self._insist(lambda: decide.approve(order, terms_of(order).mark, by=self.manager))

    def decline(self, order: Order) -> None:
        self.withdrawn.add(order.link)
        self._insist(lambda: decide.decline(order, "Not now.", by=self.manager))

    def let_expire(self, order: Order, now: datetime) -> None:
        self.withdrawn.add(order.link)
        self._insist(lambda: decide.lapse(now))

    def mark(self, order: Order) -> None:
        self._insist(lambda: aftersale.mark_settled(order, "The customer sees it.", by=self.manager))

    def act(self) -> None:
        """Somebody does what the state of some order suggests."""
        if not self.links:
            return
        order = self.order(self.dice.choice(self.links))
        if order.status in LIVE or order.status == Status.QUEUED:
            self.press(order, CANCEL)
            return
        fate = self.dice.random()
        if order.refills.pending is None:
            self.press(order, REFILL)
        elif fate < AGAIN:
            self.press_again(order)
        elif fate < AGAIN + ANEW:
            self.ask_anew(order)
        elif fate < AGAIN + ANEW + MARKED:
            self.mark(order)

    @staticmethod
    def order(link: str) -> Order:
        return Order.objects.for_table().get(link=link)

    @staticmethod
    def _insist(act: Callable[[], object]) -> str:
        """ "yes"; "maybe" when the desk died before it answered, and then had it; "" when it said no."""
        crashed = False
        while True:
            try:
                act()
            except Crash:
                crashed = True
            except Refusal:
                return "maybe" if crashed else ""
            else:
                return "yes"
