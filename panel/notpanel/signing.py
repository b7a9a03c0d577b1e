"""Webhook deliveries: who signed one, when, and what it says. Pure functions; all that is assumed stands in Scheme."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

from panel.notpanel.shapes import read_json, safe_id

WINDOW_SECONDS = 300  # a delivery that is older, or comes from further ahead, may be somebody's recording
MOST_SIGNATURES = 10  # of one delivery; each is tried with each secret
WORD_CHARACTERS = 40  # of an event or a status; nobody needs the rest of a longer one
ID_CHARACTERS = 100
ENCODINGS = ("hex", "base64")
REASONS = {
    "unsigned": "The delivery carries no signature.",
    "garbled": "The signature header cannot be read.",
    "forged": "The signature fits none of the secrets.",
    "stale": "The delivery was signed more than 5 minutes ago.",
    "early": "The delivery was signed more than 5 minutes from now; one of the two clocks is wrong.",
}
# Where each may stand in a body, the likeliest first: the contract does not say. A wrong guess costs one poll at most.
# Names stand here in small letters without marks: `orderid` is also `order_id`, `orderId` and `Order-ID`.
PLACES = ("data.", "payload.", "", "data.object.", "payload.data.", "object.", "event.", "body.", "resource.",
          "data.attributes.", "detail.", "message.", "result.", "content.", "params.")  # fmt: skip
EVENT_PATHS = ("event", "type", "eventtype", "eventname", "topic", "data.event", "payload.event", "event.type",
               "event.name", "payload.type", "data.type")  # fmt: skip
ORDER_PATHS = (
    *(place + name for place in PLACES for name in ("order", "orderid", "order.id", "order.order", "order.orderid")),
    *("data.id", "payload.id", "data.object.id", "payload.data.id", "object.id", "resource.id"),
)
# An `id` in one of these is the delivery's own, unless it looks like an order's.
DOUBTFUL_ID_PATHS = ("id", "event.id", "body.id", "data.attributes.id", "detail.id", "message.id", "result.id")
STATUS_PATHS = tuple(
    place + name for place in PLACES for name in ("status", "order.status", "orderstatus", "newstatus")
)
ID_PATHS = ("id", "eventid", "deliveryid", "delivery")
DEEPEST_PLACE = 3  # levels of a body that are read

_UNIX_SECONDS = re.compile("[0-9]{1,12}", re.ASCII)
_HEADER = re.compile("[A-Za-z0-9-]+", re.ASCII)
_WORD = re.compile(r"[\w.:/ -]{1,500}")
_ID = re.compile(rf"[\x21-\x7e]{{1,{ID_CHARACTERS}}}")
_ORDER_ID = re.compile("ord(er)?[_-][0-9A-Za-z]+", re.ASCII | re.IGNORECASE)
_NUMBER, _ORDER_EVENT = re.compile("[0-9]+", re.ASCII), re.compile("order([^a-z]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How upstream signs. The contract leaves it open, so this is assumed, and settings may replace any of it.

    The header `signature` is `t=<Unix seconds>,v1=<signature>`, with several v1 while one secret takes over from
    another. A signature is HMAC-SHA256 over the time as it stands there, `joint`, and the raw body.
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
        """The scheme with some fields replaced, by words `name=value`; ValueError, with a sentence, for a wrong one."""
        names = sorted(field.name for field in fields(cls))
        values = {}
        for word in words:
            name, sign, value = word.partition("=")
            if not sign or name not in names:
                raise ValueError(f"{word!r} is none of {', '.join(f'{known}=…' for known in names)}")
            values[name] = value
        return cls(**values)


ASSUMED = Scheme()


class Untrusted(Exception):
    """Raised for a delivery that may not be upstream's; `str()` is a sentence, `reason` a key of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


class Proof(NamedTuple):
    """What a signature that fits proves."""

    seconds: int  # Unix time of the signing
    mark: str  # of the secret that fits
    digest: str  # of what was signed; equal only when the very same delivery comes again


class Contents(NamedTuple):
    """The id, event, order and status that a delivery names; each is "" where it names none."""

    id: str
    event: str
    order: str
    status: str


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float, scheme: Scheme = ASSUMED
) -> Proof:
    """Proof that a holder of one of the secrets signed exactly this, not long before `now`; raises Untrusted otherwise.

    The time is judged last, so that only upstream's own deliveries are ever called stale or early.
    """
    seconds, signatures = _parts(headers, scheme)
    signed = _signed(seconds, body, scheme)
    # Every signature is tried with every secret, also after one fits: the time it takes gives nothing away.
    fitting = [secret for secret in secrets if sum([_fits(each, secret, signed, scheme) for each in signatures])]
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
    """The headers that upstream would send with this body, signed at `seconds` of Unix time."""
    signature = _signature(secret, _signed(str(seconds), body, scheme), scheme)
    versioned = f"{scheme.version}={signature}" if scheme.version else signature
    optional = {scheme.time: str(seconds), scheme.delivery: delivery, scheme.event: event}
    return {scheme.signature: versioned if scheme.time else f"t={seconds},{versioned}"} | {
        name: value for name, value in optional.items() if name and value
    }


