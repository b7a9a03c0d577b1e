"""Where a delivery may go: public https by its words, or a loopback address of this machine; and the way there."""

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

LONGEST = 1000  # not documented; as long as a link
LOCAL_NAMES = (".localhost", ".local", ".localdomain", ".internal", ".lan", ".home.arpa")
HTTP, HTTPS = 80, 443
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public_https(url: str) -> bool:
    """Judged by the words alone: a sandbox resolves no names before it has something to deliver."""
    parts = _parts(url)
    if parts is None or parts.scheme != "https":
        return False
    host = (parts.hostname or "").rstrip(".")
    address = _address(host)
    if address is not None:
        return address.is_global
    return "." in host and not host.endswith(LOCAL_NAMES) and not host[-1].isdigit()


def is_loopback_http(url: str) -> bool:
    """`http://localhost…`, `http://127.…` or `http://[::1]…`: this machine and no other, private ones least of all."""
    parts = _parts(url)
    if parts is None or parts.scheme != "http" or "@" in parts.netloc:
        return False
    address = _address(parts.hostname or "")
    return parts.hostname == "localhost" or (address is not None and address.is_loopback)


def dial(url: str, seconds: float) -> socket.socket:
    """A connection to an endpoint. OSError when nobody answers there, or when nothing may be sent there.

    What the words promise is asked again of the address itself: a name may point anywhere.
    """
    secure = is_public_https(url)
    if not secure and not is_loopback_http(url):
        raise OSError("neither public https nor loopback")
    parts = urlsplit(url)
    host = parts.hostname or ""
    may: Callable[[Address], bool] = (lambda at: at.is_global) if secure else (lambda at: at.is_loopback)
    found = socket.getaddrinfo(host, parts.port or (HTTPS if secure else HTTP), type=socket.SOCK_STREAM)
    where = [(str(at[0]), int(at[1])) for *_, at in found if may(ipaddress.ip_address(str(at[0])))]
    if not where:
        raise OSError("the name points to where nothing may be sent")
    line = socket.create_connection(where[0], seconds)
    if not secure:
        return line
    try:
        return ssl.create_default_context().wrap_socket(line, server_hostname=host)
    except BaseException:
        line.close()
        raise


def _parts(url: str) -> SplitResult | None:
    """The parts of a URL that names a host and, if any, a port that can be; None for every other text."""
    if len(url) > LONGEST or re.search(r"[\s\x00-\x20\x7f\\]", url):
        return None
    try:
        parts = urlsplit(url)
        return parts if (parts.hostname or "").rstrip(".") and parts.port != 0 else None
    except ValueError:
        return None


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
