"""A pasted link: what is mended, what looks odd, what is refused."""

import pytest

from orders.rules.link_targets import NETWORKS, target_of
from orders.rules.links import check, name_of, network_of, wants_profile

INSTAGRAM = NETWORKS["instagram"]


@pytest.mark.parametrize(
    ("network", "typed", "link"),
    [
        ("instagram", "@lumen.studio", "https://instagram.com/lumen.studio"),
        ("tiktok", "@lumen", "https://tiktok.com/@lumen"),
        ("youtube", "@lumen", "https://youtube.com/@lumen"),
        ("telegram", "@lumen", "https://t.me/lumen"),
        ("twitter", "@lumen", "https://x.com/lumen"),
        ("instagram", "instagram.com/lumen", "https://instagram.com/lumen"),
        ("instagram", "www.instagram.com/lumen", "https://www.instagram.com/lumen"),
        ("instagram", "//instagram.com/lumen", "https://instagram.com/lumen"),
        ("instagram", "instagram.com:443/lumen", "https://instagram.com:443/lumen"),
        ("instagram", "  HTTPS://Instagram.COM/Lumen \n", "https://instagram.com/Lumen"),
        ("instagram", "http://instagram.com/lumen", "http://instagram.com/lumen"),
        ("instagram", "https://instagram.com/p/C1?igsh=abc&utm_source=ig", "https://instagram.com/p/C1"),
        ("instagram", "https://instagram.com/p/C1?img_index=2&igsh=x", "https://instagram.com/p/C1?img_index=2"),
        ("youtube", "https://youtu.be/dQw4?si=abc&t=42", "https://youtu.be/dQw4?t=42"),
        ("youtube", "https://youtube.com/watch?v=dQw4&feature=share", "https://youtube.com/watch?v=dQw4"),
        ("twitter", "https://x.com/a/status/1?s=20&t=abc", "https://x.com/a/status/1"),
        ("tiktok", "https://tiktok.com/@a/video/1?_r=1&_t=2", "https://tiktok.com/@a/video/1"),
        ("spotify", "https://open.spotify.com/track/1?si=1", "https://open.spotify.com/track/1"),
        ("instagram", "https://instagram.com/a?q=%20b+c&fbclid=1&r=%2F", "https://instagram.com/a?q=%20b+c&r=%2F"),
        ("instagram", "https://instagram.com/a?q=%20b+c&&x", "https://instagram.com/a?q=%20b+c&&x"),
    ],
)
def test_it_mends(network: str, typed: str, link: str) -> None:
    checkup = check(typed, NETWORKS[network])
    assert (checkup.link, checkup.odd, checkup.refused) == (link, (), "")


def test_a_sentence_says_what_was_mended() -> None:
    assert check("@lumen", INSTAGRAM).mended == ("@lumen is that name on Instagram.",)
    assert "utm_source" in check("https://instagram.com/a?utm_source=x", INSTAGRAM).mended[0]
    assert check("https://instagram.com/a", INSTAGRAM).mended == ()


def test_a_mended_link_needs_no_mending() -> None:
    link = check("instagram.com/a?igsh=1&x=2", INSTAGRAM).link
    assert check(link, INSTAGRAM) == (link, (), (), "")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Where shall it be delivered?"),
        ("   ", "Where shall it be delivered?"),
        ("lumen", "beginning with https://"),
        ("javascript:alert(1)", "Only links that begin with https://"),
        ("javascript:1", "beginning with https://"),
        ("data:text/html,x", "Only links"),
        ("ftp://instagram.com/a", "Only links"),
        ("file:///etc/passwd", "Only links"),
        ("mailto:a@instagram.com", "Only links"),
        ("https://", "Only links"),
        ("https:///a", "Only links"),
        ("https:instagram.com/a", "Only links"),
        ("https://./a", "Only links"),
        ("https://me:secret@instagram.com/a", "user name or password"),
        ("https://instagram.com@evil.example/a", "user name or password"),
        ("https://@instagram.com/a", "user name or password"),
        ("https://instagram.com\\@evil.example/a", "backslash"),
        ("https://instagram.com/a b", "blank or an invisible"),
        ("https://instagram.com/a\tb", "blank or an invisible"),
        ("https://instagram.com/a\x00", "blank or an invisible"),
        ("https://instagram.com/\u202eevil", "blank or an invisible"),
        ("https://instagram.com/\u200bx", "blank or an invisible"),
        ("https://[x", "not a link"),
        ("https://instagram.com:port/a", "not a link"),
        ("https://instagram.com:99999/a", "not a link"),
        ("https://instagram.com/" + "a" * 979, "up to 1000 characters; this one has 1001"),
    ],
)
def test_it_refuses(typed: str, sentence: str) -> None:
    checkup = check(typed, INSTAGRAM)
    assert sentence in checkup.refused
    assert checkup.link == ""


