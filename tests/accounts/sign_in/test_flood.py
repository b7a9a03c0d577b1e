"""A flood of guesses costs few hashes, and keeps nobody out. tests/benchmarks/guesses.py does all of it over HTTP."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access import Role
from accounts.models import DoorEvent, SignInCount, User
from accounts.sign_in import throttle
from tests.accounts.sign_in.flood import LOGIN, addresses, counted_hashes, guesses
from tests.makers import PASSWORD, make_user

pytestmark = pytest.mark.django_db
GUESSES, ADDRESSES = 600, 50
HASHES_IN_ALL = 300  # of strangers within ten minutes, however many they are
HASHES = 150  # three of each address; of 10,000 guesses they are 0.015 each
OWNERS_ADDRESS, ELSEWHERE = "192.0.2.7", "192.0.2.200"


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.PASSWORD_HASHERS = ["tests.accounts.sign_in.flood.QuickHasher"]


@pytest.fixture
def owner() -> User:
    """The owner whose account is attacked, and who has no session."""
    return make_user(Role.OWNER, username="olivia", email="olivia@example.com")


def sign_in(client: Client, address: str, login: str = "olivia", password: str = PASSWORD) -> Any:
    """The answer to the form, from this address."""
    return client.post(LOGIN, {"login": login, "password": password}, REMOTE_ADDR=address)


def flood(names: list[str]) -> tuple[int, set[int]]:
    """Sends the guesses. Returns how many hashes they cost, and the statuses of all answers."""
    client, statuses = Client(), set()
    with counted_hashes() as hashes:
        for login, password, address, headers in guesses(names, GUESSES, addresses(ADDRESSES)):
            client.cookies.clear()
            answer = client.post(LOGIN, {"login": login, "password": password}, REMOTE_ADDR=address, headers=headers)
            statuses.add(answer.status_code)
    return len(hashes), statuses


@pytest.mark.slow
@pytest.mark.parametrize("names", [["olivia"], [f"nobody{at}" for at in range(299)] + ["olivia"]], ids=["one", "300"])
def test_a_flood_costs_few_hashes_and_the_owner_signs_in_meanwhile(owner: User, names: list[str]) -> None:
    known = Client()
    assert sign_in(known, OWNERS_ADDRESS).status_code == 302
    known.post("/accounts/logout/")
    hashes, statuses = flood(names)
    assert 0 < hashes <= HASHES
    assert statuses == {200, 429}
    assert sign_in(known, ELSEWHERE).status_code == 302, "the device is known"
    assert sign_in(Client(), OWNERS_ADDRESS).status_code == 302, "the address is known"
    assert sign_in(Client(), "192.0.2.99").status_code == 302, "a new device at a new address has a try"
    assert sign_in(Client(), "192.0.2.98", "olivia@example.com").status_code == 302


@pytest.mark.slow
def test_a_flood_writes_few_rows(owner: User) -> None:
    flood([f"nobody{at}" for at in range(300)])
    assert DoorEvent.objects.filter(kind="throttled").count() == ADDRESSES, "one of each address"
    assert DoorEvent.objects.filter(kind="failed").count() <= HASHES
    assert SignInCount.objects.count() <= 2 * HASHES + 2 * ADDRESSES + 1


@pytest.mark.slow
def test_a_flood_from_very_many_addresses_is_bounded_too(owner: User) -> None:
    known = Client()
    sign_in(known, OWNERS_ADDRESS)
    known.post("/accounts/logout/")
    guesser = Client()
    with counted_hashes() as hashes:
        for address in addresses(HASHES_IN_ALL + 150):
            sign_in(guesser, address, password="guess")
    assert len(hashes) == HASHES_IN_ALL
    assert DoorEvent.objects.filter(kind="throttled").count() == 100, "of so many addresses not each is recorded"
    assert sign_in(known, ELSEWHERE).status_code == 302
    assert sign_in(Client(), OWNERS_ADDRESS).status_code == 302


def test_neighbours_in_one_ipv6_network_are_counted_as_one(owner: User) -> None:
    with counted_hashes() as hashes:
        for at in range(40):
            sign_in(Client(), f"2001:db8:1:2::{at:x}", password="guess")
    assert len(hashes) == throttle.ADDRESS_TRIES
    assert sign_in(Client(), "2001:db8:1:3::1").status_code == 302


@pytest.mark.parametrize(
    "login", ["olivia", "olivia@example.com", "nobody", "nobody@example.com", "idle", "off", "OFF"]
)
@pytest.mark.parametrize("password", ["wrong", PASSWORD])
def test_each_try_costs_one_hash(owner: User, login: str, password: str) -> None:
    """Known and unknown, by name or by e-mail, without a password, switched off: by its time nobody learns which."""
    User.objects.create_user("idle")
    make_user(username="off", is_active=False)
    client = Client()
    client.get(LOGIN)
    with counted_hashes() as hashes:
        sign_in(client, OWNERS_ADDRESS, login, password)
    assert hashes.count(password) + sum(other != password for other in hashes) == 1


def test_a_known_and_an_unknown_account_cost_as_many_statements(owner: User) -> None:
    sign_in(Client(), "192.0.2.9", "anybody", "wrong")  # the first page makes rows that the bar reads
    costs = []
    for at, login in enumerate(["olivia", "olivia@example.com", "nobody", "nobody@example.com"]):
        with CaptureQueriesContext(connection) as captured:
            sign_in(Client(), f"192.0.2.{at + 1}", login, "wrong")
        costs.append(len(captured))
    assert len(set(costs)) == 1


def test_tries_at_once_do_not_both_take_the_last() -> None:
    count = throttle.Count("one", 2)
    assert [throttle.take_one(count, 100) for _ in range(4)] == [True, True, False, False]
    assert throttle.take_one(count, 100 + throttle.WINDOW_SECONDS), "a new window"
    assert SignInCount.objects.get(key="one").tries == 1


def test_a_try_that_has_no_room_in_one_count_takes_none_of_the_others() -> None:
    full = throttle.Count("full", 1)
    assert throttle.take_one(full, 100)
    assert not throttle.take_all([throttle.Count("a", 5), full], 100)
    assert not SignInCount.objects.filter(key="a", tries__gt=0).exists()


def test_after_the_window_there_is_room_again() -> None:
    attempt = throttle.Try("person 1", "192.0.2.1")
    taken = [throttle.take(attempt, 1_000) for _ in range(throttle.ADDRESS_TRIES + 1)]
    assert [isinstance(each, list) for each in taken] == [True] * throttle.ADDRESS_TRIES + [False]
    assert taken[-1] == throttle.Refused(throttle.WINDOW_SECONDS, first=True)
    assert throttle.take(attempt, 1_100) == throttle.Refused(throttle.WINDOW_SECONDS - 100, first=False)
    assert isinstance(throttle.take(attempt, 1_000 + throttle.WINDOW_SECONDS), list)


def test_the_table_tells_no_name_and_no_address(owner: User) -> None:
    sign_in(Client(), OWNERS_ADDRESS, "somebody-secret", "wrong")
    rows = repr(list(SignInCount.objects.values()))
    assert rows and "somebody" not in rows and OWNERS_ADDRESS not in rows


def test_a_forged_or_stolen_cookie_of_another_account_is_no_known_device(owner: User) -> None:
    mallory = Client()
    make_user(username="mallory")
    assert sign_in(mallory, "198.51.100.1", "mallory").status_code == 302
    mallory.post("/accounts/logout/")
    with counted_hashes() as hashes:
        for _ in range(20):
            sign_in(mallory, "198.51.100.1", "olivia", "guess")
    assert len(hashes) == throttle.ADDRESS_TRIES


def test_a_right_password_of_ones_own_gives_no_further_guesses(owner: User) -> None:
    mallory = Client()
    make_user(username="mallory")
    with counted_hashes() as hashes:
        for _ in range(20):
            sign_in(mallory, "198.51.100.1", "olivia", "guess")
            sign_in(Client(), "198.51.100.1", "mallory")
    assert hashes.count("guess") == throttle.ADDRESS_TRIES
