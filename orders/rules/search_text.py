"""What an order is found by, written down when it is placed: later names and categories do not move old orders."""

from collections.abc import Mapping
from typing import NamedTuple

from accounts.models import User
from catalog.models import Service
from catalog.networks import authority, target_of
from orders.rules.links import network_of
from panel.format.letters import folded

HOST_CHARACTERS = 100
SEARCH_TEXT_CHARACTERS = 2_000  # a link has at most 1,000, a service's name 500


class SearchFields(NamedTuple):
    """The columns of an order that lists and searches use."""

    network: str
    category: str
    host: str
    haystack: str
    target: str


def search_fields(service: Service, link: str, body: Mapping[str, str], person: User) -> SearchFields:
    """The search fields of an order for this link, with this body, by this person."""
    network = network_of(service.category, service.name)
    names = (service.upstream_id, service.name, service.category, person.name, person.username)
    search_text = folded(" ".join(map(str, (without_scheme(link), body.get("username", ""), *names))))
    return SearchFields(
        network.name.lower() if network else "", service.category, host_of(link), search_text[:SEARCH_TEXT_CHARACTERS],
        target_of(link, network),
    )  # fmt: skip


def without_scheme(link: str) -> str:
    """`instagram.com/p/1` for `https://www.instagram.com/p/1`."""
    scheme, separator, rest = link.partition("://")
    return (rest if separator and scheme.isalpha() else link).removeprefix("www.")


def host_of(link: str) -> str:
    """The host that a link truly leads to, whatever stands before an @, without `www.`; "" if it is no address."""
    host = authority(link).rsplit("@", 1)[-1]
    host = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return host.casefold().removeprefix("www.")[:HOST_CHARACTERS]
