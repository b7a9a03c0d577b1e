"""What a customer may be told: one row a situation, with the English text that comes with the desk.

The team's own texts stand in place of these. None of them says that there is a supplier, what an order costs us, or
when something will be done.
"""

from typing import NamedTuple

WHICH = "which"  # the text that says which order it is; the others begin with it
UNKNOWN = "unknown"  # what a message names and no order is


class Situation(NamedTuple):
    """One situation: its name for the team, the group under which it stands, and the text that comes with the desk."""

    name: str
    group: str
    text: str


class Placeholder(NamedTuple):
    """A fact that a text may name. `always`: each order has it, so that it needs no brackets."""

    words: str
    always: bool = True


START, DELIVERY, REFILL, CANCEL, OTHER = "Before it starts", "Delivery", "Refill", "Cancel", "All messages"

SITUATIONS: dict[str, Situation] = {
    WHICH: Situation(
        "Which order it is", OTHER, "Order {order} ({quantity} × {service}, {link}[, your reference {reference}])"
    ),
    UNKNOWN: Situation(
        "Unknown number", OTHER, "We cannot find an order for “{written}”. Please check it and send it once more."
    ),
    "left_out": Situation("Left out by us", OTHER, "{which}: we are looking into it and will write to you about it."),
    # Before upstream has it, as far as anybody knows.
    "approval": Situation("Waits for approval", START, "{which}: it is in preparation."),
    "queued": Situation("Queued", START, "{which}: it is in preparation."),
    "unfunded": Situation("Waits for money", START, "{which}: it is in preparation."),
    "confirming": Situation("Confirming", START, "{which}: it is in preparation, and we are confirming it."),
    "taken": Situation("Taken", START, "{which}: it is confirmed and has not started yet."),
    "review": Situation("Needs a look", START, "{which}: we are looking into it and will write to you about it."),
    "rejected": Situation("Rejected", START, "{which}: it could not be placed. We will write to you about it."),
    "closed": Situation("Not placed", START, "{which}: it could not be placed. We will write to you about it."),
    "declined": Situation("Declined", START, "{which}: it could not be placed. We will write to you about it."),
    "expired": Situation("Expired", START, "{which}: it could not be placed. We will write to you about it."),
    "withdrawn": Situation("Withdrawn", START, "{which}: it was withdrawn before it started."),
    # As upstream reports it.
    "pending": Situation("Pending", DELIVERY, "{which}: it is confirmed and has not started yet[, as of {checked}]."),
    "processing": Situation("Processing", DELIVERY, "{which}: its delivery is being prepared[, as of {checked}]."),
    "in_progress": Situation(
        "In progress",
        DELIVERY,
        "{which}: it is being delivered[, {delivered} so far][, as of {checked}]. The rest follows.",
    ),
    "late": Situation(
        "Late",
        DELIVERY,
        "{which}: it takes longer than usual[; {delivered} are delivered so far]. We are looking into it.",
    ),
    "completed": Situation("Completed", DELIVERY, "{which}: it is completed."),
    "partial": Situation("Partial", DELIVERY, "{which}: it ended partly delivered[, with {delivered} of {quantity}]."),
    "cancelled": Situation("Cancelled", DELIVERY, "{which}: it is cancelled."),
    "refunded": Situation(
        "Refunded", DELIVERY, "{which}: it could not be delivered. We will write to you about what comes next."
    ),
    "other": Situation("Any other status", DELIVERY, "{which}: we are checking how it stands."),
    # After a refill was asked for, or where none can be.
    "refill_asked": Situation(
        "Refill asked",
        REFILL,
        "{which}: a refill was asked for[ on {asked}]. We will write to you when there is an answer.",
    ),
    "refill_pending": Situation(
        "Refill pending", REFILL, "{which}: its refill was accepted and is not finished yet[; asked for on {asked}]."
    ),
    "refill_refused": Situation("Refill refused", REFILL, "{which}: a refill was asked for and is not possible."),
    "no_refill_unfinished": Situation(
        "No refill: not finished yet",
        REFILL,
        "{which}: it is not finished yet[, {delivered} are delivered so far]. A refill can be asked for when it is.",
    ),
    "no_refill_service": Situation(
        "No refill with this service", REFILL, "{which}: it was ordered without refills, so none can be asked for."
    ),
    "no_refill_left": Situation(
        "No refill left", REFILL, "{which}: it has had all the refills that it can have."
    ),
    # After a cancel was asked for.
    "cancel_asked": Situation(
        "Cancel asked",
        CANCEL,
        "{which}: its cancellation was asked for[ on {asked}]. We will write to you when there is an answer.",
    ),
    "cancel_agreed": Situation("Cancel agreed", CANCEL, "{which}: it is cancelled, as you asked."),
    "cancel_refused": Situation("Cancel not possible", CANCEL, "{which}: it cannot be cancelled any more."),
    "cancel_too_late": Situation("Delivered anyway", CANCEL, "{which}: it was too late to cancel it; it is delivered."),
}  # fmt: skip

PLACEHOLDERS: dict[str, Placeholder] = {
    "which": Placeholder("the text “Which order it is”"),
    "order": Placeholder("the order’s number here"),
    "link": Placeholder("its link"),
    "service": Placeholder("the name of its service"),
    "quantity": Placeholder("how many were ordered"),
    "written": Placeholder("the number as the customer wrote it"),
    "reference": Placeholder("the customer’s own reference", always=False),
    "delivered": Placeholder("how many are delivered", always=False),
    "remains": Placeholder("how many are not delivered", always=False),
    "checked": Placeholder("when that was true", always=False),
    "asked": Placeholder("when the refill or cancel was asked for", always=False),
}


def placeholders_of(situation: str) -> dict[str, Placeholder]:
    """The placeholders that the text of a situation may have."""
    if situation == UNKNOWN:
        return {"written": PLACEHOLDERS["written"]}
    return {name: facts for name, facts in PLACEHOLDERS.items() if (name, situation) != (WHICH, WHICH)}
