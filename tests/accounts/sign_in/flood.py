"""A flood of guesses, and a count of what it costs in hashes."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hasher

LOGIN = "/accounts/login/"
SEED = 20261130


class QuickHasher(PBKDF2PasswordHasher):
    """Django's own with hardly any work, for tests that count hashes and do not wait for them."""

    iterations = 10


@contextmanager
def counted_hashes() -> Iterator[list[str]]:
    """Inside, each hash of a password adds to the list."""
    hasher: Any = type(get_hasher())
    encode, hashes = hasher.encode, list[str]()

    def counting(self: Any, password: str, *args: Any, **kwargs: Any) -> str:
        hashes.append(password)
        return str(encode(self, password, *args, **kwargs))

    with patch.object(hasher, "encode", counting):
        yield hashes


def addresses(number: int) -> list[str]:
    """So many addresses, from several networks."""
    return [f"198.51.{100 + at // 250}.{at % 250 + 1}" for at in range(number)]


def guesses(names: list[str], number: int, places: list[str]) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """So many guesses: the name, the password, the address it comes from, and headers that are to talk around a count.

    Seeded, so that a failure can be repeated.
    """
    chance = random.Random(SEED)
    hosts = ["testserver", "testserver:80", "testserver:8443", "testserver."]
    for at in range(number):
        name = names[at % len(names)]
        spelled = chance.choice([name, name.upper(), f" {name} ", f"{name}@example.com", f"{name}@EXAMPLE.com"])
        headers = {
            "Host": chance.choice(hosts),
            "X-Forwarded-For": f"203.0.113.{chance.randrange(250)}, 203.0.113.9:{chance.randrange(60_000)}",
            "X-Real-IP": f"203.0.113.{chance.randrange(250)}",
            "User-Agent": f"Guess/{at}",
            "Cookie": f"desk_device=forged{at}",
        }
        yield spelled, f"guess-{at}", places[at % len(places)], headers
