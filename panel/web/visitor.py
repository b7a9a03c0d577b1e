"""Who asks, as far as a request tells: the address it comes from, and the device in short words."""

import contextvars
import ipaddress
import re

from allauth.core.internal.httpkit import get_client_ip
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

NETWORK_BITS = 64  # of an IPv6 address: whoever has one address has all that begin with these
AGENT_CHARACTERS = 500  # read of what a browser calls itself

# What a browser calls itself → its name. The first that fits counts, for most also name the browsers they come from.
BROWSERS = (
    (r"Edg(e|A|iOS)?/", "Edge"), (r"OPR/|Opera", "Opera"), (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"), (r"HeadlessChrome/|Chrome/|CriOS/", "Chrome"), (r"Safari/", "Safari"),
    (r"curl/|python|Wget|Go-http", "A script"),
)  # fmt: skip
SYSTEMS = (
    (r"iPhone", "iPhone"), (r"iPad", "iPad"), (r"Android", "Android"), (r"Windows", "Windows"),
    (r"Mac OS X|Macintosh", "macOS"), (r"CrOS", "ChromeOS"), (r"Linux|X11", "Linux"),
)  # fmt: skip

# The request that the running thread answers; none in the worker and at a shell.
_request: contextvars.ContextVar[HttpRequest | None] = contextvars.ContextVar("visitor", default=None)


def receive(request: HttpRequest | None) -> None:
    """What this thread writes from here on, it writes for this request; None for no request any more."""
    _request.set(request)


def visitor() -> HttpRequest | None:
    """The request that this thread answers, or None."""
    return _request.get()


def address_of(request: HttpRequest) -> str:
    """The address of the visitor, in one spelling and without a port, or "" where none is known.

    Behind a proxy it is the one that the proxy adds to `X-Forwarded-For`; what a visitor puts there says nothing.
    """
    try:
        spelled = get_client_ip(request) or ""
        address = ipaddress.ip_address(spelled.partition("%")[0])
    except (ImproperlyConfigured, ValueError):  # fewer proxies than the settings say, or no address at all
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def network_of(address: str) -> str:
    """What is counted for an address: itself, and for IPv6 the whole network that one customer gets."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, NETWORK_BITS), strict=False))


def device_of(request: HttpRequest) -> str:
    """The browser and the system in words of ours, such as “Chrome on Windows”. It repeats nothing of what was sent."""
    agent = request.headers.get("User-Agent", "")[:AGENT_CHARACTERS]
    browser = next((name for pattern, name in BROWSERS if re.search(pattern, agent)), "Unknown browser")
    system = next((name for pattern, name in SYSTEMS if re.search(pattern, agent)), "")
    return f"{browser} on {system}" if system else browser
