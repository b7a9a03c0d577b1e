"""What NotPanel answers, as frozen shapes: read strictly as JSON, tolerantly as values.

A body is one JSON text or it is Unclear. Inside it the contract leaves much open, so numbers may be numbers or strings,
flags may be spelled in any way, and a value that makes no sense is None, never a guess.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from panel.notpanel.errors import NotPanelError, Unclear, refusal

SNIPPET_CHARACTERS = 500  # of what upstream sent, kept for a person to look at
# Longer names are accidents. The catalog's columns are as wide as this, so one such row cannot stop a sync.
NAME_CHARACTERS, CATEGORY_CHARACTERS, TYPE_CHARACTERS = 500, 300, 60
STATUS_CHARACTERS = 40  # an unknown status is shown as it came, but not without end
CURRENCY_CHARACTERS = 8
CATALOG_ROWS = 50_000  # NotPanel has up to 10,000; a longer list is junk that would take minutes to read
RAW_FIELDS = 40  # of a status row: documented are five
BIGGEST_COUNT = 2**63 - 1  # what a database's big integer holds
WHOLE_DIGITS = 9  # of an amount, before its point; a billion would break a column of money
# Of an amount, behind its point. A sum of binary floats shows up to about 33: 0.1 + 0.2 - 0.3 is 5.551115123125783e-17.
FRACTION_DIGITS = 36
EXACT_FRACTION_DIGITS = 12  # no more than these are somebody's own; beyond them lies the noise of binary floats
AMOUNT_CHARACTERS = 60
KEPT = Decimal("0.000001")  # the decimals that columns of money keep

_SAFE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_COUNT = re.compile(r"([+-]?[0-9]{1,19})(?:\.0*)?")
_AMOUNT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_YES = {"true", "1", "yes", "y", "on", "enabled", "active"}
_NO = {"false", "0", "no", "n", "off", "disabled", "inactive"}
log = logging.getLogger("notpanel")
# PostgreSQL stores neither NUL nor half of a surrogate pair, and JSON's \u escapes can make both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def read_json(text: str) -> object:
    """The value of one JSON text; ValueError when two readers could read it differently or it is nested too deeply."""
    try:
        return json.loads(text, parse_float=_decimal, parse_constant=_no_constant, object_pairs_hook=_unique_keys)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:  # an exponent beyond what Decimal holds
        return Decimal("NaN")


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise ValueError("a key comes twice")
    return parsed


def snippet(value: object) -> str:
    """The beginning of whatever upstream sent, fit to store and show."""
    if not isinstance(value, str):
        try:
            value = json.dumps(value, default=str, ensure_ascii=False)
        except RecursionError:
            value = f"({type(value).__name__}, nested too deeply to show)"
    return _UNSTORABLE.sub("\ufffd", value[:SNIPPET_CHARACTERS])


def error_text(answer: object) -> str:
    """Upstream's sentence when the answer is an error that a person can read, else ""."""
    error = answer.get("error") if isinstance(answer, dict) else None
    return snippet(error.strip()) if isinstance(error, str) else ""


