"""The categories as a tree: networks, and what is sold for each."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Count

from catalog.models import Service

# What upstreams write between the network and the goods: Instagram › Followers, TikTok | Likes, X - Views.
ACROSS = re.compile(r"\s*[›»>|:–—/]\s*|\s+-\s+")
FIRST_WORD = re.compile(r"[^\w]*(\w+)")


class Leaf(NamedTuple):
    category: str
    words: str  # what stands beside the network
    services: int


class Branch(NamedTuple):
    name: str
    services: int
    leaves: list[Leaf]

    @property
    def alone(self) -> bool:
        """One category, which needs no twig."""
        return len(self.leaves) == 1


class Tree(NamedTuple):
    """What is on sale, by network, the largest first; and how many are off sale."""

    branches: list[Branch]
    gone: int

    @property
    def on_sale(self) -> int:
        return sum(branch.services for branch in self.branches)

    def under(self, name: str) -> list[str]:
        """The categories that a name stands for: a network's, or the one of that name."""
        found = next((branch for branch in self.branches if branch.name == name), None)
        return [leaf.category for leaf in found.leaves] if found else [name]

    def network_of(self, category: str) -> str:
        return split_category(category)[0] if category else ""


def category_tree() -> Tree:
    """In one query, which reads an index and no service."""
    counted = Service.objects.order_by("category").values_list("category", "active").annotate(Count("pk"))
    on_sale, gone = [], 0
    for category, active, services in counted:
        if active:
            on_sale.append((category, services))
        else:
            gone += services
    return Tree(branches_of(on_sale), gone)


def branches_of(categories: Iterable[tuple[str, int]]) -> list[Branch]:
    """Categories with their numbers of services → branches."""
    leaves: dict[str, list[Leaf]] = {}
    for category, services in categories:
        network, words = split_category(category)
        leaves.setdefault(network, []).append(Leaf(category, words, services))
    branches = [Branch(name, sum(leaf.services for leaf in twigs), twigs) for name, twigs in leaves.items()]
    return sorted(branches, key=lambda branch: (-branch.services, branch.name))


def split_category(category: str) -> tuple[str, str]:
    """`Instagram › Followers` → Instagram, Followers; without a sign in between, the first word is the network."""
    network, *rest = ACROSS.split(category, maxsplit=1)
    if network and rest and rest[0]:
        return network, rest[0]
    word = FIRST_WORD.match(category)
    return (word[1], category[word.end() :].strip() or category) if word else (category, category)
