"""A flood of guesses at a real gunicorn over loopback: few are hashed, and the owner signs in meanwhile.

10,000 guesses from 50 addresses of this machine, on one account and on 300, each with other headers that are to talk
around a count. Meanwhile the owner signs in again and again: on a device that they have used, from an address that they
have used, and on a new device at a new address. Each hash that was made left a row in the record of the door.
"""

import http.client
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from statistics import median
from threading import Event
from urllib.parse import urlencode

from accounts.access import Role
from accounts.models import DoorEvent, KnownDevice, SignInCount, User
from panel.management.commands.demo import HERE
from tests.accounts.sign_in.flood import LOGIN, guesses
from tests.benchmarks import measure
from tests.benchmarks.webhooks import OURS, serving
from tests.makers import PASSWORD, make_user

GUESSES, ADDRESSES, SENDERS = 10_000, 50, 8
MOST_HASHES_A_GUESS = 0.02
MOST_SECONDS = 2.0  # that the owner waits
PAUSE_SECONDS = 1.0  # between two sign-ins of the owner
HOME = "127.0.2.1"  # where the owner has signed in before


def main() -> int:
    figures = measure.Figures("guesses: a flood at the door")
    figures.say(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, which carry all of it")
    with measure.desk(pages=True) as folder:
        make_user(Role.OWNER, username="olivia", email="olivia@example.com")
        others = [*(f"person{at}" for at in range(99)), *(f"nobody{at}" for at in range(200))]
        for names in (["olivia"], ["olivia", *others]):
            for name in names[1:100]:
                User.objects.create_user(name, email=f"{name}@example.com")
            flood(folder, names, figures)
            SignInCount.objects.all().delete()
            KnownDevice.objects.all().delete()
    return figures.end()


def flood(folder: Path, names: list[str], figures: measure.Figures) -> None:
    """The guesses at these names, and the owner's sign-ins meanwhile."""
    before, over = hashed(), Event()
    places = [f"127.0.1.{at + 1}" for at in range(ADDRESSES)]
    with serving(folder, OURS) as (_, port), ThreadPoolExecutor(SENDERS + 1) as pool:
        device = sign_in(port, HOME)[1]
        rest = median(measure.seconds(lambda: sign_in(port, HOME, device)) for _ in range(5))
        owner = pool.submit(lambda: list(sign_ins(port, device, over)))
        began = time.monotonic()
        shares = [list(guesses(names, GUESSES, places))[at::SENDERS] for at in range(SENDERS)]
        answers = [status for share in pool.map(lambda share: [guess(port, *each) for each in share], shares)
                   for status in share]  # fmt: skip
        took = time.monotonic() - began
        over.set()
        meanwhile = owner.result()
    hashes = hashed() - before
    waits, refused = [wait for _, wait, _ in meanwhile], [who for who, _, well in meanwhile if not well]
    what = f"{len(names)} account{'s' * (len(names) > 1)}"
    figures.say(f"{what}: {GUESSES:,} guesses from {ADDRESSES} addresses in {took:.0f} s, {len(waits)} sign-ins")
    figures.say(f"the owner waited {median(waits) * 1000:.0f} ms (median), {rest * 1000:.0f} ms at rest")
    figures.exactly(f"{what}: answers but “wrong” and “wait”", sorted(set(answers) - {200, 429}), [])
    figures.at_most(f"{what}: hashes a guess", hashes / GUESSES, MOST_HASHES_A_GUESS)
    figures.at_least(f"{what}: guesses that were hashed", hashes, 1)
    figures.exactly(f"{what}: sign-ins of the owner that were refused", refused, [])
    figures.at_most(f"{what}: seconds that the owner waited at most", max(waits), MOST_SECONDS)


def sign_ins(port: int, device: str, over: Event) -> Iterator[tuple[str, float, bool]]:
    """The owner's sign-ins until the flood is over: from where, how long it took, and whether it went well."""
    for turn in count():
        if over.wait(PAUSE_SECONDS):
            return
        ways = {"a known device": (f"127.0.3.{turn % 250 + 1}", device), "a known address": (HOME, ""),
                "a new device": (f"127.0.4.{turn % 250 + 1}", "")}  # fmt: skip
        for who, (place, cookie) in ways.items():
            asked = time.perf_counter()
            status, _ = sign_in(port, place, cookie)
            yield who, time.perf_counter() - asked, status == http.client.FOUND


def sign_in(port: int, place: str, device: str = "") -> tuple[int, str]:
    """Signs the owner in from this address. Returns the status, and the cookie of the device."""
    headers = {"Cookie": f"desk_device={device}"} if device else {}
    status, cookies = post(port, place, "olivia", PASSWORD, headers)
    return status, next((each.split("=")[1].split(";")[0] for each in cookies if each.startswith("desk_device")), "")


def guess(port: int, login: str, password: str, place: str, headers: dict[str, str]) -> int:
    """The status of a guess's answer."""
    allowed = {**headers, "Host": "localhost" + headers["Host"].removeprefix("testserver")}
    return post(port, place, login, password, allowed)[0]


def post(port: int, place: str, login: str, password: str, headers: dict[str, str]) -> tuple[int, list[str]]:
    """Sends the form from this address, with a CSRF token that the cookie agrees to. Status, and cookies."""
    line = http.client.HTTPConnection(HERE, port, timeout=60, source_address=(place, 0))
    token = "a" * 32
    cookie = "; ".join(filter(None, [f"csrftoken={token}", headers.get("Cookie", "")]))
    form = urlencode({"login": login, "password": password, "csrfmiddlewaretoken": token})
    line.request("POST", LOGIN, form, {"Host": f"localhost:{port}", **headers, "Cookie": cookie,
                                       "Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    response = line.getresponse()
    response.read()
    line.close()
    return response.status, response.headers.get_all("Set-Cookie") or []


def hashed() -> int:
    """How many guesses were hashed: each of them is recorded as a failure."""
    return DoorEvent.objects.filter(kind="failed").count()


if __name__ == "__main__":
    raise SystemExit(main())
