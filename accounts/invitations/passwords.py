"""Which new passwords are refused: those that are guessed first. No kind of sign is asked for, nor anybody outside."""

import hashlib
import re
import string
import unicodedata
from abc import ABC, abstractmethod
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 1_000  # a longer text takes too long to look through
FEWEST_DIFFERENT = 5  # characters
LEAST_LETTERS = 4  # of a word that counts as one
LETTERS_LEFT = 6  # that must remain of a password without the words that are guessed first here
LEET = str.maketrans("01345789@$!|€", "oleastbgasiie")
NOT_LETTERS = re.compile(r"[\W\d_]+")
ENDS = string.digits + string.punctuation + string.whitespace
RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "01234567890123456789",
)
# Fingerprints of the 5,000 passwords that were used most among ten million that leaked, of those that are long enough
# to be taken here; Django's list holds fewer than 200 of that length. The passwords themselves are not kept.
LEAKED, FINGERPRINT_BYTES = Path(__file__).with_name("leaked.bin"), 5
PRODUCT_WORDS = ("notpanel", "orders", "order", "desk", "reseller", "dashboard")

TOO_SHORT = f"Use at least {LEAST_CHARACTERS} characters. Four words in a row are easy to keep in mind."
TOO_LONG = f"Use at most {MOST_CHARACTERS:,} characters."
KNOWN = "This password is among those that are tried first, or is one of them with something added. Choose another."
RUN = "This password repeats or counts up the same few characters. Choose another."
OF_DESK = "Without words of this desk, such as “order”, too little of this password is left. Add other words."
OF_HOST = "Without the name in this desk’s address, too little of this password is left. Add other words."
OF_PERSON = "Without your own name or e-mail address, too little of this password is left. Add other words."


class Rule(ABC):
    """A rule for new passwords, as Django wants it."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises a ValidationError with a sentence for a password that is refused."""
        if why := self.why_not(password, user):
            raise ValidationError(why)

    @abstractmethod
    def why_not(self, password: str, user: Any) -> str:
        """Why this password is refused; "" when it is not."""

    help_text = ""  # below the field of a new password

    def get_help_text(self) -> str:
        """What Django shows below the field."""
        return self.help_text


class LongEnough(Rule):
    """Refuses short passwords."""

    help_text = f"At least {LEAST_CHARACTERS} characters. Four words in a row are easy to keep in mind."

    def why_not(self, password: str, user: Any) -> str:
        """A sentence for fewer than 12 characters, and for a text that is no password any more."""
        return TOO_SHORT if len(password) < LEAST_CHARACTERS else TOO_LONG if len(password) > MOST_CHARACTERS else ""


class NotKnown(Rule):
    """Refuses the passwords that leaked most often, and what people make of those that Django lists."""

    help_text = "No password that many others have, and nothing like it."

    def why_not(self, password: str, user: Any) -> str:
        """A sentence for a known password and for a run of characters."""
        text = spelled(password)
        if is_run(text):
            return RUN
        return KNOWN if has_leaked(text) or any(map(is_known, variants(text))) else ""


class NotOfTheDesk(Rule):
    """Refuses passwords that are little more than what everybody here knows: the product, the host, the person."""

    help_text = "Not only your own name, or words such as “order” and “desk”."

    def why_not(self, password: str, user: Any) -> str:
        """A sentence for each of the three."""
        text = spelled(password).translate(LEET)
        for words, sentence in ((PRODUCT_WORDS, OF_DESK), (host_words(), OF_HOST), (own_words(user), OF_PERSON)):
            rest = text
            for word in sorted(words, key=len, reverse=True):
                rest = rest.replace(word, " ")
            if rest != text and len(NOT_LETTERS.sub("", rest)) < LETTERS_LEFT:
                return sentence
        return ""


def spelled(password: str) -> str:
    """The password in one spelling, whatever its capitals and the kind of its letters."""
    return unicodedata.normalize("NFKC", password[:MOST_CHARACTERS]).casefold()


def letters_of(text: str) -> str:
    """The letters alone, where digits and signs that stand for letters are read as these."""
    return NOT_LETTERS.sub("", text.translate(LEET))


def variants(text: str) -> set[str]:
    """What this password may be made of: itself, without what was put around it, and its letters, each said once."""
    bare = text.strip(ENDS)
    return {once(form) for form in (text, bare, letters_of(text), letters_of(bare), NOT_LETTERS.sub("", text))}


def once(text: str) -> str:
    """`monkeymonkey` → `monkey`; a text that repeats nothing as it is."""
    at = (text + text).find(text, 1)
    return text[:at] if text else text


@cache
def known_passwords() -> frozenset[str]:
    """Django's list of 20,000, and their letters alone. Read when the first password is chosen, in 20 ms."""
    listed = CommonPasswordValidator().passwords
    return frozenset(listed) | {word for word in map(letters_of, listed) if len(word) >= LEAST_LETTERS}


@cache
def leaked() -> frozenset[bytes]:
    """The fingerprints in LEAKED."""
    kept = LEAKED.read_bytes()
    return frozenset(kept[at : at + FINGERPRINT_BYTES] for at in range(0, len(kept), FINGERPRINT_BYTES))


def has_leaked(text: str) -> bool:
    """Whether a password leaked, in the spelling of `spelled`. Of 200 million others one is taken for such."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[:FINGERPRINT_BYTES] in leaked()


def is_known(text: str) -> bool:
    """Whether this is a known password, or two of them in a row."""
    known = known_passwords()
    return text in known or any(
        text[:at] in known and text[at:] in known for at in range(LEAST_LETTERS, len(text) - LEAST_LETTERS + 1)
    )


def is_run(text: str) -> bool:
    """Whether the password repeats few characters, or goes along the alphabet, the digits or a keyboard."""
    bare = NOT_LETTERS.sub("", text)
    return len(set(text)) < FEWEST_DIFFERENT or any(
        len(part) >= LEAST_LETTERS and (part in run or part in run[::-1]) for part in (text, bare) for run in RUNS
    )


def host_words() -> set[str]:
    """The parts of the names under which people reach the desk, without endings such as .com."""
    hosts = [*settings.ALLOWED_HOSTS, urlsplit(settings.DESK_URL).hostname or ""]
    labels = {label for host in hosts for label in host.casefold().strip(".").split(".")[:-1]}
    return {part for label in labels for part in (label, *label.split("-")) if len(letters_of(part)) >= LEAST_LETTERS}


def own_words(user: Any) -> set[str]:
    """The parts of a person's names and of their address."""
    if user is None:
        return set()
    texts = (user.username, user.name, user.email.partition("@")[0])
    parts = {part for text in texts for part in (spelled(text), *re.split(r"[\W_]+", spelled(text)))}
    return {part for part in parts if len(part) >= LEAST_LETTERS - 1}
