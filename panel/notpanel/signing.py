"""Webhook deliveries: who signed one, when, and what it tells. Pure functions; all that is assumed stands in Scheme."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Self

from panel.notpanel.shapes import read_json, safe_id

WINDOW_SECONDS = 300  # a delivery that is older, or comes from further ahead, may be somebody's recording
MOST_SIGNATURES = 10  # of one delivery; each is tried with each secret
ENCODINGS = ("hex", "base64")

_SECONDS = re.compile("[0-9]{1,12}", re.ASCII)
_HEADER = re.compile("[A-Za-z0-9-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How upstream signs. The contract leaves it open, so this is assumed, and settings may replace any of it.

    The header `signature` is `t=<Unix seconds>,v1=<signature>`, with several v1 while one secret takes over from
    another. Signed is the time as it stands there, `joint`, and the raw body: HMAC-SHA256.
    """

    signature: str = "X-NotPanel-Signature"
    delivery: str = "X-NotPanel-Delivery"
    event: str = "X-NotPanel-Event"
    time: str = ""  # a header for the time, where it stands in one of its own
    version: str = "v1"  # what stands before a signature; empty: the whole header is one
    joint: str = "."
    encoding: str = "hex"

    def __post_init__(self) -> None:
        for name in ("signature", "delivery", "event"):
            if not _HEADER.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} is the name of a header")
        if self.time and not _HEADER.fullmatch(self.time):
            raise ValueError("time is the name of a header, or empty")
        if self.encoding not in ENCODINGS:
            raise ValueError(f"encoding is one of {', '.join(ENCODINGS)}")
        if not self.version and not self.time:
            raise ValueError("without a version the header holds no time, so time names a header of its own")

    @classmethod
    def of(cls, words: Sequence[str]) -> Self:
        """From `name=value` each; ValueError with a sentence for what is none."""
        known = {field.name for field in fields(cls)}
        said = {}
        for word in words:
            name, sign, value = word.partition("=")
            if not sign or name not in known:
                raise ValueError(f"{word!r} is none of {', '.join(f'{one}=…' for one in sorted(known))}")
            said[name] = value
        return cls(**said)


ASSUMED = Scheme()


class Untrusted(Exception):
    """Not to be taken for upstream's; `str()` is a sentence, `reason` one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


REASONS = {
    "unsigned": "The delivery carries no signature.",
    "garbled": "The signature header cannot be read.",
    "forged": "The signature fits none of the secrets.",
    "stale": "The delivery was signed more than 5 minutes ago.",
    "early": "The delivery was signed more than 5 minutes from now; one of the two clocks is wrong.",
}


class Proof(NamedTuple):
    """What a signature that fits proves."""

    seconds: int  # Unix time of the signing
    mark: str  # of the secret
    digest: str  # of what was signed: the same of no two signings, save a repeat of the very same


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float, scheme: Scheme = ASSUMED
) -> Proof:
    """Says that a holder of one of the secrets signed exactly this, just now; else Untrusted.

    The time is judged last, so that only upstream's own deliveries are ever called stale or early.
    """
    seconds, signatures = _parts(headers, scheme)
    signed = _signed(seconds, body, scheme)
    # Each with each, whatever fitted already: how long it takes tells nothing.
    fitting = [secret for secret in secrets if sum([_fits(one, secret, signed, scheme) for one in signatures])]
    if not fitting:
        raise Untrusted("forged")
    if int(seconds) < now - WINDOW_SECONDS:
        raise Untrusted("stale")
    if int(seconds) > now + WINDOW_SECONDS:
        raise Untrusted("early")
    return Proof(int(seconds), mark(fitting[0]), hashlib.sha256(signed).hexdigest())


def sign(
    body: bytes, secret: str, seconds: int, scheme: Scheme = ASSUMED, *, delivery: str = "", event: str = ""
) -> dict[str, str]:
    """The headers that upstream would send with this body."""
    signature = _encoded(hmac.digest(secret.encode(), _signed(str(seconds), body, scheme), "sha256"), scheme)
    said = f"{scheme.version}={signature}" if scheme.version else signature
    headers = {scheme.signature: said if scheme.time else f"t={seconds},{said}"}
    headers |= {scheme.time: str(seconds)} if scheme.time else {}
    headers |= {scheme.delivery: delivery} if delivery else {}
    return headers | ({scheme.event: event} if event else {})


def mark(secret: str) -> str:
    """What a secret may be known by: enough to tell a few apart, too little to guess one."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def _parts(headers: Mapping[str, str], scheme: Scheme) -> tuple[str, list[str]]:
    """The time as it stands there, and the signatures."""
    said = headers.get(scheme.signature, "")
    if not said:
        raise Untrusted("unsigned")
    times = [headers.get(scheme.time, "")] if scheme.time else []
    signatures = [] if scheme.version else [said]
    for part in said.split(",") if scheme.version else ():
        name, sign, value = part.partition("=")
        if not (name and sign and value):
            raise Untrusted("garbled")
        if name == scheme.version:
            signatures.append(value)
        elif name == "t" and not scheme.time:
            times.append(value)
    if len(times) != 1 or not _SECONDS.fullmatch(times[0]) or not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise Untrusted("garbled")
    return times[0], signatures


