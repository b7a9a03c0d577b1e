"""A database that cannot work: every page says so with a 503, and what was typed is shown back and sent once more."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client

from accounts.access import Role
from accounts.models import User
from orders.models import Note, Order
from panel.ops.write_probe import WATCH
from panel.upstream.models import Beat
from tests.makers import PASSWORD, make_order, make_service, make_user
from tests.orders.placing.test_order_form import LINK, filled
from tests.people import as_user, htmx

FULL, LOCKED = "database or disk is full", "database is locked"
HIDDEN = re.compile(r'<textarea name="([^"]*)" hidden>\n(.*?)</textarea>', re.DOTALL)


@pytest.fixture(autouse=True)
def _nothing_is_known() -> Iterator[None]:
    WATCH.forget()
    yield
    WATCH.forget()


@pytest.fixture
def ana(db: None) -> User:
    return make_user(Role.OWNER, username="ana")


@pytest.fixture
def browser(ana: User) -> Client:
    client = as_user(ana)
    client.raise_request_exception = False
    client.get("/orders/")  # the first page of a new desk writes
    return client


def refusing(words: str) -> AbstractContextManager[None]:
    """Inside, every write fails with these words of SQLite's."""

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            raise OperationalError(words)
        return execute(sql, *rest)

    return connection.execute_wrapper(refuse)


def typed_back(page: str) -> dict[str, str]:
    """The fields that the page's button sends once more."""
    return {unescape(name): unescape(text) for name, text in HIDDEN.findall(page)}


# ── What was typed ───────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("words", "title", "seconds"), [(FULL, "The disk is full", "60"), (LOCKED, "The database is busy", "10")]
)
def test_an_order_that_could_not_be_written_is_shown_back_and_sent_once_more(
    browser: Client, words: str, title: str, seconds: str
) -> None:
    form = filled(make_service())
    with refusing(words):
        answer = browser.post("/orders/new/", form)
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, seconds)
    assert f"<h1>{title}</h1>" in page and LINK in page and "not written down yet" in page
    assert 'action="/orders/new/"' in page and "csrfmiddlewaretoken" in page
    assert not Order.objects.exists()
    assert typed_back(page) == form
    sent = [browser.post("/orders/new/", typed_back(page))["Location"] for _ in range(2)]
    assert sent == [Order.objects.get().get_absolute_url()] * 2, "pressed twice, ordered once"


@pytest.mark.parametrize(
    "text", ["Look here.", "\n\nfirst line empty", '<b>"bold"</b> & </textarea>', "two\r\nlines", "שלום"]
)
def test_a_note_comes_back_as_it_was_typed(browser: Client, text: str) -> None:
    order = make_order()
    with refusing(FULL):
        page = browser.post(f"/orders/{order.pk}/notes/", {"text": text}).content.decode()
    assert typed_back(page) == {"text": text}
    browser.post(f"/orders/{order.pk}/notes/", typed_back(page))
    assert Note.objects.get().text == text.replace("\r\n", "\n").strip()


def test_a_script_is_told_in_a_sentence_and_its_page_keeps_what_was_typed(browser: Client) -> None:
    order = make_order("completed")
    with refusing(FULL):
        answer = browser.post(f"/orders/{order.pk}/refills/", headers=htmx())
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/plain; charset=utf-8")
    assert answer.content.decode().startswith("The disk is full. ") and answer.content.endswith(b"Nothing was done.")


@pytest.mark.parametrize("words", [FULL, LOCKED, "attempt to write a readonly database"])
def test_signing_in_says_what_is_wrong_and_shows_no_password(ana: User, words: str) -> None:
    client = Client(raise_request_exception=False)
    client.get("/accounts/login/")
    with refusing(words):
        answer = client.post("/accounts/login/", {"login": "ana", "password": PASSWORD})
    page = answer.content.decode()
    assert answer.status_code == 503 and answer["Retry-After"]
    assert "<h1>The " in page and "Nothing was done" in page
    assert PASSWORD not in page and "Send it once more" not in page
    assert client.post("/accounts/login/", {"login": "ana", "password": PASSWORD}).status_code == 302


def test_with_debug_on_it_is_the_same_page(browser: Client, settings: Any) -> None:
    settings.DEBUG = True
    form = filled(make_service())
    with refusing(LOCKED):
        assert browser.post("/orders/new/", form).status_code == 503


