"""Mistakes in the sums of sales, in the reports made of them, and in scores."""

from tests.mutants.mistake import Mistake

SALES, STATEMENT, FIGURES = "orders/statistics/sales.py", "orders/reports/statement.py", "orders/reports/figures.py"
SUMS, PAGES = "tests/orders/statistics/test_sales.py", "tests/orders/reports/test_reports.py"
ROWS, MAILS = "tests/orders/reports/test_rows_behind.py", "tests/orders/saved_reports/test_mailed.py"

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
        "a weekly mail that is begun without a note of it", "panel/worker/report_mails.py",
        "update(due_at=next_at, begun_at=now,", "update(due_at=mail.due_at, begun_at=now,", MAILS,
    ),
    Mistake(
        "a weekly mail to who is switched off", "panel/worker/report_mails.py",
        "if not mail.person.is_active:", "if False:", MAILS,
    ),
    Mistake(
        "a weekly mail with money for who sees none", "orders/saved_reports/letter.py",
        'sees_money = may(person, "money")', "sees_money = True", MAILS,
    ),
    Mistake(
        "a saved report that anybody removes", "orders/saved_reports/keep.py",
        "and with it all its mails.\"\"\"\n    require_changeable(view, by)\n", "and with it all its mails.\"\"\"\n",
        "tests/orders/saved_reports/test_saved_reports.py",
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
