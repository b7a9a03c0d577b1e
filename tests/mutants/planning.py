"""Mistakes in plans and templates: parts that go late, unasked or for nobody, clocks read wrongly, lost links."""

from tests.mutants.mistake import Mistake

TESTS, TIMES = "tests/orders/plans/test_plans.py", "tests/orders/plans/test_schedule.py"
TEMPLATES = "tests/orders/plans/test_templates.py"
DUE, PLAN, SCHEDULE = "orders/plans/due.py", "orders/plans/plan.py", "orders/plans/schedule.py"

MISTAKES = (
    Mistake(
        "a part of a plan goes however late it is", DUE,
        "if now - part.due_at > LATEST:", "if False:",
        f"{TESTS}::test_a_part_that_could_not_go_for_hours_waits_for_a_person",
    ),
    Mistake(
        "a part goes for somebody who is switched off", DUE,
        'if why := why_not(owner, "place"):', "if why := \"\":",
        f"{TESTS}::test_a_hold_a_limit_and_a_right_are_asked_for_again",
    ),
    Mistake(
        "a part is checked against the prices of its time, not those that were agreed to", DUE,
        "        seen=part.plan.seen, changed_at=now,\n", "        seen={}, changed_at=now,\n",
        f"{TESTS}::test_a_price_that_moved_waits_for_a_person_and_is_ordered_at_their_yes",
    ),
    Mistake(
        "lines that a part left are forgotten", DUE,
        "part.lines, part.left, part.why = left, len(left), result.why if left else \"\"",
        "part.lines, part.left, part.why = left, 0, result.why if left else \"\"",
        f"{TESTS}::test_a_price_that_moved_waits_for_a_person_and_is_ordered_at_their_yes",
    ),
    Mistake(
        "a plan takes any order of the same link for its own", DUE,
        "if order in own_orders:", "if order:",
        f"{TESTS}::test_lines_that_repeat_each_other_on_purpose_do_not_ask_again_every_day",
    ),
    Mistake(
        "a draft of somebody else’s can be planned", PLAN,
        "filter(pk=pk, owner=by).first()", "filter(pk=pk).first()",
        f"{TESTS}::test_the_same_draft_is_the_same_plan_and_no_list_besides",
    ),
    Mistake(
        "a list is planned at terms that nobody saw", PLAN,
        "if preview.mark != seen:", "if not seen:",
        f"{TESTS}::test_nothing_is_planned_that_moved_since_the_person_looked",
    ),
    Mistake(
        "a part each day drifts by an hour when the clock moves", SCHEDULE,
        'if self.unit == "days":\n            return [moment', 'if self.unit == "weeks":\n            return [moment',
        f"{TIMES}::test_a_part_a_day_keeps_its_hour_when_the_clock_moves",
    ),
    Mistake(
        "of a time that comes twice the second counts", SCHEDULE,
        "or UTC, fold=0)", "or UTC, fold=1)",
        f"{TIMES}::test_each_time_of_a_clock_means_one_moment",
    ),
    Mistake(
        "anybody may use a template that is not the team’s", "orders/plans/template_views.py",
        "seen = Q(owner=request.user.pk) | Q(shared=True)", "seen = Q()",
        f"{TEMPLATES}::test_nobody_sees_a_template_that_is_not_theirs_nor_the_teams",
    ),
    Mistake(
        "links for which a template has no line are dropped without a word", "orders/plans/template.py",
        "if len(pasted) > empty:", "if False:",
        f"{TEMPLATES}::test_pasted_links_go_to_the_lines_without_one_in_their_order",
    ),
)  # fmt: skip
