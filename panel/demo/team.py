"""The five people of the demo."""

from typing import NamedTuple

from accounts.access import Role
from accounts.models import User


class Member(NamedTuple):
    """A teammate of the demo."""

    username: str
    name: str
    role: Role

    @property
    def password(self) -> str:
        """Printed at each start; it is no secret, because it opens a demo on this machine only."""
        return f"desk-demo-{self.username}"


TEAM = (
    Member("olivia", "Olivia Hartmann", Role.OWNER),
    Member("mira", "Mira Kovács", Role.MANAGER),
    Member("tomas", "Tomás Rey", Role.OPERATOR),
    Member("ana", "Ana Lindqvist", Role.OPERATOR),
    Member("victor", "Victor Osei", Role.VIEWER),
)


def make() -> None:
    """Adds the teammates who are missing. The others stay as they are."""
    known = set(User.objects.values_list("username", flat=True))
    for member in TEAM:
        if member.username not in known:
            columns = {"name": member.name, "role": member.role, "email": f"{member.username}@desk.example"}
            User.objects.create_user(member.username, password=member.password, **columns)
