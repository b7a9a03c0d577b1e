"""A mail server and a chat that run in the test, over real sockets, and fail in the way that the test asks for."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG_SECONDS = 5.0


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that speaks enough SMTP. `fault` is one of "", busy, hang, stranger, refuses, lost."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.fault, self.calls, self.letters, self.over = "", 0, list[Message](), threading.Event()

    @property
    def port(self) -> int:
        """The free port that it listens on."""
        return int(self.server_address[1])

    def texts(self) -> list[str]:
        """The text of each mail that arrived, oldest first."""
        payloads = [letter.get_payload(decode=True) for letter in self.letters]
        return [text.decode().replace("\r\n", "\n") for text in payloads if isinstance(text, bytes)]


class Conversation(socketserver.StreamRequestHandler):
    """One connection to the mail server."""

    server: Mailbox

    def say(self, line: str) -> None:
        """Sends one line of SMTP."""
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        """Answers each line of the client."""
        box = self.server
        box.calls += 1
        if box.fault == "hang":
            box.over.wait(HANG_SECONDS)
            return
        self.say("421 too busy, hush-hush" if box.fault == "busy" else "220 here")
        for line in self.rfile:
            word = line.decode().strip().upper()
            if word.startswith("EHLO"):
                self.say("250-here")
                self.say("250 AUTH PLAIN")
            elif word.startswith("AUTH"):
                self.say("535 not " + line.decode().strip() if box.fault == "stranger" else "235 welcome")
            elif word.startswith("RCPT") and box.fault == "refuses":
                self.say("550 no such mailbox")
            elif word == "DATA":
                self.say("354 go on")
                lines = list[bytes]()
                while (text := self.rfile.readline()) != b".\r\n":
                    lines.append(text)
                box.letters.append(message_from_bytes(b"".join(lines), policy=default))
                if box.fault == "lost":  # it has taken the letter, and the sender does not learn that
                    return
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 well")


class Chat(ThreadingHTTPServer):
    """A chat that takes what is posted. `fault` is one of "", hang, cut, or an HTTP status to answer with."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.fault, self.calls, self.bodies, self.over = "", 0, list[dict[str, Any]](), threading.Event()
        self.paths = list[str]()

    def url(self, path: str) -> str:
        """The address of this path."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def texts(self) -> list[str]:
        """The text of each message that was taken, oldest first."""
        return [body["text"] for body in self.bodies]


class Post(BaseHTTPRequestHandler):
    """One request to the chat."""

    server: Chat

    def do_POST(self) -> None:
        """Takes the message, or fails."""
        chat = self.server
        chat.calls += 1
        chat.paths.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if chat.fault == "hang":
            chat.over.wait(HANG_SECONDS)
        if chat.fault in ("hang", "cut"):
            return
        if not chat.fault:
            chat.bodies.append(body)
        self.send_response(int(chat.fault or 200))
        if chat.fault == "302":
            self.send_header("Location", chat.url("/elsewhere"))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """The server, in a thread of its own until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
