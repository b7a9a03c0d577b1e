"""Where a link leads: one spelling for all links that lead there, and another for each that leads elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.networks import NETWORKS, TARGET_CHARACTERS, Kind, place_of, target_of

# Each row: links that lead to the same place.
SAME = [
    ["https://instagram.com/lumen", "http://instagram.com/lumen", "https://instagram.com/Lumen",
     "https://m.instagram.com/lumen", "https://www.instagram.com/lumen/", "https://instagram.com/lumen?hl=en",
     "https://instagr.am/lumen", "instagram.com/lumen", "https://instagram.com/_u/lumen", "https://instagram.com//lumen",
     "https://instagram.com:443/lumen", "https://instagram.com/lumen/reels/", "https://www.instagram.com/lumen/tagged",
     "https://instagram.com/lumen#top", "https://instagram.com/%6Cumen", "HTTPS://INSTAGRAM.COM/LUMEN",
     "https://instagram.com/lumen.", "https://instagram.com/lumen/?igsh=a&utm_source=qr",
     "https://l.instagram.com/?u=https%3A%2F%2Finstagram.com%2Flumen%3Futm_source%3Dx&e=AT1",
     "https://www.instagram.com/accounts/login/?next=/lumen/"],
    ["https://instagram.com/p/AbC", "https://instagram.com/lumen/p/AbC/", "https://instagram.com/p/AbC/?img_index=2",
     "https://instagram.com/reel/AbC", "https://www.instagram.com/lumen/reel/AbC/?igsh=x", "instagr.am/p/AbC",
     "https://instagram.com/tv/AbC", "https://instagram.com/p/AbC/comments/", "https://instagram.com/reels/AbC/"],
    ["https://x.com/lumen", "https://twitter.com/lumen", "https://mobile.twitter.com/Lumen", "https://x.com/@lumen",
     "https://twitter.com/#!/lumen", "https://x.com/lumen/with_replies", "https://x.com/lumen?s=21&t=abc",
     "https://twitter.com/intent/user?screen_name=lumen", "https://x.com/lumen?lang=de"],
    ["https://x.com/lumen/status/12", "https://twitter.com/i/web/status/12", "https://x.com/i/status/12",
     "https://x.com/lumen/status/12/photo/1", "https://mobile.twitter.com/lumen/statuses/12?s=20"],
    ["https://youtu.be/AbC", "https://www.youtube.com/watch?v=AbC", "https://m.youtube.com/watch?v=AbC",
     "https://youtube.com/shorts/AbC?feature=share", "https://youtube.com/live/AbC", "https://youtu.be/AbC?t=42&si=x",
     "https://www.youtube.com/embed/AbC", "https://www.youtube.com/watch?list=PL1&v=AbC&index=3",
     "https://music.youtube.com/watch?v=AbC", "https://www.youtube-nocookie.com/embed/AbC", "youtube.com/v/AbC"],
    ["https://youtube.com/@lumen", "https://www.youtube.com/@Lumen/videos", "https://m.youtube.com/lumen",
     "https://youtube.com/%40lumen", "https://youtube.com/@lumen/shorts?view=0"],
    ["https://t.me/lumen", "https://telegram.me/lumen", "https://t.me/s/Lumen", "https://telegram.dog/lumen",
     "https://lumen.t.me", "http://www.t.me/lumen/", "https://t.me/@lumen", "https://t.me/lumen?boost",
     "https://t.me/boost/lumen"],
    ["https://t.me/lumen/15", "https://t.me/s/lumen/15", "https://telegram.me/Lumen/15?single", "t.me/lumen/7/15"],
    ["https://t.me/+AbC", "https://t.me/joinchat/AbC", "https://telegram.me/joinchat/AbC", "https://t.me/%2BAbC"],
    ["https://facebook.com/lumen", "https://m.facebook.com/lumen", "https://fb.com/Lumen", "https://fb.me/lumen",
     "https://de-de.facebook.com/lumen/", "https://web.facebook.com/lumen?mibextid=x", "https://facebook.com/pg/lumen",
     "https://mbasic.facebook.com/lumen?__tn__=C", "https://facebook.com/lumen/about"],
    ["https://facebook.com/profile.php?id=100012", "https://m.facebook.com/profile.php?lst=a&id=100012",
     "https://facebook.com/people/Lumen-Studio/100012/", "https://www.facebook.com/p/Lumen-Studio-100012/"],
    ["https://facebook.com/watch/?v=12", "https://facebook.com/lumen/videos/12/", "https://facebook.com/reel/12",
     "https://www.facebook.com/lumen/videos/a-title/12", "https://facebook.com/video.php?v=12"],
    ["https://facebook.com/lumen/posts/pfbidAbC", "https://m.facebook.com/story.php?story_fbid=pfbidAbC&id=7",
     "https://facebook.com/permalink.php?story_fbid=pfbidAbC&id=7", "https://facebook.com/groups/9/posts/pfbidAbC/",
     "https://facebook.com/groups/9/permalink/pfbidAbC"],
    ["https://tiktok.com/@lumen", "https://www.tiktok.com/@Lumen?lang=en", "https://m.tiktok.com/@lumen/",
     "https://tiktok.com/%40lumen?_t=8&_r=1"],
    ["https://tiktok.com/@lumen/video/12", "https://m.tiktok.com/v/12.html", "https://tiktok.com/@/video/12",
     "https://www.tiktok.com/@lumen/video/12?is_from_webapp=1", "https://www.tiktok.com/embed/v2/12"],
    ["https://open.spotify.com/track/AbC", "https://open.spotify.com/intl-de/track/AbC?si=1",
     "https://open.spotify.com/embed/track/AbC"],
    ["https://discord.gg/AbC", "https://discord.com/invite/AbC", "https://discordapp.com/invite/AbC"],
    ["https://example.com/A?b=2&a=1", "http://www.example.com/A/?a=1&b=2&utm_source=x", "https://m.example.com/A?b=2&a=1#x"],
]  # fmt: skip
# Each row: links of which no two lead to the same place.
DIFFERENT = [
    ["https://instagram.com/p/AbC", "https://instagram.com/p/abc", "https://instagram.com/abc",
     "https://instagram.com/share/AbC", "https://instagram.com/lumen", "https://instagram.com/lumen.studio",
     "https://instagram.com/stories/lumen/12", "https://help.instagram.com/lumen", "https://threads.net/lumen",
     "https://instagram.com.evil.example/lumen", "https://instagram.com/explore/tags/lumen"],
    ["https://youtu.be/AbC", "https://youtu.be/abc", "https://youtube.com/@abc", "https://youtube.com/c/abc",
     "https://youtube.com/user/abc", "https://youtube.com/channel/abc", "https://youtube.com/channel/AbC",
     "https://youtube.com/playlist?list=AbC", "https://youtube.com/post/AbC"],
    ["https://t.me/lumen", "https://t.me/lumen/15", "https://t.me/lumen/16", "https://t.me/+AbC", "https://t.me/+abc",
     "https://t.me/lumen/15?comment=3", "https://t.me/lumen/s/15", "https://t.me/c/15/15", "https://t.me/bot?start=a",
     "https://t.me/bot?start=b", "https://t.me/bot"],
    ["https://x.com/lumen", "https://x.com/lumen/status/1", "https://x.com/lumen/status/12", "https://x.com/i/user/1",
     "https://netflix.com/lumen", "https://x.com/i/lists/1"],
    ["https://facebook.com/lumen", "https://facebook.com/groups/lumen", "https://facebook.com/lumen/posts/1",
     "https://facebook.com/events/1", "https://facebook.com/profile.php?id=1", "https://facebook.com/photo?fbid=1",
     "https://fb.watch/1", "https://fb.watch/Abc/", "https://fb.watch/abc/", "https://facebook.com/share/p/Abc",
     "https://facebook.com/share/p/abc", "https://facebook.com/watch?v=1"],
    ["https://tiktok.com/@lumen", "https://tiktok.com/@lumen/video/1", "https://vm.tiktok.com/AbC",
     "https://vm.tiktok.com/abc"],
    ["https://open.spotify.com/track/AbC", "https://open.spotify.com/track/abc", "https://open.spotify.com/album/AbC"],
    ["https://discord.gg/AbC", "https://discord.gg/abc"],
    ["https://example.com/A", "https://example.com/a", "https://example.com/A?id=1", "https://example.com/A?lang=de",
     "https://example.com/A#/route", "https://shop.example.com/A", "https://example.com/A?u=https://instagram.com/lumen"],
]  # fmt: skip


@pytest.mark.parametrize("links", SAME, ids=lambda links: str(links[0]))
def test_links_to_one_place_have_one_target(links: list[str]) -> None:
    """Scheme, subdomain, capitals of names, language, sharing, short domains and longer paths make no difference."""
    assert {link: target_of(link) for link in links} == dict.fromkeys(links, target_of(links[0]))


@pytest.mark.parametrize("links", DIFFERENT, ids=lambda links: str(links[0]))
def test_links_to_different_places_have_different_targets(links: list[str]) -> None:
    """The codes of posts keep their capitals, and a profile is not one of its posts."""
    targets = [target_of(link) for link in links]
    assert len(set(targets)) == len(links), sorted(targets)


def test_no_row_of_one_place_has_the_target_of_another() -> None:
    """Otherwise two places would be taken for one."""
    assert len({target_of(links[0]) for links in SAME}) == len(SAME)


@pytest.mark.parametrize(("network", "link"), [
    ("instagram", "https://instagram.com/lumen"), ("tiktok", "https://tiktok.com/@lumen"),
    ("twitter", "https://x.com/lumen"), ("telegram", "https://t.me/lumen"), ("youtube", "https://youtube.com/@lumen"),
])  # fmt: skip
def test_a_name_is_its_profile_where_the_network_is_known(network: str, link: str) -> None:
    """A subscription, which has a name and no link, is to the same target as a link to the profile."""
    assert target_of("@Lumen", NETWORKS[network]) == target_of(link)
    assert target_of("@Lumen") == "@lumen"
    assert target_of("@Lumen", NETWORKS["discord"]) == "@lumen"


def test_a_long_target_fits_and_differs_still_at_its_end() -> None:
    """Its end becomes a digest."""
    long = "https://example.com/" + "a" * 900
    assert len(target_of(long)) == len(target_of(f"{long}b")) == TARGET_CHARACTERS
    assert target_of(long) != target_of(f"{long}b")


@given(st.text(max_size=60) | st.text(max_size=40).map("https://instagram.com/".__add__)
       | st.text(max_size=40).map("https://facebook.com/?id=".__add__))  # fmt: skip
def test_any_text_has_a_target(text: str) -> None:
    """Whatever was pasted: no error, nothing too long, no NUL, and a target of its own only where there is a text."""
    target = target_of(text)
    assert len(target) <= TARGET_CHARACTERS
    assert "\0" not in target


def test_a_front_page_is_no_profile() -> None:
    """Nor are the network's own pages."""
    assert place_of("https://www.tiktok.com/?lang=en").kind == Kind.FRONT
    for link in ("https://instagram.com/explore/", "https://x.com/home", "https://facebook.com/marketplace/item/1"):
        assert place_of(link).kind == Kind.SECTION, link
