"""The kinds of lines below the orders, and the group that each kind of line belongs to.

Kinds of what happens to orders are rows of SENTENCES in orders/rules/event_text.py, those of the door rows of KINDS in
accounts/sign_in/record.py; both are told to this module when the apps are ready, by `learn`.
"""

from collections.abc import Mapping
from typing import NamedTuple

# What the activity page filters by: the group's key, and its name there.
GROUPS = {
    "orders": "Orders",
    "aftersale": "Refills and cancels",
    "notes": "Notes and assignment",
    "sending": "Sending",
    "catalog": "Prices and services",
    "settings": "Settings and alarms",
    "people": "People",
    "exports": "Exports",
    "views": "Saved views",
    "texts": "Texts for customers",
    "customers": "Customers and selling prices",
}
# The groups of the door, which the page of security shows: owners alone see them.
DOOR_GROUPS = {
    "sign_in": "Sign-ins",
    "refused": "Failures",
    "factor": "Second factors",
    "password": "Passwords and invitations",
    "session": "Sessions",
    "forbidden": "Forbidden requests",
}
# What the page of security shows besides: everybody sees it in activity.
SECURITY_GROUPS = {**DOOR_GROUPS, "people": "Roles and accounts"}
ORDERS = "orders"  # the group of a kind that no table names


class LineKind(NamedTuple):
    """One kind of line: its group, its tone, and its sentence with facts in braces, as in SENTENCES."""

    group: str
    tone: str  # "", ring, warn, bad
    sentence: str


