"""Sends deliveries to the webhook endpoint from many connections, as PORT RATE SECONDS NAME say.

A process of its own, so that what it measures beside is not measured with its own hands; and it costs little, for
upstream's machine is not the desk's: all is signed beforehand, and one thread minds all connections. RATE is deliveries
a second, 0 for as many as are taken. Prints `sending` when it begins; at the end a line of JSON: which ids were
answered 2xx, other answers, how long each took, and what it cost itself.
"""

import json
import socket
import sys
import time
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector

from panel.notpanel.signing import sign

HERE = "127.0.0.1"
CONNECTIONS = 16
SECRET = "for-measuring-only-" * 2
MOST = 20_000  # deliveries, where no rate says how many


@dataclass
class Line:
    """One connection, opened again when the server has closed it; carries one delivery at a time."""

    port: int
    wire: socket.socket | None = None
    id: str = ""
    due: float = 0.0
    heard: bytes = b""

    def send(self, request: bytes) -> socket.socket:
        self.heard = b""
        if self.wire is None:
            self.wire = socket.create_connection((HERE, self.port), timeout=30)
            self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wire.sendall(request)
        return self.wire

    def hear(self) -> int | None:
        """The status of the answer; None while it is not whole, 0 when the server hung up instead."""
        assert self.wire
        try:
            more = self.wire.recv(4096)
        except OSError:
            more = b""
        self.heard += more
        head, _, body = self.heard.partition(b"\r\n\r\n")
        lower = head.lower()
        if more and len(body) < int(lower.partition(b"content-length:")[2].split(b"\r\n")[0] or 1):
            return None
        if not more or b"connection: close" in lower:
            self.close()
        return int(head.split(b" ", 2)[1]) if head else 0

    def close(self) -> None:
        if self.wire:
            self.wire.close()
            self.wire = None


def delivery(id: str, now: float) -> bytes:
    """One signed delivery, as bytes on the wire."""
    data = {"order": f"ord_{id}", "status": "completed"}
    body = json.dumps({"id": f"evt_{id}", "event": "order.completed", "created": int(now), "data": data}).encode()
    headers = sign(body, SECRET, int(now), delivery=id, event="order.completed")
    lines = ["POST /webhooks/notpanel/ HTTP/1.1", f"Host: {HERE}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


class Burst:
    """Each delivery at its time, or as soon after it as a line is free. What is under way at the end is answered."""

    def __init__(self, port: int, rate: float, seconds: float, requests: dict[str, bytes]) -> None:
        self.free, self.busy = [Line(port) for _ in range(CONNECTIONS)], DefaultSelector()
        self.requests, self.began, self.spent = requests, time.monotonic(), time.process_time()
        self.ends = self.began + seconds
        whens = (self.began + number / rate if rate else self.began for number in range(len(requests)))
        self.waiting = list(zip(whens, requests, strict=True))[::-1]
        self.taken, self.others, self.times = list[str](), list[int](), list[float]()

    def send_all(self) -> dict[str, object]:
        while len(self.free) < CONNECTIONS or (self.waiting and time.monotonic() < self.ends):
            now = time.monotonic()
            while self.free and self.waiting and self.waiting[-1][0] <= now < self.ends:
                self.send(self.free.pop(), *self.waiting.pop())
            next_due = self.waiting[-1][0] if self.free and self.waiting else self.ends
            for key, _ in self.busy.select(max(0.001, next_due - now)):
                self.hear(key.data)
        cost = time.process_time() - self.spent
        return {"taken": self.taken, "others": self.others, "times": self.times,
                "seconds": time.monotonic() - self.began, "processor": cost}  # fmt: skip

    def send(self, line: Line, due: float, id: str) -> None:
        line.id, line.due = id, due
        try:
            self.busy.register(line.send(self.requests[id]), EVENT_READ, line)
        except OSError:
            line.close()
            self.note(line, 0)

    def hear(self, line: Line) -> None:
        wire = line.wire
        if wire and (status := line.hear()) is not None:
            self.busy.unregister(wire)
            self.note(line, status)

    def note(self, line: Line, status: int) -> None:
        self.free.append(line)
        if status // 100 == 2:
            self.taken.append(line.id)
            self.times.append(time.monotonic() - line.due)
        else:
            self.others.append(status)


def main(port: int, rate: float, seconds: float, name: str) -> None:
    now = time.time()
    ids = [f"{name}_{number}" for number in range(int(rate * seconds) or MOST)]
    requests = {id: delivery(id, now) for id in ids}
    print("sending", flush=True)
    print(json.dumps(Burst(port, rate, seconds, requests).send_all()))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
