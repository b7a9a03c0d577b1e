"""The control page: the books and every control command on one plain page without scripts."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from panel.notpanel.sandbox.api import contract
from panel.notpanel.sandbox.api.add_order import COUPONS
from panel.notpanel.sandbox.faults.call_faults import FAULTS
from panel.notpanel.sandbox.faults.delivery_faults import DELIVERY_FAULTS
from panel.notpanel.sandbox.faults.rules import EVERY_ACTION, Fault
from panel.notpanel.sandbox.http.books import books
from panel.notpanel.sandbox.world import charges, events
from panel.notpanel.sandbox.world.lives import ENDS, LIVE, OUTCOMES
from panel.notpanel.sandbox.world.supplier import Supplier

ORDER_ROWS = 50
CALL_ROWS = 30
DELIVERY_ROWS = 30
ALL_EVENTS = ",".join(events.EVENTS)
JUMPS = {"10 minutes": 600, "an hour": 3600, "a day": 86400}  # seconds

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
th { font-size: 11.5px; background: var(--soft) } td.n { text-align: right }
code { font-size: 12px } :focus-visible { outline: 2px solid #4a58cf; outline-offset: 2px }
@media (max-width: 700px) { input, select, button { min-height: 40px; font-size: 16px } }
"""

Row = dict[str, Any]
Column = str | Callable[[Row], object]  # the name of a value in the row, or what makes a cell of the row


class _Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


FAULT_COLUMNS: dict[str, Column] = {
    "Fault": "fault",
    "Action": "action",
    "Times left": lambda rule: "for ever" if rule["times"] is None else rule["times"],
    "Details": lambda rule: " ".join(f"{name}={value}" for name, value in rule["details"].items()),
    "Effect": lambda rule: "takes effect" if rule["effect"] else "no effect",
    "": lambda rule: _form("faults/lifted", _hidden("id", rule["id"]), "Lift"),
}
DELIVERY_FAULT_COLUMNS: dict[str, Column] = {
    "Fault": "fault",
    "Event": "action",
    "Times left": FAULT_COLUMNS["Times left"],
    "Details": FAULT_COLUMNS["Details"],
    "": lambda rule: _form("webhooks/faults/lifted", _hidden("id", rule["id"]), "Lift"),
}
ORDER_COLUMNS: dict[str, Column] = {
    "Order": lambda order: _code(order["order"]),
    "Placed": lambda order: _when(order["created_at"]),
    "Service": "service",
    "Quantity": "quantity",
    "Remains": "remains",
    "Charge − refund": lambda order: f"{order['charge']} − {order['refunded']}",
    "Status": lambda order: order["status"] + (" (cancel asked)" if order["cancel_asked_at"] else ""),
    "": lambda order: _form("orders", _hidden("order", order["order"]) + _statuses(order["order"]), "Move"),
    "request_id": lambda order: _code(order["request_id"]),
}
ENDPOINT_COLUMNS: dict[str, Column] = {
    "Endpoint": lambda endpoint: _code(endpoint["webhook"]),
    "URL": lambda endpoint: _code(endpoint["url"]),
    "Events": lambda endpoint: "all" if endpoint["events"] == ALL_EVENTS else endpoint["events"].replace(",", ", "),
    "Delivered": lambda endpoint: _count(endpoint, "delivered"),
    "Failed": lambda endpoint: _count(endpoint, "given up", "dropped"),
    "Waiting": lambda endpoint: _count(endpoint, "waiting", "held"),
    "": lambda endpoint: _form("webhooks/removed", _hidden("id", endpoint["webhook"]), "Remove"),
}
DELIVERY_COLUMNS: dict[str, Column] = {
    "At": lambda delivery: _when(delivery["created_at"]),
    "Event": "event",
    "Order": lambda delivery: _code(delivery["order"]),
    "Endpoint": lambda delivery: _code(delivery["webhook"]),
    "Tries": "tries",
    "State": "state",
    "Said": "said",
    "Delivery": lambda delivery: _code(delivery["delivery"]),
}
CALL_COLUMNS: dict[str, Column] = {
    "At": lambda call: _when(call["at"]),
    "Action": "action",
    "Status": lambda call: call["status"] or "no answer",
    "Fault": "fault",
    "Said": "said",
    "Took": lambda call: f"{call['milliseconds']:.1f} ms",
}


