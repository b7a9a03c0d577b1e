"""The kinds of alarm, one row each: what it is called, how bad it is, and what it says."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from panel.format.money import money, sees_money, without_amounts
from panel.format.numbers import decimal, number
from panel.format.times import clock

Facts = dict[str, Any]  # as JSON keeps them: money as text, moments as ISO text
WORDS_CHARACTERS = 300  # of a text that is not ours, within a sentence
NAME_CHARACTERS = 60  # of a service's name


class Kind(NamedTuple):
    """One kind of alarm. `title` is the subject of a mail, so it holds no words but ours."""

    title: str
    tone: str  # warn, bad
    serious: bool  # whether it may break the quiet hours of people who want that
    about: str  # when it is raised, for people who choose
    sentence: Callable[[Facts], str]
    over: Callable[[Facts], str]  # told to the same recipients when it is over; "" for nothing to tell
    page: str  # the URL name of the page with the rows behind it…
    query: str = ""  # …and the query of its address
    needs: str = "view"  # what a person must be allowed to open that page


def balance_sentence(facts: Facts) -> str:
    """What an alarm about a low balance says."""
    if not sees_money():
        return "The balance is low. Somebody has to top it up, or orders will wait."
    amount = money(Decimal(facts["balance"]))
    return f"The balance is {amount}, below {money(Decimal(facts['below']))}. Top it up, or orders will wait."


def runway_sentence(facts: Facts) -> str:
    """What an alarm about a balance that ends too soon says: how much there is, and when it ends."""
    if not sees_money():
        return "The balance ends soon. Somebody has to top it up in time."
    amount, ends = money(Decimal(facts["balance"])), moment_words(facts["ends"])
    return f"The balance of {amount} ends at about {ends}, before {foreign_words(facts['until'])}. Top it up in time."


def sending_sentence(facts: Facts) -> str:
    """What an alarm about stopped sending says: who stopped it, when and why."""
    who, since = foreign_words(facts["by"]) or "The desk itself", moment_words(facts["since"])
    return f"{who} stopped all sending at {since}: {reason_words(facts)}"


def upstream_sentence(facts: Facts) -> str:
    """What an alarm about failing calls to upstream says: since when and why."""
    return f"The supplier has not answered properly since {moment_words(facts['since'])}: {reason_words(facts)}"


def prices_sentence(facts: Facts) -> str:
    """What an alarm about price jumps says: how many there are, and the largest of them."""
    new, more = facts["new"], " more" if facts["new"] < facts["all"] else ""
    moved = f"{number(new)}{more} service{'s' * (new != 1)} changed in price by more than {facts['percent']} %"
    return f"{moved}: {list_words([price_words(*jump) for jump in facts['some']], new)}"


def orders_sentence(facts: Facts) -> str:
    """What an alarm about orders in review says: how many there are, and the ids of the newest."""
    new, every = facts["new"], facts["all"]
    more, in_all = (" more", f", {number(every)} in all") if new < every else ("", "")
    begins = f"{number(new)}{more} order{'s' * (new != 1)} need{'s' * (new == 1)} a look{in_all}"
    return f"{begins}: {list_words([str(order) for order in facts['some']], new)}"


def approvals_sentence(facts: Facts) -> str:
    """What an alarm about orders that wait for approval says: how many there are, and which expire first."""
    new, every = facts["new"], facts["all"]
    more, in_all = (" more", f", {number(every)} in all") if new < every else ("", "")
    begins = f"{number(new)}{more} order{'s' * (new != 1)} wait{'s' * (new == 1)} for approval{in_all}"
    return f"{begins}: {list_words([str(order) for order in facts['some']], new)}"


def plans_sentence(facts: Facts) -> str:
    """What an alarm about parts of plans says: how many left lines for a person, and the newest of them."""
    new, every = facts["new"], facts["all"]
    more, in_all = (" more", f", {number(every)} in all") if new < every else ("", "")
    begins = f"{number(new)}{more} part{'s' * (new != 1)} of plans wait{'s' * (new == 1)} for a person{in_all}"
    return f"{begins}: {list_words(facts['some'], new)}"


def duplicate_sentence(facts: Facts) -> str:
    """What an alarm about a possible duplicate says: the order, and all the ids that upstream gave it."""
    ids = " and ".join(map(foreign_words, facts["ids"]))
    return (
        f"Order {facts['order']} may have been placed twice: the supplier has it as {ids}. Look for all of them there."
    )


def clock_sentence(facts: Facts) -> str:
    """What an alarm about the desk's clock says: that it was set back, or how it compares with upstream's."""
    if at := facts.get("at"):
        back = f"The desk’s clock was set back by {facts['span']} at {moment_words(at)}."
        return f"{back} What was waiting is still sent on time; times recorded before it may lie in the future."
    return f"The desk’s clock is {facts['skew']}. Correct it: retries, webhooks and late orders depend on it."


def worker_sentence(facts: Facts) -> str:
    """What an alarm about silent workers says: no worker ran for a while, this worker is silent, or no worker runs."""
    since = moment_words(facts["since"])
    if until := facts.get("until"):
        lasted = datetime.fromisoformat(until) - datetime.fromisoformat(facts["since"])
        span = f"{since} to {moment_words(until)}, {round(lasted.total_seconds() / 60)} min"
        return f"No worker ran from {span}. What waited is being worked off now."
    if name := facts.get("name"):
        return f"Worker {foreign_words(name)} was last seen at {since} and did not sign off. Other workers run."
    return (
        f"No worker is running; the last one was seen at {since}. "
        "New orders are saved and wait, and no status is updated."
    )


def worker_over_sentence(facts: Facts) -> str:
    """What is told when an alarm about silent workers is over; "" for a gap, which was over when it was told."""
    if facts.get("until"):
        return ""
    return "Another worker has started since." if facts.get("name") else "A worker is running again."


def failures_sentence(facts: Facts) -> str:
    """What an alarm about failed sign-ins says: how many there were within how long."""
    number_words = f"{number(facts['failures'])}{' or more' if facts['capped'] else ''}"
    return (
        f"{number_words} sign-ins failed or were slowed down within {facts['minutes']} minutes. Whoever has signed in "
        "before still can. Security shows which accounts and addresses."
    )


def trail_sentence(facts: Facts) -> str:
    """What an alarm about the trail says: the first thing that is wrong, and how many others are."""
    more = facts["breaks"] - 1
    others = f" {number(more)} more {'thing is' if more == 1 else 'things are'} wrong." if more else ""
    return f"{foreign_words(facts['why'])}{others} Activity says what to do now."


KINDS: dict[str, Kind] = {
    "balance": Kind("Low balance", "warn", False, "The balance falls below the amount that is set.",
                    balance_sentence, lambda _: "The balance is high enough again.", "balance", needs="money"),
    "runway": Kind("Balance ends soon", "warn", False, "The balance ends before the time of day that is set.",
                   runway_sentence, lambda _: "The balance lasts long enough again.", "balance", needs="money"),
    "sending": Kind("Sending stopped", "bad", True, "Somebody, or the desk itself, stops all sending.",
                    sending_sentence, lambda _: "Orders are sent again.", "orders:index", "open=live"),
    "upstream": Kind("Supplier failing", "bad", True, "The supplier has not answered properly for a minute.",
                     upstream_sentence, lambda _: "The supplier answers again.", "calls"),
    "prices": Kind("Price jump", "warn", False, "The price of a service jumps.",
                   prices_sentence, lambda _: "Somebody has decided about all these prices.", "catalog:changes"),
    "orders": Kind("Orders need a look", "bad", False, "Orders that a person has to decide about.",
                   orders_sentence, lambda _: "No order needs a look any more.", "orders:index", "open=look"),
    "approvals": Kind("Orders wait for approval", "warn", False, "Orders that a second person has to approve.",
                      approvals_sentence, lambda _: "No order waits for approval any more.", "orders:approvals"),
    "plans": Kind("Part of a plan waits", "warn", False, "Lines of a planned list that could not go at their time.",
                  plans_sentence, lambda _: "No part of a plan waits for a person any more.", "orders:plans"),
    "duplicate": Kind("Possible duplicate", "bad", True, "The supplier gives one order more than one id.",
                      duplicate_sentence, lambda _: "Somebody has reviewed it.", "orders:index", "open=doubt"),
    "clock": Kind("Clock wrong", "warn", False, "The desk’s clock is set back, or differs a lot from the supplier’s.",
                  clock_sentence, lambda facts: "" if facts.get("at") else "It agrees with the supplier’s again.",
                  "calls"),
    "worker": Kind("Worker silent", "bad", True, "A worker stops answering, or none ran for a while.",
                   worker_sentence, worker_over_sentence, "calls"),
    "sign_ins": Kind("Many failed sign-ins", "warn", False, "Many sign-ins fail within a quarter of an hour.",
                     failures_sentence, lambda _: "Hardly any sign-in fails any more.", "security", "what=refused",
                     "people"),
    "trail": Kind("Trail tampered with", "bad", True, "The record of all changes was changed outside of the desk.",
                  trail_sentence, lambda _: "The trail is whole again.", "activity"),
}  # fmt: skip
# Stands for a kind that an older version of the desk knew.
UNKNOWN_KIND = Kind(
    "Alarm",
    "warn",
    False,
    "",
    lambda _: "This version of the desk does not know this kind of alarm.",
    lambda _: "",
    "alarms",
)


def kind_of(name: str) -> Kind:
    """The kind with this name, or UNKNOWN_KIND."""
    return KINDS.get(name, UNKNOWN_KIND)


# ── Parts of sentences ───────────────────────────────────────────────────────────────────────────
def moment_words(moment: str) -> str:
    """An ISO time on the reader's clock: `14:02 UTC`."""
    return clock(datetime.fromisoformat(moment))


