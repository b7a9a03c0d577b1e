"""What an order can be found by, written down when it is placed: later names and categories do not move old orders."""

import unicodedata
from typing import TYPE_CHECKING

from orders.rules.links import authority, network_of

if TYPE_CHECKING:
    from orders.models import Order

LONGEST_HOST = 100  # characters
LONGEST_HAYSTACK = 2_000  # characters; a link has at most 1,000, a name of upstream's 500


def give_traits(order: "Order") -> None:
    """Fills in network, category, host and haystack from the service, the link and who placed it."""
    service, person = order.service, order.placed_by
    network = network_of(service.category, service.name)
    order.network, order.category = (network.name.lower() if network else ""), service.category
    order.host = host_of(order.link)
    named = (service.upstream_id, service.name, service.category, person.name, person.username)
    told = (without_scheme(order.link), str(order.body.get("username", "")), *named)
    order.haystack = folded(" ".join(map(str, told)))[:LONGEST_HAYSTACK]


def folded(text: str) -> str:
    """As search compares: capitals, 𝗳𝗮𝗻𝗰𝘆 𝗹𝗲𝘁𝘁𝗲𝗿𝘀 and widths do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text.replace("\0", " ")).casefold().split())


def without_scheme(link: str) -> str:
    """`instagram.com/p/1` of `https://www.instagram.com/p/1`."""
    head, cut, rest = link.partition("://")
    return (rest if cut and head.isalpha() else link).removeprefix("www.")


def host_of(link: str) -> str:
    """Where a link truly leads, whatever stands before an @; "" of what is no address."""
    host = authority(link).rsplit("@", 1)[-1]
    host = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return host.casefold().removeprefix("www.")[:LONGEST_HOST]
