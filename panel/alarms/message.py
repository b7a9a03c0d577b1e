"""One message, and that it could not be told."""

from typing import NamedTuple


class Message(NamedTuple):
    """`name` is the same each time that it is sent, so that a second copy can be told for one; `to` is for mail."""

    name: str
    to: str
    title: str
    words: str
    links: list[str]


class NotSent(Exception):
    """It was not sent, or nobody knows: in a sentence with no secret in it. `everybody`: others would fare the same."""

    def __init__(self, why: str, *, everybody: bool) -> None:
        super().__init__(why)
        self.everybody = everybody
