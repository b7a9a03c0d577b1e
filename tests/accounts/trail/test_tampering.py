"""Whatever somebody does to the tables of the trail past the desk is found: a few hundred generated tamperings here,
ten thousand where `slow` tests run too."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.access import Role
from accounts.models import ChainHead, ChainLink, TrailLine
from accounts.trail.record import record_change
from accounts.trail.verify import verify_all
from tests.makers import make_order, make_user
from tests.tampering import seal_everything, without_triggers

pytestmark = pytest.mark.django_db(transaction=True)
LINKS, LINES_A_LINK, TAIL = 4, 5, 3
Chance = random.Random


# ── What somebody may do: each returns whether it did anything, and the lines that the finding may name ──────────────
def other(value: Any, chance: Chance, same: Callable[[Any], bool]) -> Any:
    """A value like this one that is not the same."""
    if isinstance(value, bytes | memoryview):
        old = bytearray(bytes(value) or b"\0")
        old[chance.randrange(len(old))] ^= 1 << chance.randrange(8)
        return bytes(old)
    if isinstance(value, dict):
        return {**value, "more": chance.randrange(10**6)}
    if isinstance(value, list):
        return [*value, [1, chance.randrange(1, 9)]]
    if isinstance(value, int):
        return value + chance.choice((-1, 1, 7, 10**9))
    if isinstance(value, str):
        return chance.choice((value + "x", value[1:] or "y", "z"))
    if hasattr(value, "tzinfo"):
        return value + timedelta(microseconds=chance.choice((1, -1, 10**6)))
    return value


def change_row(model: type[Model], pk: Any, chance: Chance) -> str:
    """Changes one column of a row; the name of the column, or "" when there was nothing to change."""
    row: Any = model._default_manager.get(pk=pk)
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    field = chance.choice(fields)
    value = getattr(row, field.attname)
    if field.is_relation:
        related: Any = field.related_model
        ids = list(related._default_manager.exclude(pk=value).values_list("pk", flat=True))
        new = chance.choice(ids)
    elif value is None:
        new = {"seal": b"x" * 16, "thing_id": 5}.get(field.name, {"rate": ["1", "2"]})
    else:
        new = other(value, chance, lambda each: each == value)
        most = getattr(field, "max_length", None)
        new = new[-most:] if most and isinstance(new, str | bytes) else new
    if new == value:
        return ""
    model._default_manager.filter(pk=pk).update(**{field.attname: new})
    return field.name


def some_line(chance: Chance) -> int:
    return chance.choice(list(TrailLine.objects.values_list("pk", flat=True)))


def sealed_line(chance: Chance) -> int:
    until = ChainHead.objects.get().last_id
    return chance.choice(list(TrailLine.objects.filter(pk__lte=until).values_list("pk", flat=True)))


def change_line(chance: Chance) -> bool:
    return bool(change_row(TrailLine, some_line(chance), chance))


def remove_line(chance: Chance) -> bool:
    # On PostgreSQL a line that no link holds yet may have been undone as well.
    pick = some_line if connection.vendor == "sqlite" else sealed_line
    TrailLine.objects.filter(pk=pick(chance))._raw_delete("default")
    return True


def swap_lines(chance: Chance) -> bool:
    first, second = sealed_line(chance), sealed_line(chance)
    rows = {pk: TrailLine.objects.filter(pk=pk).values().get() for pk in (first, second)}
    for pk, to in ((first, second), (second, first)):
        TrailLine.objects.filter(pk=to).update(**{name: value for name, value in rows[pk].items() if name != "id"})
    return first != second


def insert_line(chance: Chance) -> bool:
    """A copy with another id, below all or between two of a link; or a forged one behind all."""
    values = TrailLine.objects.filter(pk=some_line(chance)).values().get()
    if chance.random() < 0.5:
        last = TrailLine.objects.latest("pk").pk
        values |= {"id": last + 1, "facts": {"forged": chance.random()}}
    else:
        values |= {"id": chance.choice((-3, 0))} if connection.vendor == "sqlite" else {"id": free_id()}
    if values["id"] < 1:
        values |= {"id": ChainHead.objects.get().last_id + 1_000, "seal": None}
    super(type(TrailLine.objects.all()), TrailLine.objects.all()).bulk_create([TrailLine(**values)])
    return True


def free_id() -> int:
    """An id that was left out within the chain, for one line was undone."""
    [[first, _]] = ChainLink.objects.exclude(gaps=[]).values_list("gaps", flat=True)[0][:1]
    return int(first)


def change_link(chance: Chance) -> bool:
    return bool(change_row(ChainLink, chance.randint(1, LINKS), chance))


def remove_link(chance: Chance) -> bool:
    ChainLink.objects.filter(pk=chance.randint(1, LINKS))._raw_delete("default")
    return True


def swap_links(chance: Chance) -> bool:
    first, second = chance.sample(range(1, LINKS + 1), 2)
    rows = {pk: ChainLink.objects.filter(pk=pk).values().get() for pk in (first, second)}
    for pk, to in ((first, second), (second, first)):
        ChainLink.objects.filter(pk=to).update(**{name: value for name, value in rows[pk].items() if name != "number"})
    return True


def insert_link(chance: Chance) -> bool:
    values = ChainLink.objects.filter(pk=chance.randint(1, LINKS)).values().get() | {"number": LINKS + 1}
    if chance.random() < 0.5:
        values |= {"first_id": ChainHead.objects.get().last_id + 1, "last_id": TrailLine.objects.latest("pk").pk}
    ChainLink.objects.bulk_create([ChainLink(**values)])
    return True


def truncate(chance: Chance) -> bool:
    """Cuts the end off: links with their lines, links alone, lines alone, or everything."""
    links = chance.randint(1, LINKS)
    from_id = ChainLink.objects.get(pk=links).first_id
    what = chance.choice(("both", "links", "lines", "all"))
    if what == "all":
        links, from_id = 1, 1
    if what != "links":
        TrailLine.objects.filter(pk__gte=from_id)._raw_delete("default")
    if what != "lines":
        ChainLink.objects.filter(pk__gte=links)._raw_delete("default")
    return True


def change_head(chance: Chance) -> bool:
    return bool(change_row(ChainHead, ChainHead.objects.get().pk, chance))


def set_back_head(chance: Chance) -> bool:
    """Cuts the end off, and makes the head say what it said then, but for its own seal."""
    links = chance.randint(1, LINKS)
    last = ChainLink.objects.filter(pk=links - 1).first()
    ChainLink.objects.filter(pk__gte=links)._raw_delete("default")
    TrailLine.objects.filter(pk__gt=last.last_id if last else 0)._raw_delete("default")
    values = {"number": links - 1, "last_id": last.last_id if last else 0, "digest": last.digest if last else b""}
    ChainHead.objects.update(**values)
    return True


def remove_head(_chance: Chance) -> bool:
    ChainHead.objects.all()._raw_delete("default")
    return True


TAMPERINGS = (change_line, change_line, change_line, remove_line, swap_lines, insert_line, change_link, change_link,
              remove_link, swap_links, insert_link, truncate, change_head, set_back_head, remove_head)  # fmt: skip


def write_trail() -> None:
    """Links of different kinds of lines, a gap where a transaction was undone, and lines that are not sealed yet."""
    people = [make_user(Role.OWNER), make_user(Role.MANAGER)]
    orders = [make_order("completed", by=people[0]), make_order("completed", by=people[1])]
    for link in range(LINKS + 1):
        for n in range(LINES_A_LINK if link < LINKS else TAIL):
            by = people[n % 2]
            if n % 3 == 0:
                orders[n % 2].record(
                    "moved", was="Pending", to=f"Completed {link}", said={"charge": 0.9, "n": [1, 2.5]}
                )
            elif n % 3 == 1:
                record_change("service_held", by=by, thing="service", thing_id=7, label="149", reason="Märchen\n…",
                              before={"sale": "on sale"}, after={"sale": "held"})  # fmt: skip
            else:
                record_change("person_changed", by=None, person=by, label=str(by), after={"role": "owner"})
        if link == 2 and connection.vendor == "postgresql":
            with transaction.atomic():
                record_change("sync_asked", by=None)
                transaction.set_rollback(True)
            record_change("sync_asked", by=None)
        if link < LINKS:
            seal_everything()


def tamper(times: int, seed: int) -> None:
    """So many tamperings one after the other, each undone after it was found."""
    write_trail()
    assert ChainLink.objects.count() == LINKS
    assert list(verify_all()) == [], "nothing was done yet"
    chance, missed = Chance(seed), []
    with transaction.atomic():
        with connection.cursor() as cursor:
            for sql in without_triggers(connection.vendor):
                cursor.execute(sql)
        for turn in range(times):
            act, before = TAMPERINGS[turn % len(TAMPERINGS)], transaction.savepoint()
            state = chance.getstate()
            if act(chance) and not next(verify_all(), None):
                missed.append((turn, act.__name__, state))
            transaction.savepoint_rollback(before)
        assert list(verify_all()) == []
        transaction.set_rollback(True)
    assert not missed, [each[:2] for each in missed]


def test_every_tampering_is_found() -> None:
    tamper(300, seed=19)


@pytest.mark.slow
def test_ten_thousand_tamperings_are_found() -> None:
    tamper(10_000, seed=1_019)


def test_what_was_changed_is_named() -> None:
    write_trail()
    with transaction.atomic():
        with connection.cursor() as cursor:
            for sql in without_triggers(connection.vendor):
                cursor.execute(sql)
        ninth, twelfth = TrailLine.objects.order_by("pk").values_list("pk", flat=True)[8:12:3]
        TrailLine.objects.filter(pk=ninth).update(at=timezone.now())
        [broken] = verify_all()
        assert (broken.line, broken.what) == (ninth, "changed")
        assert broken.words == f"Line {ninth} was changed: its seal does not fit what it says."
        TrailLine.objects.filter(pk=twelfth)._raw_delete("default")
        found = {(broken.line, broken.what) for broken in verify_all()}
        assert found == {(ninth, "changed"), (twelfth, "removed")}
        transaction.set_rollback(True)


def test_a_line_without_a_seal_was_not_written_by_the_desk() -> None:
    write_trail()
    with transaction.atomic():
        with connection.cursor() as cursor:
            for sql in without_triggers(connection.vendor):
                cursor.execute(sql)
        newest = TrailLine.objects.latest("pk")
        values = TrailLine.objects.filter(pk=newest.pk).values().get() | {"id": newest.pk + 1, "seal": None}
        super(type(TrailLine.objects.all()), TrailLine.objects.all()).bulk_create([TrailLine(**values)])
        [broken] = verify_all()
        assert (broken.line, broken.what) == (newest.pk + 1, "inserted")
        assert broken.words == f"Line {newest.pk + 1} has no seal: it was not written by the desk."
        transaction.set_rollback(True)
