"""Folds a text for comparing: fancy letters, accents, capitals and blanks make no difference to a search."""

import unicodedata

# Letters that Unicode takes apart into no plain one: without a dot, with a bar, two in one.
BARRED = {"ı": "i", "ȷ": "j", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ŋ": "n", "þ": "th",
          "æ": "ae", "œ": "oe"}  # fmt: skip
SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
WHITE_ON_BLACK = {first + n: chr(ord("a") + n) for first in (0x1F150, 0x1F170) for n in range(26)}  # 🅐, 🅰
# Marks on Latin, Greek and Cyrillic letters, and around any. Those of other scripts make other letters.
MARKS = (range(0x300, 0x370), range(0x1AB0, 0x1B00), range(0x1DC0, 0x1E00), range(0x20D0, 0x2100),
         range(0xFE20, 0xFE30))  # fmt: skip
# Takes no room and changes no letter: joiners, directions, a byte order mark, variants of emoji.
UNSEEN = (range(0xAD, 0xAE), range(0x61C, 0x61D), range(0x180B, 0x180F), range(0x200B, 0x2010), range(0x202A, 0x202F),
          range(0x2060, 0x2070), range(0xFE00, 0xFE10), range(0xFEFF, 0xFF00))  # fmt: skip
BLANKS = dict.fromkeys((0, 0x115F, 0x1160, 0x2800), " ")  # NUL, which PostgreSQL takes in no text, and empty letters

FOLDS: dict[int, str | None] = {
    **dict.fromkeys(code for codes in (*MARKS, *UNSEEN) for code in codes),
    **{ord(letter): plain for letter, plain in (BARRED | SMALL_CAPITALS).items()},
    **WHITE_ON_BLACK,
    **BLANKS,
}


def folded(text: str) -> str:
    """The text as searches compare it. Folding it again changes nothing."""
    if text.isascii():
        return " ".join(text.replace("\0", " ").lower().split())
    plain = unicodedata.normalize("NFKD", text).casefold().translate(FOLDS)
    # Together again, what no mark was taken from: か and ゛, the parts of a Korean syllable.
    return " ".join(unicodedata.normalize("NFKC", plain).split())
