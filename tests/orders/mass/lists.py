"""Makes drafts as people paste them."""

from typing import Any

from catalog.models import Service
from orders.mass import draft as drafts
from orders.mass.check import Preview
from orders.mass.place import place_list
from orders.mass.text import read_list
from orders.models import MassDraft, MassJob
from tests.makers import make_user


def pasted(text: str, by: Any = None, **more: Any) -> MassDraft:
    """A draft of this text."""
    return drafts.keep(read_list(text), "a pasted list", by=by or make_user(), **more)


def lines_for(service: Service, count: int, quantity: int = 100) -> str:
    """So many lines, each for a link of its own."""
    return "\n".join(f"{service.upstream_id} | https://instagram.com/p/A{n}bcdEf | {quantity}" for n in range(count))


def placed(text: str, by: Any = None, **more: Any) -> MassJob:
    """A list that was looked at and placed."""
    draft = pasted(text, by)
    return place_list(draft.pk, Preview(draft, draft.owner).mark, by=draft.owner, **more)
