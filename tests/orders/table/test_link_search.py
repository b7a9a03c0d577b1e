"""A link finds the orders to where it leads, however it and theirs are spelled, typed alone or in a message."""

import pytest

from orders.table.listing import Listing
from orders.table.pasted_ids import find_orders
from tests.makers import make_order, make_service, make_user

pytestmark = pytest.mark.django_db
OTHERS = (
    "https://instagram.com/p/abc", "https://instagram.com/lumenx", "https://youtu.be/abc",
    "https://example.com/a?b=1&a=2", "https://x.com/lumen/status/12", "https://t.me/lumenx",
)  # fmt: skip


@pytest.mark.parametrize(("ordered", "typed"), [
    ("https://www.instagram.com/p/AbC/", "http://instagram.com/p/AbC/"),
    ("https://instagram.com/p/AbC", "https://www.instagram.com/lumen/reel/AbC/?igsh=1"),
    ("https://instagram.com/lumen", "https://m.instagram.com/LUMEN?hl=en"),
    ("https://instagr.am/lumen?igsh=1", "https://instagram.com/lumen"),
    ("https://twitter.com/lumen/status/1", "https://x.com/i/status/1"),
    ("https://youtu.be/AbC?t=4", "https://m.youtube.com/watch?v=AbC&feature=share"),
    ("https://telegram.me/lumen", "https://t.me/s/lumen"),
    ("https://m.facebook.com/story.php?story_fbid=1&id=2", "https://facebook.com/lumen/posts/1"),
    ("https://www.tiktok.com/@lumen/video/1?_t=8", "https://m.tiktok.com/v/1.html"),
    ("https://example.com/A?b=1&a=2", "http://www.example.com/A/?a=2&b=1#top"),
    ("@lumen", "https://instagram.com/lumen/"),
])  # fmt: skip
def test_another_spelling_finds_the_order(ordered: str, typed: str) -> None:
    """And no other: not a part of the link, not the same code in other capitals."""
    by, service = make_user(), make_service()
    order = make_order("completed", by=by, service=service, link=ordered)
    for other in OTHERS:
        make_order("completed", by=by, service=service, link=other)
    assert Listing(by, text=typed).page().orders == [order]
    assert find_orders(f"please refill {typed} again", by).orders == [order.pk]


def test_all_spellings_stand_in_one_list_newest_first() -> None:
    """As one target, along one index."""
    by, service = make_user(), make_service()
    links = ("https://x.com/lumen", "https://twitter.com/Lumen", "http://mobile.twitter.com/lumen?s=20")
    orders = [make_order("completed", by=by, service=service, link=link) for link in links]
    assert Listing(by, text="https://www.x.com/lumen").page().orders == orders[::-1]
