"""The visitor's address is what a trusted proxy says, in one spelling; the device is told in words of ours."""

from typing import Any

import pytest
from django.test import RequestFactory

from panel.web.visitor import address_of, device_of, network_of

FORGED = "203.0.113.1, 203.0.113.2"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix:", ""),
        ("x" * 5_000, ""),
    ],
)
def test_without_a_proxy_the_connection_tells_and_no_header(remote: str, address: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": FORGED})
    assert address_of(request) == address


@pytest.mark.parametrize(
    ("added", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7:50123", "192.0.2.7"),
        ("[2001:db8::1]:50123", "2001:db8::1"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_behind_a_proxy_only_what_it_adds_counts(settings: Any, added: str, address: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    request = RequestFactory().get("/", REMOTE_ADDR="", headers={"X-Forwarded-For": f"{FORGED},{added}"})
    assert address_of(request) == address


def test_fewer_addresses_than_proxies_are_none(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 3
    assert address_of(RequestFactory().get("/", headers={"X-Forwarded-For": "192.0.2.7"})) == ""


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network_of("192.0.2.7") == "192.0.2.7"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/142.0 Safari/604.1", "Chrome on iPhone"),
        ("curl/8.5.0", "A script"),
        ("<script>alert(1)</script>\n" * 99, "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_device_is_told_in_few_words_of_ours(agent: str, device: str) -> None:
    assert device_of(RequestFactory().get("/", headers={"User-Agent": agent})) == device
