"""A pasted link: what is mended, what looks odd, what is refused."""

import pytest

from catalog.networks import NETWORKS, target_of
from orders.rules.links import Checkup, check, name_of, network_of, wants_post, wants_profile

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


# ── What was taken without a word once ───────────────────────────────────────────────────────────
FOLLOWERS, LIKES = ("Instagram Followers", ""), ("Instagram Likes", "")


def checked(typed: str, about: tuple[str, str] = FOLLOWERS) -> Checkup:
    """The link as the form checks it for a service of this category and name."""
    return check(typed, network_of(*about), profile=wants_profile(*about), post=wants_post(*about))


@pytest.mark.parametrize(("typed", "sentence"), [
    ("https://instagram.com/lumenhttps://instagram.com/lumen", "two links"),
    ("https://instagram.com/a,https://instagram.com/b", "two links"),
    ("https://instagram.com/a https://instagram.com/b", "two links"),
    ("https://instagram.com/a\nhttps://instagram.com/b", "two links"),
    ("https://instagram.com/a;instagram.com/b", "two links"),
    ("https://instagram.com/a/https://tiktok.com/@b", "two links"),
    ("https://instagram.com/p/A?igsh=1https://instagram.com/p/B", "two links"),
    ("instagram.com/a www.instagram.com/b", "two links"),
    ("https://instagram.com/lumenwww.instagram.com/lumen", "two links"),
    ("instagram.com/ainstagram.com/b", "two links"),
    ("@lumen, @studio", "two links"),
    ("@lumen @studio", "two links"),
    ("https://instagram.com/lumen|100", "without the |"),
    ("https://instagram.com/lumen | 100", "without the |"),
    ("4|https://instagram.com/lumen|100", "without the |"),
    ("@lumen|100", "without the |"),
    ("https://instagram.com/lumen 100", "blank"),
    ("https://instagram.com/lumen,100", "a , in it"),
    ("https://instagram.com/lumen;100", "a ; in it"),
    ("https://instagram.com/lumen:100", "a : in it"),
    ("https://instagram.com/lumen%7C100", "a | in it"),
    ("https://instagram.com/lumen%20100", "a blank in it"),
    ("https://instagram.com/p/AbC…", "cut off"),
    ("https://instagram.com/p/AbC...", "cut off"),
    ("https://instagram.com/p/AbC%E2%80%A6", "cut off"),
    ("instagram.com/reel/C8x…/?igsh", "cut off"),
    ("https://instagram.com/.../AbC", "cut off"),
    ("https://instagram.com/", "front page of Instagram"),
    ("https://instagram.com", "front page of Instagram"),
    ("instagram.com", "front page of Instagram"),
    ("https://www.instagram.com/?hl=en", "front page of Instagram"),
    ("https://m.instagram.com/#", "front page of Instagram"),
    ("https://t.me/", "front page of Telegram"),
    ("https://www.tiktok.com/?lang=en", "front page of TikTok"),
    ("youtu.be", "front page of YouTube"),
    ("https://instagram.com/accounts/login/?next=/lumen/", "link behind it: https://instagram.com/lumen/"),
    ("https://www.instagram.com/accounts/login/", "sign-in page of Instagram"),
    ("https://instagram.com/accounts/emailsignup/?next=%2Flumen%2F", "link behind it: https://instagram.com/lumen/"),
    ("https://m.facebook.com/login.php?next=https%3A%2F%2Ffacebook.com%2Flumen", "it: https://facebook.com/lumen"),
    ("https://x.com/i/flow/login?redirect_after_login=%2Flumen", "link behind it: https://x.com/lumen"),
    ("https://www.tiktok.com/login?redirect_url=https%3A%2F%2Fwww.tiktok.com%2F%40lumen", "tiktok.com/@lumen"),
    ("https://accounts.google.com/ServiceLogin?continue=https%3A%2F%2Fyoutube.com%2F%40a", "youtube.com/@a"),
    ("https://l.instagram.com/?u=https%3A%2F%2Finstagram.com%2Flumen&e=1", "behind it: https://instagram.com/lumen"),
    ("https://l.facebook.com/l.php?u=https%3A%2F%2Finstagram.com%2Flumen", "only forwards"),
    ("https://www.google.com/url?q=https://instagram.com/lumen&sa=D", "behind it: https://instagram.com/lumen"),
    ("https://www.youtube.com/redirect?q=https%3A%2F%2Finstagram.com%2Flumen", "only forwards"),
    ("https://www.facebook.com/sharer/sharer.php?u=https%3A%2F%2Finstagram.com%2Flumen", "only forwards"),
    ("https://t.me/share/url?url=https://instagram.com/lumen", "only forwards"),
    ("https://x.com/intent/tweet?url=https%3A%2F%2Finstagram.com%2Flumen", "only forwards"),
])  # fmt: skip
def test_what_is_no_single_profile_or_post_is_refused(typed: str, sentence: str) -> None:
    """Two links, cut-off links, front and sign-in pages, redirectors, and a quantity behind the link."""
    checkup = checked(typed)
    assert sentence in checkup.refused
    assert checkup.link == ""


