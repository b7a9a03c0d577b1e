"""The texts of one language, and from an order's facts the answer to its customer.

Every page, receipt and file asks here: `Texts.load(language).answer(order)`.
"""

from functools import lru_cache
from typing import Any, NamedTuple, Self

from django.conf.locale import LANG_INFO

from orders.answers.facts import situation_of, values_of
from orders.answers.situations import SITUATIONS, UNKNOWN, WHICH
from orders.answers.template import cleaned, fill, one_line
from orders.models import AnswerText, Order, Worklist

ENGLISH = "en"


class Answer(NamedTuple):
    """A text for a customer, and the situation that it tells of."""

    situation: str
    text: str

    @property
    def name(self) -> str:
        """The situation’s name for the team."""
        return SITUATIONS[self.situation].name


class Texts(NamedTuple):
    """The templates of one language. One that is not translated is English: the team’s, else the desk’s own."""

    language: str
    templates: dict[str, str]

    @classmethod
    def load(cls, language: str) -> Self:
        """The templates of this language, in one query."""
        rows = AnswerText.objects.filter(language__in={ENGLISH, language}).values_list("language", "situation", "text")
        own: dict[str, dict[str, str]] = {ENGLISH: {}, language: {}}
        for of, situation, text in rows:
            own[of][situation] = text
        return cls(
            language, {key: situation.text for key, situation in SITUATIONS.items()} | own[ENGLISH] | own[language]
        )

    def answer(self, order: Order, asked: str = "", written: str = "") -> Answer:
        """The answer about an order. `asked` is what its customer wanted, `written` how the customer named it."""
        situation = situation_of(order, asked)
        return Answer(situation, self.fill(self.templates[situation], order, situation, written))

    def unknown(self, written: str) -> Answer:
        """The answer about what a customer named and no order is."""
        return Answer(UNKNOWN, cleaned(fill(self.templates[UNKNOWN], {"written": one_line(written)})))

    def fill(self, template: str, order: Order, situation: str, written: str = "") -> str:
        """A template filled in with the facts of an order."""
        values = values_of(order, situation, written)
        return cleaned(fill(template, {**values, WHICH: fill(self.templates[WHICH], values)}))


# ── Languages ────────────────────────────────────────────────────────────────────────────────────
@lru_cache(maxsize=1)
def known_languages() -> dict[str, str]:
    """Every language that texts may be written in: its code and its own name for itself."""
    names = {code: facts["name_local"] for code, facts in LANG_INFO.items() if "name_local" in facts}
    return dict(sorted(((code, name[0].upper() + name[1:]) for code, name in names.items()), key=lambda pair: pair[1]))


def languages_in_use() -> dict[str, str]:
    """The languages that have a text, and English: code and name."""
    codes = {ENGLISH, *AnswerText.objects.order_by().values_list("language", flat=True).distinct()}
    return {code: name for code, name in known_languages().items() if code in codes}


def right_to_left(language: str) -> bool:
    """Whether this language is written from right to left."""
    return bool(LANG_INFO.get(language, {}).get("bidi"))


def language_of(user: Any) -> str:
    """The language that this person chose last for a message; English before the first choice."""
    last = Worklist.objects.filter(by=user.pk).order_by("-chosen_at").values_list("language", flat=True).first()
    return last or ENGLISH
