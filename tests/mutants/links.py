"""Mistakes in reading links and letters: one target taken for two, two for one, and links that go without a word."""

from tests.mutants.mistake import Mistake

NETWORKS = "catalog/networks.py"
TARGETS = "tests/catalog/test_networks.py"
LINKS = "orders/rules/links.py"
TEST_LINKS = "tests/orders/rules/test_links.py"
DOUBTS = "tests/orders/placing/test_link_doubts.py"
SIMILAR = "tests/orders/placing/test_similar_order.py"
FILL = "orders/statistics/search_fields.py"
OLD_ORDERS = "tests/orders/statistics/test_old_orders_filled.py"
LETTERS = "panel/format/letters.py"
TEST_LETTERS = "tests/panel/format/test_letters.py"

MISTAKES = (
    # ── One target, many spellings ───────────────────────────────────────────────────────────────
    Mistake(
        "a warning that compares links by their letters", "orders/placing/place.py",
        "filter(service=service, target=target)", "filter(service=service, link=link)",
        SIMILAR,
    ),
    Mistake(
        "codes of posts without their capitals", NETWORKS,
        "form.format(**parts)}\", key, kind, name)", "form.format(**parts).lower()}\", key, kind, name)",
        TARGETS,
    ),
    Mistake(
        "names with capitals", NETWORKS,
        'parts |= {"name": plain.casefold()}', 'parts |= {"name": plain}',
        TARGETS,
    ),
    Mistake(
        "a target that is sent in place of the link", "orders/placing/place.py",
        '"link": link if "link" in takes else None',
        '"link": f"https://{target_of(link)}" if "link" in takes else None',
        SIMILAR,
    ),
    Mistake(
        "old orders that keep the target they never had", FILL,
        'cursor.executemany("UPDATE orders_order SET target = %s WHERE id = %s", targets)', "pass",
        OLD_ORDERS,
    ),
    Mistake(
        "an index of words that does not hear of a new search text", "orders/statistics/search_index.py",
        "                INSERT INTO orders_words (rowid, haystack) VALUES (NEW.id, NEW.haystack);\n", "",
        OLD_ORDERS,
    ),
    # ── Links that went without a word ───────────────────────────────────────────────────────────
    Mistake(
        "a tick for a link that counts for another", "orders/placing/form.py",
        'self.data.get("despite_doubt") != self.checkup.doubt', 'not self.data.get("despite_doubt")',
        DOUBTS,
    ),
    Mistake(
        "an odd link that goes without a tick", "orders/placing/form.py",
        "                self._doubt_link()\n", "",
        DOUBTS,
    ),
    Mistake(
        "two glued links taken for one", LINKS,
        "    return any(map(_is_glued, pieces))", "    return False",
        TEST_LINKS,
    ),
    Mistake(
        "an invisible mark taken off in silence", LINKS,
        '        mended.append(f"Took off an invisible mark {where}.")\n', "",
        TEST_LINKS,
    ),
    Mistake(
        "a group taken for somebody's name", LINKS,
        "own is (network or own) and place.kind in (Kind.PROFILE, Kind.POST)", "own is (network or own)",
        TEST_LINKS,
    ),
    Mistake(
        "a name on another network taken for this one", LINKS,
        "place.name if own is (network or own) and", "place.name if",
        DOUBTS,
    ),
    # ── Letters ──────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "accents that hide a name", LETTERS,
        ".casefold().translate(FOLDS)", ".casefold()",
        TEST_LETTERS,
    ),
    Mistake(
        "every lone x a network", NETWORKS,
        '(?<!\\w-)x(?!-\\w|\\s*\\d)"', '(?<!\\w-)x(?!-\\w|\\s*\\d)|x"',
        TEST_LINKS,
    ),
    Mistake(
        "services found by the letters of the supplier alone", "catalog/models.py",
        "searched = folded(words).split()[:SEARCH_WORDS]", "searched = words.casefold().split()[:SEARCH_WORDS]",
        "tests/catalog/test_letters.py",
    ),
)  # fmt: skip
