"""Moves switches of the table of roles: from a form that says what it showed, and all together or none."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied

from accounts import desk_settings
from accounts.access import ACTIONS, OFF, ON, PLURALS, Chosen, Role, is_on, switch_name, why_not
from accounts.desk_settings import SWITCHES
from accounts.models import SettingChange

SAW = "saw_"  # before the name of a switch: the field that says how the page showed it


class Pointless(Exception):
    """Switches that would be on without effect, for what they want is off: name → the sentence that says so."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(*reasons.values())
        self.reasons = reasons


def stored_switches() -> dict[str, str]:
    """Each switch as it is stored now, ON or OFF."""
    chosen = desk_settings.stored()
    return {name: desk_settings.value_of(name, chosen) for name in SWITCHES}


def read_form(sent: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The switches as they were sent, and as the page showed them. One that the page did not show is in neither.

    Browsers send nothing for a switch that is off, so a form that came back in part must not read as many switched off.
    """
    seen = {name: sent[SAW + name] for name in SWITCHES if sent.get(SAW + name) in (ON, OFF)}
    return {name: ON if name in sent else OFF for name in seen}, seen


def set_switches(typed: Mapping[str, str], seen: Mapping[str, str], *, by: Any, at: datetime) -> list[SettingChange]:
    """Sets the switches that were moved, and returns what changed. It holds with the next request of everybody.

    Nothing is set when any that the page showed has moved since (Moved), for an owner judges the table as a whole; nor
    when one would have no effect (Pointless).
    """
    if why := why_not(by, "people"):
        raise PermissionDenied(why)
    wanted = {name: state for name, state in typed.items() if state != seen[name]}
    if reasons := why_pointless({**stored_switches(), **wanted}, wanted):
        raise Pointless(reasons)
    return desk_settings.change(typed, seen, by=by, at=at)


def why_pointless(states: Chosen, wanted: Mapping[str, str]) -> dict[str, str]:
    """Which of these switches would be on without effect, where one of the `wanted` makes them so."""
    reasons = {}
    for action, row in ACTIONS.items():
        for role in Role:
            name = switch_name(role, action)
            involved = {name, *(switch_name(role, want) for want in row.wants)} & wanted.keys()
            if states.get(name) == ON and involved and (lacks := lacking(role, action, states)):
                reasons[name] = f"{PLURALS[role].capitalize()} may {row.words} only where they also {lacks}."
    return reasons


def lacking(role: str, action: str, states: Chosen) -> str:
    """What a role would have to be allowed besides, so that this action has an effect; "" for nothing."""
    return " and ".join(ACTIONS[want].words for want in ACTIONS[action].wants if not is_on(role, want, states))
