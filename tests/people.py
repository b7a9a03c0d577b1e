"""The people of a test: a stranger and one of each role, each with a browser's session."""

from typing import Any

from django.test import Client

from accounts.access import Role
from accounts.models import User
from tests.makers import make_user

STRANGER = "stranger"
EVERYBODY = (STRANGER, *Role)


class Browser(Client):
    """Reads each answer to its end, as browsers do: only then is a file closed that was streamed."""

    def request(self, **asked: Any) -> Any:
        answer: Any = super().request(**asked)
        if answer.streaming:
            answer.streaming_content = [b"".join(answer.streaming_content)]
        return answer


def as_user(user: User) -> Client:
    client = Browser()
    client.force_login(user)
    return client


def as_a(person: str) -> Client:
    """A signed-in client of that role; for a stranger one that is not signed in."""
    return Browser() if person == STRANGER else as_user(make_user(Role(person)))


def htmx(**headers: str) -> dict[str, str]:
    """Headers of a request that htmx makes."""
    return {"HX-Request": "true", **headers}
