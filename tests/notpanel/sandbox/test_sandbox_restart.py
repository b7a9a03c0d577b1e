"""What a sandbox remembers after it was stopped, or killed."""

from pathlib import Path

from panel.notpanel.sandbox.world.supplier import Supplier
from tests.upstream import SERVICE, Upstream


def test_a_restart_changes_nothing(upstream: Upstream) -> None:
    done, moving = upstream.place(), upstream.place()
    upstream.set_status(done, "completed")
    upstream.post("refill", order=done)
    upstream.post("webhook.add", url="https://a.example.com/")
    upstream.set_price(SERVICE, "9.99")
    upstream.vanish(SERVICE + 3)
    upstream.suspended()
    upstream.advance(minutes=31)
    before = upstream.books() | _catalog(upstream)
    upstream.restart()
    after = upstream.books() | _catalog(upstream)
    changing = {"calls", "named", "refused", "recent", "elsewhere"}
    assert {name: before[name] for name in before.keys() - changing} == {
        name: after[name] for name in after.keys() - changing
    }
    assert upstream.order(moving)["status"] == "in_progress"


def test_a_request_id_is_remembered(upstream: Upstream) -> None:
    order = upstream.place(request_id="r-1")
    upstream.restart()
    assert upstream.place(request_id="r-1") == order


def test_the_same_address_answers_again(upstream: Upstream) -> None:
    url = upstream.url
    upstream.restart()
    assert (upstream.url, upstream.post("balance").status) == (url, 200)


def test_time_goes_on_while_it_is_off(tmp_path: Path) -> None:
    first = Supplier(str(tmp_path / "s.sqlite3"), speed=100_000)
    then = first.clock.now()
    first.close()
    second = Supplier(str(tmp_path / "s.sqlite3"))
    assert second.clock.speed == 100_000
    assert second.clock.now() > then
    second.close()


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    path = str(tmp_path / "s.sqlite3")
    killed = Supplier(path)  # never closed: what a kill leaves is what is committed
    killed.set_balance(4_700_000)
    survivor = Supplier(path)
    assert survivor.balance() == 4_700_000
    survivor.close()
    killed.close()


def test_the_opening_balance_counts_once(tmp_path: Path) -> None:
    path = str(tmp_path / "s.sqlite3")
    Supplier(path, balance="12").close()
    again = Supplier(path, balance="99")
    assert again.balance() == 1_200_000
    again.close()


def _catalog(upstream: Upstream) -> dict[str, object]:
    return {"services": [tuple(service) for service in upstream.supplier.store.services()]}
