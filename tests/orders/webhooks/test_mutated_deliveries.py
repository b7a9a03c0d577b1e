"""A hundred thousand deliveries, each mutated in some way: none is accepted, and none is an error of ours."""

import base64
import gzip
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orders.models import Delivery, TurnedAway
from panel.notpanel.signing import Untrusted, verify
from tests.deliveries import ENDPOINT_PATH, SECRET, body_of, headers_of

Headers = dict[str, str]
SIGNATURE = "X-NotPanel-Signature"
VERIFIED, REQUESTS = 100_000, 5_000
SEEDS = (20_261_127, 20_261_128)


def misspelled(text: str, chance: random.Random) -> str:
    """The text with one character replaced, removed or added."""
    at = chance.randrange(len(text))
    other = chance.choice([c for c in "0123456789abcdefvt=,.;: \x00\x7fé٣" if c != text[at]])
    return chance.choice(
        [text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + other + text[at:]]
    )


def with_another_byte(body: bytes, chance: random.Random) -> bytes:
    """The body with one byte replaced."""
    at, by = chance.randrange(len(body)), chance.randrange(1, 256)
    return body[:at] + bytes([body[at] ^ by]) + body[at + 1 :]


def parts(headers: Headers) -> tuple[str, str]:
    """The time and the signature in the header, as text."""
    seconds, signature = headers[SIGNATURE].split(",")
    return seconds.removeprefix("t="), signature.removeprefix("v1=")


def in_base64(signature: str) -> str:
    """A hexadecimal signature in base64."""
    return base64.b64encode(bytes.fromhex(signature)).decode()


def resigned(headers: Headers, seconds: object, signature: str) -> Headers:
    """The headers with this time and this signature."""
    return {**headers, SIGNATURE: f"t={seconds},v1={signature}"}


Mutation = Callable[[Headers, bytes, random.Random], tuple[Headers, bytes]]
MUTATIONS: dict[str, Mutation] = {
    "header torn":       lambda h, b, c: ({**h, SIGNATURE: misspelled(h[SIGNATURE], c)}, b),
    "header gone":       lambda h, b, c: ({k: v for k, v in h.items() if k != SIGNATURE}, b),
    "header cut":        lambda h, b, c: ({**h, SIGNATURE: h[SIGNATURE][: c.randrange(len(h[SIGNATURE]))]}, b),
    "header of noise":   lambda h, b, c: ({**h, SIGNATURE: "".join(chr(c.randrange(1, 255)) for _ in range(90))}, b),
    "header huge":       lambda h, b, c: ({**h, SIGNATURE: h[SIGNATURE] + ",v1=0" * c.randrange(10, 3000)}, b),
    "parts the wrong way": lambda h, b, c: (resigned(h, parts(h)[1], parts(h)[0]), b),
    "another time":      lambda h, b, c: (resigned(h, int(parts(h)[0]) + c.choice([-1, 1, 60, -60]), parts(h)[1]), b),
    "time as a fraction": lambda h, b, c: (resigned(h, f"{parts(h)[0]}.0", parts(h)[1]), b),
    "time with a nought": lambda h, b, c: (resigned(h, f"0{parts(h)[0]}", parts(h)[1]), b),
    "an old recording":  lambda h, b, c: ({**h, **headers_of(b, late=c.uniform(301.5, 10**6))}, b),
    "from the future":   lambda h, b, c: ({**h, **headers_of(b, late=-c.uniform(302, 10**6))}, b),
    "guessed secret":    lambda h, b, c: ({**h, **headers_of(b, secret=misspelled(SECRET, c).strip("\x00") + "!")}, b),
    "no secret":         lambda h, b, c: ({**h, **headers_of(b, secret="")}, b),
    "capitals":          lambda h, b, c: (resigned(h, parts(h)[0], parts(h)[1].upper() + "A"), b),
    "in base64":         lambda h, b, c: (resigned(h, parts(h)[0], in_base64(parts(h)[1])), b),
    "signature cut":     lambda h, b, c: (resigned(h, parts(h)[0], parts(h)[1][: c.randrange(64)]), b),
    "of another":        lambda h, b, c: (h, body_of("ord_elsewhere")),
    "a byte of the body": lambda h, b, c: (h, with_another_byte(b, c)),
    "body cut":          lambda h, b, c: (h, b[: c.randrange(len(b))]),
    "body longer":       lambda h, b, c: (h, b + bytes([c.randrange(256)]) * c.randrange(1, 50)),
    "body twice":        lambda h, b, c: (h, b + b),
    "body with a mark":  lambda h, b, c: (h, b"\xef\xbb\xbf" + b),
    "body in UTF-16":    lambda h, b, c: (h, b.decode().encode("utf-16")),
    "body packed":       lambda h, b, c: ({**h, "Content-Encoding": "gzip"}, gzip.compress(b)),
    "body of noise":     lambda h, b, c: (h, c.randbytes(c.randrange(1, 300))),
    "nested":            lambda h, b, c: (h, b"[" * c.randrange(1, 30_000)),
}  # fmt: skip