def _text(value: object) -> str:
    """A scalar as text without blanks around it; "" for null, flags, lists and objects."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    return _UNSTORABLE.sub("\ufffd", str(value)).strip()


def _count(value: object) -> int | None:
    match = _COUNT.fullmatch(_text(value))
    return int(match[1]) if match and abs(int(match[1])) <= BIGGEST_COUNT else None


def _money(value: object) -> Decimal | None:
    """An amount, rounded to six decimals when it has so many that they are noise; None when it makes no sense.

    What is above nothing and would be rounded to it stays as it is: nobody must take a tiny rate for a free one.
    """
    text = _text(value)
    if len(text) > AMOUNT_CHARACTERS or not _AMOUNT.fullmatch(text):
        return None
    amount = Decimal(text)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -FRACTION_DIGITS or amount.adjusted() >= WHOLE_DIGITS:
        return None
    if exponent < -EXACT_FRACTION_DIGITS:
        amount = amount.quantize(KEPT, ROUND_HALF_UP) or max(amount, Decimal(0))
    # Turns 1E+3 into 1000 and -0 into 0, and keeps the decimals of 0.50.
    return amount + 0 if amount.adjusted() < WHOLE_DIGITS else None


def _word(value: object) -> str:
    return (str(value) if isinstance(value, bool) else _text(value)).lower()


def safe_id(value: object) -> str:
    """The text of an id that upstream gave an order or refill; "" when it is not 1 to 64 plain characters."""
    text = _text(value) if isinstance(value, str | int) else ""
    return text if _SAFE_ID.fullmatch(text) and text.strip("0") and not text.startswith("-") else ""


def refusal_text(answer: Mapping[str, object], field: str) -> str:
    """Upstream's no in an answer or a row: its error, or the one that the trade puts where the id belongs; else ""."""
    return error_text(answer) or error_text(answer.get(field))


def has_proof(answer: Mapping[str, object], field: str) -> bool:
    """Whether something in `field` says that it has been done; the trade's error there does not."""
    value = answer.get(field)
    if isinstance(value, dict) and error_text(value):
        value = value.get(field) or value.get("id")
    return bool(value)


def made_id(answer: object, field: str, *, asked_id: str = "") -> str:
    """The id in `{"order": …}`, `{"refill": …}` or `{"cancel": …}`; Unclear without one.

    Unclear as well when the answer names another order than `asked_id`, the one that it was asked about.
    """
    upstream_id = safe_id(answer.get(field)) if isinstance(answer, dict) else ""
    if not upstream_id or not isinstance(answer, dict):
        raise Unclear(f"NotPanel's answer holds no {field} id.", said=snippet(answer))
    # A cancel's id is documented as its order's; where it is a number, as in the trade, it may be the cancel's own.
    if asked_id and (
        is_another(answer.get("order"), asked_id) or ("_" in asked_id and is_another(upstream_id, asked_id))
    ):
        raise Unclear("NotPanel's answer is about another order.", said=snippet(answer))
    return upstream_id


def is_another(value: object, asked_id: str) -> bool:
    """Whether a value is the id of another order: an id of the same kind, as `ord_…`, and not this one."""
    other = safe_id(value)
    return bool(other) and other != asked_id and _kind_of_id(other) == _kind_of_id(asked_id)


def _kind_of_id(upstream_id: str) -> str:
    """What stands before the underscore of `ord_…`; "" for a number."""
    return upstream_id.rpartition("_")[0] if "_" in upstream_id else ""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as upstream's catalog lists it; `rate` is USD per 1000 units (for Package: per package)."""

    upstream_id: int
    name: str
    type: str
    category: str
    rate: Decimal
    minimum: int
    maximum: int
    refill: bool
    cancel: bool
    dripfeed: bool


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of the catalog that was set aside: its beginning, why, and its service's id if that can be read."""

    raw: str
    why: str
    upstream_id: int | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """All services that can be ordered, in upstream's order, and the rows that make no sense."""

    rows: tuple[ServiceRow, ...]
    bad: tuple[BadRow, ...]

    @classmethod
    def parse(cls, answer: object) -> Self:
        """Reads the answer to `services`. The second row with an id is a bad one; inactive services are left out."""
        if not isinstance(answer, list) or len(answer) > CATALOG_ROWS:
            raise Unclear("NotPanel's catalog is not a list of services.", said=snippet(answer))
        rows: dict[int, ServiceRow] = {}
        bad = []
        for raw in answer:
            row = _service(raw)
            if isinstance(row, ServiceRow) and row.upstream_id in rows:
                row = "its id is taken by an earlier row"
            if isinstance(row, str):
                bad.append(BadRow(snippet(raw), row, _count(raw.get("service")) if isinstance(raw, dict) else None))
            elif _word(raw.get("active")) not in _NO:  # assumed name of the documented "active state"
                rows[row.upstream_id] = row
        return cls(tuple(rows.values()), tuple(bad))


