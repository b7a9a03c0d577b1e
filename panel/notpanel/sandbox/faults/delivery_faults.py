"""The faults that a webhook delivery can meet, and what each does to one try."""

import json
from secrets import token_hex
from typing import NamedTuple

from panel.notpanel.sandbox.faults.rules import Fault, Rule

LARGE_BYTES = 10 * 1024 * 1024
OUTSIDE_WINDOW_SECONDS = 6 * 60.0  # any sound replay window is shorter

# Met by each try to deliver, so that the next try goes well again; the first three by a delivery's first try alone.
# The order of the rules is the order in which they are met, as with faults of the API.
DELIVERY_FAULTS = {
    "duplicate": Fault(True, {"count": 1}, "delivers the same event so many times more"),
    "reorder": Fault(True, {}, "holds deliveries back; the last of the times, or a lift, sends them in reverse order"),
    "drop": Fault(True, {}, "never delivers it"),
    "forge": Fault(True, {"how": "stranger"}, "signed by a stranger, or broken, bare (no comma) or missing"),
    "stale": Fault(True, {"seconds": OUTSIDE_WINDOW_SECONDS}, "signed well, but so long ago"),
    "future": Fault(True, {"seconds": OUTSIDE_WINDOW_SECONDS}, "signed well, but so far ahead"),
    "malformed": Fault(True, {"body": "order completed"}, "signed well, and the body is not JSON"),
    "oversized": Fault(True, {"bytes": LARGE_BYTES}, "signed well, with a body that nobody should read"),
}
FORGERIES = ("stranger", "broken", "bare", "missing")
FIRST_TRY_ONLY = ("duplicate", "reorder", "drop")  # what becomes of a delivery, not of a try


class Content(NamedTuple):
    """What one try sends: Unix seconds `t` of its signature, its body, and the secret that signs both."""

    t: int
    body: bytes
    secret: str


def altered(content: Content, rule: Rule | None) -> Content:
    """The content as the rule wants it, before it is signed."""
    fault, details = (rule.fault, rule.details) if rule else ("", {})
    if fault == "forge" and details["how"] == "stranger":
        return content._replace(secret=f"whsec_{token_hex(10)}")
    if fault in ("stale", "future"):
        return content._replace(t=content.t + int(details["seconds"]) * (-1 if fault == "stale" else 1))
    if fault == "malformed":
        # A character outside Latin-1 becomes `?`; inside it, `ÿ` is a byte that UTF-8 never has.
        return content._replace(body=details["body"].encode("latin-1", "replace"))
    if fault == "oversized":
        event = json.loads(content.body) | {"padding": ""}
        event["padding"] = "x" * (details["bytes"] - len(json.dumps(event)))
        return content._replace(body=json.dumps(event).encode())
    return content


def misspelt(signature: str, rule: Rule | None) -> str:
    """The signature's header as the rule wants it; "" for none."""
    how = rule.details["how"] if rule and rule.fault == "forge" else ""
    if how == "broken":
        return signature[:-1] + ("0" if signature[-1] != "0" else "1")
    if how == "bare":
        return signature.replace(",", "")
    return "" if how == "missing" else signature
