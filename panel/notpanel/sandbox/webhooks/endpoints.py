"""Adds the addresses that webhooks are delivered to: for which events, and with which secret."""

from collections.abc import Sequence

from panel.notpanel.sandbox.webhooks.addresses import is_loopback_http, is_public_https
from panel.notpanel.sandbox.world import events
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import token
from panel.notpanel.sandbox.world.supplier import Supplier


def may_be(url: str, *, local: bool) -> bool:
    """Whether an endpoint may have this URL: public https as documented, or loopback where `local` allows it."""
    return is_public_https(url) or (local and is_loopback_http(url))


def add(
    supplier: Supplier, url: str, chosen_events: Sequence[str] = (), *, owner: str = "", secret: str = ""
) -> dict[str, object]:
    """Adds an endpoint for some events (none: all) that happen from now on; its description with its secret, which
    nobody sees again."""
    for event in chosen_events:
        if event not in events.EVENTS:
            raise Refused(f"Unknown event: {event}")
    chosen = list(chosen_events or events.EVENTS)
    id, secret = token("wh"), secret or token("whsec")
    with supplier.store.writing():
        events.catch_up(supplier.outbox, supplier.clock.now())
        supplier.outbox.add_endpoint(id, owner, url, ",".join(chosen), secret)
    return {"webhook": id, "url": url, "events": chosen, "secret": secret}
