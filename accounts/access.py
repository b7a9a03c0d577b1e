"""Who may do what: one table of actions and roles, which pages, verbs, the admin, README and the tests read.

Roles are compared here and nowhere else. Owners switch single cells on the page of the roles. What they have switched
comes with the person of a request, so a check costs no statement there; elsewhere it is read when it is needed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from panel.web.htmx import page_path, wants_htmx

View = Callable[..., HttpResponseBase]
Chosen = Mapping[str, str]  # what somebody has set; among it `operator.cancel` → ON or OFF


class Role(models.TextChoices):
    """What a teammate is. By itself each role may do everything that the roles before it may."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    MANAGER = "manager", "Manager"
    OWNER = "owner", "Owner"


RANK = {role: rank for rank, role in enumerate(Role)}
PLURALS = {Role.VIEWER: "viewers", Role.OPERATOR: "operators", Role.MANAGER: "managers", Role.OWNER: "owners"}
EVERYBODY = "team members"

# A cell of the table. The first two are fixed. The others are switches, and stand so until an owner moves them.
ALWAYS, NEVER, ON, OFF = "always", "never", "on", "off"


class Action(NamedTuple):
    """One row of the table: what is done, and for each role whether it may."""

    group: str  # on the page of the roles
    title: str
    words: str  # after "Only … may"
    viewer: str
    operator: str
    manager: str
    owner: str
    wants: tuple[str, ...] = ()  # other actions without which nobody may do this
    help: str = ""

    def cell(self, role: str) -> str:
        """The cell of this role: ALWAYS, NEVER, ON or OFF."""
        return str(getattr(self, role))


ACTIONS = {
    #                                                                        viewer  operator manager owner
    "view": Action("Orders", "See orders, services and activity", "see the desk",
                   ALWAYS, ALWAYS, ALWAYS, ALWAYS),
    "place": Action("Orders", "Place orders", "place orders",
                    NEVER, ON, ON, ALWAYS, help="and take them back while they are not sent"),
    "refill": Action("Orders", "Ask for refills", "ask for refills",
                     NEVER, ON, ON, ALWAYS, help="of one order or of many"),
    "cancel": Action("Orders", "Cancel orders", "cancel orders",
                     NEVER, ON, ON, ALWAYS, help="one order or many"),
    "note": Action("Orders", "Work on orders", "work on orders",
                   NEVER, ON, ON, ALWAYS, help="notes, assignment, answers to customers, checking an order now"),
    "customers": Action("Orders", "See customers and keep their register", "see customers",
                        NEVER, ON, ON, ALWAYS, help="names, contacts, and whom an order is for"),
    "decide": Action("Orders", "Decide about orders, prices and alarms", "decide this",
                     NEVER, OFF, ON, ALWAYS, ("money",), help="orders that need a look, changes of services"),
    "approve": Action("Orders", "Approve orders of other people", "approve orders",
                      NEVER, OFF, ON, ALWAYS, ("place", "money"), help="those above the sum that one person may order"),
    "stop": Action("Orders", "Stop all sending", "stop and start sending",
                   NEVER, OFF, ON, ALWAYS, help="and start it again"),
    "money": Action("Money", "See what we pay", "see prices, charges and the balance",
                    ON, ON, ALWAYS, ALWAYS, help="rates, charges, the balance, and all sums of them"),
    "export": Action("Money", "Export lists", "export lists",
                     ON, ON, ON, ALWAYS, help="without money, a file has no money either"),
    "prices": Action("Money", "Set selling prices", "set selling prices",
                     NEVER, OFF, ON, ALWAYS, ("money", "customers"), help="what customers are asked to pay"),
    "settings": Action("The desk", "Change settings", "change settings",
                       NEVER, NEVER, ON, ALWAYS, help="when alarms are raised, texts for customers, the team’s views"),
    "people": Action("The desk", "Invite people, change roles, end sessions", "change who is on the team",
                     NEVER, NEVER, NEVER, ALWAYS),
    "administer": Action("The desk", "Use the admin", "administer the desk",
                         NEVER, NEVER, NEVER, ALWAYS),
}  # fmt: skip

