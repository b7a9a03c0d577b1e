"""The control page: the books and every lever on one plain page without scripts."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Any

from panel.notpanel.sandbox.api import contract
from panel.notpanel.sandbox.api.add_order import COUPONS, FATES
from panel.notpanel.sandbox.faults import delivery_faults
from panel.notpanel.sandbox.faults.rules import FAULTS
from panel.notpanel.sandbox.http.books import books
from panel.notpanel.sandbox.world import charges, events
from panel.notpanel.sandbox.world.lives import ENDS, LIVE
from panel.notpanel.sandbox.world.supplier import Supplier

ORDERS_SHOWN = 50
CALLS_SHOWN = 30
DELIVERIES_SHOWN = 30
STATUSES = (*LIVE, *ENDS)

_CSS = """
:root { color-scheme: light dark; --line: light-dark(#cbd3de, #353f4d); --soft: light-dark(#f0f3f7, #171c24);
        --warn: light-dark(#8a5a00, #f0b95a); }
body { font: 13px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1180px; padding: 16px;
       font-variant-numeric: tabular-nums; }
h1 { font-size: 20px; margin: 0 } h2 { font-size: 15px; margin: 24px 0 8px }
a { color: light-dark(#3d4cc4, #a9b2ff) } p { margin: 4px 0 } .warn { color: var(--warn); font-weight: 600 }
form { display: inline-flex; flex-wrap: wrap; gap: 6px; align-items: end; vertical-align: bottom;
  margin: 4px 14px 4px 0 }
form, label, input, select { max-width: 100%; min-width: 0 } label { display: grid; font-size: 11.5px }
ul { padding-left: 18px; overflow-wrap: anywhere }
input, select, button { font: inherit; padding: 4px 8px; min-height: 30px;
  border: 1px solid var(--line); border-radius: 5px; background: transparent; color: inherit; box-sizing: border-box }
select option { background: Canvas } button { background: var(--soft); cursor: pointer } input { width: 9em }
input.wide { width: 22em } .scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: 4px 8px; border-bottom: 1px solid var(--line); white-space: nowrap }
th { font-size: 11.5px; background: var(--soft) } td.n { text-align: right } td.long { white-space: normal }
code { font-size: 12px } :focus-visible { outline: 2px solid #4a58cf; outline-offset: 2px }
@media (max-width: 700px) { input, select, button { min-height: 40px; font-size: 16px } }
"""


def page(supplier: Supplier, address: str, note: str = "") -> str:
    """The whole page as HTML; `note` is a sentence about what was just refused."""
    told: dict[str, Any] = books(supplier, newest=ORDERS_SHOWN)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sandbox control</title><style>{_CSS}</style></head><body><main>
<h1>Sandbox control</h1>
<p>A NotPanel that runs on this machine, at <code>{escape(address)}</code>. Nothing here is real, and no money moves.
<a href="/control">Look again</a> · <a href="/control/books">the books as JSON</a></p>
{f'<p class="warn" role="alert">{escape(note)}</p>' if note else ""}
{_account(told)}
{_faults(told)}
{_catalog()}
{_orders(told)}
{_webhooks(told)}
{_calls(told)}
<h2>What this sandbox assumes where the contract is silent</h2>
<ul>{"".join(f"<li>{escape(line)}</li>" for line in contract.ASSUMED)}</ul>
</main></body></html>"""


def _account(told: dict[str, Any]) -> str:
    suspended = told["suspended"]
    state = '<span class="warn">suspended</span>' if suspended else "in good standing"
    jumps = "".join(
        _form("clock", f'<input type="hidden" name="advance" value="{seconds}">', f"Jump {words}")
        for seconds, words in ((600, "10 minutes"), (3600, "an hour"), (86400, "a day"))
    )
    limits = "".join(_field(name, told["limits"][name], f"{name} a minute") for name in ("ip", "key", "tier"))
    return f"""<h2>Account and clock</h2>
<p>Balance {told["balance"]} {charges.CURRENCY}, account {state}. {told["placed"]} orders,
{len(told["refills"])} refills. The clock says {_when(told["now"])} and runs at {told["speed"]:g}×.</p>
{_form("balance", _field("amount", told["balance"], "Balance, USD"), "Set")}
{
        _form(
            "suspension",
            f'<input type="hidden" name="on" value="{"no" if suspended else "yes"}">',
            "Lift the suspension" if suspended else "Suspend the account",
        )
    }
{_form("clock", _field("speed", f"{told['speed']:g}", "Speed"), "Run at this speed")}{jumps}
{_form("limits", limits, "Set limits")}
{_form("forgotten", "", "Forget all request_ids")}"""


def _faults(told: dict[str, Any]) -> str:
    kinds = "".join(f'<option value="{name}">{name}: {escape(known.sentence)}</option>'
                    for name, known in FAULTS.items())  # fmt: skip
    actions = "".join(f"<option>{name}</option>" for name in ("*", *contract.ACTIONS))
    rows = [
        [*_rule(rule), "takes effect" if rule["effect"] else "no effect", _lift("faults", rule)]
        for rule in told["faults"]
    ]
    new = f"""<label>Fault<select name="fault">{kinds}</select></label>
<label>Action<select name="action">{actions}</select></label>{_field("times", "1", "Times, or forever")}
<label>Details<input class="wide" name="details" placeholder="seconds=5 effect=no"></label>"""
    return f"""<h2>Faults</h2>{_form("faults", new, "Inject")}
{_table(("Fault", "Action", "Times left", "Details", "Effect", ""), rows, "No fault is in force.")}
{_form("faults/lifted", "", "Lift all") if rows else ""}"""


def _catalog() -> str:
    return f"""<h2>Catalog</h2>
{_form("prices", _field("service", "", "Service") + _field("rate", "", "New rate"), "Change the price")}
{_form("services", _field("service", "", "Service") + '<input type="hidden" name="active" value="no">', "Vanish")}
{_form("services", _field("service", "", "Service") + '<input type="hidden" name="active" value="yes">', "Bring back")}
{_form("catalog", _field("keep", "12", "First rows only"), "Shorten the list")}
{_form("catalog", '<input type="hidden" name="keep" value="0">', "Empty the list")}
{_form("catalog", "", "The usual list")}"""


def _orders(told: dict[str, Any]) -> str:
    statuses = "".join(f"<option>{status}</option>" for status in STATUSES)
    rows = [
        [
            _Html(f"<code>{escape(row['order'])}</code>"),
            _when(row["created_at"]),
            row["service"],
            row["quantity"],
            row["remains"],
            f"{row['charge']} − {row['refunded']}",
            row["status"] + (" (cancel asked)" if row["cancel_asked_at"] else ""),
            _Html(
                _form(
                    "orders",
                    f'<input type="hidden" name="order" value="{escape(row["order"])}">'
                    f'<select name="status" aria-label="Status of {escape(row["order"])}">{statuses}</select>',
                    "Move",
                )
            ),
            _Html(f"<code>{escape(row['request_id'])}</code>"),
        ]
        for row in told["orders"]
    ]
    heads = ("Order", "Placed", "Service", "Quantity", "Remains", "Charge − refund", "Status", "", "request_id")
    return f"""<h2>Orders, newest {ORDERS_SHOWN}</h2>
<p>A link that ends in <code>?sandbox=</code>{", ".join(sorted(FATES))} chooses how its order ends.
Coupons: {", ".join(COUPONS)}. An order that was moved by hand stays where it was put.</p>
{_table(heads, rows, "No orders yet.")}"""


def _webhooks(told: dict[str, Any]) -> str:
    endpoints = [
        [
            _Html(f"<code>{escape(row['webhook'])}</code>"),
            _Html(f"<code>{escape(row['url'])}</code>"),
            "all" if row["events"] == ",".join(events.EVENTS) else row["events"].replace(",", ", "),
            row["deliveries"].get("delivered", 0),
            sum(row["deliveries"].get(state, 0) for state in ("given up", "dropped")),
            sum(row["deliveries"].get(state, 0) for state in ("waiting", "held")),
            _Html(_form("webhooks/removed", f'<input type="hidden" name="id" value="{row["webhook"]}">', "Remove")),
        ]
        for row in told["webhooks"]
    ]
    deliveries = [
        [
            _when(row["created_at"]),
            row["event"],
            _Html(f"<code>{escape(row['order'])}</code>"),
            _Html(f"<code>{escape(row['webhook'])}</code>"),
            row["tries"],
            row["state"],
            row["said"],
            _Html(f"<code>{escape(row['delivery'])}</code>"),
        ]
        for row in told["deliveries"][:DELIVERIES_SHOWN]
    ]
    new = f"""<label>URL, public https or on loopback<input class="wide" name="url" required></label>
<label>Secret, yours to choose<input name="secret" required autocomplete="off"></label>
{_field("events", "", "Events, or all")}"""
    made = ("At", "Event", "Order", "Endpoint", "Tries", "State", "Said", "Delivery")
    heads = ("Endpoint", "URL", "Events", "Delivered", "Failed", "Waiting", "")
    return f"""<h2>Webhooks</h2>
{_table(heads, endpoints, "Nobody listens.")}
{_form("webhooks", new, "Add the endpoint")}
{_form("webhooks/ring", _field("order", "", "Order, or none for a ping"), "Ring now")}
{_form("balance/low", _field("amount", told["low_balance"], "Low balance, USD"), "Set")}
{_mischief(told)}
<h2>Deliveries, newest {DELIVERIES_SHOWN}</h2>
{_table(made, deliveries, "No deliveries yet.")}"""


def _mischief(told: dict[str, Any]) -> str:
    kinds = "".join(f'<option value="{name}">{name}: {escape(known.sentence)}</option>'
                    for name, known in delivery_faults.KINDS.items())  # fmt: skip
    named = "".join(f"<option>{name}</option>" for name in ("*", *events.EVENTS, events.PING))
    new = f"""<label>What goes wrong<select name="fault">{kinds}</select></label>
<label>Event<select name="event">{named}</select></label>{_field("times", "1", "Times, or forever")}
<label>Details<input class="wide" name="details" placeholder="count=2 how=broken"></label>"""
    rows = [[*_rule(rule), _lift("webhooks/faults", rule)] for rule in told["webhook_faults"]]
    return f"""{_form("webhooks/faults", new, "Go wrong")}
{_table(("Fault", "Event", "Times left", "Details", ""), rows, "Every delivery goes well.")}
{_form("webhooks/faults/lifted", "", "Lift all") if rows else ""}"""


def _calls(told: dict[str, Any]) -> str:
    counted = [[action, count, told["refused"].get(action, 0)] for action, count in told["calls"].items()]
    recent = [
        [
            _when(call["at"]),
            call["action"],
            call["status"] or "no answer",
            call["fault"],
            call["said"],
            f"{call['milliseconds']:.1f} ms",
        ]
        for call in reversed(told["recent"][-CALLS_SHOWN:])
    ]
    return f"""<h2>Calls since the start</h2>
{_table(("Action", "Calls", "Refused"), counted, "Nobody has called yet.")}
<h2>Latest calls</h2>
{_table(("At", "Action", "Status", "Fault", "Said", "Took"), recent, "Nobody has called yet.")}"""


def _rule(rule: dict[str, Any]) -> list[object]:
    return [
        rule["fault"],
        rule["action"],
        "for ever" if rule["times"] is None else rule["times"],
        " ".join(f"{name}={value}" for name, value in rule["details"].items()),
    ]


def _lift(thing: str, rule: dict[str, Any]) -> "_Html":
    return _Html(_form(f"{thing}/lifted", f'<input type="hidden" name="id" value="{rule["id"]}">', "Lift"))


class _Html(str):
    """Text that is markup already."""

    __slots__ = ()


def _form(thing: str, fields: str, button: str) -> str:
    return f'<form method="post" action="/control/{thing}">{fields}<button>{escape(button)}</button></form>'


def _field(name: str, value: object, label: str) -> str:
    return f'<label>{escape(label)}<input name="{name}" value="{escape(str(value))}"></label>'


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]], empty: str) -> str:
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    if not body:
        return f"<p>{escape(empty)}</p>"
    top = "".join(f'<th scope="col">{escape(head)}</th>' if head else "<td></td>" for head in heads)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: object) -> str:
    if isinstance(value, _Html):
        return f"<td>{value}</td>"
    number = ' class="n"' if isinstance(value, int) else ""
    return f"<td{number}>{escape(str(value))}</td>"


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %H:%M:%S}"
