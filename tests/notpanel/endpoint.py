"""An endpoint for the sandbox's webhooks: it keeps every delivery as it came, and answers as the test wants."""

import hashlib
import hmac
import json
import threading
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from tests.upstream import soon

SECRET = "whsec_of_the_test"


class Post(NamedTuple):
    """One delivery as it arrived."""

    at: float
    path: str
    headers: Message
    body: bytes

    @property
    def content(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)

    @property
    def event(self) -> str:
        """The event's name, from the headers."""
        return str(self.headers["X-NotPanel-Event"])

    @property
    def id(self) -> str:
        """The event's id, from the headers."""
        return str(self.headers["X-NotPanel-Delivery"])

    @property
    def t(self) -> int:
        """Unix seconds of the signing, from the signature."""
        return int(str(self.headers["X-NotPanel-Signature"]).partition(",")[0].removeprefix("t="))

    def is_signed_with(self, secret: str) -> bool:
        """Whether the signature fits this secret, computed here without the code under test."""
        right = hmac.new(secret.encode(), str(self.t).encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return bool(self.headers["X-NotPanel-Signature"] == f"t={self.t},v1={right}")


class Endpoint:
    """A server on loopback. The next deliveries are answered with `status` after so many `seconds`."""

    def __init__(self, status: int = 204, seconds: float = 0) -> None:
        self.status, self.seconds = status, seconds
        self.posts: list[Post] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Keeps the delivery and answers it."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append(Post(time.time(), self.path, self.headers, body))
                time.sleep(outer.seconds)
                self.send_response(outer.status)
                self.send_header("Location", f"{outer.url}elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Logs nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                """Ignores a caller that did not wait, which is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def got(self, count: int, seconds: float = 10) -> list[Post]:
        """The deliveries, once so many have come; fails when they do not come, or when there are more."""
        assert soon(lambda: len(self.posts) >= count, seconds), f"{len(self.posts)} of {count} came"
        assert len(self.posts) == count, [(post.event, post.content) for post in self.posts]
        return list(self.posts)

    def events(self) -> list[str]:
        """The names of the events that came, oldest first."""
        return [post.event for post in self.posts]
