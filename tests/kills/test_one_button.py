"""One button, pressed a thousand times by eight processes at once, is one call upstream."""

from collections import Counter
from pathlib import Path

import pytest

from tests.kills.clicks import PROCESSES, TIMES, clicks
from tests.kills.desk import CSRF, Desk

pytestmark = pytest.mark.campaign

AFTER_THE_LAST = 10  # presses of each when all refills are used
DONE, CONFLICT, FOUND = "HTTP 200", "HTTP 409", 302
A_DAY, A_MONTH = 86_400, 30 * 86_400  # seconds of the supplier's clock


def press(desk: Desk, path: str, times: int = TIMES) -> Counter[str]:
    """So many presses by each of eight processes, all let go at once; how they were answered."""
    return clicks(desk, desk.post({}, **{"HX-Request": "true", "X-CSRFToken": CSRF}), path, times)


def put(desk: Desk, link: str, status: str) -> str:
    """The path of an order that stands so, here and upstream."""
    place = desk.submit(link, link.rpartition("/")[2])
    pk = place.strip("/").rpartition("/")[2]
    desk.wait_for_none(f"SELECT id FROM orders_order WHERE id = {pk} AND upstream_id IS NULL")
    ((upstream_id,),) = desk.query(f"SELECT upstream_id FROM orders_order WHERE id = {pk}")
    desk.control("orders", order=upstream_id, status=status)
    desk.wait_for_none(f"SELECT id FROM orders_order WHERE id = {pk} AND status <> '{status}'")
    return place


def settle(desk: Desk) -> None:
    desk.wait_for_none("SELECT id FROM orders_task WHERE settled_at IS NULL")


def test_a_thousand_presses_of_refill_are_one_call_and_after_three_there_is_no_fourth(tmp_path: Path) -> None:
    with Desk(tmp_path) as desk:
        desk.worker(1)
        place = put(desk, "https://instagram.com/p/6e1d6e1c-0000-4000-8000-000000000001", "completed")
        assert press(desk, f"{place}refills/") == {DONE: 1, CONFLICT: PROCESSES * TIMES - 1}
        settle(desk)
        assert desk.books()["calls"]["refill"] == 1
        for refill in (2, 3, 4):
            desk.control("clock", advance=A_DAY)  # upstream has settled the one before, and tells nobody
            why = {"reason": "The customer sees it."}
            assert desk.press(f"{place}refills/settlement/", why, "manager") == FOUND
            presses = press(desk, f"{place}refills/", 1 if refill <= 3 else AFTER_THE_LAST)
            assert presses[DONE] == (refill <= 3), presses
            settle(desk)
        books = desk.books()
        tasks = desk.query("SELECT outcome, slot FROM orders_task WHERE kind = 'refill' ORDER BY id")
    assert (books["calls"]["refill"], len(books["refills"])) == (3, 3)
    assert tasks == [("done", slot) for slot in (1, 2, 3)]


def test_a_thousand_presses_of_cancel_are_one_call(tmp_path: Path) -> None:
    with Desk(tmp_path) as desk:
        desk.worker(1)
        place = put(desk, "https://instagram.com/p/6e1d6e1c-0000-4000-8000-000000000002", "in_progress")
        assert press(desk, f"{place}cancellation/") == {DONE: 1, CONFLICT: PROCESSES * TIMES - 1}
        settle(desk)
        assert press(desk, f"{place}cancellation/", 1) == {CONFLICT: PROCESSES}
        desk.control("clock", advance=A_MONTH)
        desk.wait_for_none("SELECT order_id FROM orders_poll")
        assert press(desk, f"{place}cancellation/", 1) == {CONFLICT: PROCESSES}
        books = desk.books()
        ((how,),) = desk.query("SELECT over_how FROM orders_task WHERE kind = 'cancel'")
    assert books["calls"]["cancel"] == 1
    assert how == {"cancelled": "agreed", "completed": "delivered"}[books["orders"][0]["status"]]
