"""What an order is found by, written down when it is placed: later names and categories do not move old orders."""

import unicodedata
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from catalog.models import Service
from orders.rules.links import authority, network_of

LONGEST_HOST = 100  # characters
LONGEST_SEARCH_TEXT = 2_000  # characters; a link has at most 1,000, a name of upstream's 500


class Person(Protocol):
    """What is read of who placed it."""

    @property
    def name(self) -> str: ...
    @property
    def username(self) -> str: ...


class SearchFields(NamedTuple):
    """The columns of an order that lists and searches use."""

    network: str
    category: str
    host: str
    haystack: str


def search_fields(service: Service, link: str, body: Mapping[str, str], person: Person) -> SearchFields:
    """The search fields of an order for this link, with this body, by this person."""
    network = network_of(service.category, service.name)
    named = (service.upstream_id, service.name, service.category, person.name, person.username)
    searched = (without_scheme(link), str(body.get("username", "")), *named)
    return SearchFields(
        network.name.lower() if network else "", service.category, host_of(link),
        folded(" ".join(map(str, searched)))[:LONGEST_SEARCH_TEXT],
    )  # fmt: skip


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
