"""The faults that a person or a test can inject: one table, and the list of rules in force."""

import itertools
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

EVERY_ACTION = "*"
HUGE_BYTES = 64 * 1024 * 1024


class Fault(NamedTuple):
    """`effect`: the call takes effect all the same (a rule may say otherwise). `details`: what a rule may set."""

    effect: bool
    details: Mapping[str, Any]
    sentence: str


FAULTS = {
    "lose_answer": Fault(True, {"reset": False}, "takes effect, then closes the connection without an answer"),
    "lose_request": Fault(False, {"reset": False}, "closes the connection before anything takes effect"),
    "hang_up": Fault(True, {}, "answers well, then closes a connection that it had promised to keep"),
    "slow": Fault(True, {"seconds": 5.0}, "takes effect at once and answers late"),
    "drip": Fault(True, {"seconds": 1.0}, "sends one byte every so many seconds"),
    "cut": Fault(True, {}, "promises a longer body than it sends"),
    "error_before": Fault(False, {"status": 500, "text": "Internal server error"}, "fails, with nothing done"),
    "error_after": Fault(True, {"status": 500, "text": "Internal server error"}, "fails, with everything done"),
    "error_200": Fault(False, {"text": "Something went wrong"}, "sends an error with HTTP 200"),
    "throttle": Fault(
        False,
        {"by": "key", "headers": True, "seconds": 5.0, "reset": ""},
        "429, denied by ip, key or tier; `reset` overrules the header word for word",
    ),
    "suspend": Fault(False, {}, "403 Account suspended"),
    "wrong_key": Fault(False, {"status": 401, "text": "Invalid API key"}, "does not know the key"),
    "html": Fault(True, {"status": 200}, "sends a web page with HTTP 200"),
    "html_502": Fault(False, {"status": 502}, "sends a gateway's web page with HTTP 502"),
    "empty": Fault(True, {"status": 200}, "sends no body at all"),
    "not_json": Fault(True, {"body": "order accepted"}, "sends words that are not JSON"),
    "redirect": Fault(False, {"status": 302, "to": "/elsewhere"}, "points to another address"),
    "huge": Fault(True, {"bytes": HUGE_BYTES, "gzip": False}, "sends a body without end"),
    "omit": Fault(True, {"ids": "", "count": 1}, "leaves ids (named, or the first few) or fields out of an answer"),
    "shuffle": Fault(True, {}, "sends the rows of a batch in another order"),
    "double": Fault(True, {"count": 1}, "sends the first rows of a batch twice"),
    "invent": Fault(True, {"count": 1}, "puts rows of orders that nobody named before those of a batch"),
    "say": Fault(
        True, {"status": 200, "body": "{}", "type": "application/json"}, "answers exactly what it was told to"
    ),
}
TURNED_AWAY = {"throttle", "suspend", "wrong_key"}  # whoever calls, before what they ask for is looked at


@dataclass(slots=True)
class Rule:
    """One fault in force. `times` None is for ever; `skip` lets so many calls pass first; `chance` is out of one."""

    id: int
    fault: str
    action: str
    times: int | None
    skip: int
    chance: float
    effect: bool
    details: dict[str, Any]
    hits: int = 0

    def as_row(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__slots__}


class Faults:
    """The rules in force, oldest first; a call meets the first that fits."""

    def __init__(self, known: Mapping[str, Fault] = FAULTS) -> None:
        self._known = known
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._ids = itertools.count(1)
        self._dice = Random(0)  # noqa: S311  repeatable on purpose

    def add(
        self,
        fault: str,
        action: str = EVERY_ACTION,
        times: int | str | None = 1,
        skip: int | str = 0,
        chance: float | str = 1.0,
        **details: object,
    ) -> Rule:
        """Words as a form sends them will do. ValueError, with a sentence, for a wish that makes no sense."""
        if fault not in self._known:
            raise ValueError(f"There is no fault {fault!r}; there are {', '.join(self._known)}")
        known = self._known[fault]
        effect = _as_kind(True, details.pop("effect", known.effect), "effect")
        for name in details:
            if name not in known.details:
                raise ValueError(f"{fault} has no {name!r}; it has effect, {', '.join(known.details)}")
        forever = times is None or str(times).strip() in ("", "forever")
        if not forever and _as_kind(1, times, "times") < 1:
            raise ValueError("times must be at least 1, or forever")
        rule = Rule(
            id=next(self._ids),
            fault=fault,
            action=action or EVERY_ACTION,
            times=None if forever else _as_kind(1, times, "times"),
            skip=_as_kind(0, skip, "skip"),
            chance=_as_kind(1.0, chance, "chance"),
            effect=effect,
            details={name: _as_kind(usual, details.get(name, usual), name) for name, usual in known.details.items()},
        )
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self, id: int | None = None) -> int:
        """Lift one rule or all; how many were lifted."""
        with self._lock:
            kept = [rule for rule in self._rules if id is not None and rule.id != id]
            lifted, self._rules = len(self._rules) - len(kept), kept
        return lifted

    def rules(self) -> list[Rule]:
        with self._lock:
            return list(self._rules)

    def meet(self, action: str, *, without: Collection[str] = ()) -> Rule | None:
        """The rule that this call meets, used up by one; None when it may pass, as it does by those `without`."""
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


def _as_kind(usual: Any, value: object, name: str) -> Any:
    """`value` as the kind of thing that `usual` is: a bool, an int, a float >= 0, or text."""
    if isinstance(usual, bool):
        return value if isinstance(value, bool) else str(value).lower() in ("1", "true", "yes", "on")
    if isinstance(usual, str):
        return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    try:
        number = type(usual)(str(value))
    except ValueError:
        raise ValueError(f"{name} must be a number, not {value!r}") from None
    if not 0 <= number < float("inf"):
        raise ValueError(f"{name} must not be negative or endless")
    return number
