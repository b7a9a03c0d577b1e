"""The team's own texts: written and taken back by managers, each change with a name in what happened."""

from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from orders.answers.situations import SITUATIONS
from orders.answers.template import mistakes
from orders.answers.texts import ENGLISH, known_languages
from orders.models import AnswerText, Event
from orders.rules.refusal import Refusal, require_allowed


class Unfit(Refusal):
    """A template that cannot be saved, with each mistake in it."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(" ".join(found))
        self.mistakes = found


class TextRow(NamedTuple):
    """One situation on the page of texts: the text that holds in a language, and whose it is."""

    situation: str
    name: str
    text: str
    own: AnswerText | None  # the team’s, in this language
    translated: bool  # False: the English text is used


def text_rows(language: str) -> dict[str, list[TextRow]]:
    """Group → its situations with the texts of this language."""
    rows = AnswerText.objects.filter(language__in={ENGLISH, language}).select_related("changed_by")
    own = {(row.language, row.situation): row for row in rows}
    groups: dict[str, list[TextRow]] = {}
    for key, situation in SITUATIONS.items():
        mine, english = own.get((language, key)), own.get((ENGLISH, key))
        holds = mine or english
        row = TextRow(
            key, situation.name, holds.text if holds else situation.text, mine, bool(mine) or language == ENGLISH
        )
        groups.setdefault(situation.group, []).append(row)
    return groups


def text_row(situation: str, language: str) -> TextRow:
    """One situation with its text of this language."""
    return next(row for rows in text_rows(language).values() for row in rows if row.situation == situation)


def save_text(situation: str, language: str, text: str, *, saw: str, by: Any) -> bool:
    """Keeps the team’s text of a situation; False when it was so already.

    `saw` is the text that the person's page showed: a teammate's change since then is not written over.
    """
    text = text.replace("\r\n", "\n").strip()
    if found := mistakes(situation, text):
        _require(situation, language, by)
        raise Unfit(found)
    return _write(situation, language, text, saw=saw, by=by)


def take_back(situation: str, language: str, *, saw: str, by: Any) -> bool:
    """Drops the team’s text: then the desk’s own or the English one holds. False if there is none."""
    return _write(situation, language, "", saw=saw, by=by)


def _write(situation: str, language: str, text: str, *, saw: str, by: Any) -> bool:
    _require(situation, language, by)
    with transaction.atomic():
        rows = AnswerText.objects.select_for_update().filter(language=language, situation=situation)
        before, shown = rows.first(), text_row(situation, language)
        if shown.text != saw.replace("\r\n", "\n"):
            whose = f"{shown.own.changed_by} has changed" if shown.own else "Somebody has taken back"
            raise Refusal(f"{whose} this text meanwhile. It stands below; save yours once more to replace it.")
        if (before.text if before else "") == text:
            return False
        at = timezone.now()
        if text:
            values = {"text": text, "changed_by": by, "changed_at": at}
            AnswerText.objects.update_or_create(language=language, situation=situation, defaults=values)
        else:
            rows.delete()
        facts = {"name": SITUATIONS[situation].name, "language": known_languages()[language]}
        Event.objects.create(kind="text_changed" if text else "text_dropped", by=by, at=at, facts=facts)
    return True


def _require(situation: str, language: str, by: Any) -> None:
    require_allowed(by, "settings")
    if situation not in SITUATIONS or language not in known_languages():
        raise Refusal("There is no such text.")
