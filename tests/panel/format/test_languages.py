"""In which language a text of somebody else's is read aloud."""

import pytest

from panel.format.languages import apart, lang_attribute, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Instagram Followers", ""), ("Abonnés réels — qualité", ""), ("", ""), ("★ ♻️ 123", ""),
        ("Подписчики Instagram живые русские", "ru"), ("متابعين انستقرام", "ar"), ("Ακόλουθοι", "el"), ("עוקבים", "he"),
        ("粉丝", "zh"), ("フォロワー 増加", "ja"), ("팔로워", "ko"), ("ผู้ติดตาม", "th"), ("फ़ॉलोअर्स", "hi"),
        ("Instagram Followers — Ελληνικά, العربية | Real & Active", ""),  # a voice of English reads most of it
    ],
)  # fmt: skip
def test_it_is_the_language_of_most_letters(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_text_is_kept_apart_and_escaped() -> None:
    assert apart("Ana <b>") == "<bdi>Ana &lt;b&gt;</bdi>"
    assert apart("Ακόλουθοι", "clip") == '<bdi class="clip" lang="el">Ακόλουθοι</bdi>'
    assert lang_attribute("Ana") == ""
