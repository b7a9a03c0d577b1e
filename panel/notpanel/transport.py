"""The HTTP connection to NotPanel. One deadline holds for every step of a call, also inside requests and urllib3.

A connection is used again only while nothing on it was out of the ordinary, for what upstream sends unasked would be
taken for the answer to the next call.
"""

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from queue import Empty, SimpleQueue
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util.connection import create_connection

CHUNK_BYTES = 65_536
SHORTEST_TIMEOUT_SECONDS = 0.001  # a socket takes a timeout of 0 for "do not wait at all"
HTTP_1_1 = 11  # as http.client numbers it; an older one keeps no connection
MOST_INTERIM_ANSWERS = 100  # in one call; more are a server that has lost its way


class Call:
    """The call in progress: its form, its deadline, what has come back, and whether upstream can have seen any of it.

    One instance serves a session for as long as it lives; `begin` makes it ready for the next call.
    """

    def __init__(self, connect_seconds: float, total_seconds: float) -> None:
        self.connect_seconds, self.total_seconds = connect_seconds, total_seconds
        self.begin()

    def begin(self) -> None:
        """Forgets the call before and starts the clock of this one."""
        self.deadline = time.monotonic() + self.total_seconds
        self.form = b""
        self.sent = False  # whether upstream can have seen a byte
        self.fresh = False  # whether the connection was made for this call
        self.http_status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.bytes_read = 0
        self.spoiled = ""  # why the connection must not carry another call; "" while it may

    def seconds_left(self) -> float:
        """Seconds until the deadline, 0 when it has passed."""
        return max(0.0, self.deadline - time.monotonic())


def make_session(call: Call) -> requests.Session:
    """A session on which each call has the deadline of `call`: no proxy, no redirect, no cookie, no retry."""
    session = _Session()
    session.trust_env = False  # no proxies, no netrc, no certificates from the environment
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(
        {
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # so the cap counts what is there, and no gzip can swell
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "order-desk",
        }
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(call))
    return session


class _Session(requests.Session):
    """A session that follows no redirect."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Always None: even with redirects off, requests would read a 302's whole body to prepare the next request."""
        return None


class _Adapter(HTTPAdapter):
    """Gives `_Connection`s to requests; no retries of any kind."""

    def __init__(self, call: Call) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._call = call

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        """The pool that requests asks for, changed so that its connections know the call."""
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        pool.ConnectionCls = _TlsConnection if pool.scheme == "https" else _Connection
        pool.conn_kw["call"] = self._call
        return pool


