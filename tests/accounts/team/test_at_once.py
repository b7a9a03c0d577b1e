"""Owners who demote or switch off each other at the same moment, in transactions of their own: one stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from accounts.access import Role
from accounts.models import DoorEvent, User
from accounts.team import change
from tests.makers import make_user

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8
NOES = ("Only owners may", "This account is switched off.", change.LAST_OWNER)
Change = Callable[[User, User], bool]


def demote(of: User, by: User) -> bool:
    return change.set_role(of, Role.VIEWER, saw=Role.OWNER, by=by)


def switch_off(of: User, by: User) -> bool:
    return change.switch(of, False, by=by)


def at_once(acts: list[tuple[Change, User, User]]) -> list[str]:
    """Each change in a thread and a transaction of its own, all let go at once; "" or why it was refused."""
    ready = Barrier(len(acts))

    def press(act: tuple[Change, User, User]) -> str:
        what, of, by = act
        # As each owner's page was read: while all of them were owners.
        of, by = User.objects.get(pk=of.pk), User.objects.get(pk=by.pk)
        ready.wait(20)
        try:
            assert what(of, by)
        except change.Refused as refused:
            return str(refused)
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(press, acts))


def owners() -> int:
    return User.objects.filter(role=Role.OWNER, is_active=True).count()


@pytest.mark.parametrize(("first", "second"), [(demote, demote), (switch_off, switch_off), (demote, switch_off)])
def test_of_two_owners_at_least_one_is_left(first: Change, second: Change) -> None:
    for turn in range(ROUNDS):
        User.objects.update(role=Role.VIEWER)
        mira, olivia = make_user(Role.OWNER), make_user(Role.OWNER)
        said = at_once([(first, olivia, mira), (second, mira, olivia)])
        assert owners() == 1, f"turn {turn}: {said}"
        assert said.count("") == 1, said
        assert next(filter(None, said)).startswith(NOES), said


def test_of_three_who_go_for_each_other_in_a_ring_at_least_one_is_left() -> None:
    for turn in range(ROUNDS):
        User.objects.update(role=Role.VIEWER)
        ring = [make_user(Role.OWNER) for _ in range(3)]
        changed = DoorEvent.objects.filter(group="people").count()
        said = at_once([(demote, ring[(n + 1) % 3], ring[n]) for n in range(3)])
        assert owners() == 3 - said.count("") >= 1, f"turn {turn}: {said}"
        assert DoorEvent.objects.filter(group="people").count() - changed == said.count("")


def test_an_owner_who_leaves_while_the_other_demotes_them_does_not_lock_out_the_desk() -> None:
    for _ in range(ROUNDS):
        User.objects.update(role=Role.VIEWER)
        mira, olivia = make_user(Role.OWNER), make_user(Role.OWNER)
        said = at_once([(demote, mira, mira), (switch_off, olivia, mira), (demote, olivia, olivia)])
        assert owners() >= 1, said
