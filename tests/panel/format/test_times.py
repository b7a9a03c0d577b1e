"""Times in words, and the exact one beside them."""

from datetime import UTC, datetime, timedelta

import pytest

from panel.format.times import ago_words, span_tag, time_tag, took

NOW = datetime(2026, 11, 20, 14, 7, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"), (0.9, "now"), (1, "1 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3_599, "59 min ago"),
        (3_600, "1 h ago"), (86_400, "1 d ago"), (29 * 86_400, "29 d ago"), (31 * 86_400, "20 Oct 2026"),
        (-40, "in 40 s"), (-7_200, "in 2 h"),
    ],
)  # fmt: skip
def test_a_time_is_told_in_words(seconds: float, words: str) -> None:
    assert ago_words(NOW - timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h"), (6_600, "1 h 50 min"),
        (86_400, "1 d"), (86_400 + 1_980, "1 d"), (2 * 86_400 + 7 * 3_600 + 60, "2 d 7 h"),
    ],
)  # fmt: skip
def test_how_long_it_took_is_told_in_two_units_at_most(seconds: float, words: str) -> None:
    assert took(timedelta(seconds=seconds)) == words


def test_how_long_it_is_since_is_told_without_ago() -> None:
    now = datetime.now(UTC)
    assert ">2 h</time>" in span_tag(now - timedelta(hours=2, minutes=5))
    assert ">45 d</time>" in span_tag(now - timedelta(days=45, hours=1))
    assert ">0 s</time>" in span_tag(now + timedelta(minutes=1))


def test_the_exact_time_is_shown_on_hover() -> None:
    tag = time_tag(NOW, looked='7"')
    assert 'datetime="2026-11-20T14:07:12+00:00" title="2026-11-20 14:07:12 UTC"' in tag
    assert 'data-looked="7&#34;"' in tag
