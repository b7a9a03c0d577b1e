"""`services`: what the sandbox sells, and how the list can change under one's feet."""

from collections import Counter

from panel.notpanel.sandbox.world import services
from tests.upstream import SERVICE, Upstream


def test_it_sells_about_300_services_on_eight_networks(upstream: Upstream) -> None:
    rows = upstream.post("services").content
    assert 290 <= len(rows) <= 320
    assert len({row["category"].split(" › ")[0] for row in rows}) == 8


def test_every_row_has_the_fields_of_the_trade(upstream: Upstream) -> None:
    for row in upstream.post("services").content:
        assert [type(row[name]) for name in ("service", "rate", "min", "max")] == [int, str, str, str]
        assert all(isinstance(row[name], bool) for name in ("refill", "cancel", "dripfeed"))
        assert float(row["rate"]) > 0
        assert 0 < int(row["min"]) <= int(row["max"])
        assert len(row["name"]) <= 500


def test_it_sells_all_types_that_the_contract_knows(upstream: Upstream) -> None:
    types = Counter(row["type"] for row in upstream.post("services").content)
    assert set(types) == {"Default", "Package", "Custom Comments", "Mentions", "Poll", "Subscriptions"}


def test_names_look_like_the_trades() -> None:
    names = [service.name for service in services.catalog()]
    assert len(set(names)) == len(names)
    assert any("★" in name for name in names)
    assert any("[R30]" in name for name in names)
    assert any(len(name) > 200 for name in names)
    assert sum(not name.isascii() for name in names) > 50


def test_the_list_is_the_same_every_time() -> None:
    assert services.catalog() == services.catalog()


def test_a_new_price_is_listed_and_charged(upstream: Upstream) -> None:
    upstream.set_price(SERVICE, "2.5")
    assert _row(upstream)["rate"] == "2.5"
    order = upstream.place(quantity=1000)
    assert upstream.order(order)["charge"] == "2.50"


def test_a_vanished_service_is_left_out_and_cannot_be_ordered(upstream: Upstream) -> None:
    upstream.vanish(SERVICE)
    assert _row(upstream) == {}
    reply = upstream.post("add", request_id="r", service=SERVICE, link="https://x.com/a", quantity=100)
    assert (reply.status, reply.content) == (400, {"error": "Service not found"})


def test_a_service_can_come_back(upstream: Upstream) -> None:
    upstream.vanish(SERVICE)
    upstream.bring_back(SERVICE)
    assert _row(upstream)["service"] == SERVICE


def test_the_list_can_be_short_or_empty(upstream: Upstream) -> None:
    upstream.catalog_keeps(12)
    assert len(upstream.post("services").content) == 12
    upstream.catalog_keeps(0)
    assert upstream.post("services").content == []
    upstream.catalog_keeps(None)
    assert len(upstream.post("services").content) > 290


def test_the_list_can_be_anything_and_its_good_rows_can_be_ordered(upstream: Upstream) -> None:
    rows = [{"service": "7", "name": "Odd", "rate": 1.5, "min": 10, "max": "99", "refill": "1"}, {"name": "no id"}, 3]
    upstream.catalog_is(rows)
    assert upstream.post("services").content == rows
    assert upstream.order(upstream.place(service=7, quantity=10))["charge"] == "0.015"


def test_a_replaced_list_makes_everything_else_vanish_until_the_usual_one_is_back(upstream: Upstream) -> None:
    upstream.catalog_is([])
    reply = upstream.post("add", request_id="r", service=SERVICE, link="https://x.com/a", quantity=100)
    assert reply.content == {"error": "Service not found"}
    upstream.catalog_is(None)
    assert _row(upstream)["service"] == SERVICE


def _row(upstream: Upstream) -> dict[str, object]:
    return next((row for row in upstream.post("services").content if row["service"] == SERVICE), {})
