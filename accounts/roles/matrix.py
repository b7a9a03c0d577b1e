"""The table of roles as the page shows it: what each role may, who has the role, and each change in words."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from accounts.access import ACTIONS, ALWAYS, NEVER, OFF, ON, PLURALS, Action, Role, switch_name
from accounts.models import User
from accounts.roles.switches import lacking

ROLES = (*reversed(Role),)  # as the columns stand: owners first


class Cell(NamedTuple):
    """One role beside one action."""

    role: Role
    name: str  # of the switch; "" where nobody can move it
    fixed: str  # ALWAYS or NEVER, or ""
    on: bool
    saw: str  # ON or OFF, as it is stored
    words: dict[bool, str]  # what is said when it is moved: on → sentence
    error: str
    void: str  # why it has no effect although it is on

    @property
    def moved(self) -> bool:
        """Whether it stands otherwise than it is stored."""
        return bool(self.name) and self.on != (self.saw == ON)


class Line(NamedTuple):
    """One action with its cells, in the order of ROLES."""

    key: str
    action: Action
    cells: list[Cell]


def matrix(
    stored: Mapping[str, str], typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> list[tuple[str, list[Line]]]:
    """The groups of the table, each with its lines. `typed` are switches as a form has sent them, to be shown again."""
    states = {**stored, **(typed or {})}
    lines = [
        Line(key, action, [cell_of(role, key, stored, states, errors or {}) for role in ROLES])
        for key, action in ACTIONS.items()
    ]
    return [(group, list(found)) for group, found in groupby(lines, lambda line: line.action.group)]


def as_markdown() -> str:
    """The table as README has it: before any owner has moved a switch. Switches are in brackets."""
    words = {ALWAYS: "always", NEVER: "never", ON: "[on]", OFF: "[off]"}
    rows = [[row.title, *(words[row.cell(role)] for role in ROLES)] for row in ACTIONS.values()]
    heads = ["A person may", *(role.label.lower() for role in ROLES)]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell_of(
    role: Role, key: str, stored: Mapping[str, str], states: Mapping[str, str], errors: Mapping[str, str]
) -> Cell:
    """The cell of this role beside this action."""
    action, name = ACTIONS[key], switch_name(role, key)
    fixed = action.cell(role) if action.cell(role) in (ALWAYS, NEVER) else ""
    who, on = PLURALS[role].capitalize(), fixed == ALWAYS or states.get(name) == ON
    words = {True: f"{who} may {action.words}.", False: f"{who} may no longer {action.words}."}
    void = lacking(role, key, states) if on and not fixed else ""
    return Cell(role, "" if fixed else name, fixed, on, stored.get(name, ""), words, errors.get(name, ""), void)


def people_by_role() -> dict[str, list[str]]:
    """Role → the names of the active people who have it."""
    found: dict[str, list[str]] = {role: [] for role in Role}
    for person in User.objects.filter(is_active=True).order_by("name", "username").only("name", "username", "role"):
        found[person.role].append(str(person))
    return found


def touched(roles: Iterable[str], people: Mapping[str, list[str]]) -> str:
    """Whom a change of these roles concerns, as a sentence with at most three names."""
    names = [name for role in Role if role in roles for name in people[role]]
    if not names:
        return "Nobody has this role now."
    shown, more = names[:3], len(names) - 3
    last = f"{more} more" if more > 0 else shown.pop()
    listed = f"{', '.join(shown)} and {last}" if shown else last
    return f"This concerns {listed}, at the next page that they open."
