"""Rings at the webhooks' door from many connections, as PORT RATE SECONDS NAME say.

A process of its own, so that what it measures beside is not measured with its own hands. RATE is deliveries a second,
0 for as many as are taken. Prints `ringing` when it begins; at the end a line of JSON: which ids were answered 2xx,
other answers, how long each took, and what it cost itself.
"""

import json
import socket
import sys
import threading
import time
from typing import BinaryIO

from panel.notpanel.signing import sign

HERE = "127.0.0.1"
CONNECTIONS = 16
SECRET = "for-measuring-only-" * 2


class Line:
    """One connection, opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self.port, self.socket = port, socket.socket()
        self.reader: BinaryIO | None = None

    def send(self, request: bytes) -> int:
        """The status of the answer; 0 when the server hung up instead."""
        try:
            if self.reader is None:
                self.socket = socket.create_connection((HERE, self.port), timeout=30)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.reader = self.socket.makefile("rb")
            self.socket.sendall(request)
            return self.answer(self.reader)
        except OSError:
            self.reader = None
            return 0

    def answer(self, reader: BinaryIO) -> int:
        status, length, stays = reader.readline().split(b" ", 2)[1:2], 0, True
        while (line := reader.readline().lower()) not in (b"\r\n", b""):
            length = int(line.split(b":")[1]) if line.startswith(b"content-length:") else length
            stays = stays and not line.startswith(b"connection: close")
        reader.read(length)
        if not stays:
            self.socket.close()
            self.reader = None
        return int(status[0]) if status else 0


def delivery(id: str, now: float) -> bytes:
    """One signed delivery, as bytes on the wire."""
    data = {"order": f"ord_{id}", "status": "completed"}
    body = json.dumps({"id": f"evt_{id}", "event": "order.completed", "created": int(now), "data": data}).encode()
    headers = sign(body, SECRET, int(now), delivery=id, event="order.completed")
    lines = ["POST /webhooks/notpanel/ HTTP/1.1", f"Host: {HERE}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def ring(port: int, rate: float, seconds: float, name: str) -> dict[str, object]:
    taken, others, times, began = list[str](), list[int](), list[float](), time.monotonic()
    numbers, turn = iter(range(10**9)), threading.Lock()

    def work() -> None:
        line = Line(port)
        while time.monotonic() < began + seconds:
            with turn:
                number = next(numbers)
            due = began + number / rate if rate else 0.0
            if due >= began + seconds:
                return
            time.sleep(max(0.0, due - time.monotonic()))
            id = f"{name}_{number}"
            request, sent_at = delivery(id, time.time()), time.monotonic()
            status = line.send(request)
            if status // 100 == 2:
                taken.append(id)
                times.append(time.monotonic() - (due or sent_at))
            else:
                others.append(status)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"taken": taken, "others": others, "times": times, "seconds": time.monotonic() - began,
            "processor": time.process_time()}  # fmt: skip


if __name__ == "__main__":
    print("ringing", flush=True)
    print(json.dumps(ring(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4])))
