"""The rules in force: which fault is met by which calls or deliveries, and how often."""

import itertools
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

EVERY_ACTION = "*"


class Fault(NamedTuple):
    """What can go wrong. With `effect` the call takes effect all the same, unless a rule says otherwise; `details` are
    what a rule may set, with the usual values."""

    effect: bool
    details: Mapping[str, Any]
    sentence: str


@dataclass(slots=True)
class Rule:
    """One fault in force for an action, or for an event of deliveries.

    `times` is how often it will still be met (None: for ever). `skip` lets so many calls pass first. `chance` is out
    of one.
    """

    id: int
    fault: str
    action: str
    times: int | None
    skip: int
    chance: float
    effect: bool
    details: dict[str, Any]
    hits: int = 0


class Rules:
    """The rules in force, oldest first; a call meets the first that fits."""

    def __init__(self, faults: Mapping[str, Fault]) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._ids = itertools.count(1)
        self._dice = Random(0)  # noqa: S311  repeatable on purpose

    def add(self, fault: str, action: str = "", times: int | str | None = 1, **values: object) -> Rule:
        """Puts a rule in force; `values` are skip, chance, effect and the fault's details.

        Any value may be text as a form sends it; ValueError, with a sentence, for wrong ones.
        """
        if fault not in self._faults:
            raise ValueError(f"There is no fault {fault!r}; there are {', '.join(self._faults)}")
        known = self._faults[fault]
        usual = {"skip": 0, "chance": 1.0, "effect": known.effect, **known.details}
        for name in values:
            if name not in usual:
                raise ValueError(f"{fault} has no {name!r}; it has effect, {', '.join(known.details)}")
        forever = times is None or str(times).strip() in ("", "forever")
        times_left = None if forever else _like(1, times, "times")
        if times_left == 0:
            raise ValueError("times must be at least 1, or forever")
        read = {name: _like(value, values.get(name, value), name) for name, value in usual.items()}
        skip, chance, effect = (read.pop(name) for name in ("skip", "chance", "effect"))
        rule = Rule(next(self._ids), fault, action or EVERY_ACTION, times_left, skip, chance, effect, details=read)
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self, id: int | None = None) -> int:
        """Lifts one rule or all; how many were lifted."""
        with self._lock:
            staying = [rule for rule in self._rules if id is not None and rule.id != id]
            lifted, self._rules = len(self._rules) - len(staying), staying
        return lifted

    def in_force(self) -> list[Rule]:
        """The rules in force, oldest first."""
        with self._lock:
            return list(self._rules)

    def meet(self, action: str, *, without: Collection[str] = ()) -> Rule | None:
        """The rule that this call meets, used up by one; None when none fits. Faults in `without` are passed over."""
        with self._lock:
            for rule in self._rules:
                if rule.action not in (EVERY_ACTION, action) or rule.fault in without:
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.chance < 1 and self._dice.random() >= rule.chance:
                    continue
                rule.hits += 1
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule
        return None


def is_on(value: object) -> bool:
    """Whether a value means yes, as JSON has it or as a form sends it."""
    return str(value).lower() in ("1", "true", "yes", "on")


def _like(usual: Any, value: object, name: str) -> Any:
    """`value` as the kind of thing that `usual` is: a bool, an int, a float >= 0, or text."""
    if isinstance(usual, bool):
        return is_on(value)
    if isinstance(usual, str):
        return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    try:
        number = type(usual)(str(value))
    except ValueError:
        raise ValueError(f"{name} must be a number, not {value!r}") from None
    if not 0 <= number < float("inf"):
        raise ValueError(f"{name} must not be negative or endless")
    return number