@pytest.mark.parametrize(("typed", "link", "mended"), [
    ("\u200bhttps://instagram.com/lumen", "https://instagram.com/lumen", "invisible mark in front"),
    ("\ufeffhttps://instagram.com/lumen", "https://instagram.com/lumen", "invisible mark in front"),
    ("\u200e\u202ahttps://instagram.com/lumen\u202c", "https://instagram.com/lumen", "invisible mark on both sides"),
    ("\u2066@lumen\u2069", "https://instagram.com/lumen", "invisible mark on both sides"),
    (" \u2060 https://instagram.com/lumen", "https://instagram.com/lumen", "invisible mark in front"),
    ("https://instagram.com/lumen\u200b", "https://instagram.com/lumen", "invisible mark at the end"),
    ("https://instagram.com/lumen\ufe0f", "https://instagram.com/lumen", "invisible mark at the end"),
    ("https://instagram.com/lumen.", "https://instagram.com/lumen", "Took off the . at the end."),
    ("https://instagram.com/lumen,", "https://instagram.com/lumen", "Took off the , at the end."),
    ("https://instagram.com/lumen!", "https://instagram.com/lumen", "Took off the ! at the end."),
    ("https://instagram.com/lumen/).", "https://instagram.com/lumen/", "Took off the ). at the end."),
    ("(https://instagram.com/lumen)", "https://instagram.com/lumen", "Took off the ( in front."),
    ("<https://instagram.com/lumen>", "https://instagram.com/lumen", "Took off the < in front."),
    ("“https://instagram.com/lumen”", "https://instagram.com/lumen", "Took off the “ in front."),
    ("@lumen,", "https://instagram.com/lumen", "Took off the , at the end."),
    ("https://https://instagram.com/lumen", "https://instagram.com/lumen", "stood there twice"),
    ("http://https://instagram.com/lumen", "https://instagram.com/lumen", "stood there twice"),
])  # fmt: skip
def test_marks_around_a_link_are_taken_off_and_said(typed: str, link: str, mended: str) -> None:
    """Invisible ones, those of a sentence, quotation marks, and a scheme that stands there twice."""
    checkup = checked(typed)
    assert (checkup.link, checkup.odd) == (link, ())
    assert mended in " ".join(checkup.mended)


@pytest.mark.parametrize("link", [
    "https://example.com/", "https://en.wikipedia.org/wiki/Lumen_(unit)", "https://example.com/a,b;c:d",
    "https://web.archive.org/web/2020/https://example.com/", "https://example.com/?url=https://example.org/",
    "https://example.com/login?next=/lumen", "https://www.google.com/maps/place/X/@52.37,4.89,17z",
    "https://example.com/v1..v2", "https://youtube.com/watch?v=-abc-", "https://instagram.com/lumen_",
    "https://facebook.com/l.phpfan", "https://x.com/sharer", "https://instagram.com/logins",
])  # fmt: skip
def test_what_only_resembles_these_is_taken_as_it_is(link: str) -> None:
    """Elsewhere a comma, another address in a path and a front page are as right as any link."""
    assert check(link) == (link, (), (), "")


