"""A message about an alarm, and the error that it could not be sent."""

from typing import NamedTuple


class Message(NamedTuple):
    """One message to one recipient.

    `name` is the same at each try, so that mail programs recognise a second copy. `to` is an e-mail address, "" for
    the chat.
    """

    name: str
    to: str
    title: str
    words: str
    links: list[str]


class NotSent(Exception):
    """A message was not sent, or nobody knows whether it was. The sentence holds no secret.

    `everybody` says that messages to other recipients would fail in the same way.
    """

    def __init__(self, why: str, *, everybody: bool) -> None:
        super().__init__(why)
        self.everybody = everybody
