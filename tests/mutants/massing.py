"""Mistakes in mass orders: what is placed unseen, twice, above a limit or without a yes, and what is held back."""

from tests.mutants.mistake import Mistake

TESTS, PAGES = "tests/orders/mass/test_mass.py", "tests/orders/mass/test_mass_pages.py"
PLACE, CHECK = "orders/mass/place.py", "orders/mass/check.py"

MISTAKES = (
    Mistake(
        "a list is placed at terms that nobody saw", PLACE,
        "if preview.mark != seen:", "if not seen:",
        f"{TESTS}::test_nothing_is_placed_that_moved_since_the_person_looked",
    ),
    Mistake(
        "a list goes above the limit of the day", PLACE,
        "    require_within(limits_of(by), expected, by, at)\n", "",
        f"{TESTS}::test_a_sum_above_a_limit_of_the_day_refuses_the_whole_and_says_by_how_much",
    ),
    Mistake(
        "a yes to one price of a list counts for the next", CHECK,
        "yes=agreed.get(one.kind) == one.mark", "yes=one.kind in agreed",
        f"{TESTS}::test_a_yes_to_one_price_is_no_yes_to_the_next",
    ),
    Mistake(
        "a part that a service does not take is dropped without a word", CHECK,
        "        line.errors |= strange_parts(service, typed)\n", "",
        f"{TESTS}::test_what_a_service_does_not_take_is_never_dropped_without_a_word",
    ),
    Mistake(
        "a draft of somebody else’s can be placed", PLACE,
        "filter(pk=pk, owner=by)", "filter(pk=pk)",
        f"{TESTS}::test_nobody_changes_or_places_the_draft_of_somebody_else",
    ),
    Mistake(
        "a file that is too large is read as far as it goes", "panel/web/uploads.py",
        "KEPT_BYTES = 2_000_001", "KEPT_BYTES = 2_000_000",
        f"{PAGES}::test_files_are_taken_where_lists_are_and_nowhere_else",
    ),
)  # fmt: skip