def _signed(seconds: str, body: bytes, scheme: Scheme) -> bytes:
    return f"{seconds}{scheme.joint}".encode() + body


def _fits(signature: str, secret: str, signed: bytes, scheme: Scheme) -> bool:
    right = _encoded(hmac.digest(secret.encode(), signed, "sha256"), scheme)
    return hmac.compare_digest(right.encode(), signature.encode(errors="replace"))


def _encoded(raw: bytes, scheme: Scheme) -> str:
    return raw.hex() if scheme.encoding == "hex" else base64.b64encode(raw).decode()


# ── What a delivery tells ────────────────────────────────────────────────────────────────────────
# Where each may stand, the likeliest first: the contract does not say. Nothing but a ring hangs on it.
EVENT_AT = ("event", "type", "event_type", "data.event")
ORDER_AT = (
    "data.order",
    "data.order_id",
    "data.order.id",
    "order",
    "order_id",
    "order.id",
    "data.id",
    "data.object.id",
)
STATUS_AT = ("data.status", "status", "data.order.status", "order.status")
ID_AT = ("id", "event_id", "delivery_id", "delivery")
LONGEST_WORD = 40  # characters of an event or a status; the rest of a longer one tells nobody anything
LONGEST_ID = 100

_WORD = re.compile(r"[\w.:/ -]{1,500}")
_ID = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_ID}}}")


class Told(NamedTuple):
    """What a delivery says; each is "" where it says no such thing."""

    id: str
    event: str
    order: str
    status: str


def read(headers: Mapping[str, str], body: bytes, scheme: Scheme = ASSUMED) -> Told:
    """What a body says that was found to be upstream's; ValueError when it is no JSON object."""
    said = read_json(body.decode())
    if not isinstance(said, dict):
        raise ValueError("a delivery is a JSON object")
    names = [headers.get(scheme.delivery, ""), *map(str, _found(said, ID_AT))]
    events = [*_found(said, EVENT_AT), headers.get(scheme.event, "")]
    return Told(
        id=next((name for name in names if _ID.fullmatch(name)), ""),
        event=next(filter(None, map(_word, events)), ""),
        order=next(filter(None, map(safe_id, _found(said, ORDER_AT))), ""),
        status=next(filter(None, map(_word, _found(said, STATUS_AT))), ""),
    )


def _found(said: object, paths: Sequence[str]) -> list[object]:
    """What stands at each of these places, of those that there are."""
    found: list[object] = []
    for path in paths:
        here = said
        for name in path.split("."):
            here = here.get(name) if isinstance(here, dict) else None
        if isinstance(here, str | int):
            found.append(here)
    return found


def _word(value: object) -> str:
    return value[:LONGEST_WORD] if isinstance(value, str) and _WORD.fullmatch(value) else ""
