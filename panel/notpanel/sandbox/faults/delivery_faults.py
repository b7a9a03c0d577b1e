"""What can go wrong with deliveries on demand: one table, and what each does to a try."""

import json
from secrets import token_hex
from typing import NamedTuple

from panel.notpanel.sandbox.faults.rules import Fault, Rule

LARGE_BYTES = 10 * 1024 * 1024
OUTSIDE_WINDOW = 6 * 60.0  # seconds; any sound replay window is shorter

# Met by each try to deliver, so that the next try goes well again; the first three by a delivery's first try alone.
# The order of the rules is the order in which they are met, as with faults of the API.
KINDS = {
    "duplicate": Fault(True, {"count": 1}, "delivers the same event so many times more"),
    "reorder": Fault(True, {}, "holds deliveries back; the last of the times, or a lift, sends them in reverse order"),
    "drop": Fault(True, {}, "never delivers it"),
    "forge": Fault(True, {"how": "stranger"}, "signed by a stranger, or broken, bare (no comma) or missing"),
    "stale": Fault(True, {"seconds": OUTSIDE_WINDOW}, "signed well, but so long ago"),
    "future": Fault(True, {"seconds": OUTSIDE_WINDOW}, "signed well, but so far ahead"),
    "malformed": Fault(True, {"body": "order completed"}, "signed well, and the body is not JSON"),
    "oversized": Fault(True, {"bytes": LARGE_BYTES}, "signed well, with a body that nobody should read"),
}
FORGERIES = ("stranger", "broken", "bare", "missing")
ONCE = ("duplicate", "reorder", "drop")  # what becomes of a delivery, not of a try


class Letter(NamedTuple):
    """What one try sends: `t` of its signature, its body, and the secret that signs it."""

    t: int
    body: bytes
    secret: str


def altered(letter: Letter, rule: Rule | None) -> Letter:
    """The letter as the rule wants it, before it is signed."""
    fault, details = (rule.fault, rule.details) if rule else ("", {})
    if fault == "forge" and details["how"] == "stranger":
        return letter._replace(secret=f"whsec_{token_hex(10)}")
    if fault in ("stale", "future"):
        return letter._replace(t=letter.t + int(details["seconds"]) * (-1 if fault == "stale" else 1))
    if fault == "malformed":
        # Beyond Latin-1 nothing; within it `ÿ` is a byte that no UTF-8 holds.
        return letter._replace(body=details["body"].encode("latin-1", "replace"))
    if fault == "oversized":
        told = json.loads(letter.body) | {"padding": ""}
        padding = "x" * (details["bytes"] - len(json.dumps(told)))
        return letter._replace(body=json.dumps(told | {"padding": padding}).encode())
    return letter


def misspelt(signature: str, rule: Rule | None) -> str:
    """The signature's header as the rule wants it; "" for none."""
    how = rule.details["how"] if rule and rule.fault == "forge" else ""
    if how == "broken":
        return signature[:-1] + ("0" if signature[-1] != "0" else "1")
    if how == "bare":
        return signature.replace(",", "")
    return "" if how == "missing" else signature