def _service(raw: object) -> ServiceRow | str:
    """The service in a row of the catalog, or why the row has to be set aside."""
    if not isinstance(raw, dict):
        return "it is not an object"
    upstream_id, rate = _count(raw.get("service")), _money(raw.get("rate"))
    minimum, maximum = _count(raw.get("min")), _count(raw.get("max"))
    name, kind, category = (_text(raw.get(field)) for field in ("name", "type", "category"))
    if upstream_id is None or upstream_id < 1:
        return "it has no whole number as its id"
    if not name:
        return "it has no name"
    if len(name) > NAME_CHARACTERS or len(category) > CATEGORY_CHARACTERS or len(kind) > TYPE_CHARACTERS:
        return "its name, category or type is too long to be one"
    if rate is None or rate < 0:
        return "its rate is not an amount"
    if minimum is None or maximum is None or minimum < 0:
        return "its min or max is not a whole number"
    if minimum > maximum:
        return "its min is above its max"
    flags = [_word(raw.get(flag)) in _YES for flag in ("refill", "cancel", "dripfeed")]
    return ServiceRow(upstream_id, name, kind or "Default", category, rate, minimum, maximum, *flags)


def status_word(raw_status: object) -> str:
    """A status in the contract's spelling; "" when it is not text. A status that the contract does not know stays."""
    text = _text(raw_status) if isinstance(raw_status, str) else ""
    word = re.sub(r"[\s-]+", "_", text.lower())[:STATUS_CHARACTERS]
    return "cancelled" if word == "canceled" else word


def unread(raw: Mapping[str, object]) -> list[str]:
    """The names of the figures in a report's `raw` that cannot be read as a number."""
    readers: dict[str, Callable[[object], object]] = {"charge": _money, "remains": _count}
    return [name for name, read in readers.items() if name in raw and read(raw[name]) is None]


@dataclass(frozen=True, slots=True)
class Report:
    """What upstream reported about one order, and when we asked; None is a value that could not be read.

    `status` is in the contract's spelling; an unknown word stays. `raw` has every field as text, fit to store.
    """

    upstream_id: str
    status: str
    charge: Decimal | None
    start_count: int | None
    remains: int | None
    currency: str
    asked_at: datetime
    raw: dict[str, object]

    @classmethod
    def parse(cls, upstream_id: str, row: object, asked_at: datetime) -> Self:
        """Reads one order's `{"status": …}`; Unclear when it names no status."""
        status = status_word(row.get("status")) if isinstance(row, dict) else ""
        if not isinstance(row, dict) or not status:
            raise Unclear("NotPanel's report names no status.", said=snippet(row))
        if is_another(row.get("order"), upstream_id):
            raise Unclear("NotPanel's report is about another order.", said=snippet(row))
        return cls(
            upstream_id=upstream_id,
            status=status,
            charge=_money(row.get("charge")),
            start_count=_count(row.get("start_count")),
            remains=_count(row.get("remains")),
            currency=_text(row.get("currency")).upper()[:CURRENCY_CHARACTERS],
            asked_at=asked_at,
            raw={
                snippet(key): value if value is None or isinstance(value, bool) else snippet(_text(value) or value)
                for key, value in list(row.items())[:RAW_FIELDS]
            },
        )


