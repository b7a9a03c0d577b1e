"""The index behind searches for words: each three characters in a row of `haystack`, an order's search text."""

from orders.models import Tally
from orders.statistics.triggers import Triggers

TRIGGERS = Triggers(
    table=Tally._meta.db_table,  # came in the same migration as the search text
    complete={
        "sqlite": "SELECT COUNT(*) = 4 FROM sqlite_master "
        "WHERE name IN ('orders_words', 'orders_words_new', 'orders_words_folded', 'orders_words_gone')",
        "postgresql": "SELECT COUNT(*) FROM pg_indexes WHERE indexname = 'orders_words'",
    },
    statements={
        "sqlite": [
            # An external-content table: it stores the index alone and reads the text from orders_order.
            """CREATE VIRTUAL TABLE IF NOT EXISTS orders_words
            USING fts5 (haystack, content='orders_order', content_rowid='id', tokenize='trigram')""",
            """CREATE TRIGGER IF NOT EXISTS orders_words_new AFTER INSERT ON orders_order
            BEGIN INSERT INTO orders_words (rowid, haystack) VALUES (NEW.id, NEW.haystack); END""",
            # A search text changes only where fill_old_orders folds it anew.
            """CREATE TRIGGER IF NOT EXISTS orders_words_folded AFTER UPDATE OF haystack ON orders_order
            WHEN OLD.haystack <> NEW.haystack
            BEGIN
                INSERT INTO orders_words (orders_words, rowid, haystack) VALUES ('delete', OLD.id, OLD.haystack);
                INSERT INTO orders_words (rowid, haystack) VALUES (NEW.id, NEW.haystack);
            END""",
            """CREATE TRIGGER IF NOT EXISTS orders_words_gone AFTER DELETE ON orders_order
            BEGIN
                INSERT INTO orders_words (orders_words, rowid, haystack) VALUES ('delete', OLD.id, OLD.haystack);
            END""",
            "INSERT INTO orders_words (orders_words) VALUES ('rebuild')",
        ],
        "postgresql": [
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "CREATE INDEX IF NOT EXISTS orders_words ON orders_order USING gin (haystack gin_trgm_ops)",
        ],
    },
)
