"""Mistakes that let something grow unseen: what the benchmarks do not come to, and counts that tell too little."""

from tests.mutants.mistake import Mistake

FLAT = "tests/benchmarks/test_flat.py"

MISTAKES = (
    Mistake(
        "a new address that no benchmark comes to", "orders/urls.py",
        '    path("late/", late.index, name="late"),',
        '    path("late/", late.index, name="late"),\n    path("later/", late.index, name="later"),',
        f"{FLAT}::test_every_address_is_come_to",
    ),
    Mistake(
        "a new filter of the list that no benchmark tries", "orders/table/filters.py",
        '    "network": Filter("Network",', '    "net": Filter("Network",',
        f"{FLAT}::test_every_filter_and_search_is_tried",
    ),
    Mistake(
        "a new chore that no benchmark measures", "panel/worker/recurring.py",
        '    "old deliveries": desk(', '    "very old deliveries": desk(',
        f"{FLAT}::test_every_step_and_chore_of_the_worker_is_measured",
    ),
    Mistake(
        "what is measured stays on the desk", "tests/benchmarks/measure.py",
        "        transaction.set_rollback(True)", "        pass",
        f"{FLAT}::test_what_is_counted_counts_all_statements_and_leaves_nothing_behind",
    ),
    Mistake(
        "growth passes where queries grow", "tests/benchmarks/flat.py",
        "        return units and self.many.queries <= self.few.queries * MOST_GROWTH + self.allowed_queries",
        "        return units",
        f"{FLAT}::test_flat_is_at_most_a_fifth_more",
    ),
)  # fmt: skip