# Facts that only those may see who may do this. What has such a field leaves it out: columns, files, sorting, filters.
FIELDS = {
    "rate": "money",
    "rate_seen": "money",
    "charge": "money",
    "currency": "money",
    "expected_charge": "money",
    "balance": "money",
    "sold_for": "money",
    "earned": "money",
    "margin": "money",
    "payment": "money",
    "credit_limit": "money",
    "price": "money",
    "customer": "customers",
    "customer__name": "customers",
    "customer_reference": "customers",
}


# ── The table with what owners have switched ─────────────────────────────────────────────────────
_HELD: ContextVar[Chosen | None] = ContextVar("what owners have switched", default=None)


@contextmanager
def switches_held(chosen: Chosen | None) -> Iterator[None]:
    """Inside, what owners have switched is known without a statement."""
    before = _HELD.set(chosen or {})
    try:
        yield
    finally:
        _HELD.reset(before)


def switch_name(role: str, action: str) -> str:
    """The name by which a switch is kept."""
    return f"{role}.{action}"


def is_on(role: str, action: str, chosen: Chosen) -> bool:
    """Whether a role may do this. What is stored of a fixed cell, or is no state of a switch, does not count."""
    row = ACTIONS[action]
    cell = row.cell(role)
    if cell in (ON, OFF) and (kept := chosen.get(switch_name(role, action))) in (ON, OFF):
        cell = kept
    return cell in (ALWAYS, ON) and all(is_on(role, wanted, chosen) for wanted in row.wants)


def who_may(action: str, chosen: Chosen) -> list[Role]:
    """The roles that may do this, the lowest first."""
    return [role for role in Role if is_on(role, action, chosen)]


def plural_of(roles: list[Role]) -> str:
    """These roles as the subject of a sentence: `operators, managers and owners`."""
    if roles == [*Role]:
        return EVERYBODY
    *others, last = (PLURALS[role] for role in roles)
    return f"{', '.join(others)} and {last}" if others else last


# ── Checking ─────────────────────────────────────────────────────────────────────────────────────
def why_not(user: Any, what: str) -> str:
    """Why this person may not do `what` (a key of ACTIONS), as a sentence to show; "" when they may."""
    row = ACTIONS[what]
    if user is None or not user.is_authenticated:
        return "Sign in first."
    if not user.is_active:
        return "This account is switched off."
    held = _HELD.get()
    chosen = user.switches() if held is None else held
    if is_on(user.role, what, chosen):
        return ""
    return f"Only {plural_of(who_may(what, chosen))} may {row.words}."


def may(user: Any, *whats: str) -> bool:
    """Whether this person may do one of these, keys of ACTIONS."""
    return any(not why_not(user, what) for what in whats)


def may_see(user: Any, field: str) -> bool:
    """Whether this person may see this fact of an order or a service."""
    return field not in FIELDS or may(user, FIELDS[field])


def needs(*whats: str, **params: str) -> Callable[[View], View]:
    """Guards a view: a stranger is sent to sign in, a teammate who may do none of `whats` gets a 403 that says why.

    `params` are parameters of its address, and what a person must be allowed besides to use each.
    """
    if unknown := {*whats, *params.values()} - ACTIONS.keys():
        raise KeyError(*unknown)

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_login(request)
            if not may(request.user, *whats):
                raise PermissionDenied(why_not(request.user, whats[0]))
            for name, what in params.items():
                if request.GET.get(name) and (why := why_not(request.user, what)):
                    raise PermissionDenied(why)
            return view(request, *args, **kwargs)

        guarded.needs = whats  # type: ignore[attr-defined]  # for the test of every URL
        return guarded

    return guard


def to_login(request: HttpRequest) -> HttpResponse:
    """Sends to the sign-in page, and from there back to the page the person was on.

    For htmx the whole page moves, so that no sign-in page appears inside a table.
    """
    url = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page_path(request)})}"
    return HttpResponseClientRedirect(url) if wants_htmx(request) else HttpResponseRedirect(url)
