"""The trail is kept by the database itself, chained by the worker, verified by a command and by a chore."""

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import ChainHead, ChainLink, ChainWatch, TrailLine
from accounts.trail import chain, watch
from accounts.trail.chain import seal_new, unsealed
from accounts.trail.complete import cleaned
from accounts.trail.kinds import KINDS, group_of
from accounts.trail.record import record_change
from accounts.trail.triggers import install
from accounts.trail.verify import verify_all
from orders.models import Event
from panel.alarms.evaluate import create_watch, evaluate
from panel.alarms.models import Alarm
from tests.makers import make_order, make_user
from tests.people import as_a, as_user
from tests.tampering import past_the_desk, seal_everything


class Died(Exception):
    """The worker was killed."""


committed = pytest.mark.django_db(transaction=True)
plainly = pytest.mark.django_db


def write(lines: int = 3) -> list[TrailLine]:
    return [record_change("sync_asked", by=None) for _ in range(lines)]


# ── The database keeps it ────────────────────────────────────────────────────────────────────────
@committed
@pytest.mark.parametrize("table", ["accounts_trailline", "accounts_chainlink"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_database_refuses_to_change_or_delete(table: str, sql: str) -> None:
    if sql.startswith("TRUNCATE") and connection.vendor == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    write()
    seal_everything()
    column = "kind" if table == "accounts_trailline" else "key"
    with pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
        connection.cursor().execute(sql.format(table, column, column))
    assert list(verify_all()) == []


@plainly
def test_the_models_refuse_too() -> None:
    [line] = write(1)
    link = ChainLink.objects.create(
        number=1, first_id=1, last_id=1, lines=1, sealed_at=timezone.now(), key="k", digest=b""
    )
    for row in (line, link):
        with pytest.raises(TypeError):
            row.save()
        with pytest.raises(TypeError):
            row.delete()


# ── The chain ────────────────────────────────────────────────────────────────────────────────────
@committed
def test_new_lines_are_sealed_and_when_idle_nothing_is_written() -> None:
    write()
    seal_everything()
    assert ChainHead.objects.get().lines == 3
    now = timezone.now() + timedelta(minutes=1)
    assert not unsealed(now).exists()
    with CaptureQueriesContext(connection) as queries:
        assert not seal_new(now)
    assert not [query for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


@committed
def test_lines_from_before_the_trail_are_sealed_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "LINES_A_LINK", 4)
    monkeypatch.setattr(TrailLine.objects.all().__class__, "bulk_create", lambda self, objs: objs)
    order = make_order("completed")
    with connection.cursor() as cursor:
        for _ in range(10):
            cursor.execute(
                "INSERT INTO accounts_trailline (at, kind, facts, order_id) VALUES (%s, 'moved', '{}', %s)",
                [timezone.now(), order.pk],
            )
    ChainHead.objects.all().delete()
    install()
    monkeypatch.undo()
    monkeypatch.setattr(chain, "LINES_A_LINK", 4)
    write(1)
    seal_everything()
    assert ChainLink.objects.get(number=1).lines == 4
    assert list(verify_all()) == []
    with past_the_desk() as cursor:
        cursor.execute("UPDATE accounts_trailline SET kind = 'stood' WHERE seal IS NULL")
    assert "moved" in {broken.what for broken in verify_all()}, "the links hold what old lines say"


@committed
def test_a_worker_that_dies_between_a_line_and_its_link_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    write()

    def die(name: str) -> None:
        if name == "seal.commit":
            raise Died(name)

    monkeypatch.setattr(chain, "fp", die)
    for _ in range(3):
        with pytest.raises(Died):
            seal_new(timezone.now())
    assert not ChainLink.objects.exists()
    assert list(verify_all()) == []
    monkeypatch.undo()
    seal_everything()
    assert ChainHead.objects.get().lines == 3
    assert list(verify_all()) == []


@committed
def test_an_older_secret_key_still_verifies_and_a_missing_one_is_said() -> None:
    write()
    seal_everything()
    with override_settings(SECRET_KEY="a new one " * 5, SECRET_KEY_FALLBACKS=[chain_secret()]):
        write()
        seal_everything()
        assert list(verify_all()) == []
        assert len({*ChainLink.objects.values_list("key", flat=True)}) == 2
    with override_settings(SECRET_KEY="a new one " * 5, SECRET_KEY_FALLBACKS=[]):
        assert "SECRET_KEY_FALLBACKS" in next(verify_all()).words


def chain_secret() -> str:
    return settings.SECRET_KEY


@committed
def test_nothing_is_sealed_behind_an_end_that_was_changed() -> None:
    write()
    seal_everything()
    ChainHead.objects.update(number=0, last_id=0, lines=0, digest=b"")
    write()
    assert not seal_new(timezone.now())
    assert ChainHead.objects.get().number == 0, "what is left stays for a person to look at"


# ── The command ──────────────────────────────────────────────────────────────────────────────────
def verified(*arguments: str) -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_trail", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue() + err.getvalue()
    return 0, out.getvalue() + err.getvalue()


@committed
def test_the_command_says_that_all_is_well_or_what_is_not() -> None:
    lines = write()
    seal_everything()
    head = bytes(ChainHead.objects.get().digest).hex()
    code, words = verified("--head", head)
    assert code == 0
    assert "3 lines" in words and head in words
    code, words = verified("--head", "ab" * 32)
    assert code == 1
    assert "an older database was restored" in words
    with past_the_desk() as cursor:
        cursor.execute("DELETE FROM accounts_trailline WHERE id = %s", [lines[1].pk])
    code, words = verified()
    assert code == 1
    assert f"removed: Line {lines[1].pk} was removed." in words


# ── The chore, the alarm and the page ────────────────────────────────────────────────────────────
@committed
def test_the_chore_finds_it_raises_an_alarm_and_the_page_says_so_to_owners() -> None:
    lines = write()
    seal_everything()
    now = timezone.now()
    watch.verify_piece(now)
    owner = as_a(Role.OWNER)
    assert "Chain verified" in owner.get("/activity/").content.decode()
    with past_the_desk() as cursor:
        cursor.execute("UPDATE accounts_trailline SET at = %s WHERE id = %s", [now - timedelta(days=1), lines[0].pk])
    watch.verify_piece(now)
    body = owner.get("/activity/").content.decode()
    assert f"The chain breaks at entry {lines[0].pk}" in body
    assert f"Line {lines[0].pk} was changed" in owner.get("/activity/chain/").content.decode()
    assert "The chain breaks" not in as_user(make_user(Role.MANAGER)).get("/activity/").content.decode()
    create_watch(now)
    evaluate(now)
    alarm = Alarm.objects.open().get(kind="trail")
    assert f"Line {lines[0].pk} was changed" in alarm.sentence
    with past_the_desk() as cursor:
        cursor.execute("UPDATE accounts_trailline SET at = %s WHERE id = %s", [lines[0].at, lines[0].pk])
    watch.verify_piece(now)
    evaluate(now)
    assert not Alarm.objects.open().filter(kind="trail").exists()


@committed
def test_a_round_of_the_chore_reads_as_much_however_long_the_trail_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PIECE_LINES", 6)
    monkeypatch.setattr(watch, "NEWEST_LINKS", 2)
    counts, places = [], []
    for _ in range(8):
        write(4)
        seal_everything()
        with CaptureQueriesContext(connection) as queries:
            watch.verify_piece(timezone.now())
        counts.append(len(queries))
        places.append(ChainWatch.objects.get().place)
    assert max(counts[3:]) <= min(counts[3:]) + 4
    assert 0 in places[3:] and max(places) >= 2, "all lines have their turn"


# ── What a line holds ────────────────────────────────────────────────────────────────────────────
@plainly
def test_no_secret_enters_whatever_the_kind() -> None:
    secrets = {"password": "hunter2hunter2", "api_key": "k" * 20, "token": "t" * 20, "session_key": "s" * 20}
    sneaky = {"words": f"it is {settings.SECRET_KEY}", "url": "/accounts/invitation/?t=abcdef"}
    user = make_user()
    for kind in [*KINDS, "placed", "signed_in"]:
        columns = {"before": {"secret": "x" * 20}, "after": {"deep": [secrets]}, "label": f"key {settings.SECRET_KEY}"}
        line = TrailLine(kind=kind, by=user, at=timezone.now(), facts={**secrets, **sneaky}, **columns)
        line.save()
        written = str(TrailLine.objects.filter(pk=line.pk).values().get())
        for secret in (*secrets.values(), settings.SECRET_KEY, "abcdef", "x" * 20):
            assert secret not in written, kind
        assert line.group == group_of(kind)
    assert cleaned({"codes": ["123456"]}) == {"codes": "…"}


@plainly
def test_a_line_remembers_from_where() -> None:
    browser = as_a(Role.OPERATOR)
    order = make_order("completed")
    browser.post(f"/orders/{order.pk}/assignment/", {"to": "", "saw": ""}, HTTP_USER_AGENT="Mozilla Chrome/1 Windows")
    browser.post(f"/orders/{order.pk}/notes/", {"text": "Hm", "token": "b3f0a3f0-0000-4000-8000-000000000001"},
                 HTTP_USER_AGENT="Mozilla Chrome/1 Windows")  # fmt: skip
    line = Event.objects.filter(kind="noted").get()
    assert (line.address, line.device) == ("127.0.0.1", "Chrome on Windows")
    assert record_change("sync_asked", by=None).address == "", "what the worker does comes from nowhere"
