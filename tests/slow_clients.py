"""Visitors who are slow or greedy, and how long others wait meanwhile. Bounded, and at a desk on loopback alone."""

import http.client
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

HALF_HEADERS, HALF_BODIES, IDLE = 32, 32, 500
NO_ANSWER = float("inf")  # the wait of a visitor who gave up
HALF_A_HEADER = b"GET /orders/ HTTP/1.1\r\nHost: localhost\r\nX-Slow"
SIGN_IN = "/accounts/login/"
HALF_A_BODY = (
    f"POST {SIGN_IN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 1000\r\n\r\nlogin=a"
).encode()
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

Line = socket.socket
Connect = Callable[[], Line]


class Waits(NamedTuple):
    """How many seconds each visitor waited for an answer, the quickest first."""

    seconds: list[float]

    def cut(self, part: float) -> float:
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * part))]

    def __str__(self) -> str:
        p50, p95, most = (f"{wait * 1000:.0f} ms" if wait != NO_ANSWER else "no answer"
                          for wait in (self.cut(0.5), self.cut(0.95), self.seconds[-1]))  # fmt: skip
        return f"p50 {p50}, p95 {p95}, max {most}"


@contextmanager
def attack(connect: Connect) -> Iterator[tuple[list[Line], list[Line]]]:
    """Inside, so many wait for their next request, and so many have sent half a header or half a body. Gives both."""
    with ExitStack() as stack:
        idle, halves = list[Line](), list[Line]()
        with suppress(OSError):  # a desk that stands still takes no more
            for _ in range(IDLE):
                idle.append(stack.enter_context(connect()))
                idle[-1].sendall(WHOLE)
                assert idle[-1].recv(4096)
        for number in range(HALF_HEADERS + HALF_BODIES):
            halves.append(stack.enter_context(connect()))
            halves[-1].sendall(HALF_A_HEADER if number % 2 else HALF_A_BODY)
        yield idle, halves


def waits(
    visit: Callable[[], http.client.HTTPConnection], paths: Mapping[str, Mapping[str, str]], rounds: int
) -> dict[str, Waits]:
    """For each path (with its headers) how long a new visitor waits, so many times, in turns."""
    seconds: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(rounds):
        for path, headers in paths.items():
            seconds[path].append(wait(visit, path, headers))
    return {path: Waits(sorted(found)) for path, found in seconds.items()}


def wait(visit: Callable[[], http.client.HTTPConnection], path: str, headers: Mapping[str, str]) -> float:
    """How long one visitor waits for the whole answer, which must be good; NO_ANSWER when they gave up."""
    began, line = time.perf_counter(), visit()
    try:
        line.request("GET", path, headers=dict(headers))
        answer = line.getresponse()
        answer.read()
        assert answer.status == http.client.OK, f"{path}: {answer.status}"
        return time.perf_counter() - began
    except OSError:
        return NO_ANSWER
    finally:
        line.close()
