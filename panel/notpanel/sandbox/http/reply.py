"""A call's way back to its caller: whole answers, pieces of them, or a connection that ends."""

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import cast

from panel.notpanel.sandbox.api.answer import JSON, Answer


class Reply:
    """What one request is answered with. `on_start` is called once with the HTTP status, just before the first byte
    goes out, or with 0 when the caller gets no answer."""

    def __init__(
        self, handler: BaseHTTPRequestHandler, stopping: threading.Event, on_start: Callable[[int], None]
    ) -> None:
        self._handler, self._stopping, self._on_start = handler, stopping, on_start
        self._started = False

    def start(self, status: int) -> None:
        """Calls `on_start`, the first time only: what came first is what the caller saw."""
        if not self._started:
            self._started = True
            self._on_start(status)

    def send(self, answer: Answer) -> None:
        """Sends a whole answer in one write, so that no packet waits for another."""
        body = answer.body.encode()
        self.head(answer.status, len(body), answer.headers, content_type=answer.content_type, body=body)

    def head(
        self, status: int, length: int, headers: Mapping[str, str], *, content_type: str = JSON, body: bytes = b""
    ) -> None:
        """Sends the first bytes of an answer that promises `length` bytes of body."""
        phrase, _ = self._handler.responses.get(status, ("Unheard Of", ""))
        named = {"Content-Type": content_type, "Content-Length": str(length)} | dict(headers)
        if self._handler.close_connection:
            named["Connection"] = "close"
        lines = [f"HTTP/1.1 {status} {phrase}", f"Date: {self._handler.date_time_string()}"]
        # A header from outside must not become two.
        lines += [f"{name}: {value}".replace("\r", " ").replace("\n", " ") for name, value in named.items()]
        self.start(status)
        self.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body)

    def write(self, piece: bytes) -> None:
        """Sends some more of the body."""
        self._handler.wfile.write(piece)

    def wait(self, seconds: float) -> bool:
        """Sleeps; False when the sandbox is going down and nobody should wait any longer."""
        return not self._stopping.wait(seconds)

    def hang_up(self, *, reset: bool = False) -> None:
        """Closes the connection without another word: by an end of stream, or by a reset."""
        self.start(0)
        self._handler.close_connection = True
        connection = cast(socket.socket, self._handler.connection)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        else:
            connection.shutdown(socket.SHUT_RDWR)
