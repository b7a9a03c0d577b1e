"""The categories as a tree: networks, and what is sold for each."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Count

from catalog.models import Service
from catalog.networks import NETWORK_PATTERN, NETWORKS
from panel.format.letters import folded

# What upstreams write between the network and the goods: Instagram › Followers, TikTok | Likes, X - Views.
SEPARATOR = re.compile(r"\s*[›»>|:–—/]\s*|\s+-\s+")
FIRST_WORD = re.compile(r"[^\w]*(\w+)")
AROUND_WORDS = re.compile(r"^\W+|\W+$")


class Leaf(NamedTuple):
    """One category of a network."""

    category: str
    words: str  # the category without the network's name
    services: int  # on sale


class Branch(NamedTuple):
    """One network, with all its categories."""

    name: str
    services: int  # on sale
    leaves: list[Leaf]

    @property
    def alone(self) -> bool:
        """Whether the network has a single category, so that the tree shows that instead of the network."""
        return len(self.leaves) == 1


class Tree(NamedTuple):
    """What is on sale, by network, the largest first; and how many services are off sale."""

    branches: list[Branch]
    gone: int

    @property
    def on_sale(self) -> int:
        """How many services are on sale, in all networks."""
        return sum(branch.services for branch in self.branches)

    def under(self, name: str) -> list[str]:
        """The categories that a name stands for: all of a network's, else the category of that name."""
        branch = next((branch for branch in self.branches if branch.name == name), None)
        return [leaf.category for leaf in branch.leaves] if branch else [name]

    def network_of(self, category: str) -> str:
        """The network that a category belongs to; "" for no category."""
        return split_category(category)[0] if category else ""


def category_tree() -> Tree:
    """The tree as it is now. Costs one query, which reads an index and no service."""
    counts = Service.objects.order_by("category").values_list("category", "active").annotate(Count("pk"))
    on_sale = [(category, services) for category, active, services in counts if active]
    return Tree(branches_of(on_sale), sum(services for _, active, services in counts if not active))


def branches_of(categories: Iterable[tuple[str, int]]) -> list[Branch]:
    """Categories, each with its number of services, gathered by network: the network with the most services first."""
    leaves: dict[str, list[Leaf]] = {}
    for category, services in categories:
        network, words = split_category(category)
        leaves.setdefault(network, []).append(Leaf(category, words, services))
    branches = [Branch(name, sum(leaf.services for leaf in twigs), twigs) for name, twigs in leaves.items()]
    return sorted(branches, key=lambda branch: (-branch.services, branch.name))


def split_category(category: str) -> tuple[str, str]:
    """`Instagram › Followers` → Instagram, Followers. Without a separator the first word is the network.

    Both in plain letters, and a network by one name: `𝗜𝗚 › Followers` is the same.
    """
    category = unicodedata.normalize("NFKC", category)
    network, *rest = SEPARATOR.split(category, maxsplit=1)
    word = FIRST_WORD.match(category)
    if not (network and rest and rest[0]):
        network, rest = (word[1], [category[word.end() :].strip()]) if word else (category, [])
    return known_name(network), rest[0] if rest and rest[0] else category


def known_name(network: str) -> str:
    """Instagram for `ig` or `🔥 INSTAGRAM`; a name that nobody knows, and X with its two names, as it is written."""
    known = NETWORK_PATTERN.fullmatch(AROUND_WORDS.sub("", folded(network)))
    return NETWORKS[str(known.lastgroup)].name if known and known.lastgroup != "twitter" else network
