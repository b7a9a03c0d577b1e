"""A link as a row shows it: a network's sign only for the network's own hosts, the account or post whole."""

import pytest

from catalog.networks import link_parts


@pytest.mark.parametrize(("link", "network", "main", "path"), [
    ("https://www.instagram.com/harbour.coffee/p/BAbsmg1jWQf/", "instagram", "harbour.coffee", "/p/BAbsmg1jWQf/"),
    ("https://www.instagram.com/p/BAbsmg1jWQf/", "instagram", "BAbsmg1jWQf", "/p/"),
    ("https://www.instagram.com/the.old.lighthouse/", "instagram", "the.old.lighthouse", "www.instagram.com"),
    ("https://www.tiktok.com/@moss.and.fern/video/7301884421", "tiktok", "@moss.and.fern", "/video/7301884421"),
    ("https://www.youtube.com/watch?v=kXr0pQ7nE2s&t=3s", "youtube", "kXr0pQ7nE2s", "/watch?t=3s"),
    ("https://youtu.be/kXr0pQ7nE2s", "youtube", "kXr0pQ7nE2s", "youtu.be"),
    ("https://t.me/northside_talk/123", "telegram", "northside_talk", "/123"),
    ("https://x.com/moss.and.fern/status/735", "twitter", "moss.and.fern", "/status/735"),
    ("https://open.spotify.com/track/5nTtC8d2Lq", "spotify", "5nTtC8d2Lq", "/track"),
    ("https://www.facebook.com/profile.php?id=100", "facebook", "100", "/profile.php"),
    ("https://discord.gg/aBcD", "discord", "aBcD", "discord.gg"),
    ("https://www.instagram.com/", "instagram", "www.instagram.com", "/"),
])  # fmt: skip
def test_account_or_post_stands_apart(link: str, network: str, main: str, path: str) -> None:
    """What is left of the path is not lost."""
    assert link_parts(link) == (network, "", main, path)


@pytest.mark.parametrize(("link", "before", "host"), [
    ("https://instagram.com.evil.example/harbour", "", "instagram.com.evil.example"),
    ("https://instagram.com@evil.example/harbour", "instagram.com@", "evil.example"),
    ("https://instagrаm.com/harbour", "", "instagrаm.com"),  # with a Cyrillic а
    ("https://evil.example\\@instagram.com/harbour", "", "evil.example"),
    ("https://instagram.com:8443/harbour", "", "instagram.com:8443"),
    ("https://help.instagram.com/harbour", "", "help.instagram.com"),
    ("https://someone@www.instagram.com/harbour", "someone@", "www.instagram.com"),
    ("https://vk.com/harbour", "", "vk.com"),
])  # fmt: skip
def test_any_other_host_is_told_whole_and_belongs_to_no_network(link: str, before: str, host: str) -> None:
    """However much of it looks like a network's."""
    parts = link_parts(link)
    assert (parts.network, parts.before, parts.main) == ("", before, host)
