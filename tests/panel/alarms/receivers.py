"""A mail server and a chat that run here, over real sockets, and fail in whatever way a test wants."""

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
    """Speaks as much SMTP as is needed. `ails` is one of "", busy, hang, stranger, refuses, lost."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.ails, self.calls, self.letters, self.over = "", 0, list[Message](), threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def texts(self) -> list[str]:
        said = [letter.get_payload(decode=True) for letter in self.letters]
        return [text.decode().replace("\r\n", "\n") for text in said if isinstance(text, bytes)]


class Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        box = self.server
        box.calls += 1
        if box.ails == "hang":
            box.over.wait(HANG_SECONDS)
            return
        self.say("421 too busy, hush-hush" if box.ails == "busy" else "220 here")
        for line in self.rfile:
            word = line.decode().strip().upper()
            if word.startswith("EHLO"):
                self.say("250-here")
                self.say("250 AUTH PLAIN")
            elif word.startswith("AUTH"):
                self.say("535 not " + line.decode().strip() if box.ails == "stranger" else "235 welcome")
            elif word.startswith("RCPT") and box.ails == "refuses":
                self.say("550 no such mailbox")
            elif word == "DATA":
                self.say("354 go on")
                lines = list[bytes]()
                while (text := self.rfile.readline()) != b".\r\n":
                    lines.append(text)
                box.letters.append(message_from_bytes(b"".join(lines), policy=default))
                if box.ails == "lost":  # it has the letter, and the sender does not hear so
                    return
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 well")


class Chat(ThreadingHTTPServer):
    """Takes what is posted. `ails` is one of "", hang, cut, or a status to answer with."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Poster)
        self.ails, self.calls, self.said, self.over = "", 0, list[dict[str, Any]](), threading.Event()
        self.paths = list[str]()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def texts(self) -> list[str]:
        return [said["text"] for said in self.said]


class Poster(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        chat = self.server
        chat.calls += 1
        chat.paths.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if chat.ails == "hang":
            chat.over.wait(HANG_SECONDS)
        if chat.ails in ("hang", "cut"):
            return
        if not chat.ails:
            chat.said.append(body)
        self.send_response(int(chat.ails or 200))
        if chat.ails == "302":
            self.send_header("Location", chat.url("/elsewhere"))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Not to the test's output."""


@contextmanager
def running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
