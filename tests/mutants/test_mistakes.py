"""Every mistake can still be planted: its code stands where it says, once, and so do the tests that must notice."""

import pytest

from tests import ROOT
from tests.mutants.__main__ import MISTAKES
from tests.mutants.mistake import Mistake


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_can_be_planted(mistake: Mistake) -> None:
    assert (ROOT / mistake.file).read_text().count(mistake.old) == 1
    assert mistake.new != mistake.old
    for test in mistake.tests.split():
        assert (ROOT / test.partition("::")[0]).exists(), test


def test_no_two_mistakes_share_a_name() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES)
