"""Endpoints: who is told by webhook, of which events, and with whose secret."""

from collections.abc import Sequence

from panel.notpanel.sandbox.webhooks.addresses import is_loopback_http, is_public_https
from panel.notpanel.sandbox.world import events
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import token
from panel.notpanel.sandbox.world.supplier import Supplier


def may_be(url: str, *, local: bool) -> bool:
    """Public https as documented; on loopback where a rehearsal asks for it."""
    return is_public_https(url) or (local and is_loopback_http(url))


def add(
    supplier: Supplier, url: str, wanted: Sequence[str] = (), *, owner: str = "", secret: str = ""
) -> dict[str, object]:
    """The endpoint with its secret, which nobody sees again. It hears of what happens from now on."""
    for event in wanted:
        if event not in events.EVENTS:
            raise Refused(f"Unknown event: {event}")
    chosen = list(wanted) or list(events.EVENTS)
    id, secret = token("wh"), secret or token("whsec")
    with supplier.store.writing():
        events.catch_up(supplier.outbox, supplier.clock.now())
        supplier.outbox.add_endpoint(id, owner, url, ",".join(chosen), secret)
    return {"webhook": id, "url": url, "events": chosen, "secret": secret}
