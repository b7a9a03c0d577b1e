"""The line to NotPanel: every step of a call, whoever takes it inside requests, obeys one deadline."""

import http.client
import io
import socket
import threading
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from queue import Empty, SimpleQueue
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util.connection import create_connection

CHUNK_BYTES = 65_536
MOMENT_SECONDS = 0.001  # a socket takes a timeout of 0 for "do not wait at all"


class Line:
    """What is known about the call in progress: its deadline, and whether upstream can have seen any of it."""

    def __init__(self, connect_seconds: float) -> None:
        self.connect_seconds = connect_seconds
        self.dial(0)

    def dial(self, total_seconds: float) -> None:
        self.until = time.monotonic() + total_seconds
        self.form = b""
        self.sent = self.fresh = False  # can upstream have seen a byte; was the connection made for this call
        self.http_status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.bytes_read = 0

    def left(self) -> float:
        return max(0.0, self.until - time.monotonic())


def _still(until: float) -> float:
    """Seconds until then, as a timeout for a socket; TimeoutError when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call's deadline has passed")
    return left


class _Connection(HTTPConnection):
    """A connection that knows its line. Python's sends and TLS steps take their timeout as a total, so setting what
    is left before each of them, and before each receive (`_Timed`), holds the whole call to the deadline."""

    def __init__(self, *args: Any, line: Line, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line = line
        self.response_class = self._response  # type: ignore[assignment]  # http.client only ever calls it

    def _new_conn(self) -> socket.socket:
        until = min(self._line.until, time.monotonic() + self._line.connect_seconds)
        self._line.fresh = True
        refused: OSError = OSError("the name has no address")
        for address in _addresses(self._dns_host, self.port, _still(until)):
            try:
                sock = create_connection(address, _still(until), socket_options=self.socket_options)
            except OSError as caught:
                refused = caught
            else:
                sock.settimeout(max(MOMENT_SECONDS, until - time.monotonic()))  # for the TLS handshake
                return sock
        raise refused

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(_still(self._line.until))
        self._line.sent = True
        super().send(data)

    def _response(self, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(sock, *args, **kwargs)
        raw = response.fp.detach()
        response.fp = io.BufferedReader(_Timed(raw, sock, self._line), CHUNK_BYTES)
        return response


class _TlsConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Timed(io.RawIOBase):
    """A socket's bytes, each receive with no more time than the call has left: dripping does not stretch it."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, line: Line) -> None:
        super().__init__()
        self._raw, self._sock, self._line = raw, sock, line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_still(self._line.until))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _addresses(host: str, port: int, seconds: float) -> list[tuple[str, int]]:
    """The name's addresses. The system's lookup knows no timeout, so a thread asks it that may be left behind."""
    found: SimpleQueue[list[tuple[str, int]] | Exception] = SimpleQueue()

    def look() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([(str(row[4][0]), port) for row in rows])
        except Exception as caught:  # raised below, where somebody waits for it
            found.put(caught)

    threading.Thread(target=look, name="notpanel-lookup", daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except Empty:
        raise TimeoutError("the name lookup took too long") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Adapter(HTTPAdapter):
    """Gives the line's own connections to requests; no retries of any kind."""

    def __init__(self, line: Line) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._line = line

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        pool.ConnectionCls = _TlsConnection if pool.scheme == "https" else _Connection
        pool.conn_kw["line"] = self._line
        return pool


class _Session(requests.Session):
    """Sends to one address and nowhere else."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None  # even with redirects off, requests would read a 302's whole body to prepare the next request


def session(line: Line) -> requests.Session:
    """What the client asks through: this line's connections, no proxy, no redirect, no cookie, no retry."""
    made = _Session()
    made.trust_env = False  # no proxies, no netrc, no certificates from the environment
    made.verify = True
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.headers.update(
        {
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # so the cap counts what is there, and no gzip can swell
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "order-desk",
        }
    )
    for scheme in ("https://", "http://"):
        made.mount(scheme, _Adapter(line))
    return made