def mark(secret: str) -> str:
    """A short name for a secret: enough to tell a few apart, too little to guess one."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def read(headers: Mapping[str, str], body: bytes, scheme: Scheme = ASSUMED) -> Contents:
    """What a verified delivery says about itself; ValueError when its body is no JSON object."""
    content = read_json(body.decode())
    if not isinstance(content, dict):
        raise ValueError("a delivery is a JSON object")
    content = _plain_names(content, DEEPEST_PLACE)
    event = _first([*_values(content, EVENT_PATHS), headers.get(scheme.event, "")], _word)
    order = _first(_values(content, ORDER_PATHS), safe_id) or _order_elsewhere(content, event)
    # An id that names the order is not the delivery's: the order's next event has it too, and is no repeat.
    ids = [headers.get(scheme.delivery, ""), *(id for id in map(str, _values(content, ID_PATHS)) if id != order)]
    return Contents(
        id=next(filter(_ID.fullmatch, ids), ""), event=event, order=order,
        status=_first(_values(content, STATUS_PATHS), _word),
    )  # fmt: skip


def _parts(headers: Mapping[str, str], scheme: Scheme) -> tuple[str, list[str]]:
    """The time as it stands in the headers, and the signatures."""
    header = headers.get(scheme.signature, "")
    if not header:
        raise Untrusted("unsigned")
    times = [headers.get(scheme.time, "")] if scheme.time else []
    signatures = [] if scheme.version else [header]
    for part in header.split(",") if scheme.version else ():
        name, sign, value = part.partition("=")
        if not (name and sign and value):
            raise Untrusted("garbled")
        if name == scheme.version:
            signatures.append(value)
        elif name == "t" and not scheme.time:
            times.append(value)
    if len(times) != 1 or not _UNIX_SECONDS.fullmatch(times[0]) or not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise Untrusted("garbled")
    return times[0], signatures


def _signed(seconds: str, body: bytes, scheme: Scheme) -> bytes:
    return f"{seconds}{scheme.joint}".encode() + body


def _fits(signature: str, secret: str, signed: bytes, scheme: Scheme) -> bool:
    right = _signature(secret, signed, scheme)
    return hmac.compare_digest(right.encode(), signature.encode(errors="replace"))


def _signature(secret: str, signed: bytes, scheme: Scheme) -> str:
    digest = hmac.digest(secret.encode(), signed, "sha256")
    return digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()


def _plain_names(content: dict[str, Any], levels: int) -> dict[str, Any]:
    """The body with its names in small letters and without marks, so many levels deep; of equal names the first."""
    plain: dict[str, Any] = {}
    for name, value in content.items():
        below = _plain_names(value, levels - 1) if isinstance(value, dict) and levels > 1 else value
        plain.setdefault(name.lower().replace("_", "").replace("-", ""), below)
    return plain


def _order_elsewhere(content: dict[str, Any], event: str) -> str:
    """An order that a body names in an `id` that may be the delivery's own, or as the only text like `ord_…` in it."""
    ids = [id for id in map(safe_id, _values(content, DOUBTFUL_ID_PATHS)) if id]
    if named := next(filter(_ORDER_ID.fullmatch, ids), ""):
        return named
    if ids and _NUMBER.fullmatch(ids[0]) and _ORDER_EVENT.match(event):
        return ids[0]
    like_orders = {text for text in _texts(content) if text.lower().startswith("ord_") and _ORDER_ID.fullmatch(text)}
    return safe_id(like_orders.pop()) if len(like_orders) == 1 else ""


def _texts(content: dict[str, Any]) -> Iterator[str]:
    """The texts in a body and in its lists, as deep as it was read; not one that stands where a place is expected."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _texts(value)
        elif isinstance(value, list):
            yield from (text for text in value if isinstance(text, str))
        elif isinstance(value, str) and f"{name}." not in PLACES:
            yield value


def _values(content: object, paths: Sequence[str]) -> list[object]:
    """The texts and whole numbers at these paths; paths that lead to anything else are passed over."""
    values: list[object] = []
    for path in paths:
        place = content
        for name in path.split("."):
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, str | int) and not isinstance(place, bool):
            values.append(place)
    return values


def _first(values: Iterable[object], read_value: Callable[[object], str]) -> str:
    """The first text that can be read from one of the values; "" when none can."""
    return next(filter(None, map(read_value, values)), "")


def _word(value: object) -> str:
    return value[:WORD_CHARACTERS] if isinstance(value, str) and _WORD.fullmatch(value) else ""