def page(supplier: Supplier, address: str, note: str = "") -> str:
    """The whole page as HTML; `note` is a sentence about what was just refused."""
    content: Row = books(supplier, newest=ORDER_ROWS)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sandbox control</title><style>{_CSS}</style></head><body><main>
<h1>Sandbox control</h1>
<p>A NotPanel that runs on this machine, at <code>{escape(address)}</code>. Nothing here is real, and no money moves.
<a href="/control">Look again</a> · <a href="/control/books">the books as JSON</a></p>
{f'<p class="warn" role="alert">{escape(note)}</p>' if note else ""}
{_account(content)}
{_faults(content)}
{_catalog()}
{_orders(content)}
{_webhooks(content)}
{_calls(content)}
<h2>What this sandbox assumes where the contract is silent</h2>
<ul>{"".join(f"<li>{escape(line)}</li>" for line in contract.ASSUMED)}</ul>
</main></body></html>"""


def _account(content: Row) -> str:
    suspended = content["suspended"]
    state = '<span class="warn">suspended</span>' if suspended else "in good standing"
    suspend = _hidden("on", "no" if suspended else "yes"), "Lift the suspension" if suspended else "Suspend the account"
    jumps = "".join(_form("clock", _hidden("advance", seconds), f"Jump {words}") for words, seconds in JUMPS.items())
    limits = "".join(_field(name, number, f"{name} a minute") for name, number in content["limits"].items())
    return f"""<h2>Account and clock</h2>
<p>Balance {content["balance"]} {charges.CURRENCY}, account {state}. {content["placed"]} orders,
{len(content["refills"])} refills. The clock says {_when(content["now"])} and runs at {content["speed"]:g}×.</p>
{_form("balance", _field("amount", content["balance"], "Balance, USD"), "Set")}
{_form("suspension", *suspend)}
{_form("clock", _field("speed", f"{content['speed']:g}", "Speed"), "Run at this speed")}{jumps}
{_form("limits", limits, "Set limits")}
{_form("forgotten", "", "Forget all request_ids")}"""


def _faults(content: Row) -> str:
    new = f"""{_fault_choice("Fault", FAULTS)}
<label>Action<select name="action">{_options(EVERY_ACTION, *contract.ACTIONS)}</select></label>
{_rule_fields("seconds=5 effect=no")}"""
    return f"""<h2>Faults</h2>{_form("faults", new, "Inject")}
{_table(FAULT_COLUMNS, content["faults"], "No fault is in force.")}
{_form("faults/lifted", "", "Lift all") if content["faults"] else ""}"""


def _catalog() -> str:
    service = _field("service", "", "Service")
    return f"""<h2>Catalog</h2>
{_form("prices", service + _field("rate", "", "New rate"), "Change the price")}
{_form("services", service + _hidden("active", "no"), "Vanish")}
{_form("services", service + _hidden("active", "yes"), "Bring back")}
{_form("catalog", _field("keep", "12", "First rows only"), "Shorten the list")}
{_form("catalog", _hidden("keep", 0), "Empty the list")}
{_form("catalog", "", "The usual list")}"""


def _orders(content: Row) -> str:
    return f"""<h2>Orders, newest {ORDER_ROWS}</h2>
<p>A link that ends in <code>?sandbox=</code>{", ".join(sorted(OUTCOMES))} chooses how its order ends.
Coupons: {", ".join(COUPONS)}. An order that was moved by hand stays where it was put.</p>
{_table(ORDER_COLUMNS, content["orders"], "No orders yet.")}"""


def _webhooks(content: Row) -> str:
    endpoint = f"""<label>URL, public https or on loopback<input class="wide" name="url" required></label>