def reason_words(facts: Facts) -> str:
    """The reason that a person or upstream gave, with a full stop."""
    words = without_amounts(foreign_words(facts["why"]))
    return words if words.endswith((".", "!", "?")) else f"{words}."


def price_words(service: int, name: str, was: str, now: str) -> str:
    """`7 Followers ($1.00 → $4.00, +300 %)`; without the percentage for a price that was 0.

    For who may see no money: `7 Followers`.
    """
    if not sees_money():
        return f"{service} {foreign_words(name, NAME_CHARACTERS)}"
    before, after = Decimal(was), Decimal(now)
    share = f", {'+' if after > before else '−'}{decimal(abs(after - before) / before * 100, 0)} %" if before else ""
    return f"{service} {foreign_words(name, NAME_CHARACTERS)} ({money(before)} → {money(after)}{share})"


def foreign_words(words: str, characters: int = WORDS_CHARACTERS) -> str:
    """A person's words or upstream's, on one line and at most so long."""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())
    return words if len(words) <= characters else f"{words[: characters - 1]}…"


def list_words(first: list[str], every: int) -> str:
    """`7, 8 and 12 more.`: the first of `every` things, and how many others there are."""
    others = every - len(first)
    return f"{', '.join(first)} and {number(others)} more." if others > 0 else f"{', '.join(first)}."