class _Connection(HTTPConnection):
    """A connection that knows its call. Python's sends and TLS steps take their timeout as a total, so setting what
    is left before each of them, and before each receive (`_TimedSocket`), holds the whole call to the deadline."""

    def __init__(self, *args: Any, call: Call, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._call = call
        self.response_class = partial(_Response, call=call)  # type: ignore[assignment]  # http.client only calls it

    @property
    def is_connected(self) -> bool:
        """Whether a kept connection can carry another call: it is open, and silent."""
        return self.sock is not None and _is_silent(self.sock)

    def _new_conn(self) -> socket.socket:
        deadline = min(self._call.deadline, time.monotonic() + self._call.connect_seconds)
        self._call.fresh = True
        failure: OSError = OSError("the name has no address")
        for address in _addresses(self._dns_host, self.port, _timeout(deadline)):
            try:
                sock = create_connection(address, _timeout(deadline), socket_options=self.socket_options)
            except OSError as caught:
                failure = caught
            else:
                # For the TLS handshake.
                sock.settimeout(max(SHORTEST_TIMEOUT_SECONDS, deadline - time.monotonic()))
                return sock
        raise failure

    def send(self, data: Any) -> None:
        """Sends with the time that is left. From here on the call counts as sent, whatever becomes of it.

        ConnectionError, with nothing sent, when a fresh connection speaks before it was asked anything.
        """
        if self.sock is None:
            self.connect()
        if not self._call.sent and not _is_silent(self.sock):
            raise ConnectionError("upstream spoke before it was asked")
        self.sock.settimeout(_timeout(self._call.deadline))
        self._call.sent = True
        super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    """A `_Connection` over TLS."""


class _Response(http.client.HTTPResponse):
    """An answer that passes over interim ones, and marks the call as spoiled when more or other bytes come than one
    plain answer has."""

    def __init__(self, sock: socket.socket, *args: Any, call: Call, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._call = call
        self.fp = _Reader(_TimedSocket(self.fp.detach(), sock, call), call)

    def _read_status(self) -> tuple[str, int, str]:
        """The first status line that is no interim answer's: http.client itself passes over a 100 alone."""
        for _ in range(MOST_INTERIM_ANSWERS):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            self._call.spoiled = "an interim answer"
            if status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.BadStatusLine("101, though no other protocol was asked for")
            http.client.parse_headers(self.fp)
        raise http.client.BadStatusLine("one interim answer after another")

    def begin(self) -> None:
        """Reads the head, and judges whether it tells beyond doubt where the answer ends."""
        super().begin()
        lengths, codings = (self.headers.get_all(name, []) for name in ("Content-Length", "Transfer-Encoding"))
        sized = len(lengths) == 1 and not codings and lengths[0].isascii() and lengths[0].strip().isdigit()
        chunked = not lengths and [coding.strip().lower() for coding in codings] == ["chunked"]
        broken = self.headers.defects or self.headers.get_payload()  # lines that are no headers
        if self.version != HTTP_1_1 or broken or not (sized or chunked):
            self._call.spoiled = "an answer without a plain end"


class _Reader(io.BufferedReader):
    """What http.client reads an answer from; marks the call as spoiled when it ends with bytes left over."""

    def __init__(self, raw: "_TimedSocket", call: Call) -> None:
        super().__init__(raw, CHUNK_BYTES)
        self._call, self._timed = call, raw

    def close(self) -> None:
        """Looks for bytes after the answer, without waiting for any, and closes the socket's own file as well."""
        if not self.closed and self._left_over():
            self._call.spoiled = "bytes after the answer"
        super().close()

    def _left_over(self) -> bool:
        self._timed.waits = False
        try:
            return bool(self.peek(1))
        except (OSError, ValueError):
            return False  # nothing there, or broken: who uses the connection next sees that


class _TimedSocket(io.RawIOBase):
    """A socket's bytes, each receive with no more time than the call has left: dripping does not stretch it."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, call: Call) -> None:
        super().__init__()
        self._raw, self._sock, self._call = raw, sock, call
        self.waits = True  # whether a receive waits for bytes that are not there yet

    def readable(self) -> bool:
        """Always True, as BufferedReader requires."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Reads into the buffer as the socket does; TimeoutError when the deadline has passed."""
        self._sock.settimeout(_timeout(self._call.deadline) if self.waits else 0)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Closes the socket's own file as well."""
        self._raw.close()
        super().close()


def _is_silent(sock: socket.socket) -> bool:
    """Whether an open connection has nothing to read: no byte that nobody asked for, and no end.

    Reads, since waiting would not tell bytes of the other side from what TLS says to itself. A byte that was read is
    lost, so a connection that is not silent must be closed.
    """
    sock.settimeout(0)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


def _timeout(deadline: float) -> float:
    """Seconds until the deadline, as a timeout for a socket; TimeoutError when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the call's deadline has passed")
    return seconds


def _addresses(host: str, port: int, seconds: float) -> list[tuple[str, int]]:
    """The name's addresses. The system's lookup knows no timeout, so a thread asks it that may be left behind."""
    answers: SimpleQueue[list[Any] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as caught:  # raised below, where somebody waits for it
            answers.put(caught)

    threading.Thread(target=look_up, name="notpanel-lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError("the name lookup took too long") from None
    if isinstance(answer, Exception):
        raise answer
    return [(str(sockaddr[0]), port) for *_, sockaddr in answer]