def test_a_failure_after_the_view_is_no_500(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OperationalError(FULL)

    monkeypatch.setattr("django.contrib.messages.storage.base.BaseStorage.update", full)
    answer = browser.get("/team/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")


@pytest.mark.parametrize("path", ["/nothing/", "/orders/9/"])
def test_a_page_of_an_error_that_cannot_be_read_says_why(browser: Client, path: str, settings: Any) -> None:
    settings.DEBUG = True  # where Django shows a page of its own for every mistake

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        raise OperationalError("unable to open database file")

    with connection.execute_wrapper(refuse):
        stale = Client(enforce_csrf_checks=True)
        stale.cookies = browser.cookies
        answer = stale.post("/orders/new/", {"link": LINK})
        assert (answer.status_code, typed_back(answer.content.decode())) == (503, {"link": LINK})
        settings.DEBUG = False
        assert browser.get(path).status_code == 503


def test_another_error_of_the_database_is_our_mistake(browser: Client) -> None:
    with refusing("no such table: accounts_user"):
        answer = browser.post("/accounts/preferences/live/", {"paused": "yes"})
    assert answer.status_code == 500 and "Something broke on our side" in answer.content.decode()


def test_the_page_says_no_secret(browser: Client) -> None:
    with refusing(FULL):
        page = browser.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "a", "password2": "a"})
    assert PASSWORD not in page.content.decode()


# ── The banner ───────────────────────────────────────────────────────────────────────────────────
def test_every_page_tells_of_a_full_disk_until_there_is_room(browser: Client, ana: User) -> None:
    stranger, form = Client(raise_request_exception=False), filled(make_service())
    with refusing(FULL):
        browser.post("/orders/new/", form)
        pages = [browser.get("/orders/"), browser.get("/team/"), stranger.get("/accounts/login/")]
        assert [page.status_code for page in pages] == [200, 200, 200], "what is there can be read"
        for page in pages:
            assert "<b>The disk is full.</b>" in page.content.decode()
        assert "No worker is running" not in pages[0].content.decode(), "that would send people the wrong way"
        old = re.search(r'data-version="(\w+)"', pages[0].content.decode())
    WATCH.probed_at = float("-inf")
    assert old
    poll = browser.get(f"/orders/changes/?bar={old[1]}", headers=htmx()).content.decode()
    assert 'id="trouble"' in poll and "The disk is full" not in poll
    assert "The disk is full" not in stranger.get("/accounts/login/").content.decode()


def test_a_worker_that_fell_silent_raises_the_doubt(browser: Client) -> None:
    long_ago = "2026-01-01T00:00:00Z"
    Beat.objects.create(name="here:1", started_at=long_ago, beat_at=long_ago)
    with refusing(FULL):
        assert "<b>The disk is full.</b>" in browser.get("/orders/").content.decode()


def test_a_busy_database_is_no_banner(browser: Client) -> None:
    form = filled(make_service())
    with refusing(LOCKED):
        browser.post("/orders/new/", form)
        assert "The database is busy" not in browser.get("/orders/").content.decode()


# ── Readiness ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
@pytest.mark.parametrize(("words", "title"), [(FULL, "The disk is full."), (LOCKED, "The database is busy.")])
def test_readiness_says_that_nothing_can_be_written(client: Client, words: str, title: str) -> None:
    client.get("/healthz/ready")
    with refusing(words):
        answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["database"].startswith(f"answers, but nothing can be written. {title}")
    assert client.get("/healthz/ready").json()["database"] == "answers"


@pytest.mark.django_db
def test_readiness_says_why_the_database_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise OperationalError("unable to open database file")

    monkeypatch.setattr("panel.site.views.connection.ensure_connection", away)
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["database"].startswith("does not answer. The database cannot be written.")


# ── A lock of the database itself ────────────────────────────────────────────────────────────────
@contextmanager
def held_by_somebody_else() -> Iterator[None]:
    """Inside, another connection holds what a writer needs, and this one waits for a moment only."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.close()
        return
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with connections["default"].cursor() as cursor:
            # Who asks can still be read, and not written.
            cursor.execute(
                "BEGIN; LOCK TABLE orders_order IN ACCESS EXCLUSIVE MODE; LOCK TABLE accounts_user IN SHARE MODE"
            )
            holds.set()
            done.wait(60)
            cursor.execute("ROLLBACK")
        connections["default"].close()

    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 50")
    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holds.wait(60)
        yield
    finally:
        done.set()
        holder.join()


@pytest.mark.django_db(transaction=True)
def test_a_locked_database_is_a_sentence_for_a_page_and_for_a_form() -> None:
    browser = as_user(make_user(Role.OWNER))
    browser.get("/orders/")
    form = filled(make_service())
    with held_by_somebody_else():
        page = browser.post("/accounts/preferences/live/", {"paused": "yes"})
        posted = browser.post("/orders/new/", form)
    for answer in (page, posted):
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert "<h1>The database is busy</h1>" in answer.content.decode()
    assert not Order.objects.exists()
    assert browser.post("/orders/new/", typed_back(posted.content.decode())).status_code == 302
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the settings say it for SQLite")
def test_a_page_waits_for_a_lock_of_postgresql_no_longer_than_on_sqlite() -> None:
    connection.close()
    Client().get("/healthz/ready")
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("20s",)
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",), "no page waits until a statement is compiled"