def mutated(chance: random.Random, order: str) -> tuple[str, Headers, bytes]:
    """A delivery about this order, mutated in a random way: the mutation's name, the headers, the body."""
    body = body_of(order)
    name = chance.choice(list(MUTATIONS))
    headers, other = MUTATIONS[name](headers_of(body), body, chance)
    return name, headers, other


def rejections(seed: int, count: int) -> Counter[str]:
    """Reason → how many of so many mutated deliveries were rejected for it. Fails with the seed if one is accepted."""
    chance, reasons = random.Random(seed), Counter[str]()
    for number in range(count):
        name, headers, body = mutated(chance, f"ord_{number}")
        try:
            verify(headers, body, [SECRET], time.time())
        except Untrusted as untrusted:
            reasons[untrusted.reason] += 1
        else:
            raise AssertionError(f"seed {seed}, number {number}: {name} was accepted")
    return reasons


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_of_each_kind_is_rejected(mutation: str) -> None:
    body = body_of("ord_7")
    verify(headers_of(body), body, [SECRET], time.time())
    for seed in range(40):
        headers, other = MUTATIONS[mutation](headers_of(body), body, random.Random(seed))
        with pytest.raises(Untrusted):
            verify(headers, other, [SECRET], time.time())


def test_none_of_thousands_of_mutated_deliveries_is_accepted() -> None:
    reasons = rejections(SEEDS[0], VERIFIED // 50)
    assert set(reasons) == {"unsigned", "garbled", "forged", "stale", "early"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_none_of_a_hundred_thousand_mutated_deliveries_is_accepted(seed: int) -> None:
    reasons = rejections(seed, VERIFIED)
    print(f"seed {seed}: {reasons.total():,} mutated, 0 accepted: {dict(reasons)}")


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_over_the_whole_desk_none_is_accepted_and_none_is_an_error(seed: int, settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET]
    chance, statuses, client = random.Random(seed), Counter[int](), Client(raise_request_exception=False)
    for number in range(REQUESTS):
        name, headers, body = mutated(chance, f"ord_{number}")
        content_type = chance.choice(
            ["application/json"] * 12 + ["application/json; charset=utf-8", "text/plain", "é", ""]
        )
        headers.pop("Content-Type", "")
        answer = client.generic("POST", ENDPOINT_PATH, body, content_type=content_type, headers=headers)
        statuses[answer.status_code] += 1
        assert 400 <= answer.status_code < 500, f"seed {seed}, number {number}: {name} got {answer.status_code}"
    assert not Delivery.objects.exists()
    assert sum(TurnedAway.objects.values_list("count", flat=True)) == REQUESTS
    print(f"seed {seed}: {statuses.total():,} requests: {dict(statuses)}")