@pytest.mark.parametrize(("link", "about", "sentence"), [
    ("https://www.tiktok.com/@lumen", FOLLOWERS, "This link is on www.tiktok.com, and the service is for Instagram."),
    ("https://bit.ly/AbC", FOLLOWERS, "bit.ly forwards to another address"),
    ("https://t.co/AbC", ("Website Traffic", ""), "t.co forwards to another address"),
    ("https://instagram.com/lumen", LIKES, "looks like a profile"),
    ("https://instagram.com/lumen/reels/", ("Instagram › Reels Views", ""), "looks like a profile"),
    ("https://www.tiktok.com/@lumen", ("TikTok Views", ""), "looks like a profile"),
    ("https://youtube.com/@lumen/videos", ("YouTube Likes", ""), "looks like a profile"),
    ("https://youtube.com/channel/UC1", ("YouTube Views", ""), "looks like a profile"),
    ("https://t.me/lumen", ("Telegram › Post Views", ""), "looks like a profile"),
    ("https://x.com/lumen", ("X › Retweets", ""), "looks like a profile"),
    ("https://open.spotify.com/artist/1", ("Spotify Plays", ""), "looks like a profile"),
    ("https://instagram.com/lumen", ("𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 𝗟𝗶𝗸𝗲𝘀", ""), "looks like a profile"),
    ("https://www.facebook.com/share/p/AbC/", ("Facebook Page Followers", ""), "looks like a post"),
    ("https://www.facebook.com/share/AbC/", ("Facebook Page Followers", ""), "looks like a post"),
    ("https://facebook.com/groups/9/posts/1", ("Facebook Followers", ""), "looks like a post"),
    ("https://facebook.com/groups/9/permalink/1", ("Facebook › Group Members", ""), "looks like a post"),
    ("https://facebook.com/story.php?story_fbid=1&id=2", ("Facebook Followers", ""), "looks like a post"),
    ("https://facebook.com/permalink.php?story_fbid=1&id=2", ("Facebook Followers", ""), "looks like a post"),
    ("https://fb.watch/AbC", ("Facebook Followers", ""), "looks like a post"),
    ("https://instagram.com/share/reel/AbC", FOLLOWERS, "looks like a post"),
    ("https://t.me/c/12/34", ("Telegram Members", ""), "looks like a post"),
    ("https://instagram.com/explore/tags/a", FOLLOWERS, "a page of Instagram itself"),
])  # fmt: skip
def test_a_link_that_does_not_fit_what_is_sold_is_odd(link: str, about: tuple[str, str], sentence: str) -> None:
    """On another network, a profile for likes and views, a post for followers, nobody knows where."""
    checkup = checked(link, about)
    assert checkup.link == link
    assert sentence in checkup.odd[0]
    assert checkup.doubt.startswith(link)


@pytest.mark.parametrize(("link", "about"), [
    ("https://facebook.com/lumen", ("Facebook Page Likes", "")),
    ("https://facebook.com/lumen", ("Facebook", "Page Likes + Followers")),
    ("https://instagram.com/lumen", ("Instagram › Story Views", "")),
    ("https://instagram.com/lumen", ("Instagram Profile Visits", "")),
    ("https://instagram.com/lumen", ("Instagram › Auto Likes", "")),
    ("https://t.me/lumen", ("Telegram › Post Views", "Views on the last 10 posts")),
    ("https://t.me/lumen", ("Telegram › Views", "5 Posts")),
    ("https://tiktok.com/@lumen", ("TikTok › Live Stream Views", "")),
    ("https://open.spotify.com/playlist/1", ("Spotify › Plays", "")),
    ("https://instagram.com/p/AbC", LIKES), ("https://youtu.be/AbC", ("YouTube Views", "")),
    ("https://facebook.com/groups/9", ("Facebook › Group Members", "")),
    ("https://vm.tiktok.com/AbC", ("TikTok Followers", "")), ("https://vm.tiktok.com/AbC", ("TikTok Likes", "")),
    ("https://instagram.com/lumen", ("Instagram › Comments", "")),
])  # fmt: skip
def test_a_link_that_may_fit_what_is_sold_is_not_odd(link: str, about: tuple[str, str]) -> None:
    """Likes of a page, views of the next posts, and what an address does not tell."""
    assert checked(link, about) == (link, (), (), "")


