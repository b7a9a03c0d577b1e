"""The seal of a line: an HMAC over all it says, by a key that is made from SECRET_KEY and SECRET_KEY_FALLBACKS."""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

SALT = "accounts.trail.seal"  # so that these keys open nothing else that SECRET_KEY protects
SEAL_BYTES = 16
FINGERPRINT_CHARACTERS = 8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# All that a line says. Its id is not known before it is written: the chain holds that.
SEALED = ("at", "kind", "group", "by_id", "order_id", "person_id", "thing", "thing_id", "label", "before", "after",
          "facts", "address", "device")  # fmt: skip


@lru_cache
def _key(secret: str) -> bytes:
    return salted_hmac(SALT, "seal", secret=secret, algorithm="sha256").digest()


def newest_key() -> bytes:
    """The key that seals."""
    return _key(settings.SECRET_KEY)


def ring() -> list[bytes]:
    """All keys that may have sealed, newest first."""
    return [_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def fingerprint(key: bytes) -> str:
    """A short text that tells keys apart, and from which nobody gets the key."""
    return hmac.digest(key, b"fingerprint", "sha256").hex()[:FINGERPRINT_CHARACTERS]


def key_of(mark: str) -> bytes | None:
    """The key with this fingerprint, or None where SECRET_KEY_FALLBACKS lacks it."""
    return next((key for key in ring() if hmac.compare_digest(fingerprint(key), mark)), None)


def content_of(line: Any) -> bytes:
    """All that a line says, in one spelling: the same before it is written and after it is read, on each database."""
    values = [spelled(getattr(line, name)) for name in SEALED]
    return json.dumps(values, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()


def spelled(value: Any) -> Any:
    """A value as JSON spells it alike everywhere: PostgreSQL makes 1.0 of 1e0, and keeps no order of keys."""
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, dict):
        return {str(name): spelled(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [spelled(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value) if isinstance(value, str) else value  # a choice is its text


def seal_of(line: Any, key: bytes | None = None) -> bytes:
    """The seal of what this line says, by the newest key or by this one."""
    return hmac.digest(key or newest_key(), content_of(line), "sha256")[:SEAL_BYTES]


def is_genuine(line: Any) -> bool:
    """Whether the line's seal fits what it says, by any key of the ring."""
    seal, content = bytes(line.seal), content_of(line)
    return any(hmac.compare_digest(seal, hmac.digest(key, content, "sha256")[:SEAL_BYTES]) for key in ring())


def chain_digest(key: bytes, before: bytes, facts: tuple[object, ...], marks: Iterator[tuple[int, bytes]]) -> bytes:
    """The digest of a link of the chain: of the digest before it, its facts, and the ids and marks of its lines."""
    link = hmac.new(key, digestmod="sha256")
    link.update(b"link" + before + json.dumps(spelled(list(facts)), separators=(",", ":")).encode())
    for pk, mark in marks:
        link.update(pk.to_bytes(8, "big") + mark)
    return link.digest()


def mark_of(line: Any) -> bytes:
    """What the chain holds of a line: its seal, or for a line from before the trail a hash of what it says."""
    return bytes(line.seal) if line.seal is not None else sha256(content_of(line)).digest()
