"""The few words of a service's name that tell it from others of its category."""

import pytest

from catalog.service_names import ShortName, short_name


@pytest.mark.parametrize(("name", "category", "expected"), [
    ("Instagram Reels Views | Instant, Slow After First 10K [R30]", "Instagram › Reels Views",
     ("Instant, Slow After First 10K", "Reels Views", "R30")),
    ("X (Twitter) Followers | High Quality | Max 100K [R30] ♻️", "X (Twitter) › Followers",
     ("High Quality | Max 100K", "Followers", "R30")),
    ("Telegram Channel Members | Живые, Россия и СНГ [Гарантия 30 дней]", "Telegram › Channel Members",
     ("Живые, Россия и СНГ", "Channel Members", "Гарантия 30 дней")),
    ("Instagram Followers Real & Active", "Instagram › Real Followers", ("Real & Active", "Real Followers", "")),
    ("⭐ 𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 Followers - Fast [30 days] [NR]", "Instagram › Followers", ("Fast", "Followers", "30 days NR")),
    ("Likes", "Followers", ("Likes", "Followers", "")),
])  # fmt: skip
def test_what_the_category_says_is_cut_from_the_beginning(
    name: str, category: str, expected: tuple[str, str, str]
) -> None:
    """The bracket at the end stands apart."""
    assert short_name(name, category) == ShortName(*expected)


@pytest.mark.parametrize("name", ["Instagram Followers [R30]", "Instagram › Followers", "[R30]", "★", ""])
def test_a_name_of_which_nothing_is_left_stays_whole(name: str) -> None:
    """Nobody sees a row without a service."""
    assert short_name(name, "Instagram › Followers").words == name
