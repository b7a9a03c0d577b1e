"""Templates: filled in one pass, checked when they are saved, and never markup or a formula."""

import pytest

from orders.answers.template import cleaned, fill, mistakes


def test_a_part_in_brackets_goes_when_a_fact_in_it_is_unknown() -> None:
    template = "{order}[, {delivered} so far][ of {quantity}]."
    assert fill(template, {"order": "7", "delivered": "", "quantity": "9"}) == "7 of 9."
    assert fill(template, {"order": "7", "delivered": "5", "quantity": "9"}) == "7, 5 so far of 9."


def test_a_fact_is_never_read_as_a_template() -> None:
    hostile = "https://a.b/{service}[{order}]{0.__class__}%s"
    assert fill("{link}|{service}", {"link": hostile, "service": "{link}"}) == f"{hostile}|{{link}}"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "ok\n=HYPERLINK(1)", "ok\n\t=1", "\t=1"])
def test_no_line_of_an_answer_is_a_formula(text: str) -> None:
    assert all(line[0] not in "=+-@＝\t" for line in cleaned(text).split("\n"))


def test_letters_that_nobody_sees_are_left_out() -> None:
    assert cleaned("a\u202eb\0c \u2066 d\x07\r\n e  f ") == "a b c d\ne f"


@pytest.mark.parametrize("text, sentence", [
    ("{which} {ordr}", "Did you mean {order}?"), ("{which} {zzzz}", "Those there are: {which}, {order}"),
    ("{which} {}", "{} is no placeholder"), ("{which} {order", "A { or } stands alone"),
    ("{order.pk.__class__}", "{order.pk.__class__} is no placeholder"),
    ("{{order}}", "A { or } stands alone"), ("{which} [as of", "A [ or ] stands alone"),
    ("[a [b {checked}]]", "A [ or ] stands alone"), ("[please] {which}", "“[please]” has no placeholder in it"),
    ("{delivered} are there", "Put the part of the sentence with it in brackets: [… {delivered}]"),
    ("", "Write a text."), (" \n ", "Write a text."), ("x" * 1_001, "1,001 characters; at most 1,000"),
    ("Our supplier has it.", "Leave out “supplier”"), ("el proveedor no contesta", "Leave out “proveedor”"),
    ("Upstream says no.", "Leave out “Upstream”"), ("=HYPERLINK({link})", "Begin each line with a letter"),
    ("Hello\n- {which}", "Begin each line with a letter"),
])  # fmt: skip
def test_a_mistake_is_told_in_a_sentence(text: str, sentence: str) -> None:
    assert sentence in " ".join(mistakes("completed", text))


@pytest.mark.parametrize("situation, text", [
    ("completed", "¡Listo! {which}"), ("late", "{which}\n\n[{delivered} / {quantity}, {remains}][ {checked}] 👍"),
    ("unknown", "No order “{written}”."), ("which", "#{order}[ / {reference}], {service}, {link}, {quantity}"),
])  # fmt: skip
def test_what_is_well_formed_can_be_saved(situation: str, text: str) -> None:
    assert mistakes(situation, text) == []


def test_an_unknown_number_has_no_order_to_tell_of_and_which_cannot_name_itself() -> None:
    assert "{order} is no placeholder of this text" in mistakes("unknown", "{order}")[0]
    assert "{which} is no placeholder of this text" in mistakes("which", "{which}")[0]
