"""Part of a link, a name, a service: orders in which every word occurs, by an index over all parts of words.

SQLite keeps it as a table of trigrams, PostgreSQL as an index of them (statistics/search_index.py). Both lead from
three characters on; shorter words only narrow down what others found.
"""

from django.db import connection
from django.db.models import Q

from orders.models import Order, Words
from orders.rules.search_text import folded, without_scheme
from orders.table.filters import Keys

LEAST = 3  # characters of a word that the index can find
MOST_WORDS = 8


def words_in(text: str) -> list[str]:
    """The words to look for, as they are compared."""
    words = (folded(without_scheme(word)) for word in text.split()[:MOST_WORDS])
    return [word for word in words if word]


def holding(words: list[str]) -> Q:
    """The condition on an order, for orders that something else found."""
    return Q(*(Q(haystack__contains=word) for word in words))


def keys_of(words: list[str]) -> Keys | None:
    """Orders in which every word of three characters or more occurs, by the index; None when there is no such word."""
    long = [word for word in words if len(word) >= LEAST]
    if not long:
        return None
    if connection.vendor != "sqlite":
        return Keys(Order.objects.filter(holding(long)))
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in long)
    return Keys(Words.objects.extra(where=["orders_words MATCH %s"], params=[quoted]), "order_id")
