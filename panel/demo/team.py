"""The five people of the demo."""

from typing import NamedTuple

from accounts.access import Role
from accounts.models import User


class Member(NamedTuple):
    """One teammate. The password is no secret: it opens a demo on loopback, and is printed at each start."""

    username: str
    name: str
    role: Role

    @property
    def password(self) -> str:
        return f"desk-demo-{self.username}"


TEAM = (
    Member("olivia", "Olivia Hartmann", Role.OWNER),
    Member("mira", "Mira Kovács", Role.MANAGER),
    Member("tomas", "Tomás Rey", Role.OPERATOR),
    Member("ana", "Ana Lindqvist", Role.OPERATOR),
    Member("victor", "Victor Osei", Role.VIEWER),
)


def make() -> None:
    """Adds those who are missing; whoever is there stays as they are."""
    there = set(User.objects.values_list("username", flat=True))
    for member in TEAM:
        if member.username not in there:
            User.objects.create_user(
                member.username,
                member.password,
                name=member.name,
                role=member.role,
                email=f"{member.username}@desk.example",
            )
