"""Every sentence that is put together reads as one, in every combination; tests/sentences.py says how to print them."""

import re

import pytest

from orders.rules.event_text import SENTENCES
from panel.alarms.kinds import KINDS
from tests.sentences import GROUPS, alarm_facts, sentences

# What no sentence may hold, and what it would say.
WRONG = {
    "a part that is missing": r"\?\?|\bNone\b|\{|\}|\bUndefined\b|“”|: \.|^\?| \?[ .]",
    "two marks that meet": r"[.,;:!?]\.|\.”\.|[,;:]{2}|,\?|\band\?|[(] | [)]",
    "a blank before a mark, or two blanks": r" [,.;:!?]|  ",
    "one of many": r"(?<![\d,.] )(?<![\d,.])\b1 (more )?(orders|refills|services|tries|answers|hours|times|lines) ",
    "many of one": r"\b([02-9]|\d{2,}) (more )?(order|refill|service|try|answer|hour|line)\b(?! of)",
    "a verb of the other number": r"\b1 (more )?(order|service) (need|wait|have|are)\b|[2-9] orders (needs|waits|is)\b",
    "more than there are": r"\b([2-9]|1\d) of ([01]) used\b",
    "a word twice": r"\b(a|an|the|is|of|and|or|at|in|to|that|it) \1\b",
    "the old question": r"answer as its number",
}


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_each_sentence_reads_as_one_in_every_combination(group: str) -> None:
    wrong = [
        f"{what}: {sentence}"
        for sentence in sentences(group)
        for what, pattern in WRONG.items()
        if re.search(pattern, sentence)
    ]
    shapeless = [
        sentence for sentence in sentences(group)
        if not (sentence[0].isupper() or sentence[0].isdigit() or sentence[0] == "“") or sentence[-1] not in ".?!”"
    ]  # fmt: skip
    assert not wrong, "\n".join(wrong)
    assert not shapeless, "\n".join(shapeless)


@pytest.mark.slow
def test_the_list_has_every_kind_of_event_and_of_alarm() -> None:
    assert len(sentences("timeline")) >= len(SENTENCES)
    assert {kind for kind, _ in alarm_facts()} == set(KINDS)
    assert all(len(sentences(group)) >= 10 for group in GROUPS)
