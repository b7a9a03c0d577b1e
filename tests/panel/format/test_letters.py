"""Folding: what a person types in plain letters is found in whatever letters it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.format.letters import folded


@pytest.mark.parametrize(("text", "plain"), [
    ("Instagram Followers", "instagram followers"), ("𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 𝗙𝗼𝗹𝗹𝗼𝘄𝗲𝗿𝘀", "instagram followers"),
    ("𝓘𝓷𝓼𝓽𝓪𝓰𝓻𝓪𝓶", "instagram"), ("𝕴𝖓𝖘𝖙𝖆", "insta"), ("𝙸𝚗𝚜𝚝𝚊 𝟭𝟬𝟬", "insta 100"), ("Ｉｎｓｔａ　１００", "insta 100"),
    ("ⓘⓝⓢⓣⓐ", "insta"), ("🅘🅝🅢🅣🅐", "insta"), ("🅸🅽🆂🆃🅰", "insta"), ("🄸🄽🅂🅃🄰", "insta"),
    ("ɪɴꜱᴛᴀɢʀᴀᴍ", "instagram"), ("İstanbul Beğeni", "istanbul begeni"), ("ISTANBUL", "istanbul"),
    ("I\u0307stanbul Beg\u0306eni", "istanbul begeni"), ("IŞIK ışık", "isik isik"), ("Zoë", "zoe"),
    ("Zoe\u0308", "zoe"),
    ("Straße", "strasse"), ("Łódź Øre Æble", "lodz ore aeble"), ("ﬁne", "fine"), ("Ñandú", "nandu"), ("ёлка", "елка"),
    ("I\u0332n\u0332s\u0332t\u0332a\u0332", "insta"), ("I\u20e3n\u20e3s\u20e3", "ins"),
    ("In\u200bsta\u00adgram", "instagram"),
    ("\ufeffInsta\u2066gram\u2069", "instagram"), ("a\0b", "a b"), ("  a \t\n b\u2003c ", "a b c"), ("a\u2800b", "a b"),
    ("が", "が"), ("か\u3099", "が"), ("한국어", "한국어"), ("हिन्दी", "हिन्दी"), ("حقيقي", "حقيقي"),
    ("⚡ ★ ♻️", "⚡ ★ ♻"),
])  # fmt: skip
def test_letters_are_folded(text: str, plain: str) -> None:
    """Mathematical, full width, circled, small capital and decomposed letters, accents, and what shows nothing."""
    assert folded(text) == plain


@pytest.mark.parametrize(("one", "other"), [
    ("か", "が"), ("हिन्दी", "हन्द"), ("x", "×"), ("likes", "Iikes"), ("100", "1000"), ("a b", "ab"), ("o", "0"),
    ("п", "n"), ("حق", "حقّ2"), ("ig", "lg"), ("tg", "t g"),
])  # fmt: skip
def test_other_words_stay_other_words(one: str, other: str) -> None:
    """Marks that make another letter in their script stay, and nothing is taken for what it only resembles."""
    assert folded(one) != folded(other)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    """What is stored is folded, and so is what is typed."""
    assert folded(folded(text)) == folded(text)
    assert "\0" not in folded(text)
