"""The kinds of alarm, one row each: how it is called, how bad it is, and what it says."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from panel.format.money import money
from panel.format.numbers import decimal, number
from panel.format.times import clock

Facts = dict[str, Any]  # as JSON keeps them: money as text, moments as ISO text
WORDS_CHARACTERS = 300  # of words that are not ours


class Kind(NamedTuple):
    """`title` holds no words but ours: it is the subject of a mail."""

    title: str
    tone: str  # warn, bad
    serious: bool  # whether it may break quiet hours, for who wants that
    about: str  # when it is raised, for whoever chooses
    sentence: Callable[[Facts], str]
    over: Callable[[Facts], str]  # told to those who were told of it; "" for what is over when it is told
    page: str  # where the rows behind it are: a URL's name…
    query: str = ""  # …and what it is asked


def balance(facts: Facts) -> str:
    amount = money(Decimal(facts["balance"]))
    return f"Upstream’s balance is {amount}, below {money(Decimal(facts['below']))}. Top it up before orders wait."


def sending(facts: Facts) -> str:
    who, since = foreign_words(facts["by"]) or "The desk itself", moment_words(facts["since"])
    return f"{who} stopped all sending at {since}: {reason_words(facts)}"


def upstream(facts: Facts) -> str:
    return f"Upstream has been in trouble since {moment_words(facts['since'])}: {reason_words(facts)}"


def prices(facts: Facts) -> str:
    who = "service" if facts["new"] == 1 else "services"
    more = " more" if facts["new"] < facts["all"] else ""
    moved = f"{number(facts['new'])}{more} {who} moved in price by more than {facts['percent']} %"
    return f"{moved}: {list_words([price_words(*one) for one in facts['some']], facts['new'])}"


def price_words(service: int, name: str, was: str, now: str) -> str:
    before, after = Decimal(was), Decimal(now)
    share = f", {'+' if after > before else '−'}{decimal(abs(after - before) / before * 100, 0)} %" if before else ""
    return f"{service} {foreign_words(name, 60)} ({money(before)} → {money(after)}{share})"


def orders(facts: Facts) -> str:
    n, every = facts["new"], facts["all"]
    if n < every:
        begins = f"{number(n)} more order{'s' * (n != 1)} need{'s' * (n == 1)} a look, {number(every)} in all"
    else:
        begins = f"{number(n)} order{'s' * (n != 1)} need{'s' * (n == 1)} a look"
    return f"{begins}: {list_words([str(order) for order in facts['some']], n)}"


def worker(facts: Facts) -> str:
    if until := facts.get("until"):
        lasted = datetime.fromisoformat(until) - datetime.fromisoformat(facts["since"])
        span = f"{moment_words(facts['since'])} to {moment_words(until)}, {round(lasted.total_seconds() / 60)} min"
        return f"No worker ran from {span}. What waited is being done now."
    if name := facts.get("name"):
        since = moment_words(facts["since"])
        return f"Worker {foreign_words(name)} was last heard of at {since} and did not say that it ends. Others run."
    return (
        f"No worker is running; the last one was heard of at {moment_words(facts['since'])}. "
        "Orders are written down and wait, and nothing on the desk is fresh."
    )


def worker_over(facts: Facts) -> str:
    if facts.get("until"):
        return ""
    return "Another worker has begun since." if facts.get("name") else "A worker runs again."


KINDS: dict[str, Kind] = {
    "balance": Kind("Low balance", "warn", False, "Upstream’s balance falls below what the desk is told to watch for.",
                    balance, lambda _: "The balance is high enough again.", "balance"),
    "sending": Kind("Sending stopped", "bad", True, "Somebody, or the desk itself, stops all sending.",
                    sending, lambda _: "Orders go out again.", "orders:index", "open=live"),
    "upstream": Kind("Upstream failing", "bad", True, "Upstream has not answered well for a minute.",
                     upstream, lambda _: "Upstream answers well again.", "calls"),
    "prices": Kind("Price jump", "warn", False, "Services become much dearer or cheaper at once.",
                   prices, lambda _: "All these prices were decided about.", "catalog:changes"),
    "orders": Kind("Orders need a look", "bad", False, "Orders that only a person can bring on.",
                   orders, lambda _: "No order needs a look any more.", "orders:index", "open=look"),
    "worker": Kind("Worker silent", "bad", True, "A worker falls silent, or none ran for a while.",
                   worker, worker_over, "calls"),
}  # fmt: skip
# Of a kind that an older desk knew.
UNKNOWN_KIND = Kind(
    "Alarm", "warn", False, "", lambda _: "This desk no longer knows this kind of alarm.", lambda _: "", "alarms"
)


def kind_of(name: str) -> Kind:
    return KINDS.get(name, UNKNOWN_KIND)


# ── Parts of sentences ───────────────────────────────────────────────────────────────────────────
def moment_words(moment: str) -> str:
    """On the reader's clock."""
    return clock(datetime.fromisoformat(moment))


def reason_words(facts: Facts) -> str:
    words = foreign_words(facts["why"])
    return words if words.endswith((".", "!", "?")) else f"{words}."


def foreign_words(words: str, most: int = WORDS_CHARACTERS) -> str:
    """A person's words or upstream's: on one line, and not too long."""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def list_words(some: list[str], every: int) -> str:
    """The first of them, and how many there are beside."""
    beside = every - len(some)
    return f"{', '.join(some)} and {number(beside)} more." if beside > 0 else f"{', '.join(some)}."