<label>Secret, yours to choose<input name="secret" required autocomplete="off"></label>
{_field("events", "", "Events, or all")}"""
    fault = f"""{_fault_choice("What goes wrong", DELIVERY_FAULTS)}
<label>Event<select name="event">{_options(EVERY_ACTION, *events.EVENTS, events.PING)}</select></label>
{_rule_fields("count=2 how=broken")}"""
    return f"""<h2>Webhooks</h2>
{_table(ENDPOINT_COLUMNS, content["webhooks"], "Nobody listens.")}
{_form("webhooks", endpoint, "Add the endpoint")}
{_form("webhooks/ring", _field("order", "", "Order, or none for a ping"), "Ring now")}
{_form("balance/low", _field("amount", content["low_balance"], "Low balance, USD"), "Set")}
{_form("webhooks/faults", fault, "Go wrong")}
{_table(DELIVERY_FAULT_COLUMNS, content["webhook_faults"], "Every delivery goes well.")}
{_form("webhooks/faults/lifted", "", "Lift all") if content["webhook_faults"] else ""}
<h2>Deliveries, newest {DELIVERY_ROWS}</h2>
{_table(DELIVERY_COLUMNS, content["deliveries"][:DELIVERY_ROWS], "No deliveries yet.")}"""


def _calls(content: Row) -> str:
    counts = [
        {"Action": action, "Calls": count, "Refused": content["refused"].get(action, 0)}
        for action, count in content["calls"].items()
    ]
    return f"""<h2>Calls since the start</h2>
{_table({"Action": "Action", "Calls": "Calls", "Refused": "Refused"}, counts, "Nobody has called yet.")}
<h2>Latest calls</h2>
{_table(CALL_COLUMNS, reversed(content["recent"][-CALL_ROWS:]), "Nobody has called yet.")}"""


def _fault_choice(label: str, faults: Mapping[str, Fault]) -> str:
    options = (f'<option value="{name}">{name}: {escape(fault.sentence)}</option>' for name, fault in faults.items())
    return f'<label>{label}<select name="fault">{"".join(options)}</select></label>'


def _rule_fields(example: str) -> str:
    return f"""{_field("times", "1", "Times, or forever")}
<label>Details<input class="wide" name="details" placeholder="{example}"></label>"""


def _statuses(order_id: str) -> str:
    return f'<select name="status" aria-label="Status of {escape(order_id)}">{_options(*LIVE, *ENDS)}</select>'


def _count(endpoint: Row, *states: str) -> int:
    return sum(endpoint["deliveries"].get(state, 0) for state in states)


def _form(command: str, fields: str, button: str) -> _Markup:
    return _Markup(f'<form method="post" action="/control/{command}">{fields}<button>{escape(button)}</button></form>')


def _field(name: str, value: object, label: str) -> str:
    return f'<label>{escape(label)}<input name="{name}" value="{escape(str(value))}"></label>'


def _hidden(name: str, value: object) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(str(value))}">'


def _options(*values: str) -> str:
    return "".join(f"<option>{value}</option>" for value in values)


def _code(text: str) -> _Markup:
    return _Markup(f"<code>{escape(text)}</code>")


def _table(columns: Mapping[str, Column], rows: Iterable[Row], empty: str) -> str:
    """A table with a column's head for its key; the sentence `empty` when it has no rows."""
    body = "".join(f"<tr>{''.join(_cell(row, column) for column in columns.values())}</tr>" for row in rows)
    if not body:
        return f"<p>{escape(empty)}</p>"
    heads = "".join(f'<th scope="col">{escape(head)}</th>' if head else "<td></td>" for head in columns)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(row: Row, column: Column) -> str:
    value = row[column] if isinstance(column, str) else column(row)
    if isinstance(value, _Markup):
        return f"<td>{value}</td>"
    number = ' class="n"' if isinstance(value, int) else ""
    return f"<td{number}>{escape(str(value))}</td>"


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %H:%M:%S}"
