"""The key to the supplier as pages may know it, who do not have it: its end, its age, and a mark of it.

The worker stores these when it starts. By the mark, from which nobody gets the key, a pasted one is noticed.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.conf import settings

from panel.ops.database import ONLY_ROW, only_row
from panel.upstream.models import Upstream

END_CHARACTERS = 4  # of the key, for people to tell one from another
SHORTEST = 16  # characters of a key of which an end may be shown, and that can be told from a word
MOST_WINDOWS = 50_000  # parts of a text that are compared with the mark, which takes 50 ms
RUN = re.compile(f"[A-Za-z0-9_-]{{{SHORTEST},}}")


def record_key(key: str, now: datetime) -> None:
    """Stores what pages may know of the key that a worker uses, "" for a sandbox's. The age of a known one stays."""
    marks = [mark_of(key, secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    row = only_row(Upstream)
    if not row.filter(key_mark__in=marks).update(key_mark=marks[0]):
        row.update(key_mark=marks[0], key_end=end_of(key), key_since=now if key else None)


def end_of(secret: str) -> str:
    """The last characters of a secret; "" of one that is so short that they would tell too much."""
    return secret[-END_CHARACTERS:] if len(secret) >= SHORTEST else ""


def mark_of(key: str, secret: str) -> str:
    """`length:digest` of the key's longest run of letters and digits; "" for a key without a long one."""
    run = max(RUN.findall(key), key=len, default="")
    return f"{len(run)}:{_digest(run, secret)}" if run else ""


def holds_key(texts: Iterable[str]) -> bool:
    """Whether a key is somewhere in these texts: the one that a worker uses, or a secret of this process."""
    joined = " ".join(texts)
    if any(secret in joined for secret in _own_secrets()):
        return True
    if not RUN.search(joined):
        return False
    mark = Upstream.objects.filter(pk=ONLY_ROW).values_list("key_mark", flat=True).first() or ""
    length, _, digest = mark.partition(":")
    return bool(length) and any(
        _digest(part, settings.SECRET_KEY) == digest for part in islice(_parts(joined, int(length)), MOST_WINDOWS)
    )


def _own_secrets() -> list[str]:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS, *settings.NOTPANEL_WEBHOOK_SECRETS)
    return [secret for secret in secrets if len(secret) >= SHORTEST]


def _parts(text: str, length: int) -> Iterator[str]:
    """Each part of so many characters of the text's runs."""
    for run in RUN.findall(text):
        for start in range(len(run) - length + 1):
            yield run[start : start + length]


def _digest(run: str, secret: str) -> str:
    keyed = hashlib.sha256(f"order-desk.key {secret}".encode()).digest()
    return hashlib.blake2b(run.encode(), key=keyed, digest_size=16).hexdigest()
