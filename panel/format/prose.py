"""Numbers in prose: which of them say how many, how much or when, by the words beside them, in a few languages."""

import re

# Before a number: a quantity, an amount, or the beginning of a phone number.
LABELS = (
    "quantity qty quantities amounts? counts? counter remains? remaining prices? costs? charged? paid pays? balance "
    "rate total interval runs? lost gained delivered received than age tel telephone phone mobile whatsapp viber pin "
    "code zip menge miktar cantidad quantité quantità количество usd eur gbp inr rs (?-i:TRY)"
)
# Before a number, also with `id` or `#` between: things that have numbers of their own.
THINGS = (
    "service ticket invoice customer client user account profile post package payment transaction room reel video "
    "story item product page"
)
# Behind a number. Singulars only where many people write them for many.
UNITS = (
    "s secs? seconds? mins? minutes? h hrs? hours? d days? weeks? wks? months? years? yrs? "
    "tage?n? wochen? stunden gün saat días? dias? horas? jours? heures? giorni ore дней дня часов "
    "usdt? eur gbp (?-i:TRY) inr brl rub btc dollars? bucks euros? pounds? cents? rupees? rs lira tl rubles? percent "
    "likes? followers? subs subscribers? members? views? viewers? plays? comments? shares? votes? reactions? saves? "
    "retweets? reposts? streams? listeners? impressions? mentions? visits? visitors? clicks? friends? "
    "takipçi beğeni seguidores abonnenten abonnés подписчиков лайков просмотров "
    "k mln pcs pieces? units? items posts reels videos photos stories accounts customers users people persons "
    "orders tickets others? more times runs"
)
# Between a number and its unit.
MODIFIERS = (
    "more free real new extra lost missing working business calendar hq instagram ig tiktok youtube yt telegram tg "
    "facebook fb twitter x spotify"
)
# In small letters `may` and `march` mostly are other words.
MONTHS = (
    "jan(?:uary)? feb(?:ruary)? (?-i:Mar(?:ch)?) (?-i:May) apr(?:il)? june? july? aug(?:ust)? sept?(?:ember)? "
    "oct(?:ober)? nov(?:ember)? dec(?:ember)?"
)


def any_of(words: str) -> str:
    """A pattern for one of these words, which blanks separate."""
    return f"(?:{'|'.join(words.split())})"


NUMBER_WORD = r"(?:[\s_-]{0,2}(?:ids?|no|nr|num|numbers?)\b\.?)?"  # `order no. 112`
BEFORE_DIGITS = r"[\s:=.#№_–([-]{0,5}$"
STANDS_AT = r"(?:stuck|stopped|stays?|stands?|still|is|was) at"
LABEL = re.compile(
    rf"\b(?:{any_of(LABELS)}(?:\s(?:is|was|of|to|from|about|around))?|{STANDS_AT}|{any_of(MONTHS)}\.?"
    rf"|{any_of(THINGS)}{NUMBER_WORD}){BEFORE_DIGITS}|\+[\d\s-]{{1,20}}$",
    re.I,
)
UNIT = re.compile(
    rf"(?:[ \t\xa0]{{1,2}}|-)(?:{any_of(MODIFIERS)}[ \t]){{0,2}}{any_of(f'{UNITS} {MONTHS}')}(?!\w)", re.I
)
OF = re.compile(r"\s{1,3}(?:out\s)?of\s{1,3}", re.I)
BULLET = re.compile(r"^[ \t]*(\d{1,2})[.)][ \t]+\S", re.M)


def is_labelled(before: str) -> bool:
    """Whether the text before a number says that it is a quantity, an amount, a phone number or another thing's."""
    return bool(LABEL.search(before))


def has_unit(behind: str) -> bool:
    """Whether the text behind a number says what it counts, or which month it is a day of."""
    return bool(UNIT.match(behind))


def is_part_of(between: str) -> bool:
    """Whether the text between two numbers makes the first a part of the second: `50 of 100`."""
    return bool(OF.fullmatch(between))


def bullets(text: str) -> set[int]:
    """Where the numbers stand that only count the lines of a text: `1. …`, `2) …`."""
    return {match.start(1) for match in BULLET.finditer(text)}