KINDS: dict[str, LineKind] = {
    # Prices and services.
    "sync_asked": LineKind("catalog", "ring", "<b>{who}</b> asked to read the catalog now."),
    "services_added": LineKind("catalog", "", "The supplier added {services}."),
    "service_moved": LineKind("catalog", "", "The supplier changed {what} of service {label}."),
    "change_accepted": LineKind("catalog", "ring", "<b>{who}</b> accepted what changed of service {label}."),
    "service_held": LineKind("catalog", "ring", "<b>{who}</b> held service {label}: new orders ask first."),
    "service_released": LineKind("catalog", "ring", "<b>{who}</b> lifted the hold of service {label}."),
    "list_accepted": LineKind(
        "catalog", "ring", "<b>{who}</b> accepted a list that leaves out {missing} services as true."
    ),
    # Settings and alarms.
    "setting_changed": LineKind("settings", "ring", "<b>{who}</b> changed the setting “{label}”."),
    "alarms_chosen": LineKind("settings", "ring", "<b>{who}</b> changed which alarms they are told of."),
    "chat_chosen": LineKind("settings", "ring", "<b>{who}</b> changed which alarms the chat is told of."),
    "alarm_seen": LineKind("settings", "ring", "<b>{who}</b> marked the alarm “{label}” as seen."),
    "endpoint_added": LineKind("settings", "ring", "The address for webhooks was registered at the supplier: {label}."),
    "test_webhook": LineKind("settings", "ring", "<b>{who}</b> tested the webhooks: {outcome}"),
    "trail_verified": LineKind(
        "settings", "ring", "<b>{who}</b> verified {lines} entries of the trail: {wrong} things are wrong."
    ),
    # People. What happens at the door has its own kinds.
    "person_added": LineKind("people", "ring", "<b>{who}</b> added <b>{label}</b> to the team."),
    "person_changed": LineKind("people", "ring", "<b>{who}</b> changed the account of <b>{label}</b>."),
    # Exports and saved views.
    "trail_exported": LineKind("exports", "ring", "<b>{who}</b> exported {lines} of activity as {form}: {filter}."),
    "report_exported": LineKind("exports", "ring", "<b>{who}</b> exported a report as {form}: {filter}."),
    "report_saved": LineKind("views", "ring", "<b>{who}</b> saved the report “{label}”."),
    "report_changed": LineKind("views", "ring", "<b>{who}</b> changed the report “{label}”."),
    "report_removed": LineKind("views", "ring", "<b>{who}</b> removed the report “{label}”."),
    "report_mail_on": LineKind("views", "ring", "<b>{who}</b> wants the report “{label}” by e-mail every Monday."),
    "report_mail_off": LineKind("views", "ring", "<b>{who}</b> wants the report “{label}” by e-mail no more."),
    "view_made": LineKind("views", "ring", "<b>{who}</b> saved the view “{label}”."),
    "view_changed": LineKind("views", "ring", "<b>{who}</b> changed the view “{label}”."),
    "view_removed": LineKind("views", "ring", "<b>{who}</b> removed the view “{label}”."),
    # Customers: of what is personal never the value, only that it changed; the label is the customer’s number.
    "customer_added": LineKind("customers", "ring", "<b>{who}</b> added customer {label}."),
    "customer_changed": LineKind("customers", "ring", "<b>{who}</b> changed {what} of customer {label}."),
    "customer_paid": LineKind("customers", "ring", "<b>{who}</b> wrote down a payment of customer {label}."),
    "customer_exported": LineKind("customers", "ring", "<b>{who}</b> exported what is kept of customer {label}."),
    "customer_erased": LineKind(
        "customers", "warn", "<b>{who}</b> erased the name, the contact and the note of customer {label}."
    ),
    "list_made": LineKind("customers", "ring", "<b>{who}</b> made the price list “{label}”."),
    "price_set": LineKind("customers", "ring", "<b>{who}</b> set the selling price for {label}."),
    "price_removed": LineKind("customers", "ring", "<b>{who}</b> removed the selling price for {label}."),
    # Plans and templates of lists; the label of a plan is its number.
    "plan_made": LineKind("orders", "ring", "<b>{who}</b> planned {lines}, to be placed in parts: plan {label}."),
    "plan_stopped": LineKind("orders", "ring", "<b>{who}</b> stopped plan {label}."),
    "plan_resumed": LineKind("orders", "ring", "<b>{who}</b> let plan {label} go on."),
    "plan_dropped": LineKind("orders", "ring", "<b>{who}</b> dropped what was still to come of plan {label}."),
    "part_placed": LineKind("orders", "", "Part {part} of plan {label} was placed: {orders}, list {job}."),
    "part_waits": LineKind("orders", "warn", "Part {part} of plan {label} left {lines} for a person. {why}"),
    "part_opened": LineKind("orders", "ring", "<b>{who}</b> opened what part {part} of plan {label} left."),
    "part_left": LineKind("orders", "ring", "<b>{who}</b> left {lines} of part {part} of plan {label} unordered."),
    "template_saved": LineKind("orders", "ring", "<b>{who}</b> saved {lines} as the template “{label}”."),
    "template_changed": LineKind("orders", "ring", "<b>{who}</b> changed the template “{label}”."),
    "template_removed": LineKind("orders", "ring", "<b>{who}</b> removed the template “{label}”."),
    # Answers to customers.
    "answers_pasted": LineKind("texts", "ring", "<b>{who}</b> pasted a message about {orders} to answer."),
    "answers_language": LineKind("texts", "ring", "<b>{who}</b> had the answers of message {label} written anew."),
    "answer_changed": LineKind("texts", "ring", "<b>{who}</b> changed an answer of message {label}."),
}

# Groups of the kinds of SENTENCES, by how their names begin; the first that fits counts, and the rest are ORDERS.
BEGINNINGS = (
    (("refill", "cancel"), "aftersale"),
    (("noted", "taken_", "given", "let_go"), "notes"),
    (("stopped", "resumed", "released", "set_back"), "sending"),
    (("exported",), "exports"),
    (("text_",), "texts"),
)
OF_ORDERS = ("given_up",)  # begins like another

_learned: dict[str, str] = {}  # kind → group, of the door


def learn(groups: Mapping[str, str]) -> None:
    """Takes in the groups of kinds that another room has in a table of its own."""
    _learned.update(groups)


def group_of(kind: str) -> str:
    """The group of this kind of line."""
    if kind in KINDS:
        return KINDS[kind].group
    if kind in _learned:
        return _learned[kind]
    begins = (group for names, group in BEGINNINGS if kind.startswith(names) and kind not in OF_ORDERS)
    return next(begins, ORDERS)
