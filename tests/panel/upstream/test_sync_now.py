"""“Sync now”: a manager asks, the worker fetches the catalog, and a second press does nothing more."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from catalog.changes import add_changes
from catalog.models import Service
from panel.notpanel.client import Client as Phone
from panel.upstream.models import Chore
from panel.worker.recurring import do_recurring_work
from tests.makers import make_service, make_user
from tests.people import as_a, as_user, htmx
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
PRESS = "/services/syncs/"


@pytest.fixture
def catalog() -> Chore:
    """The recurring fetch of the catalog, due in a quarter of an hour."""
    now = timezone.now()
    return Chore.objects.create(name="catalog", due_at=now + timedelta(minutes=15), done_at=now)


def test_the_worker_fetches_at_once_and_says_so(upstream: Upstream, phone: Phone, catalog: Chore) -> None:
    mira = as_user(make_user(Role.MANAGER, name="Mira"))
    assert "Sync asked for by Mira" in mira.post(PRESS, headers=htmx()).content.decode()
    assert upstream.calls("services") == 0, "the page itself asks nobody"
    assert do_recurring_work(phone)
    assert upstream.calls("services") == 1
    assert Service.objects.exists()
    page = mira.get("/services/sync/").content.decode()
    assert "Synced" in page and "Show the new list" in page
    assert not do_recurring_work(phone), "it is due again in its time"


def test_a_second_press_does_nothing_more(catalog: Chore) -> None:
    as_user(make_user(Role.MANAGER, name="Mira")).post(PRESS)
    before = Chore.objects.get()
    answer = as_a("manager").post(PRESS, follow=True).content.decode()
    assert "It is asked for already." in answer and "Sync asked for by Mira" in answer
    after = Chore.objects.get()
    assert (after.asked_at, after.due_at, after.asked_by) == (before.asked_at, before.due_at, before.asked_by)


def test_a_fetch_under_way_is_followed_by_another(
    phone: Phone, catalog: Chore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have begun before what the manager waits for."""
    manager, services = as_a("manager"), phone.services
    Chore.objects.update(due_at=timezone.now())

    def pressed_meanwhile() -> object:
        answer = services()
        manager.post(PRESS)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(phone, "services", pressed_meanwhile)
        assert do_recurring_work(phone)
    assert Chore.objects.get().asked_at, "still asked for"
    assert do_recurring_work(phone)
    assert Chore.objects.get().asked_at is None


def test_a_fetch_that_failed_stays_asked_for_and_says_why(upstream: Upstream, phone: Phone, catalog: Chore) -> None:
    upstream.will("throttle", action="services")
    manager = as_a("manager")
    manager.post(PRESS)
    assert do_recurring_work(phone)
    page = manager.get("/services/").content.decode()
    assert "the last try failed" in page and 'aria-disabled="true">Sync now' in page


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_who_decides_may_ask(catalog: Chore, role: str) -> None:
    client = as_a(role)
    assert "Sync now" not in client.get("/services/").content.decode()
    assert client.post(PRESS).status_code == 403
    assert Chore.objects.get().asked_at is None


def test_the_rail_says_how_many_changes_wait_for_a_decision(operator: Client) -> None:
    assert "changes to decide" not in operator.get("/team/").content.decode()
    add_changes({make_service().pk: {"rate": ["1", "2"]} for _ in range(3)}, timezone.now())
    assert '<span class="vh">, changes to decide: </span>3</span>' in operator.get("/team/").content.decode()
