"""Mistakes in the sums of sales, in the reports made of them, and in scores."""

from tests.mutants.mistake import Mistake

SALES, STATEMENT, FIGURES = "orders/statistics/sales.py", "orders/reports/statement.py", "orders/reports/figures.py"
SUMS, PAGES = "tests/orders/statistics/test_sales.py", "tests/orders/reports/test_reports.py"
ROWS = "tests/orders/reports/test_rows_behind.py"

MISTAKES = (
    Mistake(
        "lines that are folded and stay", SALES,
        'cursor.execute(f"DELETE FROM orders_saleline {where}")',
        'cursor.execute(f"SELECT 1 FROM orders_saleline {where}")', SUMS,
    ),
    Mistake(
        "an order that leaves its refills with the customer before", SALES,
        'BEGIN {_moved("sqlite", tasks=True)}; END""",', 'BEGIN {_moved("sqlite", tasks=False)}; END""",',
        f"{SUMS}::test_a_recount_equals_the_sums_of_every_level_after_random_events",
    ),
    Mistake(
        "a partial order that is sold for the whole price", SALES,
        "THEN {shares[vendor]} ELSE {price} END", "THEN {price} ELSE {price} END", SUMS,
    ),
    Mistake(
        "a report without what no worker has folded", STATEMENT,
        'for table, begin, until in (*ranges, ("orders_saleline WHERE", first, end)):',
        "for table, begin, until in ranges:", PAGES,
    ),
    Mistake(
        "a day that begins with a whole hour everywhere", STATEMENT,
        "for slot in slots if slot % HOUR})", "for slot in slots if slot % HOUR > HOUR})", PAGES,
    ),
    Mistake(
        "numbers of the period before that lead to the orders of this one", "orders/reports/splits.py",
        "first, last = period.before if earlier else (period.first, period.last)",
        "first, last = period.first, period.last", ROWS,
    ),
    Mistake(
        "late orders that are all that were ever late", "orders/table/filters.py",
        "Q(_IS_FINAL, ended_late=True)", "Q(ended_late=True)", ROWS,
    ),
    Mistake(
        "an order with two refills that is listed twice", "orders/table/filters.py",
        "rows = Task.objects.filter(condition).exclude(Exists(newer))", "rows = Task.objects.filter(condition)",
        "tests/orders/table/test_listing.py",
    ),
    Mistake(
        "cents that are rounded each for itself", FIGURES,
        "for n in most_left[:missing]:", "for n in most_left[:0]:", PAGES,
    ),
    Mistake(
        "an export with money for a person who sees none", "orders/reports/export.py",
        "for name in AMOUNTS if sees_money]", "for name in AMOUNTS]",
        f"{PAGES}::test_without_the_right_to_money_a_report_has_none",
    ),
    Mistake(
        "a score of a service that hardly anybody ordered", "orders/rules/score.py",
        "if facts.ended < max(1, least):", "if facts.ended < 1:", "tests/orders/statistics/test_score.py",
    ),
)  # fmt: skip