@dataclass(frozen=True, slots=True)
class Reports:
    """The answer to one question about many orders, by upstream id: reports in `found`, and in `odd` the sentence
    that came instead of a report. Ids that upstream left out are in neither."""

    found: dict[str, Report]
    odd: dict[str, str]

    @classmethod
    def parse(cls, answer: object, asked_ids: Sequence[str], asked_at: datetime) -> Self:
        """Reads an object keyed by order, or a list whose rows name theirs.

        Rows of other orders are logged and passed over; Unclear when there are no others, for then the answer is
        another call's.
        """
        if not isinstance(answer, dict | list):
            raise Unclear("NotPanel's reports are not a table.", said=snippet(answer))
        rows, reports = list(answer.items() if isinstance(answer, dict) else _rows_by_order(answer)), cls({}, {})
        if others := others_in((upstream_id for upstream_id, _ in rows), asked_ids):
            log.warning("upstream reported on orders that were not asked about", extra={"orders": others})
            if asked_ids and len(others) == len(rows):
                raise Unclear("NotPanel's reports are about other orders.", said=snippet(answer))
        asked = set(asked_ids)
        for upstream_id, row in rows:
            if upstream_id not in asked:
                continue
            try:
                if error := error_text(row):
                    reports.odd[upstream_id] = error
                else:
                    reports.found[upstream_id] = Report.parse(upstream_id, row, asked_at)
            except Unclear as unclear:
                reports.odd[upstream_id] = str(unclear)
        return reports


def _rows_by_order(rows: Sequence[object]) -> Iterator[tuple[str, dict[str, object]]]:
    """(order id, row) of each row that names an order."""
    for row in rows:
        if isinstance(row, dict) and (upstream_id := safe_id(row.get("order"))):
            yield upstream_id, row


def others_in(upstream_ids: Iterable[str], asked_ids: Sequence[str]) -> list[str]:
    """Those of the ids that are orders', by the look of them, and that nobody asked about."""
    asked, kinds = set(asked_ids), {_kind_of_id(upstream_id) for upstream_id in asked_ids}
    return [each for each in upstream_ids if each not in asked and safe_id(each) and _kind_of_id(each) in kinds]


def row_answers(answer: object, asked_ids: Sequence[str], field: str) -> dict[str, str | NotPanelError]:
    """Each asked id's own answer to a batch `refill` or `cancel`, matched by the row's "order" and nothing else.

    A yes is the id in the row's `field`. Orders that came twice or not at all are Unclear.
    """
    if not isinstance(answer, list):
        raise Unclear(f"NotPanel's {field} answers are not a list.", said=snippet(answer))
    if others := others_in((upstream_id for upstream_id, _ in _rows_by_order(answer)), asked_ids):
        log.warning("upstream answered about orders that were not asked about", extra={"orders": others})
    answers: dict[str, str | NotPanelError] = {}
    for upstream_id, row in _rows_by_order(answer):
        if upstream_id in answers:
            answers[upstream_id] = Unclear("NotPanel answered twice about this order.", said=snippet(row))
        else:
            answers[upstream_id] = _row_answer(row, field, upstream_id)
    return {
        upstream_id: answers.get(upstream_id) or Unclear("NotPanel left this order out of its answer.")
        for upstream_id in asked_ids
    }


def _row_answer(row: dict[str, object], field: str, asked_id: str) -> str | NotPanelError:
    error = refusal_text(row, field)
    if error and has_proof(row, field):
        return Unclear("NotPanel said yes and no at once.", said=snippet(row))
    if error:
        return refusal(error, action=field)
    try:
        return made_id(row, field, asked_id=asked_id)
    except Unclear as unclear:
        return unclear


@dataclass(frozen=True, slots=True)
class Balance:
    """The account's money at the moment we asked (upstream's own figure may be 30 seconds old)."""

    amount: Decimal
    currency: str
    asked_at: datetime

    @classmethod
    def parse(cls, answer: object, asked_at: datetime) -> Self:
        """Reads the answer to `balance`; Unclear when it holds no amount."""
        amount = _money(answer.get("balance")) if isinstance(answer, dict) else None
        if amount is None or not isinstance(answer, dict):
            raise Unclear("NotPanel's balance is not an amount.", said=snippet(answer))
        return cls(amount, _text(answer.get("currency")).upper()[:CURRENCY_CHARACTERS], asked_at)
