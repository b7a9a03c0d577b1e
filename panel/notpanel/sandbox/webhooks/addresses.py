"""Where a delivery may go, public https or loopback on this machine, and how a connection there is made."""

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

URL_CHARACTERS = 1000  # not documented; as long as a link
LOCAL_NAMES = (".localhost", ".local", ".localdomain", ".internal", ".lan", ".home.arpa")
HTTP_PORT, HTTPS_PORT = 80, 443

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public_https(url: str) -> bool:
    """Whether a URL is public https, judged by its text alone: no name is resolved before there is a delivery."""
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
    return is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its text: `localhost` or a loopback address."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def connect(url: str, seconds: float) -> socket.socket:
    """A connection to an endpoint. OSError when nobody answers there, or when nothing may be sent there.

    The address that a name resolves to is judged again: a name may point anywhere.
    """
    secure = is_public_https(url)
    if not secure and not is_loopback_http(url):
        raise OSError("neither public https nor loopback")
    parts = urlsplit(url)
    host = parts.hostname or ""
    may: Callable[[Address], bool] = (lambda at: at.is_global) if secure else (lambda at: at.is_loopback)
    resolved = socket.getaddrinfo(host, parts.port or (HTTPS_PORT if secure else HTTP_PORT), type=socket.SOCK_STREAM)
    allowed = [(str(at[0]), int(at[1])) for *_, at in resolved if may(ipaddress.ip_address(str(at[0])))]
    if not allowed:
        raise OSError("the name points to where nothing may be sent")
    connection = socket.create_connection(allowed[0], seconds)
    if not secure:
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise


def _parts(url: str) -> SplitResult | None:
    """The parts of a URL that names a host and no impossible port; None for every other text."""
    if len(url) > URL_CHARACTERS or re.search(r"[\s\x00-\x20\x7f\\]", url):
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
