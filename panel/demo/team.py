"""The five people of the demo."""

from typing import NamedTuple

from django.utils import timezone

from accounts.access import OFF, ON, Role, switch_name
from accounts.models import SettingChange, User
from accounts.roles.switches import set_switches

HIDDEN_MONEY = switch_name(Role.VIEWER, "money")


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
    hide_money_from_viewers()


def hide_money_from_viewers() -> None:
    """Shows in the demo how a switch of a role looks: an owner has moved one, the first time that the demo is made."""
    if not SettingChange.objects.filter(name=HIDDEN_MONEY).exists():
        owner = User.objects.filter(role=Role.OWNER).order_by("pk").first()
        set_switches({HIDDEN_MONEY: OFF}, {HIDDEN_MONEY: ON}, by=owner, at=timezone.now())
