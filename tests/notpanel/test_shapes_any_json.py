"""Every parse, given any JSON at all: its shape or Unclear."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from panel.notpanel.errors import Unclear
from panel.notpanel.shapes import Balance, Catalog, Report, Reports, made_id, read_json, row_answers
from tests.notpanel.test_client_malformed import check_sound

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
IDS = ["ord_1", "ord_2"]
PARSES: dict[str, Callable[[object], object]] = {
    "catalog": Catalog.parse,
    "report": lambda answer: Report.parse("ord_1", answer, NOW),
    "reports": lambda answer: Reports.parse(answer, IDS, NOW),
    "balance": lambda answer: Balance.parse(answer, NOW),
    "refills": lambda answer: row_answers(answer, IDS, "refill"),
    "cancels": lambda answer: row_answers(answer, IDS, "cancel"),
    "order": lambda answer: made_id(answer, "order"),
}
WORDS = st.sampled_from(
    [
        *("ord_1", "ord_2", "order", "refill", "cancel", "status", "error", "balance", "currency", "charge"),
        *("remains", "start_count", "service", "name", "type", "category", "rate", "min", "max", "dripfeed"),
        *("active", "pending", "Canceled", "0,50", "1e400", "NaN", "1,234", "true"),
    ]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | WORDS
)
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=6)
)
LIKELY = st.dictionaries(WORDS, SCALARS, max_size=12)


@pytest.mark.parametrize("parse", PARSES)
@settings(deadline=None)  # a busy machine is not a finding
@given(answer=ANY | LIKELY | st.lists(LIKELY, max_size=4) | st.dictionaries(st.sampled_from(IDS), LIKELY))
@example(answer={"status": "\ud800", "\x00": "\x00"})
def test_it_is_a_sound_shape_or_unclear(parse: str, answer: object) -> None:
    try:
        check_sound(PARSES[parse](read_json(json.dumps(answer))))
    except Unclear as unclear:
        check_sound(unclear)


@settings(deadline=None)  # a busy machine is not a finding
@given(text=st.text() | st.text(alphabet='{}[]",:0123456789.eE+-nulltrue \\u'))
def test_it_reads_any_text_or_says_that_it_is_not_json(text: str) -> None:
    try:
        again = read_json(text)
    except ValueError as wrong:
        assert str(wrong)
    else:
        assert json.dumps(again, default=str)
