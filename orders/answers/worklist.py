"""The answers to one message: kept as what it named, and written anew from the facts whenever a page asks."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from accounts.trail.record import record_change, what_changed
from orders.answers.template import cleaned, unfit_words
from orders.answers.texts import Answer, Texts, known_languages, language_of, languages_in_use
from orders.models import AnswerText, Order, Worklist
from orders.rules.refusal import Refusal, require_allowed
from panel.ops.database import batches
from panel.web.polling import version_of

BATCH_ORDERS = 500  # read together


class Line(NamedTuple):
    """One answer of a worklist."""

    place: int  # in the message, from 1 on
    written: str
    order: Order | None
    answer: Answer
    changed_by: str = ""  # who changed the text by hand
    now: str = ""  # what the facts say now, where they have moved on since it was changed

    @property
    def one_line(self) -> str:
        """The text without line ends."""
        return " ".join(self.answer.text.split())


# ── Keeping ──────────────────────────────────────────────────────────────────────────────────────
def keep_worklist(entries: Iterable[tuple[str, int]], asked: str, *, by: Any, at: datetime | None = None) -> Worklist:
    """Keeps what is to be answered, each word with its order or 0, in the customers' language.

    Without one language of all their customers, it is the one that this person chose last.
    """
    at, entries = at or timezone.now(), list(entries)
    language = language_of_all(pk for _, pk in entries) or language_of(by)
    with transaction.atomic():
        worklist = Worklist.objects.create(by=by, at=at, asked=asked, entries=entries, language=language, chosen_at=at)
        record_answers("answers_pasted", worklist, by=by, at=at, count=len(entries))
    return worklist


def language_of_all(pks: Iterable[int]) -> str:
    """The language of the customers of these orders, if it is one and has texts; else ""."""
    named: set[str] = set()
    for batch in batches({*pks} - {0}, BATCH_ORDERS):
        theirs = Order.objects.filter(pk__in=batch, customer__isnull=False).order_by()
        named |= {*theirs.values_list("customer__language", flat=True).distinct()}
    language = named.pop() if len(named) == 1 else ""
    return language if language in languages_in_use() else ""


def record_answers(kind: str, worklist: Worklist, *, by: Any, **columns: Any) -> None:
    """Records what became of the answers of a message."""
    record_change(kind, by=by, thing="message", thing_id=worklist.pk, label=str(worklist.pk), **columns)


def choose_language(worklist: Worklist, language: str, *, by: Any) -> None:
    """Has the answers written in this language, and remembers it for the next message of the one who pasted this."""
    require_allowed(by, "note")
    if language not in known_languages():
        raise Refusal("This language cannot be chosen. Choose one of those shown.")
    with transaction.atomic():
        Worklist.objects.filter(pk=worklist.pk).update(language=language, chosen_at=timezone.now())
        languages = what_changed({"language": worklist.language}, {"language": language})
        record_answers("answers_language", worklist, by=by, **languages)


def change_answer(worklist: Worklist, place: int, text: str | None, *, by: Any) -> None:
    """Keeps a person’s own text in place of one answer; None takes it back."""
    require_allowed(by, "note")
    if not 1 <= place <= len(worklist.entries):
        raise Refusal("This answer is not here any more.")
    if text is not None and (wrong := unfit_words(text)):
        raise Refusal(" ".join(wrong))
    with transaction.atomic():
        kept = Worklist.objects.select_for_update().get(pk=worklist.pk)
        kept.changed.pop(str(place), None)
        if text is not None:
            [line] = lines_of(kept, only=place)
            kept.changed[str(place)] = {"text": cleaned(text), "by": str(by), "situation": line.answer.situation}
        kept.save(update_fields=["changed"])
        record_answers("answer_changed", worklist, by=by, place=place, taken_back=text is None)


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────
class Answers:
    """The answers of one worklist; without one, of orders that no message named."""

    def __init__(self, worklist: Worklist | None, *, asked: str = "", language: str = "") -> None:
        self.texts = Texts.load(worklist.language if worklist else language)
        self.asked = worklist.asked if worklist else asked
        self.changed = worklist.changed if worklist else {}
        entries = worklist.entries if worklist else []
        self.places = {pk: (place, word) for place, (word, pk) in enumerate(entries, start=1) if pk}

    def about(self, order: Order) -> Answer:
        """The answer about an order: what a person wrote, else what the facts say."""
        place, word = self.places.get(order.pk, (0, ""))
        answer = self.texts.answer(order, self.asked, word)
        changed = self.changed.get(str(place))
        return Answer(answer.situation, changed["text"]) if changed else answer


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────
def lines_of(worklist: Worklist, only: int = 0) -> list[Line]:
    """The answers in the order of the message; `only` gives the one at this place."""
    texts, places = Texts.load(worklist.language), list(enumerate(worklist.entries, start=1))
    if only:
        places = places[only - 1 : only]
    orders = read_orders(pk for _, (_, pk) in places)
    return [_line(worklist, texts, place, word, orders.get(pk)) for place, (word, pk) in places]


def read_orders(pks: Iterable[int]) -> dict[int, Order]:
    """These orders by id, with what an answer tells of, in a few queries however many they are."""
    found: dict[int, Order] = {}
    for batch in batches({*pks} - {0}, BATCH_ORDERS):
        found |= Order.objects.for_table().defer("body", "said", "haystack").in_bulk(batch)
    return found


def _line(worklist: Worklist, texts: Texts, place: int, word: str, order: Order | None) -> Line:
    answer = texts.answer(order, worklist.asked, word) if order else texts.unknown(word)
    changed = worklist.changed.get(str(place))
    if not changed:
        return Line(place, word, order, answer)
    now = answer.text if answer.situation != changed["situation"] else ""
    return Line(place, word, order, Answer(answer.situation, changed["text"]), changed["by"], now)


def by_situation(lines: Iterable[Line]) -> dict[str, int]:
    """Situation → how many of the answers tell of it, the most frequent first."""
    return dict(Counter(line.answer.situation for line in lines).most_common())


def copied(lines: Iterable[Line], *, in_blocks: bool) -> str:
    """All answers as one text in the order of the message: one in a line, or in blocks with a blank line between."""
    return "\n\n".join(line.answer.text for line in lines) if in_blocks else "\n".join(line.one_line for line in lines)


def version_of_answers(worklist: Worklist) -> str:
    """A text that changes when an answer may, told without writing them."""
    orders = Order.objects.filter(pk__in=[pk for _, pk in worklist.entries if pk])
    late = Count("pk", filter=Q(late_from__lte=timezone.now()))
    facts = orders.order_by().aggregate(count=Count("pk"), versions=Sum("version"), late=late)
    texts = AnswerText.objects.order_by().aggregate(count=Count("pk"), last=Max("changed_at"))
    return version_of(worklist.language, worklist.asked, worklist.changed, facts, texts)