def test_a_link_of_a_thousand_characters_is_taken() -> None:
    link = "https://instagram.com/" + "a" * 978
    assert check(link, INSTAGRAM).link == link


def test_a_name_without_a_network_that_has_names_is_refused() -> None:
    for network in (None, NETWORKS["spotify"], NETWORKS["discord"]):
        assert "beginning with https://" in check("@lumen", network).refused


@pytest.mark.parametrize(
    "link",
    [
        "https://example.com/a",
        "https://instagram.com.evil.example/a",
        "https://notinstagram.com/a",
        "https://tiktok.com/@a",
        "example.com/a",
    ],
)
def test_another_host_than_the_networks_is_odd(link: str) -> None:
    [odd] = check(link, INSTAGRAM).odd
    assert odd.endswith("and the service is for Instagram.")


def test_letters_that_look_alike_are_odd() -> None:
    assert "only look like" in check("https://instаgram.com/a", INSTAGRAM).odd[0]
    assert "only look like" in check("https://xn--instgram-y9a.com/a").odd[0]


@pytest.mark.parametrize(
    ("network", "post", "profile"),
    [
        ("instagram", "https://www.instagram.com/p/C1xyz/", "https://www.instagram.com/lumen/"),
        ("instagram", "https://instagram.com/lumen/reel/C1xyz", "https://instagram.com/p.lumen"),
        ("tiktok", "https://tiktok.com/@a/video/1", "https://tiktok.com/@a"),
        ("youtube", "https://youtube.com/watch?v=1", "https://youtube.com/@a"),
        ("youtube", "https://youtu.be/1", "https://youtube.com/channel/UC1"),
        ("telegram", "https://t.me/lumen/15", "https://t.me/lumen"),
        ("telegram", "https://t.me/s/lumen/15", "https://t.me/+AbC15"),
        ("twitter", "https://x.com/a/status/1", "https://x.com/a"),
        ("facebook", "https://facebook.com/a/posts/1", "https://facebook.com/a"),
        ("spotify", "https://open.spotify.com/track/1", "https://open.spotify.com/artist/1"),
    ],
)
def test_a_post_where_a_profile_is_wanted_is_odd(network: str, post: str, profile: str) -> None:
    odd = ("This looks like a post, and the service is delivered to a profile.",)
    assert check(post, NETWORKS[network], profile=True).odd == odd
    assert check(post, NETWORKS[network]).odd == ()
    assert check(profile, NETWORKS[network], profile=True).odd == ()


def test_the_network_is_read_from_the_category_first() -> None:
    for category, name, network in [
        ("Instagram › Followers", "TikTok too", "Instagram"),
        ("X (Twitter) › Likes", "", "X"),
        ("Best sellers", "YT Views", "YouTube"),
    ]:
        read = network_of(category, name)
        assert read and read.name == network
    assert network_of("Best sellers", "Website traffic") is None


def test_what_is_delivered_to_a_profile_is_read_from_the_words() -> None:
    assert wants_profile("Instagram › Followers")
    assert wants_profile("Telegram › Channel Members", "with Post Views")
    assert wants_profile("Best sellers", "Instagram Followers")
    assert not wants_profile("Instagram › Likes", "from real followers")
    assert not wants_profile("Instagram › Auto Likes")


def test_spellings_lead_to_the_same_place() -> None:
    assert target_of("https://www.instagram.com/a/") == target_of("https://instagram.com/a")
    assert target_of("@lumen") == "@lumen"


def test_a_name_is_read_out_of_what_was_pasted() -> None:
    for typed in ("lumen.studio", "@lumen.studio", "https://www.instagram.com/lumen.studio/?igsh=1", " @lumen.studio "):
        assert name_of(typed) == "lumen.studio"
    for typed in ("", "two words", "https://", "a" * 101):
        assert name_of(typed) == ""