# ── Which network a service is for ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("category", "network"), [
    ("TG", "Telegram"), ("TG Members HQ", "Telegram"), ("IG | Likes", "Instagram"), ("FB Page Likes", "Facebook"),
    ("YT Views", "YouTube"), ("𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 𝗙𝗼𝗹𝗹𝗼𝘄𝗲𝗿𝘀", "Instagram"), ("ＴｉｋＴｏｋ Likes", "TikTok"),
    ("𝐓𝐆 𝐌𝐞𝐦𝐛𝐞𝐫𝐬", "Telegram"),
    ("ɪɴꜱᴛᴀɢʀᴀᴍ ʟɪᴋᴇꜱ", "Instagram"), ("İNSTAGRAM Beğeni", "Instagram"), ("I\u0307nstagram", "Instagram"),
    ("🅸🅽🆂🆃🅰🅶🆁🅰🅼 Likes", "Instagram"), ("Insta\u200bgram Likes", "Instagram"), ("Tik Tok Views", "TikTok"),
    ("Instagram_Likes", "Instagram"), ("X Followers", "X"), ("🔥 X Followers", "X"), ("X (Twitter) › Likes", "X"),
    ("[X] Likes", "X"), ("Social › X › Likes", "X"), ("Social - X", "X"), ("𝗫 Followers", "X"), ("Twitter/X", "X"),
    # No network:
    ("Followers x Likes", ""), ("2 x 500 Views", ""), ("Views - x 2", ""), ("Real x Followers", ""), ("X-Mas Sale", ""),
    ("10x faster", ""), ("Combo | x2 Views", ""), ("Multi-X Boost", ""), ("Big Views", ""), ("Instant Views", ""),
    ("TGV Tickets", ""), ("Likes x", ""), ("Website Traffic", ""),
])  # fmt: skip
def test_a_network_is_known_by_its_names_in_any_letters(category: str, network: str) -> None:
    """By short names too; a lone x between words is no network."""
    known, by_name = network_of(category), network_of("Best sellers", category)
    assert ((known.name if known else ""), (by_name.name if by_name else "")) == (network, network)


# ── A name from a link ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("typed", "name"), [
    ("https://www.tiktok.com/@lumen/video/123", "lumen"), ("https://www.instagram.com/lumen/reels/", "lumen"),
    ("https://x.com/lumen/status/1", "lumen"), ("https://instagram.com/Lumen.Studio?hl=en", "Lumen.Studio"),
    ("https://instagram.com/stories/lumen/123", "lumen"), ("https://instagram.com/lumen/p/AbC/", "lumen"),
    ("https://instagram.com/_u/lumen", "lumen"), ("https://t.me/s/lumen/15", "lumen"), ("t.me/lumen", "lumen"),
    ("https://youtube.com/@lumen/shorts", "lumen"), ("https://youtube.com/c/lumen", "lumen"),
    ("https://lumen.t.me", "lumen"), ("https://twitter.com/intent/user?screen_name=lumen", "lumen"),
    ("https://facebook.com/lumen/posts/1", "lumen"), ("\u200b@lumen", "lumen"), ("(@lumen)", "lumen"),
    ("@lumen,", "lumen"), ("lumen/", "lumen"), ("@lumen_", "lumen_"),
    # No profile is named:
    ("https://www.instagram.com/p/ABC/", ""), ("https://instagram.com/", ""), ("https://instagram.com/reel/ABC", ""),
    ("https://instagram.com/explore/", ""), ("https://instagram.com/accounts/login/?next=/lumen/", ""),
    ("https://vm.tiktok.com/ABC", ""), ("https://tiktok.com/t/ABC", ""), ("https://x.com/i/status/1", ""),
    ("https://x.com/home", ""), ("https://youtube.com/watch?v=abc", ""), ("https://youtu.be/abc", ""),
    ("https://youtube.com/channel/UCabc", ""), ("https://t.me/+AbC", ""), ("https://t.me/joinchat/AbC", ""),
    ("https://t.me/c/12/34", ""), ("https://facebook.com/groups/lumen", ""), ("https://facebook.com/share/p/ABC", ""),
    ("https://facebook.com/profile.php?id=1", ""), ("https://example.com/lumen", ""), ("instagram.com", ""),
    ("https://l.instagram.com/?u=https%3A%2F%2Finstagram.com%2Flumen", ""), ("@lumen…", ""), ("@a, @b", ""),
    ("https://discord.gg/abc", ""), ("https://open.spotify.com/track/1", ""),
])  # fmt: skip
def test_a_name_is_the_profile_that_a_link_names(typed: str, name: str) -> None:
    """Never the code of a post, a part of the network's own address, or a name of nobody knows where."""
    assert name_of(typed) == name


def test_a_name_on_another_network_is_not_taken() -> None:
    """The service is for one network; its posts are served there."""
    assert name_of("https://www.tiktok.com/@lumen", NETWORKS["tiktok"]) == "lumen"
    assert name_of("https://www.tiktok.com/@lumen", INSTAGRAM) == ""
    assert name_of("@lumen", INSTAGRAM) == "lumen"
